"""`make` on a machine that lacks something: one plain message, and nothing half set up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(repo: Path, tmp_path: Path) -> Path:
    """The Makefile around a package that is set up at once."""
    (tmp_path / "Makefile").write_bytes((repo / "Makefile").read_bytes())
    (tmp_path / "requirements.lock").write_text("")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def script(path: Path, body: str) -> Path:
    """A program that stands in for Python."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def make(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *words], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_named(checkout: Path) -> None:
    old = script(checkout / "python3.9", "exit 1")
    done = make(checkout, "demo", f"PYTHON={old}")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout
    assert "make demo PYTHON=" in done.stdout
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_said(checkout: Path) -> None:
    done = make(checkout, "test", "PYTHON=")
    assert done.returncode != 0
    assert "none is on the PATH" in done.stdout


def test_debian_without_venv_is_told_what_to_install(checkout: Path) -> None:
    body = f'[ "$2" = venv ] && {{ mkdir .venv; exit 1; }}; exec {sys.executable} "$@"'
    done = make(checkout, "setup", f"PYTHON={script(checkout / 'python3', body)}")
    assert done.returncode != 0
    assert "sudo apt install python3-venv" in done.stdout
    assert not (checkout / ".venv").exists(), "the next try starts cleanly"


def test_a_target_is_set_up_once_and_again_when_the_lock_changes(checkout: Path) -> None:
    fake = script(
        checkout / "python3",
        'if [ "$2" = venv ]; then mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi\n'
        'if [ "$3" = install ]; then echo "$@" >> installed; fi\nexit 0',
    )
    (checkout / ".venv").mkdir()  # of a setup that was interrupted
    script(checkout / "casekit", 'echo "casekit $*"')
    first = make(checkout, "setup", f"PYTHON={fake}")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Setting up .venv" in first.stdout
    steps = (checkout / "installed").read_text().splitlines()
    assert [s.split("install ")[1] for s in steps] == [
        "--upgrade pip",
        "--no-deps --require-hashes -r requirements.lock",
        "--no-deps --no-build-isolation -e .",
    ]
    make(checkout, "setup", f"PYTHON={fake}")
    assert len((checkout / "installed").read_text().splitlines()) == 3, "set up already"
    stamp = (checkout / ".venv" / ".setup-done").stat().st_mtime
    os.utime(checkout / "requirements.lock", (stamp + 10, stamp + 10))
    make(checkout, "setup", f"PYTHON={fake}")
    assert len((checkout / "installed").read_text().splitlines()) == 6
