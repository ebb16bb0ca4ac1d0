"""The casekit command: names its subcommands, and turns every error into one line.

Knows what the subcommands are called; what they need is imported when one of them runs.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from apps.cli.app import open_app
from apps.cli.bundle import bundle_app
from apps.cli.check import check
from apps.cli.compete import compete_app
from apps.cli.doctor import doctor
from apps.cli.forget import forget
from apps.cli.new_case import new_case
from apps.cli.predict import predict
from apps.cli.regress import regress
from apps.cli.run import run
from apps.cli.serve import serve
from core.errors import CasekitError

WRONG, STOPPED = 2, 130  # exit codes: something to put right; Ctrl-C


class OneLineErrors(TyperGroup):
    """A group of commands whose errors end in one line, and with `--debug` in a traceback."""

    def main(self, args: Any = None, *rest: Any, **settings: Any) -> Any:
        """Run the command line; `--debug` may stand anywhere before a `--`."""
        words = list(sys.argv[1:] if args is None else args)
        head = words[: words.index("--")] if "--" in words else words
        debug = "--debug" in head
        if debug:
            words.remove("--debug")
        try:
            return super().main(words, *rest, **settings)
        except Exception as error:
            if debug:
                raise
            typer.echo(_line(error), err=True)
            sys.exit(WRONG if isinstance(error, CasekitError) else 1)

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand; Ctrl-C leaves quietly."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("Stopped. The same command takes up finished work again.", err=True)
            raise typer.Exit(STOPPED) from None


def _line(error: Exception) -> str:
    """An error in one line: ours say what to do; for others the way to the traceback is shown."""
    if isinstance(error, CasekitError):
        return " ".join(f"Error: {error}".split())
    cause = " ".join(str(error).split()) or "no message"
    return f"Error: {type(error).__name__}: {cause}. Add --debug to see the traceback"


app = typer.Typer(
    cls=OneLineErrors, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Applied-AI case studies on your own data: run, judge, hand over.",
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


@app.callback()
def _settings(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    # `debug` is taken out of the arguments before they are read. Nothing phones home.
    for name, value in (
        ("GRADIO_ANALYTICS_ENABLED", "False"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("DO_NOT_TRACK", "1"),
    ):
        os.environ.setdefault(name, value)


app.command()(run)
app.command()(predict)
app.command("app")(open_app)
app.command()(serve)
app.command()(check)
app.command()(regress)
app.command()(forget)
app.add_typer(compete_app, name="compete")
app.add_typer(bundle_app, name="bundle")
app.command()(doctor)
app.command("new-case")(new_case)
