"""Every notebook of the kit, none left out: its form, its run, and its stored outputs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from core.cases import case_names, get_case
from core.notebooks.runner import run_notebook

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
PATIENCE_S = 1200  # with the tests of another worker beside it; bench/notebooks.py takes the time
MOST_BYTES = 600_000
MOST_LINES = 15

SMALLER: dict[str, dict[str, object]] = {
    "02_finance_market_risk": {"days": 500},
    "04_voice_home": {"budget": "quick"},
    "05_driving_perception": {"budget": "quick"},
    "06_driving_decisions": {"episodes": 20},
}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def code_cells(path: Path) -> list[NotebookNode]:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_registered_notebook_is_here_and_every_one_here_is_registered() -> None:
    registered = {
        path.resolve()
        for name in case_names()
        for path in get_case(name).NOTEBOOKS.values()
        if path.suffix == ".ipynb" and path.resolve().is_relative_to(FOLDER)
    }
    assert registered == set(NOTEBOOKS)


@every_notebook
def test_the_parameters_cell_holds_literals_only(path: Path) -> None:
    tagged = [c for c in code_cells(path) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert tagged[0] is not None
    for statement in ast.parse(tagged[0].source).body:
        assert isinstance(statement, ast.Assign), "papermill injects after it: assignments only"
        ast.literal_eval(statement.value)
    first = code_cells(path)[0]
    assert "parameters" in first.metadata.get("tags", []), "a reader finds it at once"


@every_notebook
def test_the_parameters_cell_shows_the_models_defaults(path: Path) -> None:
    name = path.stem.partition("_")[2]
    model = get_case(name.partition("_")[0]).PARAMETERS[name]
    cell = next(c for c in code_cells(path) if "parameters" in c.metadata.get("tags", []))
    values: dict[str, object] = {}
    for statement in ast.parse(cell.source).body:
        assert isinstance(statement, ast.Assign)
        (target,) = statement.targets
        assert isinstance(target, ast.Name)
        values[target.id] = ast.literal_eval(statement.value)
    assert set(values) <= set(model.model_fields)
    assert model.model_validate(values) == model()


@every_notebook
def test_it_reads_as_one_story_in_short_cells(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    assert cells[-1].cell_type == "markdown", "it ends with what to do next"
    # One story is ten to twenty code cells, each with the sentence that says how to read it.
    assert len(code_cells(path)) <= 25
    assert max(len(c.source.splitlines()) for c in code_cells(path)[1:]) <= MOST_LINES


@every_notebook
def test_its_outputs_are_stored_small_and_tell_nothing_of_this_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    for told in (str(Path.home()), "site-packages", "/tmp/", " at 0x"):
        assert told not in text
    cells = code_cells(path)
    assert any(cell.outputs for cell in cells)
    assert all(cell.execution_count for cell in cells), "every cell was run"
    kinds = [o.output_type for cell in cells for o in cell.outputs]
    assert "error" not in kinds
    assert "stream" not in kinds, "progress and warnings belong to the log"


@pytest.mark.slow
@every_notebook
def test_it_runs_with_parameters_changed(path: Path, tmp_path: Path) -> None:
    """With less to learn where it learns: the cell's own parameters run in the next test."""
    name = path.stem.partition("_")[2]
    case = get_case(name.partition("_")[0])
    values = {"out": str(tmp_path)} | SMALLER.get(path.stem, {})
    done = run_notebook(path, values, case.PARAMETERS[name], budget_s=PATIENCE_S)
    assert done.results.results
    assert (done.folder / "report.html").exists()


@pytest.mark.slow
@every_notebook
def test_its_stored_outputs_are_what_a_fresh_run_shows(path: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pytest", "--nbval", "-q", "-n0", "-p", "no:cacheprovider",
             "--nbval-current-env", "--nbval-cell-timeout", str(PATIENCE_S),
             "-o", "addopts=", str(path)]  # fmt: skip
    log = tmp_path / "nbval.log"
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            words, cwd=tmp_path, stdout=file, stderr=subprocess.STDOUT, check=False,
            env=os.environ | {"MPLBACKEND": "Agg"}, timeout=PATIENCE_S,
        )  # fmt: skip
    said = log.read_text(encoding="utf-8")
    assert done.returncode == 0, said[-4000:]
    assert "no tests ran" not in said
