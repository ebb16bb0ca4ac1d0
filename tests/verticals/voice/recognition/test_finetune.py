"""Fine-tuning learns, forgets nothing when killed, and never tests on whom it has heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import torch

from core.errors import DataError, ModelError
from core.models.resolver import resolve
from verticals.voice.recognition.finetune import (
    REPORT,
    TuneSettings,
    base_folder,
    compare,
    fine_tune,
    split_clips,
    train,
)
from verticals.voice.recognition.learning import Clip, Writing, batches, examples_of, features
from verticals.voice.recognition.whisper import Recogniser

QUICK = TuneSettings(epochs=3, versions=1, batch=4, precision="no", patience=0, rank=4)


def test_nobody_is_in_two_parts(toy_clips: list[Clip]) -> None:
    parts = split_clips(toy_clips, seed=3)
    people = [{clip.speaker for clip in part} for part in (parts.train, parts.dev, parts.test)]
    assert parts.by == "speaker"
    assert sum(map(len, people)) == 5
    assert set.union(*people) == {clip.speaker for clip in toy_clips}
    assert [len(p) for p in (parts.train, parts.dev, parts.test)] == [12, 4, 4]

    one = [Clip(c.sound, f"sentence {n // 2}", "ana") for n, c in enumerate(toy_clips)]
    parts = split_clips(one)
    assert parts.by == "sentence"
    assert not {c.text for c in parts.test} & {c.text for c in parts.train}
    with pytest.raises(DataError, match="5 clips of 3 different speakers are too few"):
        split_clips(toy_clips[:3] + toy_clips[10:12])
    with pytest.raises(DataError, match=r"no words \(clip 1\)"):
        split_clips([Clip(toy_clips[0].sound, "  "), *toy_clips])


def test_tokens_are_as_whisper_writes_them() -> None:
    writing = Writing.open(resolve("whisper_tiny_en"), 51_864)
    tokens, told = writing.tokens("turn off the light")
    assert (tokens[:told], tokens[-1]) == ([50_257, 50_362], 50_256)
    assert writing.tokenizer.decode(tokens[told:-1]) == " Turn off the light."
    timed, told = writing.tokens("Is it on?", 1.5)
    assert (timed[told], timed[-2]) == (50_363, 50_363 + 75)
    assert writing.tokenizer.decode(timed[told + 1 : -2]) == " Is it on?"


def test_only_what_is_to_be_said_counts(toy_whisper: Path, toy_clips: list[Clip]) -> None:
    writing = Writing.open(toy_whisper, 51_864)
    loader = batches(examples_of(toy_clips[:4], 80), writing, batch=4, timed=0.0, shuffle=False)
    batch = next(iter(loader))
    assert batch["given"].shape == (4, 80, 3000)
    for ids, labels, clip in zip(batch["ids"], batch["labels"], toy_clips, strict=False):
        tokens, told = writing.tokens(clip.text)
        assert ids[: len(tokens) - 1].tolist() == tokens[:-1]
        assert labels[labels >= 0].tolist() == tokens[told:]
        assert labels[told - 1] == tokens[told]  # right after what was given
    with pytest.raises(DataError, match=r"31\.0 s"):
        features(np.zeros(16_000 * 31, np.float32))


def test_learning_lowers_the_loss_and_the_result_opens(
    toy_whisper: Path, toy_clips: list[Clip], tmp_path: Path
) -> None:
    folder = tmp_path / "tuned"
    report = fine_tune(toy_clips, folder, base=str(toy_whisper), settings=QUICK)
    assert report.losses[-1] < report.losses[0]
    assert list(report.table["speaker"].unique()) == [split_clips(toy_clips).test[0].speaker]
    told = orjson.loads((folder / REPORT).read_bytes())
    assert told["clips"] == {"train": 12, "dev": 4, "test": 4}
    assert told["change"]["difference"] == pytest.approx(report.after.value - report.before.value)
    Recogniser.open(str(folder), threads=1)
    again = compare(toy_clips[:2], toy_whisper, toy_whisper)
    assert (again["errors_before"] == again["errors_after"]).all()


@pytest.mark.parametrize("encoder", [False, True])
def test_only_adapters_learn(encoder: bool, toy_whisper: Path, toy_clips: list[Clip]) -> None:
    from verticals.voice.recognition.convert import whisper_module

    before = whisper_module(toy_whisper).state_dict()
    settings = replace(QUICK, epochs=1, encoder=encoder)
    module, _ = train(toy_clips[:8], (), toy_whisper, settings)
    after = module.state_dict()
    assert after.keys() == before.keys()  # merged: a plain module again
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.endswith(("proj.weight", "fc1.weight", "fc2.weight")) for name in changed)
    assert any("encoder.layers" in name for name in changed) == encoder


def test_a_stopped_run_goes_on_and_ends_the_same(
    toy_whisper: Path, toy_clips: list[Clip], tmp_path: Path
) -> None:
    settings = replace(QUICK, epochs=3, patience=3)
    whole, _ = train(toy_clips[:12], toy_clips[12:], toy_whisper, settings)
    kept = replace(settings, checkpoint=tmp_path / "state")
    _, first = train(toy_clips[:12], toy_clips[12:], toy_whisper, replace(kept, deadline=0.0))
    again, history = train(toy_clips[:12], toy_clips[12:], toy_whisper, kept)
    assert (len(first.losses), history.resumed_from, len(history.losses)) == (1, 1, 3)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_base_that_is_nowhere_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert base_folder("whisper-tiny.en") == resolve("whisper_tiny_en")
    with pytest.raises(ModelError, match="no recogniser to begin with"):
        base_folder(str(tmp_path / "nothing"))
