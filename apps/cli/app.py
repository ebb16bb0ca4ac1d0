"""`casekit app`: a case's demo in the browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from types import ModuleType

GROUP = "casekit.demos"


def open_app(
    case: Annotated[str, typer.Argument(help="Name of the case.")] = "finance",
    *,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Bundle to show; by default that of the newest run, or a quick one."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine need a password.")
    ] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port.")] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = False,
) -> None:
    """Open the demo of a case until Ctrl-C.

    With CASEKIT_APP_LOGIN set to user:password, visitors have to give both.

    casekit app finance
    casekit app finance --bundle runs/finance_credit_risk-1a2b3c4d5e/bundle --port 7900
    """
    from core.errors import ParameterError

    login = tuple(os.environ.get("CASEKIT_APP_LOGIN", "").partition(":")[::2])
    if host not in ("127.0.0.1", "localhost", "::1") and not all(login):
        raise ParameterError(
            "a demo open to the network needs a password",
            where=f"--host {host}",
            remedy="Set CASEKIT_APP_LOGIN=user:password",
        )
    demo = _demo(case)
    blocks = demo.build(bundle)
    settings: dict[str, Any] = {"auth": [login]} if all(login) else {}
    url = demo.launch(blocks, host=host, port=port, browser=browser, block=False, **settings)
    typer.echo(f"The {case} demo is at {url} (Ctrl-C ends it)", err=True)
    blocks.block_thread()


def _demo(case: str) -> ModuleType:
    """The module of a case's demo, from the entry points `casekit.demos`."""
    import importlib
    import importlib.metadata

    from core.errors import CasekitError, ParameterError

    found = {e.name: e.value for e in importlib.metadata.entry_points(group=GROUP)}
    if case not in found:
        raise ParameterError(
            f"there is no demo named {case!r}", where="case",
            remedy=f"Installed: {', '.join(sorted(found)) or 'none'}",
        )  # fmt: skip
    try:
        return importlib.import_module(found[case])
    except ImportError as error:
        raise CasekitError(
            f"the demo of {case!r} cannot be imported: {error}", where=found[case],
            remedy="pip install 'casekit[app]'",
        ) from error  # fmt: skip
