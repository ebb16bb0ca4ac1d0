"""The notebook runner, on tiny notebooks made for the test."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pydantic import BaseModel, ConfigDict, Field

from core.deployment.run import read_results
from core.errors import ParameterError
from core.notebooks.runner import NotebookError, run_notebook, to_html

FINISH = """
from pydantic import BaseModel
from core.deployment.results import Measurement
from core.deployment.run import Run

class P(BaseModel):
    factor: float
    out: str

run = Run.start(case="tiny", name="tiny_story", parameters=P(factor=factor, out=out), out=out,
                fingerprint="0" * 64)
value = Measurement(metric="twice", value=2 * factor, n=1, split="test", model="double")
run.finish([value], {"fingerprint": "0" * 64, "rows": 1})
"""


class TinyParameters(BaseModel):
    """What the tiny notebook takes."""

    model_config = ConfigDict(extra="forbid")

    factor: float = Field(1.0, gt=0, description="A positive number.")
    out: str = "runs"


def story(folder: Path, *cells: str) -> Path:
    """A notebook with a parameters cell and these code cells."""
    first = new_code_cell('factor = 1.0\nout = "runs"', metadata={"tags": ["parameters"]})
    text = new_markdown_cell("# A story with $x^2$")
    notebook = new_notebook(cells=[text, first, *(new_code_cell(cell) for cell in cells)])
    path = folder / "01_tiny_story.ipynb"
    nbformat.write(notebook, path)
    return path


def test_a_notebook_runs_with_its_parameters_and_leaves_a_run(tmp_path: Path) -> None:
    path = story(tmp_path, "import sys\nsys.executable", FINISH)
    before, told = path.read_bytes(), []
    done = run_notebook(
        path, {"factor": 3, "out": str(tmp_path / "runs")}, TinyParameters,
        on_cell=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert done.results == read_results(done.folder)
    assert [m.value for m in done.results.results] == [6.0]
    assert told == [(i, 4) for i in range(1, 5)], "papermill adds the injected cell"
    executed = nbformat.read(done.folder / "notebook.ipynb", as_version=4)
    shown = [o for c in executed.cells if c.cell_type == "code" for o in c.outputs]
    assert shown[0]["data"]["text/plain"] == repr(sys.executable)
    assert path.read_bytes() == before, "the notebook itself is never written"
    assert (done.folder / "notebook.html").exists()
    assert (done.folder / "notebook.log").exists()
    assert not list((tmp_path / "runs").glob(".*partial*"))


def test_wrong_parameters_stop_before_a_kernel_starts(tmp_path: Path) -> None:
    path = story(tmp_path, FINISH)
    with pytest.raises(ParameterError, match=r"Did you mean 'factor'"):
        run_notebook(path, {"facto": 3}, TinyParameters)
    with pytest.raises(ParameterError, match=r"factor = -1.*A positive number"):
        run_notebook(path, {"factor": -1, "out": str(tmp_path / "runs")}, TinyParameters)
    assert not (tmp_path / "runs").exists()


def test_a_failing_cell_ends_in_one_line_and_keeps_the_partial_notebook(tmp_path: Path) -> None:
    path = story(tmp_path, "done = 1\ndone", "{}['key']", FINISH)
    with pytest.raises(NotebookError) as caught:
        run_notebook(path, {"out": str(tmp_path)}, TinyParameters)
    line = str(caught.value)
    assert "\n" not in line
    assert re.search(r"KeyError in tiny_story, code cell 4 of 5: 'key'.*traceback", line)
    draft = next(tmp_path.glob(".*.partial.ipynb"))
    assert str(draft) in line
    kept = nbformat.read(draft, as_version=4)
    assert kept.cells[3].outputs[0]["data"]["text/plain"] == "1"
    assert not list(tmp_path.glob("*/results.json"))


def test_our_own_errors_say_themselves_what_to_do(tmp_path: Path) -> None:
    raising = (
        "from core.errors import DataError\n"
        "raise DataError('the target is missing', where=\"column 'y'\", remedy='Name another')"
    )
    with pytest.raises(NotebookError) as caught:
        run_notebook(story(tmp_path, raising), {"out": str(tmp_path)}, TinyParameters)
    assert str(caught.value) == (
        "DataError in tiny_story, code cell 3 of 3: "
        "the target is missing (column 'y'). Name another"
    )


def test_a_notebook_that_never_ends_is_stopped(tmp_path: Path) -> None:
    path = story(tmp_path, "import time\ntime.sleep(600)")
    with pytest.raises(NotebookError, match=r"out of time.*cell 3 of 3"):
        run_notebook(path, {"out": str(tmp_path)}, TinyParameters, budget_s=4)


def test_a_notebook_without_results_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "tiny_story-0" / "results.json"
    old.parent.mkdir()
    old.write_text("{}")
    os.utime(old, (1, 1))  # an earlier run's results are not this one's
    with pytest.raises(NotebookError, match="ended without results"):
        run_notebook(story(tmp_path, "1"), {"out": str(tmp_path)}, TinyParameters)


def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = to_html(nbformat.read(story(tmp_path, "1"), as_version=4))
    loads = re.findall(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//[^\"'\s>]+", page)
    imports = re.findall(r"(?:import\s*(?:\(|[\w{},*\s]+from)\s*|@import\s+(?:url\()?|url\()"
                         r"[\"']?(?:https?:)?//[^\"'\s)]+", page)  # fmt: skip
    assert loads + imports == []
    assert "$x^2$" in page
