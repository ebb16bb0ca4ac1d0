"""`casekit run`: a case's notebooks from start to end, and what they measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from core.cases import CaseModule
    from core.notebooks.runner import NotebookRun


def run(
    case: Annotated[str, typer.Argument(help="Name of the case, or of one of its notebooks.")],
    notebook: Annotated[
        str | None, typer.Argument(help="One notebook of the case; all of them by default.")
    ] = None,
    *,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Change a parameter."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that receives the runs.")] = Path("runs"),
    minutes: Annotated[float, typer.Option(min=0.1, help="Time limit of one notebook.")] = 60,
) -> None:
    """Run a case's notebooks on your data, and show what they measured.

    casekit run finance
    casekit run finance finance_credit_risk -p data=loans.csv -p target=default -p language=zh
    casekit run finance_credit_risk -p 'columns={"opened": "date:%d.%m.%Y"}' -p budget=120
    """
    from rich.console import Console

    from core.cases import get_case
    from core.errors import CasekitError

    case, notebook = _named(case, notebook)
    module = get_case(case)
    chosen = _notebooks(module, notebook)
    values = {name: _values(module, name, chosen, parameters or [], out) for name in chosen}
    progress, console = Console(stderr=True), Console()
    failed = None
    for name, path in chosen.items():
        try:
            done = _run(
                name, path, module.PARAMETERS[name], values[name], budget_s=minutes * 60,
                console=progress,
            )  # fmt: skip
        except CasekitError as error:
            if len(chosen) == 1:
                raise
            progress.print(f"{name} failed: {error}", style="red", markup=False, soft_wrap=True)
            failed = failed or error
        else:
            _show(case, name, done, console)
    if failed is not None:
        raise typer.Exit(2)


def _named(case: str, notebook: str | None) -> tuple[str, str | None]:
    """The case and notebook meant: a notebook's name alone is enough."""
    from core.cases import case_names

    if notebook is None and case not in case_names():
        owners = [name for name in case_names() if case.startswith(f"{name}_")]
        if owners:
            return owners[0], case
    return case, notebook


def _notebooks(module: CaseModule, notebook: str | None) -> dict[str, Path]:
    """Paths of the chosen notebooks by name."""
    import difflib

    from core.errors import ParameterError

    known = dict(module.NOTEBOOKS)
    if notebook is None:
        return known
    if notebook not in known:
        near = difflib.get_close_matches(notebook, known, n=1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise ParameterError(
            f"there is no notebook named {notebook!r}", where="notebook",
            remedy=f"{guess}Known: {', '.join(known)}",
        )  # fmt: skip
    return {notebook: known[notebook]}


def _values(
    module: CaseModule, name: str, chosen: dict[str, Path], pairs: list[str], out: Path
) -> dict[str, Any]:
    """Checked parameters of one notebook.

    Several notebooks share only what means the same to each: same name, same default.
    """
    from core.errors import ParameterError
    from core.notebooks.parameters import parse_values, validate

    model = module.PARAMETERS[name]
    values = parse_values(model, pairs)
    for key in values:
        defaults = [
            (field.default,) if (field := module.PARAMETERS[n].model_fields.get(key)) else None
            for n in chosen
        ]
        if any(d != defaults[0] for d in defaults):
            raise ParameterError(
                f"parameter {key!r} is not shared by all notebooks", where=", ".join(chosen),
                remedy=f"Name the notebook, e.g. casekit run {name} -p {key}=...",
            )  # fmt: skip
    values = {"out": str(out)} | values
    validate(model, values)
    return values


def _run(
    name: str, path: Path, model: type[BaseModel], values: dict[str, Any], *, budget_s: float,
    console: Console,
) -> NotebookRun:  # fmt: skip
    """One notebook, with its progress by cell."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from core.notebooks.runner import run_notebook

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
        TextColumn("cell {task.completed:.0f} of {task.total:.0f}"), TimeElapsedColumn(),
    )  # fmt: skip
    console.print(f"Running {name}", highlight=False)
    if not console.is_terminal:  # a log gets a line a cell
        return run_notebook(
            path, values, model, budget_s=budget_s,
            on_cell=lambda done, total: console.print(f"  {name}: cell {done} of {total} done"),
        )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=1)
        return run_notebook(
            path, values, model, budget_s=budget_s,
            on_cell=lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip


def _show(case: str, name: str, done: NotebookRun, console: Console) -> None:
    """What a run measured, and where everything is."""
    import shlex
    from importlib.metadata import entry_points

    from apps.cli.tables import HEADLINES, headlines, measurement_row, table

    results, folder = done.results, done.folder
    shown = headlines(results.results)
    leader = f" of {shown[0].model}" if shown else ""
    at = HEADLINES.index("Model")
    rows = [measurement_row(m) for m in shown]
    cells = [[row[0].replace("_", " "), *row[1:at], *row[at + 1 :]] for row in rows]
    columns = [*HEADLINES[:at], *HEADLINES[at + 1 :]]
    console.print()
    console.print(table(f"{name}: results{leader}, after {done.seconds:.0f} s", columns, cells))
    places = {"Report": folder / "report.html", "Notebook": folder / "notebook.html",
              "Results": folder / "results.json"}  # fmt: skip
    if results.bundle:
        places["Bundle"] = folder / results.bundle
    for label, place in places.items():
        if place.exists():
            typer.echo(f"{label + ':':<10}{place}")
    if results.bundle:
        bundle, program = shlex.quote(str(folder / results.bundle)), shlex.quote(_program())
        if case in entry_points(group="casekit.demos").names:
            typer.echo(f"{'Demo:':<10}{program} app {case} --bundle {bundle}")
        typer.echo(f"{'Service:':<10}{program} serve {bundle}")


def _program() -> str:
    """What to type to start this very command: its name, or its path where that is not found."""
    import os
    import shutil
    import sys

    started = Path(sys.argv[0])
    if shutil.which("casekit") or started.name != "casekit":
        return "casekit"
    return os.path.relpath(started)
