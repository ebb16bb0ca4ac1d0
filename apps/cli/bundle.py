"""`casekit bundle`: what a bundle is, and whether it still is what was signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from core.deployment.bundle import Bundle
    from core.deployment.results import Measurement

bundle_app = typer.Typer(no_args_is_help=True, help="Verify a bundle, or show what is in it.")

Place = Annotated[Path, typer.Argument(help="Bundle: a folder or a .zip file.")]


@bundle_app.command()
def verify(
    bundle: Place,
    replay: Annotated[
        bool, typer.Option("--replay", help="Also answer the golden inputs again.")
    ] = False,
    trust: Annotated[
        str | None,
        typer.Option(help="Trust this public key, or file that holds it, from now on."),
    ] = None,
) -> None:
    """Check signature, signer and every file; load nothing unless asked to.

    casekit bundle verify runs/german/bundle --replay
    casekit bundle verify bundle.zip --trust 3b6a27bc...
    """
    from rich.console import Console

    from core.deployment.bundle import Bundle
    from core.deployment.signing import read_public_key, trust_key
    from core.errors import BundleError

    console = Console()
    opened = Bundle.open(bundle, trust=[trust] if trust else None)
    if trust and read_public_key(trust) == opened.signer:
        trust_key(opened.signer)
        console.print("This signer is trusted from now on.")
    console.print(f"{opened.id}: signature and {len(opened.manifest.files)} files are as signed.")
    if not replay:
        return
    golden = opened.manifest.golden
    difference = opened.replay()
    if difference > golden.tolerance:
        raise BundleError(
            f"the golden answers differ by {difference:.3g}, allowed is {golden.tolerance:.3g}",
            where=str(bundle),
            remedy="Use the versions the bundle was made with (casekit bundle show)",
        )
    console.print(
        f"{len(golden.inputs)} golden inputs: largest difference {difference:.3g}, "
        f"allowed {golden.tolerance:.3g}."
    )


@bundle_app.command()
def show(bundle: Place) -> None:
    """Show a verified bundle: case, metrics with intervals, files, signer and licences.

    casekit bundle show runs/german/bundle
    """
    from rich.console import Console

    from core.deployment.bundle import Bundle

    opened = Bundle.open(bundle)
    manifest = opened.manifest
    console = Console()
    facts = {
        "Bundle": opened.id,
        "Case": manifest.case,
        "Task": manifest.task,
        "Made": f"{manifest.created}, casekit {manifest.casekit_version}",
        "Versions": ", ".join(f"{name} {v}" for name, v in sorted(manifest.versions.items())),
        "Run": manifest.run_id,
        "Data": f"{manifest.data.rows:,} rows, SHA-256 {manifest.data.fingerprint}",
        "Source": manifest.data.source,
        "Data licence": manifest.data.licence,
        "Signer": opened.signer,
        "Golden inputs": f"{len(manifest.golden.inputs)}, tolerance {manifest.golden.tolerance:g}",
    }
    facts |= {f"Licence: {name}": text for name, text in sorted(manifest.licences.items())}
    console.print(_table("", ["", ""], [[name, fact] for name, fact in facts.items() if fact]))
    metrics = [_metric(measurement) for measurement in manifest.measurements]
    if metrics:
        titles = ["Metric", "Value", "95% interval", "n", "Split", "Model", "Baseline"]
        console.print(_table("Measured", titles, metrics))
    console.print(_table("Files", ["Path", "Bytes", "SHA-256"], _files(opened)))


def _metric(m: Measurement) -> list[str]:
    """One measurement as a row."""
    interval = "" if m.low is None or m.high is None else f"{m.low:.4g} to {m.high:.4g}"
    baseline = "" if m.baseline is None else f"{m.baseline:.4g} ({m.baseline_model or 'baseline'})"
    return [m.metric, f"{m.value:.4g}", interval, f"{m.n:,}", m.split, m.model, baseline]


def _files(bundle: Bundle) -> list[list[str]]:
    """Every file as a row."""
    return [
        [path, f"{(bundle.folder / path).stat().st_size:,}", digest[:16]]
        for path, digest in sorted(bundle.manifest.files.items())
    ]


def _table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """Rows as a table on a terminal; what a manifest says is text, never markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(
        *columns,
        title=title or None,
        title_justify="left",
        box=SIMPLE_HEAD,
        show_header=any(columns),
    )
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    return table
