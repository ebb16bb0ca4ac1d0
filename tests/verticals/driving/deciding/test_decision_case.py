"""The decision case from its parameters to the folder that is handed over."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import orjson
import pytest
import yaml
from pydantic import ValidationError

from core.errors import DataError, ModelError
from verticals.driving.deciding import explaining, judging, proving, report, teaching
from verticals.driving.deciding.evaluation import evaluate
from verticals.driving.deciding.explaining import record
from verticals.driving.deciding.figures import strip
from verticals.driving.deciding.handing_over import export_policy, hand_over, parity
from verticals.driving.deciding.judging import FIRST_SEED, POLICY, SHIELDED, overrides, unseen
from verticals.driving.deciding.loading import load, origin_table, start_run
from verticals.driving.deciding.network import WEIGHTS
from verticals.driving.deciding.parameters import DecisionParameters
from verticals.driving.deciding.perception_error import DEFAULT
from verticals.driving.deciding.policies import network_driver, rule_driver
from verticals.driving.deciding.shield import REASONS
from verticals.driving.deciding.stages import ROADS, Loaded
from verticals.driving.deciding.training import CHOOSING_SEEDS
from verticals.driving.traffic.environment import Traffic

FEW = ("cut_in", "zebra_walker", "red_light_runner")
SEEDS = range(FIRST_SEED, FIRST_SEED + 12)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    found = load(DecisionParameters(episodes=20))
    cases = tuple(case for case in found.cases if case.scenario.name in FEW)
    return dataclasses.replace(found, cases=cases)


def test_parameters_refuse_what_is_unknown() -> None:
    for wrong in ({"rod": "street"}, {"road": "moon"}, {"episodes": 3}):
        with pytest.raises(ValidationError):
            DecisionParameters.model_validate(wrong)
    assert all(field.description for field in DecisionParameters.model_fields.values())


def test_there_is_a_policy_for_every_road_and_the_fingerprint_knows_the_scenarios(
    loaded: Loaded, tmp_path: Path
) -> None:
    table = origin_table(loaded)
    assert list(table["road"]) == list(ROADS)
    assert table["scenario_cases"].sum() == len(loaded.cases)
    own = tmp_path / "own.yaml"
    row = {"name": "stopped", "title": "A wreck", "layout": "motorway",
           "ego": {"path": 1, "s": 100, "speed": 20},
           "actors": [{"name": "wreck", "kind": "obstacle", "ahead": 90}]}  # fmt: skip
    own.write_text(yaml.safe_dump([row]))
    mine = load(DecisionParameters(data=str(own)))
    assert len(mine.cases) == 1
    assert mine.fingerprint != loaded.fingerprint
    row["layout"] = "highway"
    own.write_text(yaml.safe_dump([row]))
    with pytest.raises(DataError, match="highway"):
        load(DecisionParameters(data=str(own)))
    with pytest.raises(ModelError):
        load(DecisionParameters(policy=str(tmp_path)))


def test_seeds_that_judge_neither_teach_nor_choose() -> None:
    last = DecisionParameters(seed=999_999)
    taught = last.seed * 1_000_003 + 1_000_000
    assert max(taught, CHOOSING_SEEDS + 10_000) < FIRST_SEED
    one, other = (unseen(dataclasses.replace(load(DecisionParameters()), parameters=p))
                  for p in (DecisionParameters(), DecisionParameters(seed=1)))  # fmt: skip
    assert not set(one) & set(other)


def test_overrides_are_those_that_judging_counts(loaded: Loaded) -> None:
    policy = network_driver(loaded.policies["motorway"])
    table = overrides("motorway", policy, SEEDS, errors=DEFAULT)
    found = evaluate("motorway", policy, SEEDS, shield=True, errors=DEFAULT)
    share = found.overruled
    counts = table["seed"].value_counts().reindex(SEEDS, fill_value=0).to_numpy()
    assert ((counts > 0) == (share > 0)).all()
    assert set(table["reason"]) <= set(REASONS[1:])
    assert (table["time_s"] > 0).all()


def test_a_recorded_episode_is_the_one_that_was_judged(loaded: Loaded) -> None:
    found = evaluate("street", rule_driver, SEEDS[:2], errors=DEFAULT)
    for i, seed in enumerate(SEEDS[:2]):
        trace = record("street", rule_driver, seed, errors=DEFAULT)
        assert trace.states[-1, 0, 3] - trace.states[0, 0, 3] == pytest.approx(found.progress[i])
    figure = strip(trace, pictures=2)
    assert 100 < figure.get_size_inches()[1] * 100 <= 540


def test_every_reason_and_chapter_is_said_in_both_languages() -> None:
    said = report.texts()
    assert set(said["reason"]) == set(REASONS[1:])
    leaves = [one for name, one in said.items() if name not in {"reason", "tables", "figures",
              "facts", "verdict", "left", "road"}]  # fmt: skip
    for group in ("tables", "figures", "facts", "verdict", "left", "road"):
        leaves += said[group].values()
    for leaf in leaves:
        assert set(leaf) == {"en", "zh"}
        if isinstance(leaf["en"], str):
            assert sorted(re.findall(r"{\w+}", leaf["en"])) == sorted(
                re.findall(r"{\w+}", leaf["zh"])
            )
        else:
            assert set(leaf["en"]) == set(leaf["zh"]) == {"title", "text"}


def test_the_live_training_differs_from_the_judged_policy_in_time_only(loaded: Loaded) -> None:
    settings = teaching.settings_of(loaded)
    told = orjson.loads((WEIGHTS / "motorway.json").read_bytes())["settings"]
    assert settings.rewards == told["rewards"]
    assert settings.steps < 200_000 < settings.deadline_s


@pytest.mark.slow
def test_an_export_that_answers_otherwise_is_refused(loaded: Loaded, tmp_path: Path) -> None:
    seen = Traffic("motorway", 8).reset(seed=0)[0]
    path = export_policy(loaded.policies["motorway"], tmp_path / "motorway.onnx")
    assert parity(loaded.policies["motorway"], path, seen) < 1e-5
    with pytest.raises(ModelError, match="differs"):
        parity(loaded.policies["street"], path, seen)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_whole_case(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setitem(
        teaching._BUDGETS, "quick", teaching._BUDGETS["quick"] | {"steps": 9000, "episodes": 8,
                                                                  "comparisons": 2}
    )  # fmt: skip
    parameters = DecisionParameters.model_validate(
        {"episodes": 20, "out": str(tmp_path), "language": language}
    )
    loaded = dataclasses.replace(loaded, parameters=parameters)
    run = start_run(loaded)
    taught = teaching.teach(loaded)
    judged = judging.judge(loaded, taught)
    proved = proving.prove(loaded)
    explained = explaining.explain(loaded)
    handed = hand_over(judged, taught, proved, explained, run)
    page = handed.report.read_text(encoding="utf-8")
    assert report.texts()["title"][language] in page
    for chapter in ("trap", "shield", "scenarios", "limits"):
        assert report.texts()[chapter][language]["title"] in page
    names = {path.name for path in handed.folder.iterdir()}
    assert {f"{road}.onnx" for road in ROADS} | {"card.md", "policies.json"} <= names
    rates = {(m.metric, m.model): m for m in handed.results.results}
    ours = rates["street_crash_rate", SHIELDED]
    assert ours.value == judged.episodes["street"][SHIELDED].crashed.mean()
    assert ours.low is not None
    assert ours.high is not None
    assert ours.low <= ours.value <= ours.high
    assert rates["scenario_cases_passed", POLICY].n == len(loaded.cases)
    assert proved.repeats
    if proved.small is not None:
        assert proved.failure is not None
        assert set(proved.failure.failed) <= set(proved.small.failed)
    weights = np.array([part.weight for part in explained.why.parts])
    assert np.isfinite(weights).all()
