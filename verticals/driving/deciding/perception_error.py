"""How perception errs: a small measured table that traffic uses to blur what the ego sees.

The table is written by whoever measures a perception (detections against truth, by distance,
occlusion and night) and read here. `DEFAULT` is not measured on casekit's own network: it holds
orders of magnitude of published camera detectors and trackers, until a measurement replaces it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from core.errors import DataError
from verticals.driving.traffic.roads import Floats

Share = Annotated[float, Ge(0), Le(1)]
Positive = Annotated[float, Ge(0)]
CLASSES = ("vehicle", "vulnerable")  # people and cyclists are smaller and harder to find


class PerceptionError(BaseModel):
    """Errors by distance; every list has one number for each bin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str  # where the numbers come from
    edges_m: Annotated[
        list[Positive], Len(min_length=1, max_length=8)
    ]  # far end of every bin; farther is unseen
    found: dict[str, list[Share]]  # share detected: "vehicle day clear", "... night partly", ...
    miss_s: Positive = 0.3  # mean length of a gap in a track
    range_sigma_m: list[Positive]  # of the distance
    side_sigma_m: list[Positive]  # across the line of sight
    speed_sigma_mps: list[Positive]
    heading_sigma_rad: Positive = 0.02
    phantoms_per_hour: Positive = 0.0  # objects that do not exist

    @model_validator(mode="after")
    def _complete(self) -> PerceptionError:
        bins = len(self.edges_m)
        if sorted(self.edges_m) != self.edges_m:
            raise ValueError("edges_m must rise")
        missing = [key for key in KEYS if key not in self.found]
        if missing:
            raise ValueError(f"found lacks {missing[0]!r}")
        lists = {
            **self.found, "range_sigma_m": self.range_sigma_m, "side_sigma_m": self.side_sigma_m,
            "speed_sigma_mps": self.speed_sigma_mps,
        }  # fmt: skip
        wrong = [name for name, values in lists.items() if len(values) != bins]
        if wrong:
            raise ValueError(f"{wrong[0]} needs {bins} numbers, one for each of edges_m")
        return self


ERROR_SHAPES = {"edges": (8,), "found": (2, 2, 2, 8), "range_sigma": (8,), "side_sigma": (8,),
                "speed_sigma": (8,)}  # fmt: skip
KEYS = tuple(f"{kind} {light} {view}" for kind in CLASSES for light in ("day", "night")
             for view in ("clear", "partly"))  # fmt: skip


class Errors(NamedTuple):
    """The table as the compiled loops read it; `active` 0 stands for perfect sight."""

    active: int
    bins: int
    edges: Floats  # (b,)
    found: Floats  # (class, night, partly, b)
    miss: float  # seconds
    range_sigma: Floats  # (b,)
    side_sigma: Floats
    speed_sigma: Floats
    heading_sigma: float
    phantoms: float  # per second


def errors_of(model: PerceptionError | None) -> Errors:
    """The table for the compiled loops; None is perfect sight."""
    if model is None:
        one = np.ones(1)
        return Errors(0, 1, one, np.ones((2, 2, 2, 1)), 0.0, one, one, one, 0.0, 0.0)
    found = np.array([model.found[key] for key in KEYS], float).reshape(2, 2, 2, -1)
    return Errors(
        1, len(model.edges_m), np.array(model.edges_m, float), found, model.miss_s,
        np.array(model.range_sigma_m, float), np.array(model.side_sigma_m, float),
        np.array(model.speed_sigma_mps, float),
        model.heading_sigma_rad, model.phantoms_per_hour / 3600,
    )  # fmt: skip


def read_errors(path: Path) -> PerceptionError:
    """Read a measured table.

    Raises:
        DataError: Not such a table; names the field.
    """
    try:
        return PerceptionError.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or path.name
        raise DataError(
            f"not a table of perception errors: {first['msg']}", where=place,
            remedy="Write it as PerceptionError.model_dump_json does",
        ) from error  # fmt: skip


def write_errors(model: PerceptionError, path: Path) -> None:
    """Write a table where `read_errors` finds it."""
    path.write_text(model.model_dump_json(indent=2) + "\n", encoding="utf-8")


DEFAULT = PerceptionError(
    source="assumed, not measured: falls with distance, occlusion and night as camera detectors do",
    edges_m=[20, 40, 60, 90, 150],
    found={
        "vehicle day clear": [0.995, 0.99, 0.97, 0.92, 0.80],
        "vehicle day partly": [0.97, 0.94, 0.88, 0.75, 0.50],
        "vehicle night clear": [0.99, 0.97, 0.93, 0.85, 0.70],
        "vehicle night partly": [0.94, 0.88, 0.78, 0.60, 0.40],
        "vulnerable day clear": [0.99, 0.96, 0.88, 0.65, 0.30],
        "vulnerable day partly": [0.90, 0.80, 0.62, 0.40, 0.15],
        "vulnerable night clear": [0.96, 0.88, 0.70, 0.40, 0.10],
        "vulnerable night partly": [0.80, 0.65, 0.42, 0.20, 0.05],
    },
    range_sigma_m=[0.3, 0.8, 1.6, 3.0, 6.0],
    side_sigma_m=[0.1, 0.15, 0.2, 0.3, 0.5],
    speed_sigma_mps=[0.3, 0.5, 0.8, 1.2, 2.0],
    phantoms_per_hour=2.0,
)
