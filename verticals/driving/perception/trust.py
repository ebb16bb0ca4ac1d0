"""What turns raw scores into chances, and tells the strange from the known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.evaluation.calibration import Calibrator
from verticals.driving.frame import UNLABELLED, Floats, View
from verticals.driving.perception.dataset import encode
from verticals.driving.perception.settings import FINE, PerceptionSettings
from verticals.driving.perception.sight import Sight
from verticals.driving.perception.unknown import Domain, fit_domain
from verticals.driving.perception.unknown_calibration import (
    fit_confidence,
    fit_temperature,
    log_odds,
)

_PIXELS = 300  # of an image that the temperature is fitted on
_BATCH = 8


@dataclass(frozen=True, eq=False)
class Trust:
    """What scores are worth; as it is, they are taken as they come."""

    temperature: float = 1.0  # of the surfaces' logits
    objects: Calibrator | None = None  # of the objects' scores
    domain: Domain | None = None  # of the images learned from

    def scores(self, raw: Floats) -> Floats:
        """Chances that objects are there, (n,), of their raw scores."""
        if self.objects is None or not len(raw):
            return raw
        found: Floats = self.objects.transform(log_odds(raw))
        return found

    def save(self, path: Path) -> Path:
        """Keep it as safetensors."""
        from safetensors.numpy import save_file

        arrays = self.domain.to_arrays() if self.domain else {}
        said: dict[str, Any] = {"temperature": self.temperature, "objects": None}
        if self.objects is not None:
            said["objects"] = json.loads(self.objects.to_json())
        save_file({"version": np.ones(1, np.float32), **arrays}, path, {"trust": json.dumps(said)})
        return path

    @staticmethod
    def open(path: Path) -> Trust:
        """What `save` kept.

        Raises:
            ModelError: The file is no such thing.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "numpy") as file:
                said = json.loads((file.metadata() or {})["trust"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            objects = said["objects"] and Calibrator.from_json(json.dumps(said["objects"]))
            domain = Domain.from_arrays(arrays) if "mean" in arrays else None
            return Trust(float(said["temperature"]), objects, domain)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"it cannot be read ({error})", where=str(path),
                             remedy="Use what Trust.save wrote, whole") from error  # fmt: skip


def fit_trust(
    run: Callable[[NDArray[np.uint8]], dict[str, Floats]],
    settings: PerceptionSettings,
    views: Sequence[View],
    sequences: Sequence[str],
    see: Callable[[Sequence[View]], list[Sight]],
) -> Trust:
    """Learn what scores are worth, on labelled images that the network did not learn from.

    Args:
        run: The runtime.
        settings: Of the network.
        views: Labelled; those of the second half of the sequences set the alarm's threshold.
        sequences: Of each view.
        see: Perception with raw scores.

    Returns:
        A temperature for surfaces, a curve for objects and the domain of the images, as far as
        there are labels.
    """
    from verticals.driving.perception.judging.confidence import detection_outcomes
    from verticals.driving.perception.judging.matching import match

    random = np.random.default_rng(0)
    logits, labels, embeddings = [], [], []
    for start in range(0, len(views), _BATCH):
        rows = [encode(view, settings) for view in views[start : start + _BATCH]]
        maps = run(np.stack([row["images"] for row in rows]))
        embeddings.append(maps["embedding"])
        for number, row in enumerate(rows):
            truth = row["surfaces"][FINE // 2 :: FINE, FINE // 2 :: FINE]
            if "surfaces" not in maps or not (truth != UNLABELLED).any():
                continue
            known = np.argwhere(truth != UNLABELLED)
            y, x = known[random.integers(len(known), size=_PIXELS)].T
            logits.append(maps["surfaces"][number][:, y, x].T)
            labels.append(truth[y, x])
    temperature = 1.0
    if logits:
        temperature = fit_temperature(np.concatenate(logits), np.concatenate(labels).astype(int))
    objects = None
    if any(view.boxes is not None for view in views):
        matches = match(see(views), views, sequences, draws=1)
        _, scores, hit = detection_outcomes(matches)
        objects = fit_confidence(scores, hit) if len(scores) > 100 else None
    seen = np.concatenate(embeddings)
    names = sorted(set(sequences))
    late = np.isin(np.asarray(sequences), names[len(names) // 2 :])
    domain = None
    if min(late.sum(), (~late).sum()) >= 20:
        domain = fit_domain(seen[~late], validation=seen[late])
    return Trust(temperature, objects, domain)
