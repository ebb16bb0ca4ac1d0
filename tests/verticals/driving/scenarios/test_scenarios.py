"""Scenarios: the library is sound, runs replay to the bit, failures shrink, the gate decides."""

from pathlib import Path

import numpy as np
import orjson
import pytest

from core.errors import DataError
from verticals.driving.scenarios.failures import ddmin, replay_failure, shrink, write_failure
from verticals.driving.scenarios.gate import compare, gate
from verticals.driving.scenarios.running import Policy, constant, run
from verticals.driving.scenarios.schema import Case, read_cases
from verticals.driving.scenarios.showing import film, frames, pass_table, surface
from verticals.driving.scenarios.suite import POLICY_OF, run_suite
from verticals.driving.traffic.columns import FASTER, IDLE
from verticals.driving.traffic.motion import RULE

CASES = read_cases()
BY_NAME = {case.name: case for case in CASES}


def some(name: str) -> Case:
    return next(case for case in CASES if case.scenario.name == name)


def test_there_are_enough_and_all_are_named_once() -> None:
    assert len({case.scenario.name for case in CASES}) >= 30
    assert len(BY_NAME) == len(CASES)


def test_every_case_is_harmless_for_an_ego_that_never_comes_near() -> None:
    """The scene itself is free of collisions at its start."""
    for case in CASES:
        assert run(case, constant(IDLE)).states[0][0, 18] == 0.0


def test_the_shield_collides_only_where_somebody_cuts_in_too_close() -> None:
    hit = [c.name for c in CASES if run(c, constant(RULE)).measured["collisions"]]
    assert {name.split()[0] for name in hit} <= {"cut_in", "merging_truck"}
    bare = [c for c in CASES if run(c, constant(IDLE), shield=False).measured["collisions"]]
    assert len(bare) > 5 * max(len(hit), 1)


def test_a_failure_replays_to_the_bit_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    trace = run(some("stopped_car"), constant(IDLE), shield=False)
    assert "collisions" in trace.failed
    path = write_failure(trace, tmp_path / "failure.json")
    again = replay_failure(path)
    assert np.array_equal(again.states, trace.states)
    assert again.measured == trace.measured
    kept = orjson.loads(path.read_bytes())
    kept["case"]["scenario"]["actors"][0]["ahead"] += 1e-9
    path.write_bytes(orjson.dumps(kept))
    with pytest.raises(DataError, match="differs"):
        replay_failure(path)


def test_delta_debugging_finds_the_two_that_matter() -> None:
    tried: list[list[int]] = []

    def fails(kept: list[int]) -> bool:
        tried.append(kept)
        return 3 in kept and 11 in kept

    assert ddmin(list(range(16)), fails) == [3, 11]
    assert len(tried) < 60


def test_shrinking_finds_the_known_smallest_case() -> None:
    """Only the wreck matters: the bystanders go, its place and the duration are simplified."""
    case = some("stopped_car")
    extra = case.scenario.actors[0].model_copy(update={"name": "far", "path": 0, "ahead": 300.0})
    events = read_cases()[0].scenario.events[0].model_copy(update={"actor": "far", "lane": 0})
    bigger = case.scenario.model_copy(
        update={"actors": (*case.scenario.actors, extra), "events": (events,)}
    )
    small = shrink(case.model_copy(update={"scenario": bigger}), constant(IDLE), shield=False)
    assert [actor.name for actor in small.case.scenario.actors] == ["wreck"]
    assert small.case.scenario.events == ()
    assert "collisions" in small.failed
    assert small.case.scenario.duration_s < case.scenario.duration_s
    with pytest.raises(DataError, match="passes"):
        shrink(some("phantom_pedestrian"), constant(RULE))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("{layout: moon}", "layout"), ("{sensors: dreams}", "dreams"),
        ("{duration_s: -1}", "duration_s"), ("{ego: {path: 0, s: $where, speed: 1}}", "where"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named(tmp_path: Path, change: str, named: str) -> None:
    import yaml

    row = {"name": "one", "title": "t", "layout": "highway", "ego": {"path": 0, "s": 1, "speed": 1}}
    row |= yaml.safe_load(change)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump([row]))
    with pytest.raises(DataError, match=named):
        read_cases(path)


def test_mcnemar_and_the_gate() -> None:
    assert compare([(True, False)] * 8 + [(False, True)] * 1).p_value == pytest.approx(20 / 512)
    chosen = [some(name) for name in ("stopped_car", "cut_in", "zebra_walker", "jam_end")]
    good = [run(case, constant(RULE)) for case in chosen]
    bad = [run(case, constant(FASTER), shield=False) for case in chosen]
    refused = gate(good, bad)
    assert not refused.allowed
    assert refused.collisions
    assert gate(bad, good).allowed
    assert gate(good, good).overall.p_value == 1.0
    with pytest.raises(ValueError, match="same cases"):
        gate(good, good[:-1])


def test_a_run_can_be_watched(tmp_path: Path) -> None:
    import av

    trace = run(some("hidden_pedestrian"), constant(IDLE))
    first = next(frames(trace))
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 5
    path = film(trace, tmp_path / "run.mp4")
    with av.open(str(path)) as made:
        assert sum(1 for _ in made.decode(video=0)) == len(trace.states)


def test_the_surface_shows_every_scenario() -> None:
    chosen = [some("cut_in"), some("stopped_car")]
    runs = [run(case, constant(RULE)) for case in chosen]
    assert [row["scenario"] for row in pass_table(runs)] == ["cut_in", "stopped_car"]
    axes = surface({"rule": runs}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cut in", "stopped car"]


def test_a_suite_is_one_run_for_every_case_by_the_policy_of_its_road() -> None:
    asked = []

    def choose(case: Case) -> Policy:
        asked.append(case.scenario.layout)
        return constant(RULE)

    traces = run_suite(choose, CASES[:6])
    assert asked == [case.scenario.layout for case in CASES[:6]]
    assert [t.digest for t in traces] == [run(c, constant(RULE)).digest for c in CASES[:6]]
    assert {case.scenario.layout for case in CASES} <= set(POLICY_OF)
