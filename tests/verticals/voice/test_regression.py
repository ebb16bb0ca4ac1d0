"""The home's report counts what was heard, understood and done as a person would."""

from __future__ import annotations

import jiwer
import numpy as np
import pandas as pd
import pytest

from core.data.audio import write_wav
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.command import Transcript
from verticals.voice.home.model import Home
from verticals.voice.recordings import Expected, Recording
from verticals.voice.regression import compare, judge, latencies, measure
from verticals.voice.understanding.understand import Understander

SAID = {
    "a": ("turn on the kitchen light", "Turn on the kitchen light."),
    "b": ("turn off the hall light", "Turn of the haul light."),
    "c": ("open the garage door", "Open the garage door!"),
}
RIGHT = {"a": {"light.kitchen": {"state": "on"}}, "b": {"light.hall": {"state": "off"}}, "c": {}}


class Scripted:
    """Hears what the loudness of a recording stands for."""

    def __init__(self, heard: dict[str, str]) -> None:
        self.heard = heard

    def transcribe(self, sound: np.ndarray) -> Transcript:
        return Transcript(text=self.heard["abc"[round(float(sound[100]) * 10) - 1]])


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    place = tmp_path_factory.mktemp("recordings")
    out = []
    for number, (name, (text, _)) in enumerate(SAID.items(), 1):
        write_wav(place / name, np.full(16_000, number / 10, "f4"))
        wanted = (
            (Expected(intent="HassTurnOn", entities=("light.kitchen",)),) if number == 1 else None
        )
        out.append(
            Recording(name, place / name, text, f"speaker {number % 2}", wanted, RIGHT[name])
        )
    return out


def judged(recordings: list[Recording], heard: dict[str, str]) -> pd.DataFrame:
    home = Home.open()
    parts = Parts(home, Understander.open(home), recogniser=Scripted(heard))
    with Assistant(parts) as assistant:
        return judge(assistant, recordings)


def test_every_stage_is_judged_by_itself(recordings: list[Recording]) -> None:
    table = judged(recordings, {name: heard for name, (_, heard) in SAID.items()})
    assert list(table["errors"]) == [0, 2, 0]
    assert list(table["done_right"]) == [True, False, True]
    assert bool(table["frame_right"][0]) is True
    assert bool(table["frame_right_from_text"][0]) is True
    found = {m.metric: m for m in measure(table)}
    said, heard = ([pair[i].lower().strip(".!") for pair in SAID.values()] for i in (0, 1))
    assert found["word_error_rate"].value == pytest.approx(jiwer.wer(said, heard))
    assert found["done_right"].value == pytest.approx(2 / 3)
    assert found["done_right"].low <= 2 / 3 <= found["done_right"].high
    assert list(latencies(table)["stage"]) == ["recognition", "understanding", "action"]


def test_a_better_bundle_is_told_from_a_worse_one(recordings: list[Recording]) -> None:
    worse = judged(recordings, {name: heard for name, (_, heard) in SAID.items()})
    better = judged(recordings, {name: text for name, (text, _) in SAID.items()})
    table = compare(worse, better).set_index("metric")
    assert table.loc["word_error_rate", "change"] == pytest.approx(-2 / 14)
    assert table.loc["done_right", "change"] == pytest.approx(1 / 3)
    same = compare(better, better).set_index("metric")
    assert (same["change"] == 0).all()
    with pytest.raises(ValueError, match="different recordings"):
        compare(better, better.iloc[::-1])


def test_a_change_that_nobody_asked_for_counts_as_wrong(recordings: list[Recording]) -> None:
    table = judged(recordings, {"a": "turn on all the lights", "b": "turn off the hall light",
                                "c": "lock the back door"})  # fmt: skip
    assert list(table["done_right"]) == [False, True, False]
    assert "lock.back_door" in table["changed"][2]
