"""A smaller recogniser that learns from a larger one: fewer decoder layers, the same encoder.

After Distil-Whisper (Gandhi et al., 2023): the encoder is the teacher's and stays as it is; the
student's decoder begins as the teacher's layers, evenly spaced from the first to the last; it
learns the teacher's transcripts and its probabilities. Recordings need no transcripts; where there
are some, clips that the teacher misheard are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import pandas as pd

from core.errors import DataError, ParameterError
from core.evaluation.bootstrap import Interval, PairedTest
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.recognition.convert import whisper_module, write_recogniser
from verticals.voice.recognition.finetune import base_folder, compare, split_clips
from verticals.voice.recognition.learning import (
    Clip,
    Writing,
    batches,
    examples_of,
    frozen_encoder,
    logits,
    mean_loss,
    word_loss,
)
from verticals.voice.recognition.whisper import EMBEDDED

if TYPE_CHECKING:
    import torch

    from core.training.loop import FitHistory

REPORT = "distilled.json"
_FEWEST = 8  # clips to learn from
_HARD, _SOFT = 1.0, 0.8  # weights of the teacher's words and of its probabilities


@dataclass(frozen=True)
class DistilSettings:
    """How the student learns."""

    layers: int = 2  # of its decoder
    epochs: int = 8
    batch: int = 8
    learning_rate: float = 3e-4
    temperature: float = 2.0  # of both sides' probabilities
    worst: float = 0.1  # word error rate above which the teacher misheard a clip
    versions: int = 2  # of each clip, as in `TuneSettings`
    held: float = 0.15
    patience: int = 2
    precision: Literal["no", "bf16"] = "bf16"
    seed: int = 0
    checkpoint: Path | None = None
    deadline: float | None = None
    progress: bool = False
    threads: int = 1


@dataclass(frozen=True)
class DistilReport:
    """What the student costs, on people (or sentences) that it never heard."""

    folder: Path
    layers: tuple[int, ...]  # of the teacher's decoder, that the student's began as
    left_out: int  # clips to learn from that the teacher misheard
    parameters: tuple[int, int]  # of teacher and student
    teacher: Interval  # word error rate
    student: Interval
    change: PairedTest  # student minus teacher
    table: pd.DataFrame  # one row a test clip, as `finetune.compare` gives it
    against: Literal["transcripts", "the teacher"]  # what words were compared with
    losses: tuple[float, ...]
    seconds: float


def distil(
    clips: Sequence[Clip],
    folder: Path,
    *,
    base: str = EMBEDDED,
    settings: DistilSettings | None = None,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> DistilReport:
    """Make a smaller recogniser and measure what it lost.

    Args:
        clips: At least a dozen; texts may be empty, then the teacher's words are the measure.
        folder: Receives the student, int8 for CTranslate2.
        base: The teacher, as `Recogniser.open` takes it.
        settings: How the student learns.
        change: Makes another version of a sound; by default rooms, microphones and noise.

    Raises:
        DataError: Too few clips are left.
        ParameterError: The student is to have more layers than the teacher.
        ModelError: The teacher is nowhere, or is no Whisper.
    """
    given = settings or DistilSettings()
    begun, source = time.perf_counter(), base_folder(base)
    labelled = all(clip.text.strip() for clip in clips)
    named = list(clips) if labelled else _heard(clips, source, given.threads)
    parts = split_clips(named, held=given.held, seed=given.seed)
    learn, tune = parts.train, parts.dev
    if labelled:
        learn, tune = (well_heard(part, source, worst=given.worst, threads=given.threads)
                       for part in (learn, tune))  # fmt: skip
    if len(learn) < _FEWEST:
        raise DataError(
            f"the teacher heard {len(learn)} of {len(parts.train)} clips well enough to teach them",
            where="clips", remedy="Give more clips, or fine-tune the teacher on them first",
        )  # fmt: skip
    teacher: Any = whisper_module(source)
    student, layers = student_of(teacher, given.layers)
    history = teach(teacher, student, learn, tune, source=source, settings=given, change=change)
    write_recogniser(student, folder, like=source, layers=layers)
    table = compare(parts.test, source, folder, threads=given.threads)
    words, speakers = list(table["words"]), list(table["speaker"])
    report = DistilReport(
        folder, layers, len(parts.train) - len(learn), (_size(teacher), _size(student)),
        ratio_interval(table["errors_before"], words, speakers),
        ratio_interval(table["errors_after"], words, speakers),
        paired_ratios(table["errors_after"], table["errors_before"], words, speakers),
        table, "transcripts" if labelled else "the teacher", tuple(history.losses),
        time.perf_counter() - begun,
    )  # fmt: skip
    kept = {k: v for k, v in asdict(given).items() if k not in ("checkpoint", "deadline")}
    told = {"base": base, "settings": kept, "layers": layers, "against": report.against,
            "parameters": report.parameters, "teacher": vars(report.teacher),
            "student": vars(report.student), "change": vars(report.change)}  # fmt: skip
    (folder / REPORT).write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return report


def well_heard(
    clips: Sequence[Clip], teacher: Path, *, worst: float, threads: int = 1
) -> tuple[Clip, ...]:
    """Clips with the teacher's words; those that it misheard are left out.

    Args:
        clips: With what was really said.
        teacher: Its CTranslate2 folder.
        worst: Word error rate above which it misheard a clip.
        threads: Of the teacher.
    """
    import jiwer

    from verticals.voice.understanding.normalise import plain_words

    said = {id(clip.sound): plain_words(clip.text) for clip in clips}
    return tuple(
        clip for clip in _heard(clips, teacher, threads)
        if jiwer.wer(said[id(clip.sound)] or "?", plain_words(clip.text)) <= worst
    )  # fmt: skip


def student_of(teacher: Any, layers: int) -> tuple[Any, tuple[int, ...]]:
    """A Whisper with fewer decoder layers, begun as some of the teacher's; which those are.

    Raises:
        ParameterError: Fewer than one layer, or more than the teacher has.
    """
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    there = int(teacher.config.decoder_layers)
    if not 1 <= layers <= there:
        raise ParameterError(f"{layers} decoder layers", where="layers",
                             remedy=f"Give 1 to {there}, the teacher's")  # fmt: skip
    chosen = tuple(int(i) for i in np.linspace(0, there - 1, layers).round())
    sizes = teacher.config.to_dict() | {"decoder_layers": layers}
    student: Any = WhisperForConditionalGeneration(WhisperConfig(**sizes))
    states = {}
    for name, value in teacher.state_dict().items():
        before, found, after = name.partition("decoder.layers.")
        if not found:
            states[name] = value
            continue
        number, _, rest = after.partition(".")
        if int(number) in chosen:
            states[f"{before}{found}{chosen.index(int(number))}.{rest}"] = value
    student.load_state_dict(states)
    student.tie_weights()
    student.train(False)
    return student, chosen


def teach(
    teacher: Any,
    student: Any,
    clips: Sequence[Clip],
    dev: Sequence[Clip],
    *,
    source: Path,
    settings: DistilSettings,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> FitHistory:
    """Train a student's decoder in place, on the teacher's words and probabilities.

    Args:
        teacher: The larger Whisper.
        student: Of `student_of`; only its decoder's layers learn.
        clips: With the teacher's words.
        dev: The same of others, whose loss says when to stop.
        source: The teacher's folder, for its tokens.
        settings: How it learns.
        change: As in `distil`.
    """
    from core.data.audio_augment import Augmenter
    from core.training.loop import FitSettings, fit

    writing = Writing.open(source, teacher.config.vocab_size)
    encode, mels = frozen_encoder(teacher), teacher.config.num_mel_bins
    learned = examples_of(
        clips, mels, versions=settings.versions, encode=encode,
        change=change or Augmenter(seed=settings.seed),
    )  # fmt: skip
    held = batches(
        examples_of(dev, mels, encode=encode), writing, batch=settings.batch, shuffle=False
    )
    for side in (teacher, student):
        side.requires_grad_(False)
    student.model.decoder.layers.requires_grad_(True)
    student.model.decoder.layer_norm.requires_grad_(True)

    def loss(network: torch.nn.Module, batch: Any) -> torch.Tensor:
        import torch

        teacher.to(batch["ids"].device)
        with torch.no_grad(), torch.autocast(batch["ids"].device.type, torch.bfloat16,
                                             enabled=settings.precision == "bf16"):  # fmt: skip
            right = logits(teacher, batch, states=True)
        scores = logits(network, batch, states=True)
        soft = soft_loss(scores, right, batch["labels"], settings.temperature)
        return _HARD * word_loss(scores, batch["labels"]) + _SOFT * soft

    history = fit(
        student, batches(learned, writing, batch=settings.batch), loss,
        FitSettings(
            epochs=settings.epochs, learning_rate=settings.learning_rate, weight_decay=0.0,
            precision=settings.precision, patience=settings.patience if dev else 0,
            seed=settings.seed, checkpoint=settings.checkpoint, deadline=settings.deadline,
            progress=settings.progress,
        ),
        validate=(lambda network: -mean_loss(network, held, states=True,
                                             precision=settings.precision)) if dev else None,
    )  # fmt: skip
    teacher.cpu()
    return history


def soft_loss(
    scores: torch.Tensor, right: torch.Tensor, labels: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Divergence of the student's probabilities from the teacher's (Hinton et al., 2015).

    Args:
        scores: (n, tokens, vocabulary) logits of the student.
        right: The same of the teacher.
        labels: (n, tokens), negative where a token does not count.
        temperature: That both are divided by; its square keeps the gradient's size.
    """
    import torch

    counted = labels >= 0
    log_student = torch.log_softmax(scores[counted] / temperature, -1)
    log_teacher = torch.log_softmax(right[counted] / temperature, -1)
    apart = torch.nn.functional.kl_div(
        log_student, log_teacher, log_target=True, reduction="batchmean"
    )
    return apart * temperature**2


def _heard(clips: Sequence[Clip], teacher: Path, threads: int) -> list[Clip]:
    """The clips in which the teacher heard words, with these."""
    from verticals.voice.recognition.whisper import Recogniser

    recogniser = Recogniser.open(str(teacher), threads=threads)
    heard = (replace(clip, text=recogniser.transcribe(clip.sound).text) for clip in clips)
    return [clip for clip in heard if clip.text.strip()]


def _size(module: Any) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
