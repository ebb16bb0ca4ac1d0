"""What a program for small devices answers, beside the module it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.deployment.executorch_export import ExecutorchSession, export_executorch
from core.errors import ModelError


class Scored(torch.nn.Module):
    """Scores the rows of a table, and adds them up where a mask allows."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = torch.nn.Linear(16, 32), torch.nn.Linear(32, 4)

    def forward(self, rows: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.outer(torch.nn.functional.gelu(self.inner(rows)))
        return scores, (scores * mask.unsqueeze(-1)).sum(1)


def _given(n: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(n)
    return {
        "rows": random.normal(size=(1, n, 16)).astype(np.float32),
        "mask": (random.random((1, n)) < 0.7).astype(np.float32),
    }


def _exported(folder: Path, *, int8: bool) -> tuple[Scored, ExecutorchSession]:
    module = Scored().eval()
    example = {name: torch.from_numpy(value) for name, value in _given(5).items()}
    path = export_executorch(
        module, example, folder / "scored.pte", int8=int8, most={"n": 12},
        dynamic={"rows": {1: "n"}, "mask": {1: "n"}},
    )  # fmt: skip
    return module, ExecutorchSession(path, ["rows", "mask"])


@pytest.mark.parametrize(("int8", "near"), [(False, 1e-5), (True, 0.05)])
def test_a_program_answers_as_its_module_for_any_length(
    tmp_path: Path, int8: bool, near: float
) -> None:
    module, session = _exported(tmp_path, int8=int8)
    first = session.run(None, _given(1))
    kept = first[0].copy()
    for n in (1, 2, 5, 12):
        given = _given(n)
        with torch.no_grad():
            wanted = module(*map(torch.from_numpy, given.values()))
        for right, found in zip(wanted, session.run(None, given), strict=True):
            assert found.shape == tuple(right.shape)
            assert np.abs(found - right.numpy()).max() <= near * max(1.0, right.abs().max())
    assert np.array_equal(first[0], kept)  # later answers leave earlier ones alone


def test_what_is_no_program_is_said(tmp_path: Path) -> None:
    (tmp_path / "no.pte").write_bytes(b"not a program at all" * 9)
    with pytest.raises(ModelError, match="no ExecuTorch program"):
        ExecutorchSession(tmp_path / "no.pte", ["rows"])
