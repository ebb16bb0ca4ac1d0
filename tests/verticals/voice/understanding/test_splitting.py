"""Sentences are taken apart only where both parts make sense."""

from __future__ import annotations

import pytest

from verticals.voice.command import Command
from verticals.voice.home.model import Home
from verticals.voice.understanding.grammar import Grammar
from verticals.voice.understanding.splitting import Splitter, several

HOME = Home.open()
GRAMMAR, SPLITTER = Grammar.open(HOME), Splitter(HOME)


def split(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(c.intent, c.entities) for c in SPLITTER.split(text, GRAMMAR.parse)]


@pytest.mark.parametrize("joint", [" and ", ", ", " and then ", " then ", ", and ", "; "])
def test_every_joint_parts_two_commands(joint: str) -> None:
    found = split(f"turn on the hall light{joint}lock the front door")
    assert found == [("HassTurnOn", ("light.hall",)), ("HassTurnOn", ("lock.front_door",))]


def test_one_verb_for_three_devices() -> None:
    found = split("turn off the hall light and the desk lamp and the tv")
    assert [e for _, e in found] == [
        ("light.hall",), ("light.desk_lamp",), ("media_player.living_room_tv",),
    ]  # fmt: skip


def test_a_title_with_and_stays_whole() -> None:
    (command,) = SPLITTER.split("play rock and roll", GRAMMAR.parse)
    assert command.slot("search_query") == "rock and roll"


def test_a_part_without_sense_leaves_nothing_half_done() -> None:
    assert split("turn on the hall light and feed the cat") == []


def test_long_sentences_end_in_time() -> None:
    import time

    start = time.process_time()
    split(" and ".join(["the moon and the stars"] * 6))
    assert time.process_time() - start < 5


def test_several() -> None:
    assert several("dim the light and play jazz")
    assert not several("play rock and roll")
    assert not several("turn on a and b")


def test_a_repeated_device_acts_once() -> None:
    def read(text: str) -> tuple[Command, ...]:
        return GRAMMAR.parse(text)

    found = SPLITTER.split("turn on the tv and turn on the tv", read)
    assert len(found) == 1
