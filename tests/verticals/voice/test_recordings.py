"""Labelled recordings are read whole, or the line and field at fault are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.data.audio import write_wav
from core.errors import DataError, ParameterError
from verticals.voice.data import check, load, split
from verticals.voice.parameters import HomeParameters
from verticals.voice.recordings import LABELS, fingerprint, read_recordings


def folder_of(place: Path, *labels: dict[str, object]) -> Path:
    place.mkdir(exist_ok=True)
    sound = 0.2 * np.sin(np.arange(16_000) / 7)
    sound[:3000] = 0.001
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wav(place / name, sound.astype("f4"))
    (place / LABELS).write_text("\n".join(map(json.dumps, labels)))
    return place


def test_labels_are_read_in_order(tmp_path: Path) -> None:
    place = folder_of(
        tmp_path / "r",
        {"file": "b.wav", "text": "turn it on", "speaker": "ana",
         "expected": [{"intent": "HassTurnOn", "entities": ["light.kitchen"]}]},
        {"file": "a.wav", "states": {}},
    )  # fmt: skip
    first, second = read_recordings(place)
    assert (first.id, first.speaker) == ("b.wav", "ana")
    assert first.expected is not None
    assert first.expected[0].entities == ("light.kitchen",)
    assert (second.text, second.expected, second.states) == (None, None, {})


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ({"file": "nowhere.wav"}, "line 1, file"),
        ({"file": "../outside.wav"}, "line 1, file"),
        ({"text": "no file"}, "line 1, file"),
        ({"file": "a.wav", "speeker": "ana"}, "line 1, speeker"),
        ({"file": "a.wav", "expected": [{"entities": []}]}, r"expected\.0\.intent"),
    ],
)
def test_a_wrong_label_is_named(tmp_path: Path, label: dict[str, object], says: str) -> None:
    (tmp_path / "outside.wav").write_bytes(b"x")
    with pytest.raises(DataError, match=says):
        read_recordings(folder_of(tmp_path / "r", label))


def test_no_labels_and_twice_the_same_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=LABELS):
        read_recordings(tmp_path)
    with pytest.raises(DataError, match="empty"):
        read_recordings(folder_of(tmp_path / "none"))
    with pytest.raises(DataError, match="twice"):
        read_recordings(folder_of(tmp_path / "r", {"file": "a.wav"}, {"file": "a.wav"}))


def test_the_fingerprint_knows_labels_and_sound(tmp_path: Path) -> None:
    place = folder_of(tmp_path / "r", {"file": "a.wav", "text": "on"})
    before = fingerprint(read_recordings(place))
    assert before == fingerprint(read_recordings(place))
    write_wav(place / "a.wav", np.full(16_000, 0.1, "f4"))
    after = fingerprint(read_recordings(place))
    folder_of(place, {"file": "a.wav", "text": "off"})
    assert len({before, after, fingerprint(read_recordings(place))}) == 3


def given(place: Path) -> HomeParameters:
    return HomeParameters(data=str(place))


def test_recordings_are_looked_into_and_parted_by_speaker(tmp_path: Path) -> None:
    place = folder_of(
        tmp_path / "r",
        {"file": "a.wav", "speaker": "ana", "states": {}},
        {"file": "b.wav", "speaker": "ben", "states": {}},
        {"file": "c.wav", "speaker": "ana"},
    )
    write_wav(place / "b.wav", np.full(2_000, 1e-4, "f4"))
    (place / "c.wav").write_text("not a sound")
    checked = check(load(given(place)))
    assert list(checked.clips["recording"]) == ["a.wav", "b.wav"]
    assert checked.clips["finding"][1] == "shorter than a word"
    assert "not readable" in list(checked.findings["finding"])
    parted = split(checked)
    assert {r.speaker for r in parted.dev} | {r.speaker for r in parted.test} == {"ana", "ben"}
    assert not {r.speaker for r in parted.dev} & {r.speaker for r in parted.test}


def test_a_device_that_the_home_lacks_and_a_single_speaker_are_said(tmp_path: Path) -> None:
    place = folder_of(tmp_path / "r", {"file": "a.wav", "states": {"light.moon": {"state": "on"}}})
    with pytest.raises(DataError, match=r"light\.moon"):
        load(given(place))
    folder_of(place, {"file": "a.wav", "speaker": "ana"})
    with pytest.raises(ParameterError, match="one speaker"):
        split(check(load(given(place))))
