"""The home's report counts what was heard, understood and done as a person would."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from statsmodels.stats.proportion import proportion_confint

from core.data.audio import write_wav
from core.errors import ParameterError
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.command import Transcript
from verticals.voice.comparing import regress, write_regression
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome
from verticals.voice.measures import compare, latencies, measure, units, worse
from verticals.voice.predictor import HomePredictor
from verticals.voice.recordings import LABELS, Expected, Recording
from verticals.voice.regression import SHARES, changed, judge
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
    assert list(latencies(table)["stage"]) == ["recognition", "understanding", "action", "whole"]


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


def table_of(**columns: list[object]) -> pd.DataFrame:
    """Judged recordings of four speakers in turn, with the columns that a test is about."""
    count = len(next(iter(columns.values())))
    plain: dict[str, object] = {
        "recording": [str(i) for i in range(count)], "speaker": [str(i % 4) for i in range(count)],
        "errors": 0, "words": 5, "judged": True, "wake": False, "length_s": 36.0,
        "seconds_whole": 0.5,
    }  # fmt: skip
    return pd.DataFrame(plain | dict.fromkeys(SHARES) | columns, index=range(count))


def test_certainty_is_not_claimed_where_all_went_well() -> None:
    found = {m.metric: m for m in measure(table_of(done_right=[True] * 20))}
    low, high = proportion_confint(20, 20, method="wilson")
    assert found["done_right"].low == pytest.approx(low, abs=1e-3)
    assert found["done_right"].high == pytest.approx(high)


def test_few_speakers_are_not_drawn_again() -> None:
    table = table_of(done_right=[True] * 4)
    assert units(table) == ["0", "1", "2", "3"]
    assert units(table.assign(speaker="ana")) == list(table["recording"])


def test_the_wake_word_is_judged_by_what_said_it() -> None:
    table = table_of(wake=[True, True, True, True, False, False], woken=[1, 1, 0, 2, 0, 3])
    found = {m.metric: m for m in measure(table)}
    assert found["wake_missed"].value == 0.25
    # Three times in two recordings of 36 seconds.
    assert found["false_wakes_an_hour"].value == pytest.approx(150)
    low, high = chi2.ppf([0.025], 6)[0] / 2 / 0.02, chi2.ppf([0.975], 8)[0] / 2 / 0.02
    assert found["false_wakes_an_hour"].low == pytest.approx(low)
    assert found["false_wakes_an_hour"].high == pytest.approx(high)


def test_quantiles_of_time_have_intervals_that_hold_them() -> None:
    took = np.random.default_rng(0).gamma(4, 0.1, 200)
    (row,) = latencies(table_of(seconds_whole=list(took))).to_dict("records")
    assert row["median s"] == pytest.approx(np.median(took))
    assert row["low"] < row["median s"] < row["high"]
    assert row["low "] <= row["95th percentile s"] <= row["high "]
    # The spread of a median of normal-like values: 1.25 s / sqrt(n).
    assert row["high"] - row["low"] == pytest.approx(
        2 * 1.96 * 1.25 * took.std() / 200**0.5, rel=0.4
    )


def test_only_what_became_worse_beyond_chance_is_called_worse() -> None:
    count = 80
    before = table_of(done_right=[True] * count, seconds_whole=[0.5] * count, woken=[0] * count)
    half = [i % 2 == 0 for i in range(count // 2)] + [True] * (count // 2)
    after = before.assign(done_right=half, errors=[i % 2 for i in range(count)])
    assert worse(compare(before, after)) == ["word_error_rate", "done_right"]
    assert worse(compare(after, before)) == []
    assert worse(compare(before, before.assign(seconds_whole=0.55))) == []
    assert worse(compare(before, before.assign(seconds_whole=1.0))) == ["seconds_whole"]
    deaf = before.assign(wake=True, woken=1)
    assert worse(compare(deaf, deaf.assign(woken=[i % 2 for i in range(count)]))) == ["wake_missed"]


def test_a_change_that_nobody_asked_for_counts_as_wrong(recordings: list[Recording]) -> None:
    table = judged(recordings, {"a": "turn on all the lights", "b": "turn off the hall light",
                                "c": "lock the back door"})  # fmt: skip
    assert list(table["done_right"]) == [False, True, False]
    assert "lock.back_door" in table["changed"][2]


def test_a_bundle_that_hears_worse_is_called_worse(
    recordings: list[Recording], tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    lines = []
    for number in range(24):
        recording = recordings[number % 3]
        name = f"{number}.wav"
        shutil.copy(recording.path, folder / name)
        lines.append({"file": name, "text": recording.text, "speaker": str(number % 6),
                      "states": recording.states})  # fmt: skip
    (folder / LABELS).write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    home = Home.open()
    right, wrong = (
        HomePredictor(Parts(home, Understander.open(home), recogniser=Scripted(heard)))
        for heard in ({n: text for n, (text, _) in SAID.items()}, dict.fromkeys(SAID, "stop"))
    )
    worse_one = regress(wrong, folder, before=right)
    assert {"word_error_rate", "done_right"} <= set(worse_one.worse())
    assert regress(right, folder, before=wrong).worse() == []
    page = write_regression(worse_one, tmp_path / "out").read_text(encoding="utf-8")
    assert "Worse than before:" in page
    assert "turn off the hall light" in page, "what went wrong is shown"
    with pytest.raises(ParameterError, match="not a home's"):
        regress(object(), folder)  # type: ignore[arg-type]


def test_what_changes_by_itself_while_somebody_speaks_is_nobodys_doing() -> None:
    times = iter(datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(hours=n) for n in range(1000))
    home = SimulatedHome(Home.open(), lambda: next(times))
    before, after = home.states(), home.states()  # hours later
    assert before != after
    assert changed(before, after) == {}
