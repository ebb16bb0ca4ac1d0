"""What each step of the home case hands to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.deployment.results import Measurement, Results
from verticals.voice.command import Turn
from verticals.voice.parameters import HomeParameters
from verticals.voice.recordings import Recording

if TYPE_CHECKING:
    from verticals.voice.assistant import Assistant
    from verticals.voice.home.model import Home
    from verticals.voice.wake.training import WakeReport
    from verticals.voice.why import Why


@dataclass(frozen=True)
class Loaded:
    """A home and its labelled recordings."""

    parameters: HomeParameters
    home: Home
    recordings: tuple[Recording, ...]
    source: str
    fingerprint: str  # of home, labels and audio
    licence: str = ""  # attribution owed, for the embedded recordings


@dataclass(frozen=True)
class Checked:
    """The recordings described: how long, how loud, how noisy, by whom, and what is wrong."""

    loaded: Loaded
    recordings: tuple[Recording, ...]  # those that can be judged
    clips: pd.DataFrame  # one row a recording: seconds, level and noise in dB, finding
    findings: pd.DataFrame  # what a consultant should know


@dataclass(frozen=True)
class Split:
    """Which recordings tune, and which are heard once at the end; no speaker is in both."""

    checked: Checked
    dev: tuple[Recording, ...]
    test: tuple[Recording, ...]


@dataclass(frozen=True)
class Fitted:
    """The assistant for this home, its wake word trained and its thresholds set."""

    split: Split
    assistant: Assistant
    wake: WakeReport
    wake_folder: Path
    tuning: pd.DataFrame  # thresholds tried on the dev recordings, and what each would cost
    threshold: float  # confidence below which it asks back


@dataclass(frozen=True)
class Evaluated:
    """What the test recordings said, with intervals, and the tables behind the report."""

    fitted: Fitted
    measurements: tuple[Measurement, ...]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Explained:
    """The parameters' request spoken, heard, done, and why so."""

    evaluated: Evaluated
    sound: np.ndarray  # (n,) float32 at 16 kHz: the request as it was spoken
    turn: Turn
    why: Why


@dataclass(frozen=True)
class Packed:
    """Where everything is."""

    bundle: Path
    report: Path
    results: Results
