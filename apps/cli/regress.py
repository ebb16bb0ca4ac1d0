"""`casekit regress`: a bundle on a folder of labelled recordings, against the bundle before it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def regress(
    bundle: Annotated[Path, typer.Argument(help="Bundle: a folder or a .zip file.")],
    recordings: Annotated[
        Path, typer.Argument(help="Folder with recordings.jsonl: file, text, speaker, expected.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report.")],
    before: Annotated[
        Path | None, typer.Option("--before", help="The bundle in use, to compare with.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a number became worse.")
    ] = False,
) -> None:
    """Judge a bundle on a home's own recordings, stage by stage, against the bundle in use.

    Writes OUT/report.html, OUT/regression.json and OUT/recordings.csv: they tell what was said at
    home, keep them there.

    casekit regress runs/home/bundle recordings -o checked
    casekit regress new.zip recordings --before old.zip --strict -o checked
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from apps.cli.tables import table
    from core.cases import get_case
    from core.deployment.bundle import Bundle
    from core.errors import ParameterError

    opened = Bundle.open(bundle)
    case: Any = get_case(opened.manifest.case)
    if not hasattr(case, "regress"):
        raise ParameterError(
            f"bundles of {opened.manifest.case} are not judged on recordings", where="bundle",
            remedy="Use casekit predict, or give a bundle of the voice case",
        )  # fmt: skip
    old = Bundle.open(before).predictor() if before else None
    console = Console(stderr=True)
    columns = (TextColumn("recordings"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        report = case.regress(
            opened.predictor(), recordings, before=old,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip
    shown = Console()
    shown.print(table("Measured", ("Metric", "Value", "95% interval", "n"), [
        [m.metric.replace("_", " "), f"{m.value:.3f}", f"{m.low:.3f} to {m.high:.3f}", str(m.n)]
        for m in report.measurements
    ]))  # fmt: skip
    shown.print(table("Seconds", ("Stage", "Median", "95th percentile"), [
        [str(stage), f"{median:.3f} ({low:.3f} to {high:.3f})", f"{late:.3f}"]
        for stage, median, low, high, late, *_ in report.latency.itertuples(index=False)
    ]))  # fmt: skip
    if before:
        shown.print(table("Against the bundle in use", ("Metric", "Before", "After", "p"), [
            [row.metric.replace("_", " "), f"{row.before:.3f}", f"{row.after:.3f}", f"{row.p:.3f}"]
            for row in report.changes.itertuples()
        ]))  # fmt: skip
    typer.echo(case.write_regression(report, out))
    worse = report.worse()
    if worse:
        console.print(f"Worse than before: {', '.join(worse)}")
        if strict:
            raise typer.Exit(1)
