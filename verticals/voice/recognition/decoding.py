"""Whisper's encoder and decoder on short sound, without paying for thirty seconds of it.

Whisper (Radford et al., 2023) was trained on windows of 30 s, padded with silence, and repeats
itself on anything shorter. Here only what was said is encoded, with a margin; after it stand the
encoder's states of silence, computed once. The decoder sees the thirty seconds it knows, for a
tenth of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from ctranslate2 import StorageView
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

WINDOW_S = 30.0
_FRAMES = 3000  # of features in a window; the encoder halves them
_MARGIN = 200  # frames of padding that are encoded after the sound
_AT_LEAST = 500  # frames encoded of the shortest sound
_REPEATED = 6  # tokens: "a lot of milk and a lot of sugar" may be said
# Tokens that a window may have: nobody says more in that time, an invention may be longer.
_TOKENS_AT_LEAST, _TOKENS_A_SECOND, _TOKENS_AT_MOST = 20, 8, 200
_LEAST = 1e-9  # probability: float32 makes zeros of very unlikely tokens


@dataclass(frozen=True)
class Encoded:
    """A window as the decoder sees it."""

    states: StorageView
    """(1, 1500, d) of the encoder."""
    seconds: float
    """Sound in it."""


@dataclass(frozen=True)
class Hypothesis:
    """One reading of a window."""

    text: str
    tokens: tuple[int, ...]
    logprob: float
    """Mean over its tokens and the end."""

    @property
    def total(self) -> float:
        """Log-probability of the whole."""
        return self.logprob * (len(self.tokens) + 1)


@dataclass(frozen=True)
class Decoder:
    """A model and the states of its silence."""

    model: WhisperModel

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """English words to tokens and back."""
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self.model.hf_tokenizer, self.model.model.is_multilingual, task="transcribe",
            language="en",
        )  # fmt: skip

    @cached_property
    def silence(self) -> np.ndarray:
        """(1, 1500, d): the encoder's states of a window in which nothing is."""
        empty = np.zeros((1, self.model.feature_extractor.mel_filters.shape[0], _FRAMES))
        return np.asarray(self._states(empty.astype(np.float32), to_cpu=True))

    def encode(self, sound: np.ndarray) -> Encoded:
        """A window of (n,) float32 at 16 kHz; what exceeds 30 s is left out."""
        features = self.model.feature_extractor(sound)[:, :_FRAMES]
        frames = min(_FRAMES, max(_AT_LEAST, features.shape[1] + _MARGIN))
        frames += frames % 2
        padded = np.zeros((1, len(features), frames), np.float32)
        padded[0, :, : features.shape[1]] = features
        spoken = np.asarray(self._states(padded, to_cpu=True))
        whole = np.concatenate([spoken, self.silence[:, spoken.shape[1] :]], axis=1)
        return Encoded(_view(whole), min(len(sound) / SAMPLE_RATE, WINDOW_S))

    def decode(
        self, encoded: Encoded, *, beam: int = 5, hint: str = "", readings: int = 1
    ) -> list[Hypothesis]:
        """The likeliest readings of a window, best first.

        Args:
            encoded: The window.
            beam: Hypotheses kept while decoding (1 is greedy).
            hint: What to expect, before the sentence in the decoder's context. With it, the same
                tokens in a row are not said twice, or the hint might come back as words; without,
                they may ("... your country ... for your country").
            readings: How many to give, at most `beam`.
        """
        prompt = self.model.get_prompt(
            self.tokenizer, [], without_timestamps=True, hotwords=hint or None
        )
        most = min(round(_TOKENS_AT_LEAST + _TOKENS_A_SECOND * encoded.seconds), _TOKENS_AT_MOST)
        (found,) = self.model.model.generate(
            encoded.states, [prompt], beam_size=beam, num_hypotheses=min(readings, beam),
            max_length=len(prompt) + most, return_scores=True,
            no_repeat_ngram_size=_REPEATED if hint else 0,
        )  # fmt: skip
        return [
            Hypothesis(self.tokenizer.decode(ids).strip(), tuple(ids),
                       score * len(ids) / (len(ids) + 1))
            for ids, score in zip(found.sequences_ids, found.scores, strict=True)
        ]  # fmt: skip

    def likelihoods(self, encoded: Encoded, sentences: Sequence[str]) -> list[float]:
        """Log-probability of given words, each forced on the decoder; more may follow them.

        Args:
            encoded: The window.
            sentences: As Whisper would write them.
        """
        frames = max(round(encoded.seconds * 100), 2)
        found = []
        for sentence in sentences:
            tokens = self.tokenizer.encode(" " + sentence.strip())
            (aligned,) = self.model.model.align(
                encoded.states, self.tokenizer.sot_sequence, [tokens], frames
            )
            found.append(float(np.log(np.maximum(aligned.text_token_probs, _LEAST)).sum()))
        return found

    def times(self, encoded: Encoded, hypothesis: Hypothesis) -> list[dict[str, Any]]:
        """Word, start and end in seconds and probability, from a second pass of the decoder."""
        if not hypothesis.tokens:
            return []
        frames = max(round(encoded.seconds * 100), 2)
        (words,) = self.model.find_alignment(
            self.tokenizer, [list(hypothesis.tokens)], encoded.states, frames
        )
        return list(words)

    def _states(self, features: np.ndarray, *, to_cpu: bool) -> StorageView:
        return self.model.model.encode(_view(features), to_cpu)


def _view(array: np.ndarray) -> StorageView:
    from ctranslate2 import StorageView

    return StorageView.from_array(np.ascontiguousarray(array))
