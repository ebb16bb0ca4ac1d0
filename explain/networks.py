"""What moved a network's score: integrated gradients, by Captum.

They are not Shapley values; on the same rows they show whether a network leans on the same
columns as the trees do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import ModelError

if TYPE_CHECKING:
    import torch

LARGEST_GAP = 0.05  # of the score's spread: attributions that add up worse are refused


def integrated_gradients(
    module: torch.nn.Module, matrix: np.ndarray, baseline: np.ndarray, *, steps: int = 64
) -> np.ndarray:
    """Attributions of a network's scores (Sundararajan et al., 2017).

    Args:
        module: Takes (n, columns) float32, returns (n,) scores. It is copied, not touched.
        matrix: (n, columns) rows; missing values are read as the baseline's.
        baseline: (columns,) where the path begins, such as the training median.
        steps: Of the path; doubled until the attributions add up.

    Returns:
        (n, columns) attributions; each row's sum is its score minus the baseline's.

    Raises:
        ModelError: They do not add up to the difference in score, even with many steps.
    """
    import copy

    import torch
    from captum.attr import IntegratedGradients

    network = copy.deepcopy(module).eval()
    start = torch.from_numpy(np.asarray(baseline, np.float32))[None]
    rows = torch.from_numpy(np.where(np.isnan(matrix), baseline, matrix).astype(np.float32))
    with torch.no_grad():
        spread = float(network(rows).std()) + 1e-9
    while True:
        found, gap = IntegratedGradients(network).attribute(
            rows, start.expand_as(rows), n_steps=steps, internal_batch_size=4096,
            return_convergence_delta=True,
        )  # fmt: skip
        worst = float(gap.abs().max()) / spread
        if worst <= LARGEST_GAP:
            return np.asarray(found.detach().numpy(), dtype=float)
        if steps >= 1024:
            raise ModelError(
                f"the attributions miss the score by {worst:.0%} of its spread",
                remedy="Use more steps, or a smoother network",
            )
        steps *= 2
