"""What perception says of one image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import Boxes2D, LaneLine


@dataclass(frozen=True, eq=False)
class Sight:
    """One image as perceived; all places are in the pixels of the image that was given."""

    surfaces: NDArray[np.uint8]  # (height, width) index into frame.SURFACES
    confidence: NDArray[np.float32]  # (height, width) calibrated probability of that surface
    boxes: Boxes2D  # scores are calibrated; details hold a light's state or a sign's name
    lanes: tuple[LaneLine, ...] = ()
    unknown: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # per box:
    # something stands there, and it is like no class that was learned
    embedding: NDArray[np.floating[Any]] = field(default_factory=lambda: np.zeros(0, np.float32))
    strangeness: float = 0.0  # of the whole image; above 1 it is unlike what was learned from

    @property
    def alarm(self) -> bool:
        """Whether the image is so strange that nothing said of it should be relied on."""
        return self.strangeness > 1
