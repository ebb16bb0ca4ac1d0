"""A student begins as its teacher's layers, comes nearer to it, and runs by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import torch

from core.errors import DataError, ParameterError
from verticals.voice.command import Transcript
from verticals.voice.recognition import distill
from verticals.voice.recognition.convert import whisper_module
from verticals.voice.recognition.distill import (
    REPORT,
    DistilSettings,
    distil,
    soft_loss,
    student_of,
    teach,
    well_heard,
)
from verticals.voice.recognition.learning import Clip
from verticals.voice.recognition.whisper import Recogniser

QUICK = DistilSettings(epochs=6, versions=1, batch=4, precision="no", patience=0, held=0.2,
                       learning_rate=5e-3)  # fmt: skip


@pytest.fixture
def teacher(toy_whisper: Path) -> Any:
    return whisper_module(toy_whisper)


@pytest.mark.parametrize(("layers", "chosen"), [(1, (0,)), (2, (0, 2)), (3, (0, 1, 2))])
def test_a_student_begins_as_its_teacher_s_layers(
    teacher: Any, layers: int, chosen: tuple[int, ...]
) -> None:
    student, found = student_of(teacher, layers)
    assert found == chosen
    assert len(student.model.decoder.layers) == layers
    for mine, theirs in zip(student.model.decoder.layers, chosen, strict=True):
        right = teacher.model.decoder.layers[theirs].state_dict()
        assert all(torch.equal(v, right[k]) for k, v in mine.state_dict().items())
    ids, mel = torch.tensor([[50_257, 50_362]]), torch.zeros(1, 80, 3000)
    with torch.no_grad():
        same = torch.allclose(
            student(mel, decoder_input_ids=ids).logits,
            teacher(mel, decoder_input_ids=ids).logits, atol=1e-5,
        )  # fmt: skip
    assert same == (layers == 3)


def test_as_many_layers_as_there_are(teacher: Any) -> None:
    for layers in (0, 4):
        with pytest.raises(ParameterError, match="Give 1 to 3"):
            student_of(teacher, layers)


def test_nothing_to_learn_where_both_agree() -> None:
    scores, labels = torch.randn(2, 3, 7), torch.tensor([[1, 2, -100], [3, -100, -100]])
    assert float(soft_loss(scores, scores, labels, 2.0)) == pytest.approx(0, abs=1e-6)
    other = scores.clone()
    other[1, 2] += torch.arange(7)  # a token that does not count
    assert float(soft_loss(scores, other, labels, 2.0)) == pytest.approx(0, abs=1e-6)
    other[0, 0] += torch.arange(7)
    right = torch.softmax(other[0, 0], -1)
    apart = (right * (right.log() - torch.log_softmax(scores[0, 0], -1))).sum() / 3  # of 3 tokens
    assert float(soft_loss(scores, other, labels, 1.0)) == pytest.approx(float(apart), rel=1e-4)


def test_only_the_student_s_decoder_learns_and_comes_nearer(
    teacher: Any, toy_whisper: Path, toy_clips: list[Clip]
) -> None:
    student, _ = student_of(teacher, 2)
    before = {k: v.clone() for k, v in student.state_dict().items()}
    kept = {k: v.clone() for k, v in teacher.state_dict().items()}
    history = teach(teacher, student, toy_clips[:8], toy_clips[8:12], source=toy_whisper,
                    settings=replace(QUICK, patience=6))  # fmt: skip
    assert history.losses[-1] < history.losses[0]
    assert all(torch.equal(v, kept[k]) for k, v in teacher.state_dict().items())
    changed = {k for k, v in student.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(name.startswith(("model.decoder.layers", "model.decoder.layer_norm"))
               for name in changed)  # fmt: skip


class Hears:
    """A teacher that mishears one sentence of two in the same way."""

    def transcribe(self, sound: np.ndarray) -> Transcript:
        high = np.abs(np.fft.rfft(sound)).argmax() > 500
        return Transcript(text="Turn on the light." if high else "Stop the muse sick no.")


def test_what_the_teacher_misheard_teaches_nothing(
    monkeypatch: pytest.MonkeyPatch, toy_clips: list[Clip], toy_whisper: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(Recogniser, "open", lambda *_, **__: Hears())
    kept = well_heard(toy_clips, toy_whisper, worst=0.1)
    assert {clip.text for clip in kept} == {"Turn on the light."}
    assert len(kept) == 10
    with pytest.raises(DataError, match="heard 6 of 12 clips well enough"):
        distil(toy_clips, tmp_path / "out", base=str(toy_whisper), settings=QUICK)


def test_a_student_is_written_compared_and_opens(
    monkeypatch: pytest.MonkeyPatch, toy_clips: list[Clip], toy_whisper: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(distill, "_heard", lambda clips, *_: list(clips))
    unlabelled = [Clip(clip.sound, "", clip.speaker) for clip in toy_clips]
    with pytest.raises(DataError, match="no words"):  # the toy hears nothing in them
        distil(unlabelled, tmp_path / "none", base=str(toy_whisper), settings=QUICK)
    folder = tmp_path / "student"
    settings = replace(QUICK, epochs=1)
    report = distil(toy_clips, folder, base=str(toy_whisper), settings=settings)
    assert (report.layers, report.against, report.left_out) == ((0, 2), "transcripts", 0)
    assert report.parameters[1] < report.parameters[0]
    told = orjson.loads((folder / REPORT).read_bytes())
    assert told["layers"] == [0, 2]
    assert (folder / "model.bin").stat().st_size < (toy_whisper / "model.bin").stat().st_size
    Recogniser.open(str(folder), threads=1).transcribe(toy_clips[0].sound)
