"""`casekit forget` leaves nothing of a person, and says so only if there was something."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from apps.cli.forget import forget
from core.errors import ParameterError
from verticals.voice.people.household import Household, Person
from verticals.voice.people.learned import Lesson
from verticals.voice.people.people import People
from verticals.voice.people.store import Vault
from verticals.voice.people.voices import SIZE

app = typer.Typer()
app.command()(forget)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A folder where two people are kept, one of whom taught a correction."""
    voice = (1.0, *[0.0] * (SIZE - 1))
    household = Household(
        people={name: Person(voice=voice, clips=3) for name in ("ana", "ben")},
        lessons=(Lesson(kind="name", heard="the box", meant="television", speaker="ana"),),
    )
    Vault.open(tmp_path / "people").write(household.model_dump_json().encode())
    return tmp_path / "people"


def said(*words: object, code: int = 0) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_one_person_goes_and_the_others_stay(people: Path) -> None:
    assert "Everything of ana is deleted" in said("ana", "--folder", people)
    kept = People.open(people)
    assert (kept.names, kept.lessons) == (("ben",), ())
    assert "check the name" in said("ana", "--folder", people, code=1)


def test_everybody_goes_even_without_the_key(people: Path) -> None:
    key = Vault.open(people).key_path
    key.unlink()
    assert "everybody" in said("--all", "--folder", people)
    assert not Vault.open(people).path.exists()
    assert "Nothing" in said("--all", "--folder", people, code=1)


def test_the_default_folder_is_this_users_own() -> None:
    Vault.open().write(Household().model_dump_json().encode())
    said("--all")
    assert not Vault.open().path.exists()


def test_whom_must_be_said_and_only_once() -> None:
    for words in ((), ("ana", "--all")):
        with pytest.raises(ParameterError, match="say whom"):
            said(*words)
