"""What every page of the driving demo reads: one perception, opened once, never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from apps.demos.words import Words

if TYPE_CHECKING:
    from apps.demos.driving_pages.looking import Looked
    from apps.demos.driving_pages.runtimes import Runtimes
    from verticals.driving.frame import Boxes2D, Floats
    from verticals.driving.scenarios.running import Policy
    from verticals.driving.scenarios.schema import Case

_HERE = Path(__file__).parent
TEXTS = (_HERE / "texts.yaml", _HERE / "names.yaml")
Image = NDArray[np.uint8]  # (height, width, 3) RGB


@dataclass(frozen=True, eq=False)
class Reason:
    """Why an object is seen."""

    heat: Floats  # (h, w) of the picture; positive speaks for it
    sentences: dict[str, str]  # by language
    holds: bool  # whether a test of the explanation speaks for it


class Explainer(Protocol):
    """Says why an object is seen; takes seconds."""

    def __call__(self, image: Image, box: Floats, kind: str) -> Reason:
        """Raises CasekitError where it cannot."""
        ...


@dataclass(frozen=True, eq=False)
class Desk:
    """Shared by all sessions, so nobody writes to it.

    Attributes:
        runtimes: Perception, on whatever it can run.
        words: Texts of the pages.
        first: What the page shows before anybody gave a picture.
        explain: Why an object is seen; None where the trained network is not there.
        second: Pedestrians as another network sees them; raises where it is not installed.
        drivers: By name who can drive the scenarios.
        cases: All scenarios with all their numbers.
        card: What is known of the network, Markdown; may be empty.
    """

    runtimes: Runtimes
    words: Words
    first: Looked
    second: Callable[[Image], Boxes2D]
    drivers: dict[str, Callable[[Case], Policy]]
    cases: tuple[Case, ...]
    explain: Explainer | None = None
    card: str = ""
