import os

import pytest

from apps.demos.finance_pages.finding import find_bundle, newest_bundle
from core.deployment.results import Results


def finished_run(runs, name, *, case="finance", bundle="bundle", age=0, made=True):
    folder = runs / name
    (folder / "bundle").mkdir(parents=True) if made else folder.mkdir(parents=True)
    results = Results(
        case=case, run_id=name, parameters={}, seed=1, versions={}, data={}, results=[],
        timings={}, bundle=bundle,
    )  # fmt: skip
    path = folder / "results.json"
    path.write_text(results.model_dump_json())
    moment = 1_700_000_000 - age
    os.utime(path, (moment, moment))
    return folder / "bundle"


def test_the_newest_finished_finance_run_counts(tmp_path):
    finished_run(tmp_path, "old", age=100)
    newest = finished_run(tmp_path, "new", age=10)
    finished_run(tmp_path, "other", case="driving")
    finished_run(tmp_path, "without", bundle=None)
    finished_run(tmp_path, "lost", made=False)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "results.json").write_text("{")
    assert newest_bundle(tmp_path) == newest


def test_no_run_is_no_bundle(tmp_path):
    assert newest_bundle(tmp_path / "nowhere") is None


def test_runs_here_come_before_the_kits_own(tmp_path, monkeypatch, casekit_home):
    own = finished_run(casekit_home / "demos", "own")
    monkeypatch.chdir(tmp_path)
    assert find_bundle() == own
    here = finished_run(tmp_path / "runs", "here", age=1000)
    assert find_bundle().resolve() == here.resolve()


@pytest.mark.slow
def test_without_a_run_a_model_is_trained_and_its_demo_opens(casekit_home, tmp_path, monkeypatch):
    from apps.demos.finance import build
    from apps.demos.finance_pages.asking import ask
    from apps.demos.finance_pages.desk import open_desk

    monkeypatch.chdir(tmp_path)
    build()
    bundle = newest_bundle(casekit_home / "demos")
    desk = open_desk(bundle)
    told = ask(desk, desk.examples[0], "en")
    assert told.pd == pytest.approx(desk.example_pds[0])
    assert set(desk.protected) == {"personal_status_and_sex", "age_in_years", "foreign_worker"}
    assert desk.has_outcomes
    assert desk.files["card.md"]
