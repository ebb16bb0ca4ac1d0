"""Runs a notebook from start to end: checked parameters, progress, a log, one line on failure."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from core.errors import CasekitError
from core.notebooks.parameters import validate

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from core.deployment.results import Results

BUDGET_S = 3600.0
_OUTSIDE = re.compile(r"https?://[^\"'\s]*(?:mathjax|require|mermaid)[^\"'\s]*", re.IGNORECASE)


class NotebookError(CasekitError):
    """A cell failed; says which, why, and where the partial notebook is."""


@dataclass(frozen=True)
class NotebookRun:
    """A notebook that ran to its end."""

    folder: Path  # the run's folder, with results.json, notebook.ipynb and notebook.html
    results: Results
    seconds: float


def run_notebook(
    path: Path,
    values: Mapping[str, Any],
    model: type[BaseModel],
    *,
    on_cell: Callable[[int, int], None] | None = None,
    budget_s: float = BUDGET_S,
) -> NotebookRun:
    """Execute a notebook and put the executed copy beside its results.

    Args:
        path: The notebook, with a cell tagged `parameters`.
        values: Parameters to change.
        model: What the parameters may be; checked before anything starts. It has a field `out`.
        on_cell: Told the number of cells done, and of all code cells.
        budget_s: Seconds for the whole notebook.

    Raises:
        ParameterError: A parameter is unknown or wrong.
        NotebookError: A cell failed, took too long, or the notebook wrote no results.
    """
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    from core.deployment.run import write_atomically

    checked = validate(model, values)
    out = Path(checked.model_dump()["out"])
    out.mkdir(parents=True, exist_ok=True)
    begun, clock = time.time(), time.perf_counter()
    notebook = parameterize_notebook(
        load_notebook_node(str(path)), dict(values), kernel_name="python3", language="python"
    )
    name = re.sub(r"^\d+_", "", path.stem)
    draft = out / f".{name}.partial.ipynb"
    try:
        execute(notebook, out / f"{name}.log", on_cell, budget_s)
    except Exception as error:
        write_atomically(draft, nbformat.writes(notebook).encode())
        raise _diagnose(error, notebook, draft, name) from error
    folder = _finished(out, name, begun)
    if folder is None:
        raise NotebookError(
            "the notebook ended without results", where=name,
            remedy="Its last cell must finish the run; see an existing case",
        )  # fmt: skip
    write_atomically(folder / "notebook.ipynb", nbformat.writes(notebook).encode())
    write_atomically(folder / "notebook.html", to_html(notebook).encode())
    (out / f"{name}.log").replace(folder / "notebook.log")
    draft.unlink(missing_ok=True)
    from core.deployment.run import read_results

    return NotebookRun(folder, read_results(folder), time.perf_counter() - clock)


def execute(
    notebook: NotebookNode,
    log: Path,
    on_cell: Callable[[int, int], None] | None = None,
    budget_s: float = BUDGET_S,
    folder: Path | None = None,
) -> None:
    """Run every cell in a kernel of this very interpreter; `notebook` receives the outputs.

    Args:
        notebook: Is changed in place.
        log: Receives what the kernel prints beside the cells.
        on_cell: Told the number of cells done, and of all code cells.
        budget_s: Seconds for the whole notebook.
        folder: Where the kernel works; by default here.
    """
    from nbclient import NotebookClient

    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    done = 0

    def finished(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        nonlocal done
        done += 1
        if on_cell is not None:
            on_cell(done, total)

    ends = time.monotonic() + budget_s
    client = NotebookClient(
        notebook, kernel_name="casekit", on_cell_executed=finished, record_timing=False,
        timeout_func=lambda cell: max(1, int(ends - time.monotonic())),
        resources={"metadata": {"path": str(folder)}} if folder else {},
    )  # fmt: skip
    with _own_kernel() as environment, log.open("w", encoding="utf-8") as stderr:
        try:
            client.execute(env=environment, stderr=stderr)
        except Exception:
            # nbclient takes Ctrl-C for itself, ends the kernel, and fails with whatever follows.
            if getattr(client, "_async_cleanup_kernel_future", None) is not None:
                raise KeyboardInterrupt from None
            raise


@contextmanager
def _own_kernel() -> Iterator[dict[str, str]]:
    """A kernel spec for this interpreter, found without being installed; yields its environment."""
    before = os.environ.get("JUPYTER_PATH")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "kernels" / "casekit"
        place.mkdir(parents=True)
        words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": words, "display_name": "casekit", "language": "python"}
        (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = folder + (os.pathsep + before if before else "")
        try:
            quiet = {"MPLBACKEND": "Agg", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
            yield dict(os.environ) | quiet
        finally:
            if before is None:
                del os.environ["JUPYTER_PATH"]
            else:
                os.environ["JUPYTER_PATH"] = before


def _diagnose(error: Exception, notebook: NotebookNode, draft: Path, name: str) -> NotebookError:
    """What failed, in one line: class, cell, cause, remedy."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    cells = [c for c in notebook.cells if c.cell_type == "code"]
    last = max((i for i, c in enumerate(cells, 1) if c.get("execution_count")), default=1)
    where = f"{name}, code cell {last} of {len(cells)}"
    if isinstance(error, CellTimeoutError):
        return NotebookError(
            "the notebook ran out of time", where=where, remedy="Lower `budget`, or give more time"
        )
    if isinstance(error, CellExecutionError):
        cause = " ".join(error.evalue.split()) or "no message"
        if _is_ours(error):  # says itself what to do
            return NotebookError(f"{error.ename} in {where}: {cause}")
        first = (error.evalue.strip() or "no message").splitlines()[0]
        return NotebookError(
            f"{error.ename} in {where}: {first}", remedy=f"Open {draft} to see the traceback"
        )
    return NotebookError(
        f"{type(error).__name__} in {where}: {error}", remedy=f"See {name}.log beside {draft}"
    )


def _is_ours(error: Any) -> bool:
    """Whether the cell raised a CasekitError; its traceback is a text, so it is told by name."""
    import core.errors

    if isinstance(getattr(core.errors, error.ename, None), type):
        return True
    return any(kind.__name__ == error.ename for kind in CasekitError.__subclasses__())


def _finished(out: Path, name: str, since: float) -> Path | None:
    """The run folder whose results were written last, after `since`."""
    found = [p for p in out.glob(f"{name}-*/results.json") if p.stat().st_mtime >= since - 1]
    return max(found, key=lambda p: p.stat().st_mtime).parent if found else None


def to_html(notebook: NotebookNode) -> str:
    """A notebook as one HTML page that loads nothing from elsewhere."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(notebook)
    return _OUTSIDE.sub("", page)
