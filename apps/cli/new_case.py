"""`casekit new-case`: the skeleton of a client's own case, small but working."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TEMPLATES = Path(__file__).with_name("templates") / "new_case"


def new_case(
    name: Annotated[str, typer.Argument(help="Name of the case, such as churn_risk.")],
    *,
    into: Annotated[Path, typer.Option(help="Folder that receives the package.")] = Path(),
) -> None:
    """Write a package with a working case: steps, parameters, notebook and tests.

    casekit new-case churn_risk --into ../clients
    """
    folder = write_case(name, into)
    typer.echo(f"{folder} holds a working case. Next:")
    typer.echo(f"  pip install --no-deps -e {folder}")
    typer.echo(f"  casekit run {name}")
    typer.echo(f"  pytest {folder}")


def write_case(name: str, into: Path) -> Path:
    """Render the skeleton; returns its folder.

    Args:
        name: Of the case and its package: lower case, digits and underscores.
        into: Receives a new folder of that name.

    Raises:
        ParameterError: The name is no package name, is taken by an installed case or module, or
            the folder exists.
    """
    import importlib.util
    import keyword
    import re

    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from core.cases import case_names
    from core.errors import ParameterError

    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", name) or keyword.iskeyword(name):
        raise ParameterError(
            f"{name!r} is no name for a case", where="name",
            remedy="Use 2 to 40 lower-case letters, digits and underscores, such as churn_risk",
        )  # fmt: skip
    if name in case_names() or importlib.util.find_spec(name) is not None:
        raise ParameterError(
            f"{name!r} is the name of something installed", where="name", remedy="Choose another"
        )
    folder = into / name
    if folder.exists():
        raise ParameterError("the folder exists already", where=str(folder), remedy="Remove it, "
                             "or choose another name")  # fmt: skip
    environment = Environment(  # Python and TOML, not HTML
        loader=FileSystemLoader(TEMPLATES), autoescape=False, undefined=StrictUndefined,  # noqa: S701
        keep_trailing_newline=True,
    )  # fmt: skip
    words = {"name": name, "title": name.replace("_", " ").capitalize(),
             "Class": "".join(part.capitalize() for part in name.split("_"))}  # fmt: skip
    for template in sorted(environment.list_templates(extensions=["jinja"])):
        place = folder / template.removesuffix(".jinja").replace("package", name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(environment.get_template(template).render(words), encoding="utf-8")
    return folder
