"""What each step of the decision case hands to the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.deployment.results import Results
from verticals.driving.deciding.evaluation import Collision, Episodes
from verticals.driving.deciding.network import PolicyNetwork
from verticals.driving.deciding.parameters import DecisionParameters
from verticals.driving.deciding.training import Learned, PolicySettings
from verticals.driving.deciding.why import Why
from verticals.driving.scenarios.gate import Verdict
from verticals.driving.scenarios.running import Trace
from verticals.driving.scenarios.schema import Case
from verticals.driving.traffic.roads import Floats

ROADS = ("motorway", "merge", "street", "intersection")


@dataclass(frozen=True, eq=False)
class Loaded:
    """The policies that are judged, and the scenarios they have to pass."""

    parameters: DecisionParameters
    policies: dict[str, PolicyNetwork]  # by road
    folder: Path  # they came from
    cases: tuple[Case, ...]
    source: str
    fingerprint: str  # SHA-256 of weights and scenarios


@dataclass(frozen=True, eq=False)
class Taught:
    """A policy that was taught just now, and the return of others under the same reward."""

    learned: Learned
    settings: PolicySettings
    beside: dict[str, float]  # mean return by driver, on the seeds of the learning curve


@dataclass(frozen=True, eq=False)
class Judged:
    """All drivers on all roads, from the same unseen seeds."""

    loaded: Loaded
    seeds: range
    episodes: dict[str, dict[str, Episodes]]  # by road, then driver
    overrides: pd.DataFrame  # road, seed, time_s, reason, whom: the policy within its shield
    collisions: dict[str, list[Collision]]  # by road: the policy within its shield


@dataclass(frozen=True, eq=False)
class Proved:
    """Scenarios driven by several drivers, one failure taken apart, and the gate's verdicts."""

    runs: dict[str, tuple[Trace, ...]]  # by driver
    failure: Trace | None  # one that the policy fails; None if it fails none
    repeats: bool  # its replay is the same to the last bit
    small: Trace | None  # the failure shrunk to its core
    verdicts: dict[tuple[str, str], Verdict]  # by (old driver, new driver)


@dataclass(frozen=True, eq=False)
class Explained:
    """One decision and what carried it, and what the policy reads at all."""

    road: str
    why: Why
    scene: Trace  # the moment of the decision, to look at
    seen: Floats  # (n, rows, features) observations met on the way
    reads: pd.DataFrame  # of `explain_policy`


@dataclass(frozen=True, eq=False)
class HandedOver:
    """Where everything is."""

    folder: Path  # policies as ONNX, card, scenarios, film
    report: Path
    results: Results
    difference: float  # largest between ONNX Runtime's chances and those judged here
