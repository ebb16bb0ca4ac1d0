"""The first steps of the case: what recordings lack, who is parted, when it asks back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from core.data.audio import SAMPLE_RATE
from core.errors import DataError, ParameterError
from verticals.voice.data import check, load, split
from verticals.voice.fitting import chosen_threshold, threshold_table
from verticals.voice.home.reading import EMBEDDED
from verticals.voice.parameters import HomeParameters
from verticals.voice.recordings import LABELS
from verticals.voice.spoken import in_a_room
from verticals.voice.stages import Checked

LONG = 40 * SAMPLE_RATE


def tone(level: float, samples: int = 2 * SAMPLE_RATE) -> np.ndarray:
    """A second of a tone, and then a quiet room."""
    random = np.random.default_rng(0)
    wave = level * np.sin(np.arange(samples) * 0.2)
    wave[samples // 2 :] = level * 1e-3 * random.normal(size=samples - samples // 2)
    return wave


SOUNDS = {
    "clean": tone(0.3), "quiet": tone(1e-3), "loud": np.clip(tone(2.0), -1, 1),
    "short": tone(0.3, 3000), "long": tone(0.3, LONG),
    "noisy": 0.1 * np.random.default_rng(1).normal(size=SAMPLE_RATE),
}  # fmt: skip


def folder_of(place: Path, **labels: object) -> Path:
    """Recordings of two speakers, every one with further labels."""
    place.mkdir()
    lines = []
    for number, (name, sound) in enumerate(SOUNDS.items()):
        soundfile.write(place / f"{name}.wav", sound, SAMPLE_RATE)
        row = {"file": f"{name}.wav", "text": "hello", "speaker": "ab"[number % 2], **labels}
        lines.append(json.dumps(row))
    (place / LABELS).write_text("\n".join(lines), encoding="utf-8")
    return place


def checked(place: Path) -> Checked:
    return check(load(HomeParameters(data=str(place))))


def test_every_fault_of_a_recording_is_found(tmp_path: Path) -> None:
    found = checked(folder_of(tmp_path / "r"))
    clips = found.clips.set_index("recording")["finding"]
    assert dict(clips) == {
        "clean.wav": "", "quiet.wav": "hardly audible", "loud.wav": "clipped",
        "short.wav": "shorter than a word", "long.wav": "longer than a command",
        "noisy.wav": "noisy",
    }  # fmt: skip
    counts = found.findings.set_index("finding")["recordings"]
    assert counts["clipped"] == 1
    assert counts["without what should happen"] == len(SOUNDS)


def test_a_folder_without_a_readable_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    (tmp_path / LABELS).write_text('{"file": "a.wav"}')
    with pytest.raises(DataError, match="none can be read"):
        checked(tmp_path)


def test_devices_that_the_home_does_not_have_are_refused(tmp_path: Path) -> None:
    states = {"light.ballroom": {"state": "on"}}
    with pytest.raises(DataError, match=r"no device 'light.ballroom'.*clean\.wav"):
        load(HomeParameters(data=str(folder_of(tmp_path / "r", states=states))))
    expected = [{"intent": "HassTurnOn", "entities": ["light.attic"]}]
    with pytest.raises(DataError, match=r"light\.attic"):
        load(HomeParameters(data=str(folder_of(tmp_path / "s", expected=expected))))


def test_what_is_loaded_is_known_by_its_content(tmp_path: Path) -> None:
    one, other = folder_of(tmp_path / "r"), folder_of(tmp_path / "s")
    same = {load(HomeParameters(data=str(p), home=str(EMBEDDED))).fingerprint for p in (one, other)}
    assert len(same) == 1
    soundfile.write(other / "clean.wav", tone(0.31), SAMPLE_RATE)
    assert load(HomeParameters(data=str(other))).fingerprint not in same


def test_no_speaker_is_on_both_sides(tmp_path: Path) -> None:
    parts = split(checked(folder_of(tmp_path / "r")))
    dev, test = ({r.speaker for r in side} for side in (parts.dev, parts.test))
    assert dev
    assert test
    assert dev.isdisjoint(test)
    with pytest.raises(ParameterError, match="one speaker"):
        split(checked(folder_of(tmp_path / "s", speaker="ana")))


def test_the_threshold_weighs_wrong_actions_against_questions() -> None:
    judged = pd.DataFrame({
        "judged": True, "understood": ["HassTurnOn"] * 4 + [""],
        "confidence": [1.0, 0.8, 0.6, 0.3, 0.0], "done_right": [True, True, False, False, True],
    })  # fmt: skip
    table = threshold_table(judged, error_cost=4).set_index("threshold")
    assert dict(table.loc[0.0]) == {"acted": 4, "wrongly": 2, "asked back": 0, "cost": 8}
    assert dict(table.loc[0.65]) == {"acted": 2, "wrongly": 0, "asked back": 2, "cost": 2}
    assert dict(table.loc[0.95]) == {"acted": 1, "wrongly": 0, "asked back": 3, "cost": 3}
    # Of the thresholds that cost 2, the one nearest to the default.
    assert chosen_threshold(table.reset_index()) == 0.65
    careless = threshold_table(judged, error_cost=0.1)
    assert chosen_threshold(careless) <= 0.3


def test_nothing_to_tune_on_leaves_the_default() -> None:
    empty = pd.DataFrame({"judged": [False], "understood": ["HassTurnOn"], "confidence": [0.9],
                          "done_right": [None]})  # fmt: skip
    assert chosen_threshold(threshold_table(empty, 4.0)) == 0.5


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_a_room_is_as_noisy_as_it_was_asked_to_be(snr_db: float) -> None:
    said = tone(0.5, SAMPLE_RATE)[: SAMPLE_RATE // 2].astype("f4")
    sound = in_a_room(said, np.random.default_rng(0), snr_db=snr_db)
    before = sound[: int(0.35 * SAMPLE_RATE)]
    spoken = sound[int(0.4 * SAMPLE_RATE) :][: len(said)]
    measured = 10 * np.log10(np.mean(spoken**2) / np.mean(before**2))
    assert measured == pytest.approx(10 * np.log10(10 ** (snr_db / 10) + 1), abs=1.5)
    assert np.abs(sound).max() <= 0.7


@pytest.mark.parametrize("phrase", ["hey", "hey 2 juniper", "a b c d e", "hey  juniper", "héy you"])
def test_a_wake_phrase_is_words(phrase: str) -> None:
    with pytest.raises(ValueError, match="wake_phrase"):
        HomeParameters(wake_phrase=phrase)
