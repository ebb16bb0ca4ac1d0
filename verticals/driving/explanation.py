"""Why the network sees one of the objects of the test images."""

from __future__ import annotations

import numpy as np

from core.errors import DataError
from verticals.driving.frame import OBJECTS, SURFACES
from verticals.driving.perception.why import explain_object, explain_surface
from verticals.driving.stages import Evaluated, Explained

_PREFERRED = ("pedestrian", "cyclist", "car")  # what a committee asks about first


def explain(evaluated: Evaluated, *, kind: str | None = None) -> Explained:
    """Explain the surest object of a kind, or the largest surface where no object is seen.

    Args:
        evaluated: With what was seen in the test images.
        kind: One of frame.OBJECTS; by default a pedestrian, a cyclist or a car.

    Raises:
        DataError: Nothing of that kind was seen.
    """
    wanted = (kind,) if kind else _PREFERRED
    frames = evaluated.fitted.split.test
    for name in wanted:
        best: tuple[float, int, int] | None = None
        for number, sight in enumerate(evaluated.sights):
            mine = np.flatnonzero(sight.boxes.classes == OBJECTS.index(name))
            for row in mine:
                worth = float(np.asarray(sight.boxes.scores)[row]) * _size(sight.boxes.xyxy[row])
                if best is None or worth > best[0]:
                    best = (worth, number, int(row))
        if best is not None:
            image = frames[best[1]].view.image
            box = evaluated.sights[best[1]].boxes.xyxy[best[2]]
            return Explained(evaluated, image, explain_object(
                evaluated.fitted.network, image, box, name, seed=_seed(evaluated)))  # fmt: skip
    if kind:
        raise DataError(f"no {kind} was seen in the test images", where="kind",
                        remedy="Ask for another kind")  # fmt: skip
    sight, frame = evaluated.sights[0], frames[0]
    commonest = int(np.bincount(sight.surfaces.ravel()).argmax())
    return Explained(
        evaluated,
        frame.view.image,
        explain_surface(
            evaluated.fitted.network, frame.view.image, SURFACES[commonest], seed=_seed(evaluated)
        ),
    )


def _seed(evaluated: Evaluated) -> int:
    return evaluated.fitted.split.checked.loaded.parameters.seed


def _size(box: np.ndarray) -> float:
    """Height in pixels, which counts less and less."""
    return float(np.sqrt(max(box[3] - box[1], 1.0)))
