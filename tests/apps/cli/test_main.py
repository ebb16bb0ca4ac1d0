"""The casekit command as a whole: quick to say what it can do, one line when something is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from apps.cli.main import OneLineErrors, app
from core.errors import DataError

HEAVY = ("pandas", "numpy", "torch", "sklearn", "pydantic", "matplotlib", "scipy", "gradio",
         "fastapi", "cryptography", "nbformat", "jinja2", "importlib.metadata")  # fmt: skip
COMMANDS = ("run", "predict", "app", "serve", "check", "compete", "bundle", "doctor", "new-case")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom apps.cli.main import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n"
        f"    print('LOADED', [m for m in {HEAVY} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "LOADED []" in done.stdout, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_does(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output
    assert command in CliRunner().invoke(app, ["--help"]).output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "finanse"], "Did you mean 'finance'"),
        (["run", "finance", "finance_credit"], "Did you mean 'finance_credit_risk'"),
        (["run", "finance", "-p", "budgte=quick"], "Did you mean 'budget'"),
        (["run", "finance_credit_risk", "-p", "seed=-1"], "greater than or equal to 0"),
        (["run", "finance", "-p", "data=loans.csv"], "is not shared by all notebooks"),
        (["run", "finance", "-p", "budget"], "is not name=value"),
        (["check", "nowhere.csv"], "nowhere.csv"),
        (["predict", "no_bundle", "x.csv", "-o", "out"], "there is no bundle here"),
        (["bundle", "verify", "no_bundle"], "there is no bundle here"),
        (["compete", "board", "nowhere"], "there is no competition here"),
        (["app", "medicine"], "there is no demo named 'medicine'"),
        (["app", "finance", "--host", "0.0.0.0"], "needs a password"),
        (["new-case", "Churn Risk"], "is no name for a case"),
        (["new-case", "finance"], "something installed"),
    ],
)
def test_an_error_is_one_line_with_a_remedy(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASEKIT_APP_LOGIN", raising=False)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    line = result.stderr.strip()
    assert "\n" not in line
    assert line.startswith("Error: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []


def failing(error: BaseException) -> typer.Typer:
    """A program whose only command raises."""
    program = typer.Typer(cls=OneLineErrors, pretty_exceptions_enable=False)

    @program.callback()
    def main() -> None: ...

    @program.command()
    def fail() -> None:
        raise error

    return program


def test_an_unexpected_error_shows_the_way_to_its_traceback() -> None:
    result = CliRunner().invoke(failing(ZeroDivisionError("by\nzero")), ["fail"])
    assert result.exit_code == 1
    assert result.stderr.strip() == (
        "Error: ZeroDivisionError: by zero. Add --debug to see the traceback"
    )


@pytest.mark.parametrize("words", [["--debug", "fail"], ["fail", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(words: list[str]) -> None:
    result = CliRunner().invoke(failing(DataError("broken")), words)
    assert isinstance(result.exception, DataError)


def test_what_follows_two_dashes_is_left_alone() -> None:
    result = CliRunner().invoke(failing(DataError("broken")), ["fail", "--", "--debug"])
    assert not isinstance(result.exception, DataError)


def test_control_c_leaves_quietly() -> None:
    result = CliRunner().invoke(failing(KeyboardInterrupt()), ["fail"])
    assert result.exit_code == 130
    assert result.stderr.strip().startswith("Stopped.")
    assert "Traceback" not in result.output


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_control_c_stops_a_running_notebook(tmp_path: Path) -> None:
    program = (
        "import sys, apps.cli.run as r\nfrom types import SimpleNamespace as N\n"
        "from pathlib import Path\nfrom pydantic import BaseModel\nimport core.cases\n"
        "class P(BaseModel):\n    out: str = 'runs'\n"
        "case = N(NOTEBOOKS={'x': Path('x.ipynb')}, PARAMETERS={'x': P})\n"
        "core.cases.get_case = lambda name: case\n"
        "from apps.cli.main import app\napp(['run', 'x'])\n"
    )
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell("open('started', 'w').close()\nimport time\ntime.sleep(600)")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    ends = time.monotonic() + 60
    while not (tmp_path / "started").exists():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < ends
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said


def test_doctor_finds_what_the_lock_installs() -> None:
    result = CliRunner().invoke(app, ["doctor", "--strict"], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "german_credit" in result.output
    assert "Everything is here." in result.output


def test_check_shows_findings_and_saves_every_table(tmp_path: Path) -> None:
    source = tmp_path / "loans.csv"
    rows = [f"{i % 50 + 20},{i * 13 % 97},{i % 5 == 0:d},{i % 5 == 0:d}" for i in range(400)]
    source.write_text("age,amount,after,bad\n" + "\n".join(rows) + "\n")
    words = ["check", str(source), "--target", "bad", "--save", str(tmp_path / "checked")]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "after" in result.output, "a column that knows the outcome is named"
    assert {"findings.csv", "profile.csv"} <= {p.name for p in (tmp_path / "checked").iterdir()}
