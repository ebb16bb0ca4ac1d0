"""Recordings with their words as batches that a Whisper module learns from.

What a module sees is what the recogniser sees later: the same log-mel features, the same tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.audio import SAMPLE_RATE
from core.errors import DataError, ModelError
from verticals.voice.recognition.convert import TOKENIZER

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from torch.utils.data import DataLoader

LONGEST_S = 30.0  # of a clip: what Whisper hears at once
_TICK_S = 0.02  # of a token of time
_ENGLISH_ONLY = 51_864  # tokens of a Whisper that knows no other language
_IGNORED = -100  # label that no loss counts


@dataclass(frozen=True)
class Clip:
    """A recording whose words are known."""

    sound: np.ndarray = field(repr=False)
    """(n,) float32 at 16 kHz."""
    text: str
    speaker: str = "unknown"


@dataclass(frozen=True)
class Writing:
    """How a Whisper writes words as tokens."""

    tokenizer: Tokenizer
    start: tuple[int, ...]  # what the decoder is told first
    untimed: int  # then this, or a time
    end: int

    @classmethod
    def open(cls, folder: Path, vocabulary: int) -> Writing:
        """The tokens of a Whisper.

        Args:
            folder: With its tokenizer.json.
            vocabulary: How many tokens the module has.

        Raises:
            ModelError: The folder has no tokenizer of Whisper.
        """
        from tokenizers import Tokenizer

        names = ["startoftranscript", "notimestamps", "endoftext"]
        if vocabulary > _ENGLISH_ONLY:
            names += ["en", "transcribe"]
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the library raises nothing more precise
            raise ModelError("there is no tokenizer", where=str(folder / TOKENIZER),
                             remedy="Give a whole CTranslate2 folder") from error  # fmt: skip
        found = [tokenizer.token_to_id(f"<|{name}|>") for name in names]
        ids = [number for number in found if number is not None]
        if len(ids) < len(names):
            raise ModelError("this is no tokenizer of Whisper", where=str(folder / TOKENIZER),
                             remedy="Give a whole CTranslate2 folder")  # fmt: skip
        start, untimed, end, *language = ids
        return cls(tokenizer, (start, *language), untimed, end)

    def tokens(self, text: str, seconds: float | None = None) -> tuple[list[int], int]:
        """What the decoder should write, and how many tokens of it are given.

        Args:
            text: The words.
            seconds: How long they take, for a decoder that also writes times; None without.
        """
        said = text.strip()
        said = said if said[:1].isupper() else said[:1].upper() + said[1:]
        said = said if said[-1:] in ".?!" else f"{said}."  # as Whisper writes by itself
        words = self.tokenizer.encode(f" {said}", add_special_tokens=False).ids
        if seconds is None:
            return [*self.start, self.untimed, *words, self.end], len(self.start) + 1
        last = self.untimed + 1 + round(min(seconds, LONGEST_S) / _TICK_S)
        return [*self.start, self.untimed + 1, *words, last, self.end], len(self.start)


@dataclass(frozen=True)
class Example:
    """A clip as it is learned: its features or states in one or several versions."""

    versions: Sequence[torch.Tensor]
    text: str
    seconds: float


def features(sound: np.ndarray, mels: int = 80) -> np.ndarray:
    """(mels, 3000) log-mel features of (n,) samples, as the recogniser makes them.

    Raises:
        DataError: The clip is empty or longer than Whisper hears at once.
    """
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.feature_extractor import FeatureExtractor

    if not 0 < len(sound) <= LONGEST_S * SAMPLE_RATE:
        raise DataError(
            f"a clip of {len(sound) / SAMPLE_RATE:.1f} s", where="sound",
            remedy=f"Cut clips to {LONGEST_S:.0f} s at most",
        )  # fmt: skip
    found: np.ndarray = pad_or_trim(FeatureExtractor(feature_size=mels)(sound))
    return found.astype(np.float32)


def examples_of(
    clips: Sequence[Clip],
    mels: int,
    *,
    versions: int = 1,
    change: Callable[[np.ndarray], np.ndarray] | None = None,
    encode: Callable[[torch.Tensor], torch.Tensor] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """Clips as examples, computed once.

    Args:
        clips: With their words.
        mels: Of the module.
        versions: Of each clip: the first as it is, the others changed.
        change: Makes another version of a sound, such as `core.data.audio_augment.Augmenter`.
        encode: (1, mels, 3000) features to (1, frames, width) states, where the encoder does not
            learn: that is most of the work, and done only once.
        progress: Told how many of how many are done.
    """
    import torch

    found = []
    for number, clip in enumerate(clips, 1):
        sounds = [clip.sound]
        if change is not None:
            most = int(LONGEST_S * SAMPLE_RATE)
            sounds += [change(clip.sound)[:most] for _ in range(versions - 1)]
        made = [torch.from_numpy(features(sound, mels))[None] for sound in sounds]
        kept = [(encode(one) if encode else one)[0].to(torch.bfloat16) for one in made]
        found.append(Example(kept, clip.text, len(clip.sound) / SAMPLE_RATE))
        if progress is not None:
            progress(number, len(clips))
    return found


def batches(
    examples: Sequence[Example], writing: Writing, *, batch: int, timed: float = 0.5,
    shuffle: bool = True,
) -> DataLoader[Any]:  # fmt: skip
    """Batches of given (n, …), ids and labels (n, tokens), in an order that follows torch's seed.

    Args:
        examples: Of `examples_of`.
        writing: Of the module.
        batch: Clips at once.
        timed: Share of clips whose tokens carry times: the recogniser may ask for them or not.
        shuffle: Whether order and versions vary from epoch to epoch.
    """
    import torch

    def together(rows: list[int]) -> dict[str, torch.Tensor]:
        given, lines = [], []
        for row in rows:
            example = examples[row]
            which = int(torch.randint(len(example.versions), ())) if shuffle else 0
            given.append(example.versions[which])
            draw = float(torch.rand(())) if shuffle else row * 0.618 % 1  # evenly spread
            lines.append(writing.tokens(example.text, example.seconds if draw < timed else None))
        longest = max(len(tokens) for tokens, _ in lines) - 1
        ids = torch.full((len(rows), longest), writing.end)
        labels = torch.full((len(rows), longest), _IGNORED)
        for place, (tokens, told) in enumerate(lines):
            ids[place, : len(tokens) - 1] = torch.tensor(tokens[:-1])
            labels[place, told - 1 : len(tokens) - 1] = torch.tensor(tokens[told:])
        return {"given": torch.stack(given).float(), "ids": ids, "labels": labels}

    rows: Any = list(range(len(examples)))
    return torch.utils.data.DataLoader(rows, batch, shuffle=shuffle, collate_fn=together)


def logits(module: torch.nn.Module, batch: dict[str, torch.Tensor], *, states: bool) -> Any:
    """(n, tokens, vocabulary) of a module for a batch of features, or of the encoder's states."""
    given = batch["given"]
    if states:
        found = module(encoder_outputs=(given,), decoder_input_ids=batch["ids"], use_cache=False)
    else:
        found = module(input_features=given, decoder_input_ids=batch["ids"], use_cache=False)
    return found.logits.float()


def word_loss(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the tokens that were not given."""
    import torch

    return torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), labels.flatten(), ignore_index=_IGNORED
    )


def mean_loss(
    module: torch.nn.Module, loader: DataLoader[Any], *, states: bool, precision: str = "no"
) -> float:
    """Of held-out batches, in evaluation mode."""
    import torch

    total, count = 0.0, 0
    device = next(module.parameters()).device
    narrow = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    with torch.no_grad(), narrow:
        for given in loader:
            batch = {name: value.to(device) for name, value in given.items()}
            scores = logits(module, batch, states=states)
            total += float(word_loss(scores, batch["labels"])) * len(batch["ids"])
            count += len(batch["ids"])
    return total / max(count, 1)


def frozen_encoder(module: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """The module's encoder as a function that learns nothing, in bfloat16."""
    import torch

    def encode(given: torch.Tensor) -> torch.Tensor:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            states: torch.Tensor = module.model.encoder(given).last_hidden_state
        return states

    return encode
