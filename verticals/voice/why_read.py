"""Which words the learned model reads a sentence by: integrated gradients on its encoder (Captum).

The grammar answers first, so this says how the model sees the sentence, not what decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explain.text import WordAttribution, integrated
from verticals.voice.understanding.joint import inputs
from verticals.voice.understanding.model import ABOUT, SHIPPED, About
from verticals.voice.understanding.words import split_words

_BLANK = "?"  # whose letters stand for no word


@dataclass(frozen=True)
class ReadBy:
    """The model's intent for a sentence, and what every word adds to it.

    Attributes:
        intent: The likeliest one.
        words: Their weights sum to `score` minus `blank`.
        score: Logit of the intent above the mean of all intents.
        blank: The same of a sentence of as many blanks.
    """

    intent: str
    words: tuple[WordAttribution, ...]
    score: float
    blank: float

    @property
    def gap(self) -> float:
        """By how much the weights miss the change of the score."""
        return abs(sum(w.weight for w in self.words) - (self.score - self.blank))


class Reader:
    """The network behind an intent model, opened for explaining; needs torch."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open it.

        Args:
            folder: With adapter and heads; the shipped home model by default.

        Raises:
            ModelError: The weights are not there: the edge holds only the exported network.
        """
        from core.models.transformer import load_tokenizer
        from verticals.voice.understanding.weights import load_network

        place = folder or SHIPPED
        network, encoder = load_network(place)
        self._network: Any = network
        self._tokenizer = load_tokenizer(encoder)
        self.intents = About.from_bytes((place / ABOUT).read_bytes()).intents

    def logits(self, words: list[str], kept: np.ndarray | None = None) -> np.ndarray:
        """(intents,) above their mean; words that are not kept count as blanks, (n,) bool."""
        import torch

        given = self._given(words)
        if kept is not None:
            blank = self._given([_BLANK] * len(words))
            given["features"] = torch.where(
                torch.from_numpy(kept)[None, :, None], given["features"], blank["features"]
            )
            gone = ~kept @ (given["pool"][0].numpy() > 0)  # tokens of words that are not kept
            given["input_ids"] = given["input_ids"].masked_fill(torch.from_numpy(gone)[None], 0)
        with torch.no_grad():
            found: np.ndarray = self._network(**given)[0][0].numpy()
        return found - found.mean()

    def explain(self, text: str) -> ReadBy:
        """What every word adds to the intent that the model reads.

        The letters of words enter the intent linearly, so that a difference gives their exact part;
        the encoder's part is integrated.

        Args:
            text: A sentence of one word or more.
        """
        import torch

        places = split_words(text)
        words = [text[a:b] for a, b in places]
        logits = self.logits(words)
        winner = int(logits.argmax())
        given = self._given(words)
        ids = given["input_ids"]

        def score(tokens: torch.Tensor) -> torch.Tensor:
            rows = {k: v.expand(len(tokens), *v.shape[1:]) for k, v in given.items()}
            found: torch.Tensor = self._network(**(rows | {"input_ids": tokens}))[0]
            return found[:, winner] - found.mean(1)

        pool = given["pool"][0].numpy() > 0
        blank = ids.masked_fill(torch.from_numpy(pool.any(0))[None], 0)
        pieces = np.array(integrated(self._network.encoder, score, ids, blank))
        weights = pool @ pieces + self._letters(words, winner)
        nothing = self.logits(words, np.zeros(len(words), bool))
        return ReadBy(
            self.intents[winner],
            tuple(WordAttribution(w, a, b, float(x))
                  for w, (a, b), x in zip(words, places, weights, strict=True)),
            float(logits[winner]), float(nothing[winner]),
        )  # fmt: skip

    def _letters(self, words: list[str], intent: int) -> np.ndarray:
        """What the letters of every word add, (n,): its features exchanged for a blank's."""
        import torch

        given = self._given(words)
        blank = self._given([_BLANK] * len(words))["features"]
        rows = given["features"].repeat(len(words) + 1, 1, 1)
        for i in range(len(words)):
            rows[i + 1, i] = blank[0, i]
        wide = {k: v.expand(len(rows), *v.shape[1:]) for k, v in given.items()}
        with torch.no_grad():
            found = self._network(**(wide | {"features": rows}))[0]
        scores = (found[:, intent] - found.mean(1)).numpy()
        out: np.ndarray = scores[0] - scores[1:]
        return out

    def _given(self, words: list[str]) -> dict[str, Any]:
        import torch

        return {k: torch.from_numpy(v) for k, v in inputs([words], self._tokenizer).items()}
