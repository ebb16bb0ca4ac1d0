"""Perception as a whole: images in, `Sight` out, whatever runtime holds the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.frame import Boxes2D, Calibration, Floats, View
from verticals.driving.perception.dataset import fitted
from verticals.driving.perception.decoding import (
    find_lanes,
    find_objects,
    find_surfaces,
    to_boxes,
)
from verticals.driving.perception.settings import FOCAL, PerceptionSettings
from verticals.driving.perception.sight import Sight
from verticals.driving.perception.trust import Trust

Runtime = Callable[[NDArray[np.uint8]], dict[str, Floats]]  # (n, h, w, 3) to maps of n images

_LENS = 0.87  # image widths: a lens of 60 degrees, where none is known
_RIVAL = 0.6  # share of the best class's score from which another class makes an object unknown
_FAINT = 0.5  # score below which such an object may be called unknown


@dataclass(frozen=True, eq=False)
class Eye:
    """Sees images."""

    run: Runtime
    settings: PerceptionSettings
    trust: Trust = field(default_factory=Trust)
    least: float = 0.05  # raw score below which nothing is reported

    def see(
        self, images: Sequence[NDArray[Any]], cameras: Sequence[Calibration | None] | None = None
    ) -> list[Sight]:
        """What images show.

        Args:
            images: (h, w, 3) uint8 RGB each, of any sizes.
            cameras: Of each image, or None where unknown: distances then assume a lens of 60
                degrees.

        Raises:
            DataError: Something is no such image; names which.
        """
        for number, image in enumerate(images):
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
                raise DataError(
                    f"it has shape {image.shape} of {image.dtype}, not (height, width, 3) of uint8",
                    where=f"image {number}", remedy="Read it with verticals.driving.data.images",
                )  # fmt: skip
        if not images:
            return []
        width, height = self.settings.width, self.settings.height
        made = [fitted(image, width, height) for image in images]
        maps = self.run(np.stack([image for image, _ in made]))
        sights = []
        for number, (image, (_, scale)) in enumerate(zip(images, made, strict=True)):
            camera = cameras[number] if cameras else None
            one = {name: value[number] for name, value in maps.items()}
            sights.append(self._read(one, scale, image.shape[:2], camera))
        return self._strange(sights)

    def look(self, views: Sequence[View], batch: int = 8) -> list[Sight]:
        """What views show, by their own cameras, a few at a time."""
        sights: list[Sight] = []
        for start in range(0, len(views), batch):
            some = views[start : start + batch]
            sights += self.see([v.image for v in some], [v.calibration for v in some])
        return sights

    def _read(
        self, maps: dict[str, Floats], scale: tuple[float, float], size: tuple[int, ...],
        camera: Calibration | None,
    ) -> Sight:  # fmt: skip
        """One image's maps."""
        shape = (size[0], size[1])
        surfaces, sure = np.zeros(shape, np.uint8), np.zeros(shape, np.float32)
        if "surfaces" in maps:
            surfaces, sure = find_surfaces(maps["surfaces"], scale, shape, self.trust.temperature)
        boxes = Boxes2D(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64))
        unknown = np.zeros(0, np.bool_)
        if "heat" in maps:
            found = find_objects(maps, self.least)
            focal = _LENS * size[1] if camera is None else float(camera.matrix[0, 0])
            boxes = to_boxes(found, scale, shape, focal * scale[0] / FOCAL)
            boxes = replace(boxes, scores=self.trust.scores(found.scores))
            unknown = (found.scores < _FAINT) & (found.rivals > _RIVAL * found.scores)
        lanes = find_lanes(maps["lanes"], scale) if "lanes" in maps else ()
        return Sight(surfaces, sure, boxes, lanes, unknown, maps["embedding"])

    def _strange(self, sights: list[Sight]) -> list[Sight]:
        """Say how strange the images are, if the strange can be told."""
        if self.trust.domain is None:
            return sights
        far = self.trust.domain.strangeness(np.stack([sight.embedding for sight in sights]))
        return [
            replace(sight, strangeness=float(one)) for sight, one in zip(sights, far, strict=True)
        ]


WEIGHTS = Path(__file__).with_name("weights")  # learned from rendered streets only


def open_eye(folder: Path = WEIGHTS) -> Eye:
    """Perception from a folder with road.safetensors and, if calibrated, trust.safetensors.

    Raises:
        ModelError: The weights are missing or damaged.
    """
    from verticals.driving.deploying.torch_runtime import torch_runtime
    from verticals.driving.perception.training import load_network

    network = load_network(folder / "road.safetensors")
    kept = folder / "trust.safetensors"
    trust = Trust.open(kept) if kept.exists() else Trust()
    return Eye(torch_runtime(network), network.settings, trust)
