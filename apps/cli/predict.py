"""`casekit predict`: every row of a table, or file of a folder, answered by a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    bundle: Annotated[Path, typer.Argument(help="Bundle: a folder or a .zip file.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="CSV, TSV, Excel, Parquet, JSON lines or a database, path or URL; "
            "or a folder of recordings or pictures.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for predictions.jsonl.")],
    reasons: Annotated[
        bool, typer.Option("--reasons/--no-reasons", help="Explain every answer, or go faster.")
    ] = True,
    id_column: Annotated[
        str | None,
        typer.Option("--id", help="Column that names the rows; by default they are numbered."),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows held in memory at a time.")] = 50_000,
) -> None:
    """Predict every row of a table, or every file of a folder, in bounded memory.

    Writes OUT/predictions.jsonl: one object a row, in the order of the rows,
    as {"id": ..., "output": {...}}. The bundle is verified first.

    casekit predict runs/german/bundle new_loans.csv -o scored
    casekit predict bundle.zip loans.parquet -o scored --id loan_id --no-reasons
    casekit predict bundle.zip "sqlite:///book.db::loans" -o scored
    casekit predict bundle.zip recordings/ -o heard
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from core.deployment.batch import predict_stream
    from core.deployment.bundle import Bundle

    opened = Bundle.open(bundle)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("rows", total=None)
        written = predict_stream(
            opened,
            source,
            out,
            reasons=reasons,
            rows=rows,
            id_column=id_column,
            on_rows=lambda done: progress.update(task, completed=done),
        )
    console.print(f"{written.rows:,} rows answered by {opened.id} in {written.seconds:.1f} s")
    typer.echo(written.path)
