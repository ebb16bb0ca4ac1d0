"""What each step of the credit case hands to the next: load, check, split, fit, evaluate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.data.privacy import PersonalColumn
from core.data.quality import Finding
from core.data.schema import TableSchema
from core.deployment.results import Measurement
from verticals.finance.parameters import CreditParameters

if TYPE_CHECKING:
    from verticals.finance.model import CreditModel
    from verticals.finance.scorecard import Scorecard


@dataclass(frozen=True)
class Roles:
    """Which column plays which part."""

    target: str
    features: tuple[str, ...]  # what a model may see, in order
    time: str | None = None
    group: str | None = None
    fold: str | None = None
    exposure: str | None = None
    protected: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A book as it was read, nothing changed."""

    frame: pd.DataFrame
    parameters: CreditParameters
    source: str  # what was read, for the audit pack; never with a password
    fingerprint: str  # SHA-256 of the content
    licence: str = ""  # attribution owed, for embedded data


@dataclass(frozen=True)
class Checked:
    """A book with typed columns, and what was found on the way."""

    loaded: Loaded
    frame: pd.DataFrame  # typed; missing codes are missing; personal data removed
    target: np.ndarray  # (n,) int8, 1 = bad
    roles: Roles
    schema: TableSchema
    findings: tuple[Finding, ...]
    personal: tuple[PersonalColumn, ...] = ()


@dataclass(frozen=True)
class Split:
    """Which rows train, which are public and which stay sealed. Row numbers, 0-based."""

    checked: Checked
    kind: str  # "time", "group", "time and group", "agreed" or "random"
    train: np.ndarray
    public: np.ndarray
    private: np.ndarray
    folds: tuple[tuple[np.ndarray, np.ndarray], ...]  # (fit, validation) row numbers inside train

    @property
    def test(self) -> np.ndarray:
        """Every held-out row, public and private."""
        return np.sort(np.concatenate([self.public, self.private]))


@dataclass(frozen=True)
class Fitted:
    """The end of the competition, before the private part is opened."""

    split: Split
    champion: CreditModel
    champion_name: str
    scorecard: Scorecard
    entrants: dict[str, CreditModel]  # every entrant, the champion among them
    oof: pd.DataFrame  # out-of-fold log-odds, rows as split.train, one column an entrant
    seconds: dict[str, float]  # spent by entrant


@dataclass(frozen=True)
class Evaluated:
    """What the sealed part said, with intervals, and every table behind the report."""

    fitted: Fitted
    measurements: tuple[Measurement, ...]
    leaderboard: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
