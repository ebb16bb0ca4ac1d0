"""Speech programs: text goes in by the standard input and nowhere else, failures are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelError, ParameterError
from verticals.voice.speech.programs import SPEAKERS, Program, spoken
from verticals.voice.speech.voice import VOICES, open_voice

TOLD = "-w /tmp/secret $(touch gone) [[h@l'oU]]"


def _script(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(params=sorted(SPEAKERS))
def program(request: pytest.FixtureRequest) -> Program:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed here")
    return Program.find(request.param)


def test_it_speaks_faster_and_slower_and_by_its_speakers(program: Program) -> None:
    said = program.say("Turn on the kitchen light, please.")
    assert said.dtype == np.float32
    assert 0.8 < len(said) / 16_000 < 4
    assert np.abs(said).max() > 0.05
    assert len(program.say("Turn on the kitchen light, please.", speed=2)) < 0.7 * len(said)
    other = program.say("Turn on the kitchen light, please.", speaker=program.names[1])
    assert not np.array_equal(said, other)
    with pytest.raises(ParameterError, match=program.names[0]):
        program.say("Hello.", speaker="nobody")


def test_what_looks_like_an_option_is_spoken(program: Program, tmp_path: Path) -> None:
    short = program.say("Hello.")
    assert len(program.say(f"-h --help -o {tmp_path / 'made.wav'} Hello.")) > 1.5 * len(short)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_say_starts_no_program() -> None:
    assert len(Program("flite", "/nowhere").say(" ...!")) == 1_600


def test_text_is_neither_an_option_nor_a_command(tmp_path: Path) -> None:
    shows = _script(tmp_path, "shows", 'echo "$#:$@"; cat')
    lines = spoken(str(shows), ["-q"], TOLD).splitlines()
    assert lines[0] == "1:-q"
    assert lines[1].split() == TOLD.replace("[[", " ").replace("]]", " ").split()
    assert not Path("gone").exists()


def test_failures_are_told_without_what_was_said(tmp_path: Path) -> None:
    fails = _script(tmp_path, "fails", "cat >&2; exit 3")
    with pytest.raises(ModelError, match="status 3") as told:
        spoken(str(fails), [], "insulin at nine")
    assert "insulin" not in str(told.value)
    sleeps = _script(tmp_path, "sleeps", "exec sleep 30")
    with pytest.raises(ModelError, match="TimeoutExpired"):
        spoken(str(sleeps), [], "hello", timeout_s=0.2)
    silent = _script(tmp_path, "silent", "exit 0")
    with pytest.raises(ModelError, match="said nothing"):
        Program("flite", str(silent)).say("hello")


def test_a_missing_program_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for name in set(VOICES) & set(SPEAKERS):
        with pytest.raises(ModelError, match=f"{name}.*apt install {name}"):
            open_voice(name)
