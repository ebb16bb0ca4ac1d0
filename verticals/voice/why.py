"""Why the assistant did what it did: which words carried a command, and where they were heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from explain.audio import Regions, Score, patch_ablation, without_patches
from explain.deletion import KeptScore, deletion_test
from explain.sentences import shap_of_words
from explain.text import WordAttribution
from verticals.voice.command import Command, Turn, Understood
from verticals.voice.recognition.forced import (
    HOP,
    features,
    token_log_probabilities,
    tokens_of,
)

if TYPE_CHECKING:
    from verticals.voice.assistant import Assistant
    from verticals.voice.recognition.whisper import Recogniser
    from verticals.voice.why_read import ReadBy, Reader

CERTIFICATE = (
    "test", "whole", "without the heaviest", "without as many at random", "random as bad",
    "sum misses by",
)  # fmt: skip
_BANDS, _PATCH_S, _MOST_TIMES = 3, 0.3, 8
_MARGIN_S = 0.2  # of silence that the features have before the sound
_MOST = 256  # sentences that are understood to explain one: exact for eight words
_DRAWS = 20  # of words or patches that are taken away at random
_MELS = 80
Tested = tuple[str, float, float, float, float, float]


@dataclass(frozen=True)
class Why:
    """What carried a turn.

    Attributes:
        words: For every command the words of its part of the sentence, and what each adds to how
            much of the command is understood: 1 is the whole command, 0 another or none.
        regions: How much less likely the words become without a patch of the spectrogram, in
            log-probability; None if the request was typed.
        spectrogram: (80, columns) log-mel features behind it; empty if it was typed.
        certificate: One row a test (CERTIFICATE): the score left after the heaviest quarter of
            words or patches is taken away, the mean after as many at random, the share of random
            ones that hurt as much, and by how much the weights miss the score that they explain
            (blank for patches: taken away one by one, they need not add up).
        read: By command, the words that the learned model would read it by; empty without a
            reader.
    """

    words: tuple[tuple[WordAttribution, ...], ...]
    regions: Regions | None
    spectrogram: np.ndarray
    certificate: pd.DataFrame
    read: tuple[ReadBy, ...] = ()

    def times_s(self) -> np.ndarray:
        """Edges of the patches in seconds from the beginning of the sound; empty if typed."""
        if self.regions is None:
            return np.zeros(0)
        return self.regions.times * HOP / 16_000 - _MARGIN_S

    def bands_hz(self) -> np.ndarray:
        """Edges of the patches in hertz; empty if typed."""
        return np.zeros(0) if self.regions is None else _hertz(self.regions.bands / _MELS)


def explain_turn(
    assistant: Assistant,
    turn: Turn,
    sound: np.ndarray | None = None,
    *,
    reader: Reader | None = None,
) -> Why:
    """Explain an exchange; a few seconds on one processor.

    Args:
        assistant: That had it. Nothing is done again.
        turn: What was heard and understood.
        sound: (n,) float32 at 16 kHz that was heard; None if it was typed.
        reader: Looks into the learned model too; it needs its weights and torch.
    """
    text, commands = turn.transcript.text, meant(turn.understood)
    words, tests, read = [], [], []
    for command in commands:
        part = command.text if len(commands) > 1 and command.text else text
        words.append(_words(assistant, part, command))
        tests.append(_word_test(assistant, command, words[-1]))
        if reader:
            read.append(reader.explain(part))
            tests.append(_read_test(reader, read[-1]))
    regions, spectrogram = None, np.zeros((_MELS, 0), np.float32)
    recogniser = _network(assistant)
    if sound is not None and recogniser is not None and text:
        given, columns = features(recogniser.model, sound)
        spoken = [tokens_of(recogniser.model, text)]

        def likely(one: np.ndarray) -> float:
            found = token_log_probabilities(recogniser.model, one, columns, spoken)
            return float(found[0].mean())

        times = int(np.clip(columns * HOP / 16_000 / _PATCH_S, 2, _MOST_TIMES))
        regions = patch_ablation(likely, given, bands=_BANDS, times=times, columns=columns)
        tests.append(_region_test(likely, given, regions))
        spectrogram = given[:, :columns]
    certificate = pd.DataFrame(tests, columns=list(CERTIFICATE))
    return Why(tuple(words), regions, spectrogram, certificate, tuple(read))


def meant(understood: Understood) -> tuple[Command, ...]:
    """The commands that were understood or, where it asked back, the one it thought of first."""
    return understood.commands or understood.alternatives[:1]


def agreement(command: Command, understood: Understood) -> float:
    """How much of a command is among others: half for the intent, half for the devices."""

    def alike(other: Command) -> float:
        if other.intent != command.intent:
            return 0.0
        either = {*command.entities, *other.entities}
        shared = {*command.entities} & {*other.entities}
        return 0.5 + 0.5 * (len(shared) / len(either) if either else 1.0)

    return max((alike(other) for other in meant(understood)), default=0.0)


def _words(assistant: Assistant, part: str, command: Command) -> tuple[WordAttribution, ...]:
    def scores(texts: Sequence[str]) -> np.ndarray:
        return np.array([[agreement(command, assistant.understand(text))] for text in texts])

    return tuple(shap_of_words(scores, part, most=_MOST)[0])


def _word_test(assistant: Assistant, command: Command, words: Sequence[WordAttribution]) -> Tested:
    """What is understood of a command without its heaviest words."""

    def left(kept: np.ndarray) -> float:
        said = " ".join(w.word for w, keep in zip(words, kept, strict=True) if keep)
        return agreement(command, assistant.understand(said))

    weights = np.array([w.weight for w in words])
    change = left(np.ones(len(words), bool)) - left(np.zeros(len(words), bool))
    gap = abs(float(weights.sum()) - change)
    return _tested(f"words, {command.intent}", left, weights, gap)


def _read_test(reader: Reader, read: ReadBy) -> Tested:
    """The model's logit without its heaviest words."""
    words, place = [w.word for w in read.words], reader.intents.index(read.intent)
    weights = np.array([w.weight for w in read.words])
    left: KeptScore = lambda kept: float(reader.logits(words, kept)[place])  # noqa: E731
    return _tested(f"words in the model, {read.intent}", left, weights, read.gap)


def _region_test(likely: Score, given: np.ndarray, regions: Regions) -> Tested:
    """The words' likelihood without the heaviest patches."""

    def left(kept: np.ndarray) -> float:
        gone = ~kept.reshape(regions.weights.shape)
        return likely(without_patches(given, regions, gone))

    return _tested("sound, log-probability", left, regions.weights.ravel(), float("nan"))


def _tested(name: str, score: KeptScore, weights: np.ndarray, gap: float) -> Tested:
    found = deletion_test(score, weights, draws=_DRAWS)
    return name, found.whole, found.heaviest, found.random, found.as_bad, gap


def _network(assistant: Assistant) -> Recogniser | None:
    """The recogniser, if it is one that can be asked how likely words are."""
    from verticals.voice.recognition.whisper import Recogniser

    found = assistant.parts.recogniser
    return found if isinstance(found, Recogniser) else None


def _hertz(share: np.ndarray) -> np.ndarray:
    """Frequency at a share of Whisper's mel axis, 0 to 8 kHz (Slaney's scale)."""
    top = 15 + np.log(8000 / 1000) / (np.log(6.4) / 27)
    mels = share * top
    slow = mels * 200 / 3
    fast = 1000 * np.exp((mels - 15) * np.log(6.4) / 27)
    return np.asarray(np.where(mels < 15, slow, fast))
