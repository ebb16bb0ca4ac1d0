"""How likely Whisper finds given words over given sound (teacher forcing), on CTranslate2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

# Features that the encoder sees: 10 s. Whisper was trained on 30 s; with 3 s it hears rare names
# worse, and 10 s costs a third of 30.
CONTEXT = 1_000
HOP = 160  # samples of a feature
_MARGIN = 3_200  # samples of silence put around: words at the very edge are lost
_LEVEL = 0.5
_LEAST = 1e-9


def features(model: WhisperModel, sound: np.ndarray) -> tuple[np.ndarray, int]:
    """Log-mel features of a sound, and how many of their columns hold it.

    Args:
        model: The recogniser's network.
        sound: (n,) float32 at 16 kHz; what is beyond ten seconds is cut.

    Returns:
        (80, 1000) float32, with silence after the sound, and the number of columns.
    """
    loudest = float(np.abs(sound).max(initial=0.0))
    level = _LEVEL / loudest if loudest > 0 else 1.0
    given = np.pad(sound * level, _MARGIN).astype(np.float32)[: CONTEXT * HOP]
    found: np.ndarray = model.feature_extractor(given, padding=0)[:, :CONTEXT]
    used = found.shape[1]
    padding = ((0, 0), (0, CONTEXT - used))
    return np.pad(found, padding, constant_values=found.min()).astype(np.float32), used


def token_log_probabilities(
    model: WhisperModel, given: np.ndarray, columns: int, spellings: Sequence[Sequence[int]]
) -> list[np.ndarray]:
    """Log-probability of every token of texts that are forced upon the decoder.

    Args:
        model: The recogniser's network.
        given: Of `features`.
        columns: That hold sound.
        spellings: Texts as tokens.

    Returns:
        (tokens,) for every text; only what the text begins with counts, not that it ends.
    """
    states = model.encode(given)
    start = [tokenizer(model).token_to_id("<|startoftranscript|>")]
    return [
        np.log(np.maximum(
            model.model.align(states, start, [list(tokens)], [columns])[0].text_token_probs,
            _LEAST,
        ))
        for tokens in spellings
    ]  # fmt: skip


def tokens_of(model: WhisperModel, text: str) -> tuple[int, ...]:
    """A text as the decoder writes it: with a blank before."""
    return tuple(tokenizer(model).encode(f" {text.strip()}", add_special_tokens=False).ids)


def tokenizer(model: WhisperModel) -> Any:
    """The network's tokenizer (of the `tokenizers` package)."""
    return model.hf_tokenizer
