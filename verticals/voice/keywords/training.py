"""Trains a keyword network on recordings and made-up speech, and makes it small."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np
import orjson

from core.errors import DataError, ParameterError
from verticals.voice.keywords.augment import Variation, varied
from verticals.voice.keywords.clips import Clip
from verticals.voice.keywords.features import BANDS, FRAMES, word_features
from verticals.voice.keywords.spotter import ABOUT, NETWORK, PROGRAM, WHOLE, About, Keywords

if TYPE_CHECKING:
    import torch

    from verticals.voice.keywords.network import KeywordNetwork

_BATCH = 64
_SMOOTH = 0.1  # of labels, to the other words
_CALIBRATION, _AT_ONCE = 400, 20  # clips that set the ranges of int8


@dataclass(frozen=True)
class KeywordSettings:
    """How to train."""

    epochs: int = 30
    learning_rate: float = 5e-3
    weight_decay: float = 0.02
    variation: Variation = field(default_factory=Variation)
    seed: int = 0


def train_keywords(
    clips: Sequence[Clip],
    folder: Path,
    settings: KeywordSettings | None = None,
    *,
    devices: bool = True,
) -> Keywords:
    """Train a spotter of the words of some clips, and write it in float32, int8 and for devices.

    Args:
        clips: Recordings, and what made-up people say (`speak_words`).
        folder: Receives keywords.json and the networks.
        settings: How to train.
        devices: Also write an ExecuTorch program, where that is installed; takes some seconds.

    Raises:
        DataError: Fewer than two words.
    """
    how = settings or KeywordSettings()
    words = tuple(sorted({clip.word for clip in clips}))
    network = train_network(clips, words, how)
    people = tuple(sorted({clip.speaker for clip in clips}))
    about = About(words=words, speakers=people, seed=how.seed, sha256={})
    return export_keywords(network, folder, about, clips, devices=devices)


def train_network(
    clips: Sequence[Clip], words: Sequence[str], how: KeywordSettings
) -> KeywordNetwork:
    """A network in evaluation mode that tells the words apart, in their order.

    Raises:
        DataError: Fewer than two words, or clips of others.
    """
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from core.training.loop import FitSettings, fit
    from verticals.voice.keywords.network import KeywordNetwork

    place = {word: number for number, word in enumerate(words)}
    if len(place) < 2 or not {clip.word for clip in clips} <= place.keys():
        raise DataError("the clips are not of two words or more", where="clips",
                        remedy="Give clips of every word")  # fmt: skip
    torch.manual_seed(how.seed)
    network = KeywordNetwork(len(words))
    features = torch.from_numpy(_features(clips))
    labels = torch.tensor([place[clip.word] for clip in clips])
    batches = DataLoader(TensorDataset(features, labels), min(_BATCH, len(clips)),
                         shuffle=True, drop_last=True)  # fmt: skip

    def loss(model: torch.nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        # Each member learns by itself, from people of its own.
        members = cast("KeywordNetwork", model).members
        lost = [
            torch.nn.functional.cross_entropy(
                member(varied(batch[0], how.variation)), batch[1], label_smoothing=_SMOOTH
            )
            for member in members
        ]
        return torch.stack(lost).mean() * len(members)

    fit(network, batches, loss, FitSettings(
        epochs=how.epochs, learning_rate=how.learning_rate, weight_decay=how.weight_decay,
        seed=how.seed))  # fmt: skip
    return network


def export_keywords(
    network: KeywordNetwork, folder: Path, about: About, clips: Sequence[Clip], *, devices: bool
) -> Keywords:
    """Write a network as ONNX in float32 and int8, and as a program for devices.

    Args:
        network: In evaluation mode.
        folder: Receives everything.
        about: Its words, in its order, and who spoke them; the digests are made here.
        clips: From which int8 learns how large activations get.
        devices: Also write an ExecuTorch program, where that is installed.
    """
    import torch

    from core.deployment.executorch_export import export_executorch
    from core.deployment.onnx_export import export_onnx, quantise_static

    folder.mkdir(parents=True, exist_ok=True)
    axes = {"features": {0: "clips"}}
    export_onnx(network, {"features": torch.zeros(2, 1, FRAMES, BANDS)}, folder / WHOLE,
                outputs=["logits"], dynamic=axes)  # fmt: skip
    drawn = np.random.default_rng(about.seed).permutation(len(clips))[:_CALIBRATION]
    features = _features([clips[i] for i in drawn])
    quantise_static(folder / WHOLE, folder / NETWORK, [
        {"features": features[i : i + _AT_ONCE]} for i in range(0, len(features), _AT_ONCE)
    ])  # fmt: skip
    (folder / PROGRAM).unlink(missing_ok=True)  # of an earlier network
    if devices and find_spec("executorch"):
        export_executorch(network, {"features": torch.zeros(1, 1, FRAMES, BANDS)}, folder / PROGRAM)
    written = about.model_copy(update={"sha256": {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (WHOLE, NETWORK, PROGRAM) if (folder / name).is_file()
    }})  # fmt: skip
    partial = folder / f"{ABOUT}.partial"
    partial.write_bytes(orjson.dumps(written.model_dump(), option=orjson.OPT_INDENT_2))
    partial.replace(folder / ABOUT)
    return Keywords.open(folder)


@dataclass(frozen=True)
class LeftOut:
    """What spotters that never heard a speaker made of that speaker's clips."""

    speaker: str
    words: tuple[str, ...]  # said
    whole: tuple[str, ...]  # heard, in float32
    small: tuple[str, ...]  # heard, in int8


def leave_one_speaker_out(
    clips: Sequence[Clip],
    settings: KeywordSettings | None = None,
    *,
    made: Sequence[Clip] = (),
    speakers: Sequence[str] = (),
) -> Iterator[LeftOut]:
    """Train without each speaker in turn, and let the spotter hear that one.

    Args:
        clips: Recordings of two speakers or more.
        settings: How to train.
        made: Speech of made-up people, which is in every training.
        speakers: Whom to leave out; all by default.

    Raises:
        ParameterError: All recordings are of one speaker.
    """
    names = sorted({clip.speaker for clip in clips})
    if len(names) < 2:
        raise ParameterError(
            "all recordings are of one speaker, so nothing can be measured on another",
            where="clips", remedy="Record at least two people",
        )  # fmt: skip
    for name in speakers or names:
        there = [clip for clip in clips if clip.speaker == name]
        others = [clip for clip in clips if clip.speaker != name]
        with TemporaryDirectory() as place:
            small = train_keywords([*others, *made], Path(place), settings, devices=False)
            whole = Keywords.open(Path(place), network=WHOLE)
            yield LeftOut(name, tuple(c.word for c in there), heard(whole, there),
                          heard(small, there))  # fmt: skip


def heard(keywords: Keywords, clips: Sequence[Clip]) -> tuple[str, ...]:
    """The likeliest word of every clip."""
    likely = keywords.probabilities([clip.sound for clip in clips])
    return tuple(keywords.words[i] for i in likely.argmax(axis=1))


def _features(clips: Sequence[Clip]) -> np.ndarray:
    return np.stack([word_features(clip.sound) for clip in clips])[:, None]
