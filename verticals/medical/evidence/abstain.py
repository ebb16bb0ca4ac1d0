"""When to say nothing: the probability that the corpus answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from core.errors import ModelError
from verticals.medical.retrieval.features import blend, content
from verticals.medical.retrieval.lexical import LexicalIndex, stems

if TYPE_CHECKING:
    from verticals.medical.retrieval.index import Hit

SHIPPED = Path(__file__).parents[1] / "weights" / "abstain"
_FILE = "abstain.json"
SIGNALS = (
    "cosine",  # of question and nearest passage
    "cosine_five",  # mean of the five nearest
    "cosine_z",  # of the nearest, in standard deviations above the corpus
    "cosine_lead",  # how far the nearest is before the tenth
    "bm25_z",
    "bm25_share",  # best BM25 by the rarity of all words asked for
    "blend",  # of the best passage, both z-scores weighted
    "blend_lead",  # how far it is before the fifth
    "words",  # share of the question's words, by rarity, in the best passage
    "words_first",  # in the first passage
    "words_five",  # in the five best together
    "pairs",  # share of the question's neighbouring words that are neighbours in a passage
    "rarest",  # whether its rarest word is in the five
    "unknown",  # share of its words, by rarity, that the corpus never uses
    "agreement",  # share of the ten nearest by vectors that are among the ten best by words
    "support",  # of the best sentence
    "support_three",  # mean of the three best
    "support_first",  # of the best sentence of the first passage
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
    support: Sequence[np.ndarray],
    lexical: LexicalIndex,
) -> np.ndarray:
    """What the search found, as numbers.

    Args:
        question: As it was searched.
        hits: The passages found, best first.
        texts: Titles and texts of the best of them, in the same order.
        support: By text, probabilities of its sentences.
        lexical: Knows how rare a word is.

    Returns:
        (len(SIGNALS),) float64; zeros if nothing was found.
    """
    if not hits:
        return np.zeros(len(SIGNALS))
    cosines = np.sort([h.dense for h in hits])[::-1]
    blended = np.sort(blend(hits))[::-1]
    by_words = {h.row for h in hits if 0 <= h.bm25_rank < 10}
    by_vectors = {h.row for h in hits if 0 <= h.dense_rank < 10}
    best = np.sort(np.concatenate([np.zeros(1), *support]))[::-1]
    first = float(support[0].max(initial=0.0)) if len(support) else 0.0
    found = {
        "cosine": cosines[0], "cosine_five": cosines[:5].mean(),
        "cosine_z": max(h.dense_z for h in hits), "cosine_lead": cosines[0] - cosines[:10][-1],
        "bm25_z": max(h.bm25_z for h in hits),
        "blend": blended[0], "blend_lead": blended[0] - blended[:5][-1],
        "agreement": len(by_words & by_vectors) / 10,
        "support": best[0], "support_three": best[:3].mean(), "support_first": first,
    }  # fmt: skip
    found |= _words(question, max(h.bm25 for h in hits), texts[:5], lexical)
    return np.array([found[name] for name in SIGNALS], float)


def _words(
    question: str, bm25: float, texts: Sequence[str], lexical: LexicalIndex
) -> dict[str, float]:
    """Which of the question's words the passages have."""
    order = content(question)
    words = list(dict.fromkeys(order))
    weights = lexical.rarity(words)
    total = float(weights.sum()) or 1.0
    split = [stems(text) for text in texts]
    sets = [set(s) for s in split]
    here = np.array([[w in s for w in words] for s in sets], bool).reshape(len(sets), len(words))
    unknown = np.array([not lexical.knows(w) for w in words], bool)
    shares = here @ weights / total
    pairs = set(pairwise(order))
    near = [len(pairs & set(pairwise(s))) / len(pairs) for s in split] if pairs else []
    together = np.logical_or.reduce(here, axis=0)
    return {
        "bm25_share": bm25 / total, "words": float(shares.max(initial=0.0)),
        "words_first": float(shares[0]) if len(shares) else 0.0,
        "words_five": float(together @ weights) / total, "pairs": max(near, default=0.0),
        "rarest": float(together[int(weights.argmax())]) if words else 0.0,
        "unknown": float(unknown @ weights) / total,
    }  # fmt: skip


def fit_abstention(
    signals: np.ndarray,
    answerable: np.ndarray,
    *,
    importance: np.ndarray | None = None,
    strength: float = 0.3,
) -> AbstentionModel:
    """Train on questions with and without an answer.

    Args:
        signals: (n, len(SIGNALS)).
        answerable: (n,) whether the corpus answers.
        importance: (n,) how much each question counts; all alike by default.
        strength: Inverse of the ridge penalty.
    """
    from sklearn.linear_model import LogisticRegression

    counts = np.ones(len(signals)) if importance is None else np.asarray(importance, float)
    mean, scale = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    model = LogisticRegression(C=strength, max_iter=1000)
    model.fit((signals - mean) / scale, answerable, sample_weight=counts / counts.mean())
    # As if every second question had an answer: how many have none was our choice.
    prior = np.log(counts[~answerable].sum() / counts[answerable].sum())
    return AbstentionModel(mean, scale, model.coef_[0], float(model.intercept_[0] + prior))
