"""Every case keeps the contract: the same steps, each taking what the one before returns."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from apps.cli.new_case import write_case
from core.cases import get_case
from core.deployment.bundle import Bundle
from core.deployment.predictor import Predictor
from core.deployment.run import Run, read_results

STEPS = ("load", "check", "split", "fit", "evaluate")
SKELETON = "a_new_case"
# What makes the whole chain quick where the case's own defaults take longer.
SHORT: dict[str, dict[str, Any]] = {"finance": {"budget": 10}, "voice": {"budget": "quick"},
                                    "driving": {"budget": "quick", "start": "shipped"}}  # fmt: skip


@pytest.fixture(scope="session")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that `casekit new-case` writes, with what pip leaves of an installed one."""
    folder = write_case(SKELETON, tmp_path_factory.mktemp("skeleton"))
    info = folder / f"{SKELETON}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {SKELETON}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[casekit.cases]\n{SKELETON} = {SKELETON}\n")
    return folder


@pytest.fixture(params=["finance", "medical", "voice", "driving", SKELETON])
def name(request: pytest.FixtureRequest, skeleton: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a case, the kit's own and the one a client starts from."""
    monkeypatch.syspath_prepend(str(skeleton))
    return str(request.param)


def steps(case: Any) -> list[str]:
    """The case's steps in order; a case may explain before it packs."""
    return [*STEPS, *(["explain"] if hasattr(case, "explain") else []), "pack"]


def hints(step: Any) -> tuple[Any, Any]:
    """The types of a step's first argument and of what it returns."""
    first = next(iter(inspect.signature(step).parameters))
    module = sys.modules[step.__module__]
    deferred = ("Assistant", "Corpus", "CreditModel", "Engine", "Eye", "Home", "IngestReport",
                "Judged", "PatientSummary", "RoadNetwork", "Sight", "WakeReport",
                "Why")  # fmt: skip
    lenient = vars(typing) | vars(module) | dict.fromkeys(deferred, Any)
    found = typing.get_type_hints(step, globalns=lenient)
    return found[first], found["return"]


def test_each_step_takes_what_the_one_before_returns(name: str) -> None:
    case: Any = get_case(name)
    given: Any = next(iter(case.PARAMETERS.values()))
    assert issubclass(given, BaseModel)
    for step in steps(case):
        taken, returned = hints(getattr(case, step))
        assert taken is given, f"{step} takes {taken}, the step before returns {given}"
        assert dataclasses.is_dataclass(returned), f"{step} returns a dataclass"
        assert returned.__dataclass_params__.frozen, f"{step} returns a frozen dataclass"
        given = returned


def test_notebooks_and_parameters_belong_together(name: str) -> None:
    case: Any = get_case(name)
    assert list(case.NOTEBOOKS) == list(case.PARAMETERS)
    for notebook, path in case.NOTEBOOKS.items():
        assert path.stem.endswith(notebook)
    for model in case.PARAMETERS.values():
        assert {"data", "out", "seed"} <= set(model.model_fields)
        assert all(f.description for f in model.model_fields.values())
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["frozen"] is True
        model()  # every parameter has a default


def whole_chain(name: str, out: Path) -> None:
    """From the parameters to a bundle that opens and answers alike."""
    case: Any = get_case(name)
    notebook, model = next(iter(case.PARAMETERS.items()))
    parameters = model(out=str(out), **SHORT.get(name, {}))
    stage = case.load(parameters)
    run = Run.start(
        case=name, name=notebook, parameters=parameters, out=out, fingerprint=stage.fingerprint
    )
    *before, _ = steps(case)
    for step in before[1:]:
        stage = getattr(case, step)(stage)
    packed = case.pack(stage, run)
    bundle = Bundle.open(packed.bundle)
    assert bundle.manifest.case == name
    assert bundle.replay() <= bundle.manifest.golden.tolerance
    assert isinstance(bundle.predictor(), Predictor)
    results = read_results(run.folder)
    assert results == packed.results
    assert results.data["fingerprint"] == bundle.manifest.data.fingerprint
    assert any(m.low is not None and m.low <= m.value <= (m.high or 0) for m in results.results)
    assert (run.folder / "report.html").stat().st_size > 1000


def test_the_skeleton_runs_from_its_table_to_its_bundle(
    skeleton: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(skeleton))
    whole_chain(SKELETON, tmp_path)


@pytest.mark.slow
def test_finance_runs_from_its_table_to_its_bundle(tmp_path: Path) -> None:
    whole_chain("finance", tmp_path)


@pytest.mark.slow
def test_medical_runs_from_its_corpus_to_its_bundle(tmp_path: Path) -> None:
    whole_chain("medical", tmp_path)


@pytest.mark.slow
def test_voice_runs_from_its_requests_to_its_bundle(tmp_path: Path) -> None:
    whole_chain("voice", tmp_path)


@pytest.mark.slow
def test_driving_runs_from_its_streets_to_its_bundle(tmp_path: Path) -> None:
    whole_chain("driving", tmp_path)
