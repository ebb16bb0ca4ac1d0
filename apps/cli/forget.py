"""`casekit forget`: delete everything that is kept of a person, or of everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def forget(
    person: Annotated[
        str | None, typer.Argument(help="Name of an enrolled person; leave out with --all.")
    ] = None,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody, and the key.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where people are kept, if not the default.")
    ] = None,
) -> None:
    """Delete a person's voice, preferences and corrections; nothing of them remains.

    casekit forget ana
    casekit forget --all
    """
    from core.cases import case_names, get_case
    from core.errors import ParameterError

    if (person is None) != everybody:
        raise ParameterError(
            "say whom", where="person", remedy="Give a name, or --all for everybody"
        )
    cases: list[Any] = [get_case(name) for name in case_names()]
    gone = [case.forget(person, folder) for case in cases if hasattr(case, "forget")]
    if not any(gone):
        typer.echo(f"Nothing is kept of {person or 'anybody'}: check the name and --folder.")
        raise typer.Exit(1)
    typer.echo(f"Everything of {person or 'everybody'} is deleted.")
