"""The form of a scenario file, checked when it is read.

A number may be written as `$name`: it is then taken from `sweep`, once for every combination.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from annotated_types import Ge, Gt, Le, MinLen
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from core.errors import DataError
from verticals.driving.traffic.layouts import LAYOUTS

HERE = Path(__file__).parent
Kind = Literal["car", "truck", "cyclist", "pedestrian", "obstacle", "phantom"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ego(_Strict):
    """Where the deciding vehicle starts."""

    path: Annotated[int, Ge(0)]
    s: float  # metres along its path
    speed: Annotated[float, Ge(0)]


class Actor(_Strict):
    """Another road user, placed relative to the ego or on a path of its own."""

    name: str
    kind: Kind = "car"
    manner: Literal["driver", "scripted", "straight"] = "scripted"
    path: int | None = None  # None: the ego's
    ahead: float | None = None  # metres in front of the ego along the path, or
    s: float | None = None  # metres along the path
    left: float = 0.0  # metres to the left of the path's middle
    turned: float = 0.0  # degrees against the direction of the path; 90 faces left
    speed: Annotated[float, Ge(0)] = 0.0
    hidden: bool = False  # not there until an event shows it

    @model_validator(mode="after")
    def _placed(self) -> Actor:
        if (self.ahead is None) == (self.s is None):
            raise ValueError("give either 'ahead' or 's'")
        return self


class Event(_Strict):
    """Something that happens once: when, to whom, what."""

    actor: str = ""  # empty: to the sensors of the ego
    at_s: float | None = None  # seconds after the start, or
    when_nearer_than: float | None = None  # metres between the ego and the actor, or
    when_ego_passes: float | None = None  # s of the ego
    speed: float | None = None  # then: it wants this speed
    lane: int | None = None  # ... it steers to this path
    stops: bool = False  # ... it stops on the spot
    appears: bool = False
    vanishes: bool = False
    sensors: str | None = None  # ... the sensors are in this condition

    @model_validator(mode="after")
    def _triggered(self) -> Event:
        if (
            sum(x is not None for x in (self.at_s, self.when_nearer_than, self.when_ego_passes))
            != 1
        ):
            raise ValueError("give one of 'at_s', 'when_nearer_than', 'when_ego_passes'")
        if not self.actor and self.when_nearer_than is not None:
            raise ValueError("'when_nearer_than' needs an actor")
        return self


class Criteria(_Strict):
    """What a case must satisfy. A collision that nobody could avoid fails it all the same."""

    collisions: int = 0
    min_time_to_collision: float = 0.8  # s
    red_lights: int = 0
    max_unsafe_s: float = 3.0  # seconds in which RSS had to be restored
    max_braking: float = 8.0  # m/s^2
    max_jerk: float = 60.0  # root mean square, m/s^3
    min_progress_m: float = 10.0  # to stand still for ever is no way to pass


class Scenario(_Strict):
    """One situation with everything in it."""

    name: Annotated[str, MinLen(1)]
    title: str
    layout: str
    ego: Ego
    actors: tuple[Actor, ...] = ()
    events: tuple[Event, ...] = ()
    sensors: str = "clear"
    light_s: Annotated[float, Ge(0)] = 0.0  # seconds into the cycle of the lights at the start
    duration_s: Annotated[float, Gt(0), Le(60)] = 12.0
    criteria: Criteria = Criteria()

    @model_validator(mode="after")
    def _known(self) -> Scenario:
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}")
        names = [actor.name for actor in self.actors]
        if len(set(names)) < len(names):
            raise ValueError("two actors have the same name")
        for event in self.events:
            if event.actor and event.actor not in names:
                raise ValueError(f"an event names {event.actor!r}, who is no actor")
        conditions = sensors()
        for name in (self.sensors, *(e.sensors for e in self.events if e.sensors)):
            if name not in conditions:
                known = ", ".join(conditions)
                raise ValueError(f"sensors {name!r} are unknown; choose from {known}")
        return self


class Case(_Strict):
    """A scenario with all its numbers filled in."""

    scenario: Scenario
    values: dict[str, float | int | str]  # of the swept parameters
    seed: int = 0

    @property
    def name(self) -> str:
        """The scenario and its values."""
        return " ".join([self.scenario.name, *(f"{k}={v}" for k, v in self.values.items())])


class Condition(_Strict):
    """What weather, light or damage do to the sensors."""

    found: Annotated[float, Ge(0), Le(1)] = 1.0  # share of what is in view that is detected
    sigma: Annotated[float, Ge(0)] = 0.0  # times the default errors of place and speed
    sight_m: Annotated[float, Ge(0)] = 150.0
    miss_s: Annotated[float, Gt(0)] = 0.2


@cache
def sensors() -> dict[str, Condition]:
    """The sensor conditions that scenarios may name."""
    rows = yaml.safe_load((HERE / "sensors.yaml").read_text(encoding="utf-8"))
    return {name: Condition(**row) for name, row in rows.items()}


def read_cases(path: Path | None = None) -> list[Case]:
    """All cases of a scenario file; by default of those that come with the case.

    Raises:
        DataError: Names the scenario and the field that is wrong.
    """
    files = [path] if path else sorted((HERE / "library").glob("*.yaml"))
    return [case for file in files for case in _cases(file)]


def _cases(file: Path) -> list[Case]:
    """The cases of one file of scenarios."""
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"not a file of scenarios: {error}", where=str(file),
                        remedy="Write a list of scenarios in YAML") from error  # fmt: skip
    out = []
    for row in written:
        sweep = row.pop("sweep", {})
        for values in product(*sweep.values()):
            given = dict(zip(sweep, values, strict=True))
            filled = _filled(row, given, f"{file.name}: {row.get('name', '?')}")
            try:
                out.append(Case(scenario=Scenario.model_validate(filled), values=given))
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                where = f"{file.name}: {row.get('name', '?')}: {where}"
                remedy = "See the scenarios beside it for the form"
                raise DataError(first["msg"], where=where, remedy=remedy) from error
    return out


def _filled(node: Any, values: dict[str, Any], where: str) -> Any:
    """A tree with every `$name` replaced."""
    if isinstance(node, dict):
        return {key: _filled(value, values, where) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values, where) for value in node]
    if isinstance(node, str) and node.startswith("$"):
        if node[1:] not in values:
            raise DataError(f"{node} is not in 'sweep'", where=where,
                            remedy="Add it there, or write a number")  # fmt: skip
        return values[node[1:]]
    return node
