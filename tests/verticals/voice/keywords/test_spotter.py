"""A spotter hears words of people it never met; small, exported, and only if it is unharmed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.audio import write_wav
from core.deployment.executorch_export import ExecutorchSession
from core.errors import DataError, ModelError, ParameterError
from verticals.voice.keywords.clips import Clip, read_keywords
from verticals.voice.keywords.features import word_features
from verticals.voice.keywords.spotter import ABOUT, NETWORK, PROGRAM, WHOLE, Keywords, read_about
from verticals.voice.keywords.training import (
    KeywordSettings,
    heard,
    leave_one_speaker_out,
    train_keywords,
    train_network,
)


def test_it_hears_words_of_somebody_it_never_met(
    toy_spotter: Keywords, toy_words: list[Clip]
) -> None:
    strange = [c for c in toy_words if c.speaker == "cleo"]
    right = [h == c.word for h, c in zip(heard(toy_spotter, strange), strange, strict=True)]
    assert np.mean(right) > 0.9
    found = toy_spotter.hear(strange[0].sound)
    assert found is not None
    assert found.word == strange[0].word
    assert 0.5 <= found.probability <= 1


def test_int8_says_what_float32_says(
    toy_folder: Path, toy_spotter: Keywords, toy_words: list[Clip]
) -> None:
    sounds = [c.sound for c in toy_words]
    whole = Keywords.open(toy_folder, network=WHOLE)
    small, exact = toy_spotter.probabilities(sounds), whole.probabilities(sounds)
    assert np.allclose(exact.sum(axis=1), 1)
    assert np.mean(small.argmax(1) == exact.argmax(1)) > 0.98
    assert np.abs(small - exact).mean() < 0.05
    assert (toy_folder / NETWORK).stat().st_size < 0.5 * (toy_folder / WHOLE).stat().st_size


@pytest.mark.slow
def test_the_program_for_devices_says_it_too(tmp_path: Path, toy_words: list[Clip]) -> None:
    pytest.importorskip("executorch")
    train_keywords(toy_words[:40], tmp_path, KeywordSettings(epochs=1))
    whole = Keywords.open(tmp_path, network=WHOLE)
    program = ExecutorchSession(tmp_path / PROGRAM, ["features"])
    for sound in (c.sound for c in toy_words[:5]):
        given = {"features": word_features(sound)[None, None]}
        wanted = whole.network.run(None, given)[0]
        assert np.allclose(program.run(None, given)[0], wanted, atol=1e-3)


def test_it_has_at_most_a_hundred_thousand_numbers(toy_words: list[Clip]) -> None:
    words = tuple(f"word {i}" for i in range(10))
    clips = [Clip(words[i % 10], "ana", c.sound) for i, c in enumerate(toy_words[:20])]
    network = train_network(clips, words, KeywordSettings(epochs=1))
    assert sum(p.numel() for p in network.parameters()) <= 100_000


def test_nothing_said_is_no_word(toy_spotter: Keywords) -> None:
    assert toy_spotter.hear(np.zeros(16_000, np.float32)) is None
    assert toy_spotter.hear(np.zeros(0, np.float32)) is None
    assert toy_spotter.probabilities([]).shape == (0, 2)


def test_an_unsure_word_is_none(toy_spotter: Keywords, toy_words: list[Clip]) -> None:
    assert toy_spotter.hear(toy_words[0].sound, sure=1.01) is None


def test_the_same_seed_trains_the_same_network(toy_words: list[Clip]) -> None:
    how = KeywordSettings(epochs=1, seed=3)
    one, other = (train_network(toy_words[:40], ("down", "up"), how) for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        assert a.equal(b)


def test_each_speaker_is_left_out_in_turn(toy_words: list[Clip]) -> None:
    two = [c for c in toy_words if c.speaker != "cleo"]
    found = list(leave_one_speaker_out(two, KeywordSettings(epochs=1)))
    assert [f.speaker for f in found] == ["ana", "ben"]
    assert all(len(f.words) == len(f.whole) == len(f.small) == 40 for f in found)
    with pytest.raises(ParameterError, match="two people"):
        next(leave_one_speaker_out([c for c in two if c.speaker == "ana"]))


def test_a_folder_that_is_not_there_or_was_changed_is_refused(
    toy_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="train_keywords"):
        Keywords.open(tmp_path)
    for name in (ABOUT, NETWORK):
        (tmp_path / name).write_bytes((toy_folder / name).read_bytes())
    assert read_about(tmp_path).speakers == ("ana", "ben")
    with pytest.raises(ModelError, match="no trained keywords"):
        Keywords.open(tmp_path, network=WHOLE)
    whole = bytearray((tmp_path / NETWORK).read_bytes())
    whole[len(whole) // 2] ^= 1
    (tmp_path / NETWORK).write_bytes(whole)
    with pytest.raises(ModelError, match="not the one that was trained"):
        Keywords.open(tmp_path)
    (tmp_path / ABOUT).write_text("{}")
    with pytest.raises(ModelError, match="no trained keywords"):
        Keywords.open(tmp_path)


def test_recordings_lie_in_folders_by_word_and_speaker(
    tmp_path: Path, toy_words: list[Clip]
) -> None:
    for clip in toy_words[:4]:
        (tmp_path / clip.word / "ana").mkdir(parents=True, exist_ok=True)
    write_wav(tmp_path / "up" / "ana" / "1.wav", toy_words[0].sound)
    write_wav(tmp_path / "down" / "2.wav", toy_words[1].sound)
    (tmp_path / "down" / "notes.txt").write_text("not a recording")
    assert [(c.word, c.speaker) for c in read_keywords(tmp_path)] == [("down", ""), ("up", "ana")]
    (tmp_path / "down" / "2.wav").unlink()
    with pytest.raises(DataError, match="one folder a word"):
        read_keywords(tmp_path)
    with pytest.raises(DataError, match="one folder a word"):
        read_keywords(tmp_path / "nowhere")


def test_one_word_is_too_few(toy_words: list[Clip]) -> None:
    with pytest.raises(DataError, match="every word"):
        train_network(toy_words[:1], ("up",), KeywordSettings())
    with pytest.raises(DataError, match="every word"):
        train_network(toy_words[:2], ("left", "right"), KeywordSettings())


def test_it_hears_without_torch(toy_folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from verticals.voice.keywords.spotter import Keywords\n"
        "k = Keywords.open(Path(sys.argv[1])); k.hear(np.ones(8000, 'f4'))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(toy_folder)], check=True, timeout=60)
