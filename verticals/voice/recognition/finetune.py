"""Fine-tunes Whisper on people's own recordings: adapters, held-out speakers, before and after.

Low-rank adapters (Hu et al., 2022) by the kit's own loop; the result is merged and written for
CTranslate2, so that `Recogniser.open(folder)` takes it. By default the encoder stays as it is and
its states are computed once: on a processor that is ten times faster, and the decoder is what has
to learn a home's names. For an unusual accent or room, let the encoder learn too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import pandas as pd

from core.errors import DataError, ModelError
from core.evaluation.bootstrap import Interval, PairedTest
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.recognition.convert import MODEL, whisper_module, write_recogniser
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

REPORT = "tuned.json"
ADAPTED = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
_FEWEST = 3  # speakers, of whom one tunes the length of training and one is heard at the end


@dataclass(frozen=True)
class TuneSettings:
    """How the recogniser learns."""

    rank: int = 16  # of the adapters
    encoder: bool = False  # whether the encoder learns too: ten times slower on a processor
    epochs: int = 8
    batch: int = 8
    learning_rate: float = 1e-3
    versions: int = 2  # of each clip: the first as it is, the others in made-up rooms and noise
    held: float = 0.2  # share of the clips for tuning, and the same for the test
    patience: int = 2  # epochs without a lower loss before stopping
    precision: Literal["no", "bf16"] = "bf16"
    seed: int = 0
    checkpoint: Path | None = None  # a killed run that is called again goes on from there
    deadline: float | None = None  # monotonic clock reading after which no epoch begins
    progress: bool = False
    threads: int = 1  # of the recognisers that are compared


@dataclass(frozen=True)
class Split:
    """Whose clips teach, tune and test; nobody is in two parts."""

    train: tuple[Clip, ...]
    dev: tuple[Clip, ...]
    test: tuple[Clip, ...]
    by: Literal["speaker", "sentence"]  # what no two parts share


@dataclass(frozen=True)
class TuneReport:
    """What fine-tuning changed, for people (or sentences) that it never heard."""

    folder: Path
    before: Interval  # word error rate of the recogniser it began with
    after: Interval
    change: PairedTest  # after minus before
    table: pd.DataFrame  # one row a test clip: speaker, said, before, after, words, errors
    by: str
    losses: tuple[float, ...]
    seconds: float


def fine_tune(
    clips: Sequence[Clip],
    folder: Path,
    *,
    base: str = EMBEDDED,
    settings: TuneSettings | None = None,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> TuneReport:
    """Fine-tune on recordings, and measure on speakers that it never heard.

    Args:
        clips: With their words; at least a dozen, by three speakers or more. With fewer speakers
            the parts share no sentence instead, and the report says so.
        folder: Receives the recogniser, int8 for CTranslate2.
        base: As `Recogniser.open` takes it.
        settings: How it learns.
        change: Makes another version of a sound; by default rooms, microphones and noise.

    Raises:
        DataError: Too few clips, or one without words or too long.
        ModelError: The base is nowhere, or is no Whisper.
    """
    given = settings or TuneSettings()
    parts = split_clips(clips, held=given.held, seed=given.seed)
    begun = time.perf_counter()
    source = base_folder(base)
    module, history = train(parts.train, parts.dev, source, given, change)
    write_recogniser(module, folder, like=source)
    seconds = time.perf_counter() - begun
    table = compare(parts.test, source, folder, threads=given.threads)
    words, people = list(table["words"]), list(table["speaker"])
    report = TuneReport(
        folder, ratio_interval(table["errors_before"], words, people),
        ratio_interval(table["errors_after"], words, people),
        paired_ratios(table["errors_after"], table["errors_before"], words, people),
        table, parts.by, tuple(history.losses), seconds,
    )  # fmt: skip
    kept = {k: v for k, v in asdict(given).items() if k not in ("checkpoint", "deadline")}
    told = {
        "base": base, "settings": kept, "by": parts.by, "seconds": round(seconds, 1),
        "clips": {"train": len(parts.train), "dev": len(parts.dev), "test": len(parts.test)},
        "before": vars(report.before), "after": vars(report.after), "change": vars(report.change),
    }  # fmt: skip
    (folder / REPORT).write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return report


def train(
    clips: Sequence[Clip],
    dev: Sequence[Clip],
    source: Path,
    settings: TuneSettings,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[torch.nn.Module, FitHistory]:
    """The Whisper of a CTranslate2 folder, fine-tuned, its adapters merged.

    Args:
        clips: To learn from.
        dev: Whose loss says when to stop; without any it runs all epochs.
        source: The folder.
        settings: How it learns.
        change: As in `fine_tune`.
    """
    import torch

    from core.data.audio_augment import Augmenter
    from core.training.loop import FitSettings, fit
    from core.training.lora import add_lora, merged

    torch.manual_seed(settings.seed)
    module: Any = whisper_module(source)
    writing = Writing.open(source, module.config.vocab_size)
    encode = None if settings.encoder else frozen_encoder(module)
    mels = module.config.num_mel_bins
    learned = examples_of(
        clips, mels, versions=settings.versions, encode=encode,
        change=change or Augmenter(seed=settings.seed),
    )  # fmt: skip
    held = batches(
        examples_of(dev, mels, encode=encode), writing, batch=settings.batch, shuffle=False
    )
    module.requires_grad_(False)
    add_lora(
        module if settings.encoder else module.model.decoder, rank=settings.rank,
        targets=ADAPTED, dropout=0.05,
    )  # fmt: skip
    states = not settings.encoder

    def loss(network: torch.nn.Module, batch: Any) -> torch.Tensor:
        return word_loss(logits(network, batch, states=states), batch["labels"])

    def score(network: torch.nn.Module) -> float:
        return -mean_loss(network, held, states=states, precision=settings.precision)

    history = fit(
        module, batches(learned, writing, batch=settings.batch), loss,
        FitSettings(
            epochs=settings.epochs, learning_rate=settings.learning_rate, weight_decay=0.0,
            precision=settings.precision, patience=settings.patience if dev else 0,
            seed=settings.seed, checkpoint=settings.checkpoint, deadline=settings.deadline,
            progress=settings.progress,
        ),
        validate=score if dev else None,
    )  # fmt: skip
    return merged(module), history


def split_clips(clips: Sequence[Clip], *, held: float = 0.2, seed: int = 0) -> Split:
    """Speakers to three parts; sentences, where there are too few speakers.

    Args:
        clips: At least a dozen.
        held: Share of the clips, about, for tuning, and the same for the test.
        seed: Of the drawing.

    Raises:
        DataError: Too few clips or sentences, or a clip without words.
    """
    silent = next((n for n, clip in enumerate(clips, 1) if not clip.text.strip()), None)
    if silent is not None:
        raise DataError("a clip has no words", where=f"clip {silent}",
                        remedy="Write what was said, word for word")  # fmt: skip
    by: Literal["speaker", "sentence"] = "speaker"
    names = [clip.speaker for clip in clips]
    if len(set(names)) < _FEWEST:
        by, names = "sentence", [" ".join(clip.text.lower().split()) for clip in clips]
    groups = sorted(set(names))
    if len(clips) < 12 or len(groups) < _FEWEST:
        raise DataError(
            f"{len(clips)} clips of {len(groups)} different {by}s are too few to learn and to test",
            where="clips", remedy="Record a dozen or more, by several people",
        )  # fmt: skip
    order = np.random.default_rng(seed).permutation(len(groups))
    wanted = held * len(clips)
    parts: list[list[Clip]] = [[], [], []]  # test, dev, train
    for place, number in enumerate(order):
        left = len(order) - place  # every part that is still empty needs one
        part = next(
            (i for i in (0, 1) if not parts[i] or (len(parts[i]) < wanted and left > 2 - i)), 2
        )
        parts[part] += [c for c, name in zip(clips, names, strict=True) if name == groups[number]]
    return Split(tuple(parts[2]), tuple(parts[1]), tuple(parts[0]), by)


def compare(
    clips: Sequence[Clip], before: Path | str, after: Path | str, *, threads: int = 1
) -> pd.DataFrame:
    """What two recognisers hear of the same clips, and their word errors.

    Args:
        clips: With their words.
        before: As `Recogniser.open` takes it.
        after: The same.
        threads: Of each.
    """
    import jiwer

    from verticals.voice.recognition.whisper import Recogniser
    from verticals.voice.understanding.normalise import plain_words

    table = pd.DataFrame({
        "speaker": [c.speaker for c in clips], "said": [plain_words(c.text) for c in clips],
    })  # fmt: skip
    table["words"] = [len(said.split()) for said in table["said"]]
    for name, folder in (("before", before), ("after", after)):
        recogniser = Recogniser.open(str(folder), threads=threads)
        table[name] = [plain_words(recogniser.transcribe(clip.sound).text) for clip in clips]
        found = [jiwer.process_words(a, b) for a, b in zip(table["said"], table[name], strict=True)]
        table[f"errors_{name}"] = [f.substitutions + f.deletions + f.insertions for f in found]
    return table


def base_folder(base: str) -> Path:
    """The CTranslate2 folder of a recogniser by name.

    Raises:
        ModelError: It is not on this machine and the hub did not answer.
    """
    from core.models.resolver import asset, resolve

    pin = asset("whisper_tiny_en")
    if base in (EMBEDDED, pin.hub):
        return resolve(pin.name)
    if (Path(base) / MODEL).is_file():
        return Path(base)
    from faster_whisper.utils import download_model

    try:
        return Path(download_model(base))
    except Exception as error:
        # Which exception says "no network" or "no such model" differs between versions.
        raise ModelError(
            f"there is no recogniser to begin with ({type(error).__name__})", where=base,
            remedy=f"Connect, give a CTranslate2 folder, or use {EMBEDDED}, which pip installs",
        ) from None  # fmt: skip
