"""The skeleton of a new case is a case: it runs, from its table to a bundle that answers alike."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.cli.main import app
from apps.cli.new_case import write_case
from core.errors import ParameterError


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new case with what pip leaves of an installed package."""
    folder = write_case("churn_risk", tmp_path_factory.mktemp("cases"))
    info = folder / "churn_risk-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: churn_risk\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[casekit.cases]\nchurn_risk = churn_risk\n")
    return folder


def started(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program that has the new case on its path."""
    environment = os.environ | {"PYTHONPATH": str(package), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, *words], cwd=package, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_nothing_of_the_template_is_left(package: Path) -> None:
    for path in package.rglob("*"):
        if path.is_file():
            assert not re.search(r"\{\{|\}\}(?!\")|\{%|jinja", path.read_text()), path


@pytest.mark.slow
def test_its_own_tests_pass(package: Path) -> None:
    done = started(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_clean(package: Path) -> None:
    done = started(package, "-m", "ruff", "check", "--select", "E,F,B,UP,SIM", ".")
    assert done.returncode == 0, done.stdout


def test_it_runs_by_its_name_and_shows_what_it_measured(package: Path) -> None:
    words = ["-c", "from apps.cli.main import app; app()", "run", "churn_risk", "-p", "seed=5"]
    done = started(package, *words)
    assert done.returncode == 0, done.stderr
    assert re.search(r"roc auc\s+0\.9\d+\s+0\.9\d+ to", done.stdout)
    places = dict(re.findall(r"^(\w+): +(\S+)$", done.stdout, re.MULTILINE))
    assert {"Report", "Notebook", "Results", "Bundle"} <= set(places)
    assert all((package / place).exists() for place in places.values())
    assert "Demo:" not in done.stdout, "it has none"


@pytest.mark.parametrize("name", ["Churn", "x", "class", "json", "finance", "../evil", "a" * 50])
def test_a_bad_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError):
        write_case(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "churn_risk").mkdir()
    result = CliRunner().invoke(app, ["new-case", "churn_risk", "--into", str(tmp_path)])
    assert result.exit_code == 2
    assert "exists already" in result.stderr
