"""`casekit check`: what is wrong with a table, before anything is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ("findings", "personal", "schema", "corrections")  # others are too wide for a terminal


def check(
    data: Annotated[str, typer.Argument(help="Path or URL of a table, or an embedded one.")],
    *,
    case: Annotated[str, typer.Option(help="The case it is meant for.")] = "finance",
    target: Annotated[str | None, typer.Option(help="Column that holds the outcome.")] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Any other parameter."),
    ] = None,
    save: Annotated[Path | None, typer.Option(help="Folder for the tables as CSV.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a finding is an error.")
    ] = False,
) -> None:
    """Check a table: types, missing codes, leaks, duplicates, dates, personal data.

    casekit check loans.csv --target default
    casekit check loans.xlsx -p target=status -p positive=bad -p time=opened --save checked
    """
    from rich.console import Console

    from apps.cli.tables import frame_table
    from core.cases import get_case
    from core.notebooks.parameters import parse_values, validate

    module = get_case(case)
    model = next(iter(module.PARAMETERS.values()))
    values = {"data": data} | ({"target": target} if target else {})
    given = validate(model, values | parse_values(model, parameters or []))
    checked = module.check(module.load(given))
    tables = _tables(module, checked)
    console = Console()
    for name in SHOWN:
        if len(tables.get(name, ())):
            frame = tables[name]
            console.print(frame_table(name.capitalize(), frame.loc[:, _said(frame)]))
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            frame.to_csv(save / f"{name}.csv", index=False)
    findings = tables.get("findings")
    wrong = 0 if findings is None else int((findings["severity"] == "error").sum())
    found = 0 if findings is None else len(findings)
    typer.echo(f"Findings: {found}, errors among them: {wrong}.")
    kept = f"in {save}" if save else "with --save FOLDER"
    typer.echo(f"All tables as CSV, the profile of every column among them: {kept}")
    if strict and wrong:
        raise typer.Exit(1)


def _said(frame: pd.DataFrame) -> list[bool]:
    """Which columns of a table say anything at all."""
    return [bool(frame[c].map(lambda v: v not in (None, "", (), [])).any()) for c in frame]


def _tables(module: Any, checked: Any) -> dict[str, pd.DataFrame]:
    """What a case tells about a checked table; a case without `check_report` shows its findings."""
    import pandas as pd

    report = getattr(module, "check_report", None)
    if report is not None:
        return dict(report(checked))
    columns = ["severity", "kind", "column", "detail", "remedy"]
    rows = [[getattr(f, name) for name in columns] for f in getattr(checked, "findings", ())]
    return {"findings": pd.DataFrame(rows, columns=columns)}
