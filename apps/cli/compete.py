"""`casekit compete`: a local Kaggle on a client's book."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from verticals.finance.stages import Split

compete_app = typer.Typer(
    no_args_is_help=True, help="Open a competition, take in anyone's predictions, rank them."
)

Folder = Annotated[Path, typer.Argument(help="Folder of the competition.")]


@compete_app.command()
def start(
    data: Annotated[str, typer.Argument(help="A loan book: path, URL or embedded name.")],
    *,
    into: Annotated[Path, typer.Option(help="New folder for the competition.")],
    target: Annotated[str | None, typer.Option(help="Column that says what went bad.")] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Any other parameter."),
    ] = None,
    ours: Annotated[
        bool, typer.Option("--ours", help="Also enter casekit's own models (takes its budget).")
    ] = False,
) -> None:
    """Split a book, seal the outcomes of the test part and write the competition's files.

    The keys stay in your casekit folder: hand out the competition's folder as it is.

    casekit compete start german_credit --into contest --ours
    casekit compete start loans.csv --into contest --target default -p time=opened
    """
    from core.notebooks.parameters import parse_values, validate
    from verticals import finance
    from verticals.finance.parameters import CreditParameters
    from verticals.finance.submissions import open_competition

    values = {"data": data} | ({"target": target} if target else {})
    given = values | parse_values(CreditParameters, parameters or [])
    split = finance.split(finance.check(finance.load(validate(CreditParameters, given))))
    competition = open_competition(into, split)
    typer.echo(
        f"{competition.train_rows:,} rows to learn from, {competition.test_rows:,} to predict, "
        f"outcomes sealed: {into}"
    )
    if ours:
        _enter_ours(into, split)
    typer.echo(f"Enter with: casekit compete submit {into} predictions.csv --name NAME")


@compete_app.command()
def submit(
    folder: Folder,
    predictions: Annotated[Path, typer.Argument(help="CSV with row_id and prediction.")],
    *,
    name: Annotated[str, typer.Option(help="What the board calls it.")],
) -> None:
    """Score a file of predictions on the public part.

    casekit compete submit contest predictions.csv --name ours-2
    """
    from verticals.finance.submissions import submit as enter

    entry = enter(folder, predictions, name)
    typer.echo(
        f"{entry.name}: public AUC {entry.public:.4f} "
        f"(95% interval {entry.low:.4f} to {entry.high:.4f}, {entry.n:,} rows)"
    )
    for suspicion in entry.suspicions:
        typer.echo(f"Suspicious: {suspicion}", err=True)


@compete_app.command()
def close(folder: Folder) -> None:
    """Open the private part, once, and rank everyone on it.

    casekit compete close contest
    """
    from verticals.finance.submissions import close_competition

    _show("Final, on the private part", close_competition(folder))


@compete_app.command()
def board(folder: Folder) -> None:
    """Show the leaderboard: on the public part, and the final one after closing.

    casekit compete board contest
    """
    from verticals.finance.submissions import board as standings

    final = (folder / "final.json").exists()
    table = standings(folder)
    _show("Final, on the private part" if final else "On the public part", table)


def _enter_ours(folder: Path, split: Split) -> None:
    """Train casekit's entrants on the same split and submit each."""
    from verticals import finance
    from verticals.finance.submissions import submit_models

    fitted = finance.fit(split)
    models = {f"casekit-{name}".replace(" ", "-"): m for name, m in fitted.entrants.items()}
    for entry in submit_models(folder, split, models):
        typer.echo(f"{entry.name}: public AUC {entry.public:.4f}")


def _show(title: str, frame: pd.DataFrame) -> None:
    from rich.console import Console

    from apps.cli.tables import frame_table

    said = frame.drop(columns=["difference", "within_noise"], errors="ignore")
    if not said["suspicions"].any():
        said = said.drop(columns="suspicions")
    if "submitted" in said:
        said["submitted"] = said["submitted"].str.slice(0, 19).str.replace("T", " ")
    Console().print(frame_table(title, said))
