"""What is done with a failure: written down, replayed to the bit, shrunk to its core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import orjson

from core.errors import DataError
from verticals.driving.scenarios.running import Policy, Trace, replay, run
from verticals.driving.scenarios.schema import Case, Scenario

T = TypeVar("T")
_STEPS = (20.0, 10.0, 5.0, 1.0)  # grids that numbers are rounded to, coarsest first


def write_failure(trace: Trace, path: Path) -> Path:
    """Write a run so that `replay_failure` repeats it without the policy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps({
        "case": trace.case.model_dump(), "shield": trace.shield, "actions": list(trace.actions),
        "failed": list(trace.failed), "digest": trace.digest,
    }, option=orjson.OPT_INDENT_2))  # fmt: skip
    return path


def replay_failure(path: Path) -> Trace:
    """Repeat a run that was written down.

    Raises:
        DataError: Not such a file, or the repetition differs in any bit of any state.
    """
    try:
        kept: dict[str, Any] = orjson.loads(path.read_bytes())
        trace = replay(Case.model_validate(kept["case"]), kept["actions"], shield=kept["shield"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"not a written failure: {error}", where=str(path),
                        remedy="Write it with write_failure") from error  # fmt: skip
    if trace.digest != kept["digest"]:
        raise DataError("the replay differs from what was recorded", where=str(path),
                        remedy="Use the version of casekit that recorded it")  # fmt: skip
    return trace


def shrink(case: Case, policy: Policy, *, shield: bool = True) -> Trace:
    """The smallest case that still fails in the same way, and its run.

    Events and actors are removed by delta debugging (Zeller and Hildebrandt, 2002), the duration
    is cut after the failure, and what numbers are left are rounded as coarsely as they can be.

    Raises:
        DataError: The case does not fail.
    """
    first = run(case, policy, shield=shield)
    if first.passed:
        raise DataError("the case passes, there is nothing to shrink", where=case.name,
                        remedy="Shrink one that fails")  # fmt: skip
    wanted = set(first.failed)

    def fails(scenario: Scenario) -> bool:
        tried = case.model_copy(update={"scenario": scenario})
        return wanted <= set(run(tried, policy, shield=shield).failed)

    small = case.scenario
    events = ddmin(
        list(small.events), lambda kept: fails(small.model_copy(update={"events": tuple(kept)}))
    )
    small = small.model_copy(update={"events": tuple(events)})
    actors = ddmin(list(small.actors), lambda kept: fails(_without(small, kept)))
    small = _without(small, actors)
    small = _shorter(small, first, fails)
    small = _rounded(small, fails)
    return run(case.model_copy(update={"scenario": small}), policy, shield=shield)


def ddmin(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """A smallest part of a list that still fails: no element can be left out (1-minimal).

    Args:
        items: What can be left out.
        fails: Tells whether a part still fails; the whole list must.
    """
    if items and fails([]):
        return []
    parts = 2
    while len(items) >= 2:
        size = -(-len(items) // parts)
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size :]
            if rest and fails(rest):
                items, parts = rest, max(parts - 1, 2)
                break
        else:
            if parts >= len(items):
                break
            parts = min(parts * 2, len(items))
    return items


def _without(scenario: Scenario, kept: Sequence[Any]) -> Scenario:
    """A scenario with some of its actors, and the events that still have one."""
    names = {actor.name for actor in kept}
    events = tuple(e for e in scenario.events if not e.actor or e.actor in names)
    return scenario.model_copy(update={"actors": tuple(kept), "events": events})


def _shorter(scenario: Scenario, trace: Trace, fails: Callable[[Scenario], bool]) -> Scenario:
    """End it when the failure has happened."""
    for seconds in (float(trace.times[-1]), 0.5 * scenario.duration_s):
        shorter = scenario.model_copy(update={"duration_s": max(round(seconds + 0.1, 1), 0.1)})
        if shorter.duration_s < scenario.duration_s and fails(shorter):
            scenario = shorter
    return scenario


def _rounded(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """Round places and speeds, one number at a time."""
    for step in _STEPS:
        for i, name in product(range(len(scenario.actors)), ("ahead", "s", "speed", "left")):
            actors = list(scenario.actors)
            value = getattr(actors[i], name)
            if value is None or value == round(value / step) * step:
                continue
            actors[i] = actors[i].model_copy(update={name: round(value / step) * step})
            tried = scenario.model_copy(update={"actors": tuple(actors)})
            if fails(tried):
                scenario = tried
    return scenario
