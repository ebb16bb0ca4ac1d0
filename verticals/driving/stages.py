"""What each step of the perception case hands to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.deployment.results import Measurement, Results
from verticals.driving.frame import View
from verticals.driving.parameters import RoadParameters

if TYPE_CHECKING:
    from verticals.driving.perception.eye import Eye
    from verticals.driving.perception.judging.report import Judged
    from verticals.driving.perception.network import RoadNetwork
    from verticals.driving.perception.sight import Sight
    from verticals.driving.perception.why import Why


@dataclass(frozen=True, eq=False)
class Labelled:
    """One labelled image."""

    view: View
    sequence: str  # video, drive or street: never torn between learning and judging
    weather: str = ""
    source: str = ""  # file or seed


@dataclass(frozen=True, eq=False)
class Loaded:
    """Labelled images of a client's cameras, or of rendered streets."""

    parameters: RoadParameters
    frames: tuple[Labelled, ...]
    source: str
    fingerprint: str
    licence: str = ""
    broken: tuple[str, ...] = ()  # frames that could not be read, and why
    turned: tuple[str, ...] = ()  # of frames with points: how calibration looks turned, or ""


@dataclass(frozen=True, eq=False)
class Checked:
    """What the images hold, and what is wrong with them."""

    loaded: Loaded
    contents: pd.DataFrame  # one row a class: images, objects or share of pixels
    findings: pd.DataFrame  # what a consultant should know


@dataclass(frozen=True, eq=False)
class Split:
    """Which images teach, which choose and set confidence, and which are seen once at the end."""

    checked: Checked
    train: tuple[Labelled, ...]
    validation: tuple[Labelled, ...]
    test: tuple[Labelled, ...]


@dataclass(frozen=True, eq=False)
class Fitted:
    """The network that was just taught, and the shipped one, both with calibrated confidence."""

    split: Split
    network: RoadNetwork  # the better of the two on the validation images
    eye: Eye
    chosen: str  # "taught" or "shipped"
    other: Eye | None  # the one that was not chosen
    losses: tuple[float, ...]  # of teaching, by epoch
    duel: pd.DataFrame  # both on the validation images


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the test images said, with intervals, and the tables behind the report."""

    fitted: Fitted
    sights: tuple[Sight, ...]  # of the test images
    judged: Judged
    beside: Judged | None  # of the network that was not chosen
    measurements: tuple[Measurement, ...]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Explained:
    """One object of the test images, and why the network sees it."""

    evaluated: Evaluated
    picture: np.ndarray  # (h, w, 3) uint8: the image, fitted to the network
    why: Why


@dataclass(frozen=True, eq=False)
class Packed:
    """Where everything is."""

    bundle: Path
    report: Path
    results: Results
    exports: pd.DataFrame  # what each runtime loses, weighs and costs
