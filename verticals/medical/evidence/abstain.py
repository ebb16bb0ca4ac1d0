"""When to say nothing: the probability that the corpus answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from core.errors import ModelError
from verticals.medical.retrieval.lexical import LexicalIndex, stems

if TYPE_CHECKING:
    from verticals.medical.retrieval.index import Hit

SHIPPED = Path(__file__).parents[1] / "weights" / "abstain"
_FILE = "abstain.json"
SIGNALS = (
    "cosine",  # of question and nearest passage
    "cosine_five",  # mean of the five nearest
    "cosine_z",  # of the nearest, in standard deviations above the corpus
    "bm25_z",
    "words",  # share of the question's words, by rarity, in the best passage
    "words_five",  # in the five best together
    "agreement",  # share of the ten nearest by vectors that are among the ten best by words
    "support",  # of the best sentence
    "support_three",  # mean of the three best
)


@dataclass(frozen=True)
class AbstentionModel:
    """Logistic regression over what the search found."""

    mean: np.ndarray  # (len(SIGNALS),)
    scale: np.ndarray
    weights: np.ndarray
    bias: float
    threshold: float = 0.5  # below it, the answer is withheld

    @classmethod
    def open(cls, path: Path | None = None) -> AbstentionModel:
        """The model of a folder; by default the one that the kit ships.

        Raises:
            ModelError: There is none, or it was trained on other signals.
        """
        file = (path or SHIPPED) / _FILE
        if not file.is_file():
            raise ModelError("there is no model of abstention", where=str(file.parent),
                             remedy="Train it again")  # fmt: skip
        read = orjson.loads(file.read_bytes())
        if tuple(read["signals"]) != SIGNALS:
            raise ModelError("the model was trained on other signals", where=str(file),
                             remedy="Train it again")  # fmt: skip
        mean, scale, weights = (np.array(read[k], float) for k in ("mean", "scale", "weights"))
        return cls(mean, scale, weights, float(read["bias"]), float(read["threshold"]))

    def save(self, folder: Path) -> None:
        """Write the model as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        written = {
            "signals": SIGNALS, "mean": self.mean.tolist(), "scale": self.scale.tolist(),
            "weights": self.weights.tolist(), "bias": self.bias, "threshold": self.threshold,
        }  # fmt: skip
        (folder / _FILE).write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))

    def confidence(self, signals: np.ndarray) -> float:
        """Probability that the corpus answers, from `answer_signals`."""
        z = float((signals - self.mean) / self.scale @ self.weights + self.bias)
        return float(1 / (1 + np.exp(-z)))

    def reason(self, confidence: float, quotes: int) -> str:
        """Why the answer is withheld, in a sentence."""
        if not quotes:
            return "Nothing in this corpus shares enough with the question to be quoted."
        return (
            f"The passages nearest to the question do not seem to answer it "
            f"(confidence {confidence:.0%}, at least {self.threshold:.0%} is needed)."
        )


def answer_signals(
    question: str,
    hits: Sequence[Hit],
    texts: Sequence[str],
    support: Sequence[float],
    lexical: LexicalIndex,
) -> np.ndarray:
    """What the search found, as numbers.

    Args:
        question: As it was searched.
        hits: The passages found, best first.
        texts: Titles and texts of the best of them, in the same order.
        support: Probabilities of the sentences read.
        lexical: Knows how rare a word is.

    Returns:
        (len(SIGNALS),) float64; zeros if nothing was found.
    """
    if not hits:
        return np.zeros(len(SIGNALS))
    words = list(dict.fromkeys(stems(question)))
    weights = lexical.rarity(words)
    present = [set(stems(text)) for text in texts[:5]]
    shares = [_share(words, weights, p) for p in present] or [0.0]
    cosines = sorted((h.dense for h in hits), reverse=True)
    by_words = {h.row for h in hits if 0 <= h.bm25_rank < 10}
    by_vectors = {h.row for h in hits if 0 <= h.dense_rank < 10}
    best = sorted(support, reverse=True)
    return np.array(
        [
            cosines[0], float(np.mean(cosines[:5])), max(h.dense_z for h in hits),
            max(h.bm25_z for h in hits), max(shares),
            _share(words, weights, set().union(*present)) if present else 0.0,
            len(by_words & by_vectors) / 10,
            best[0] if best else 0.0, float(np.mean(best[:3])) if best else 0.0,
        ]
    )  # fmt: skip


def fit_abstention(
    signals: np.ndarray, answerable: np.ndarray, *, strength: float = 0.3
) -> AbstentionModel:
    """Train on questions with and without an answer.

    Args:
        signals: (n, len(SIGNALS)).
        answerable: (n,) whether the corpus answers.
        strength: Inverse of the ridge penalty.
    """
    from sklearn.linear_model import LogisticRegression

    mean, scale = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    model.fit((signals - mean) / scale, answerable)
    return AbstentionModel(mean, scale, model.coef_[0], float(model.intercept_[0]))


def _share(words: Sequence[str], weights: np.ndarray, present: set[str]) -> float:
    """Share of the words, by rarity, that are present."""
    total = float(weights.sum()) or 1.0
    return sum(float(w) for word, w in zip(words, weights, strict=True) if word in present) / total
