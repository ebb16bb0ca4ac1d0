"""New intents from about ten sentences each, in seconds, without training the big model again.

A logistic model over frozen MiniLM vectors, of a middle and of the last layer, beside words and
letters (TF-IDF); an intent's name counts as one more sentence. On request blended with a small
adapter trained on the same sentences for about a minute.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from core.errors import DataError
from verticals.voice.command import Slot
from verticals.voice.understanding.calibration import Confidence
from verticals.voice.understanding.model import Parsed, slots_with_values
from verticals.voice.understanding.words import Example, split_words

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer

LAYERS = (3, 6)  # of MiniLM: words are nearer in the middle, meaning at the end
_LETTERS = 0.5  # weight of words and letters beside the vector
_STRENGTH = 10.0  # inverse of the logistic model's penalty
_TUNED = 0.4  # weight of the adapter's log-probabilities
_TAKEN = 0.5  # probability from which a new intent overrules the model
_SURE = 0.9  # of the model: then the new intent must be surer
_OTHERS = 4


class Vectors(Protocol):
    """Texts to vectors, such as `core.models.encoder.TextEncoder`."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(n, width) vectors."""
        ...


@runtime_checkable
class Reads(Protocol):
    """Anything that reads sentences, such as `IntentModel`."""

    @property
    def intents(self) -> tuple[str, ...]:
        """All that it knows."""

    def predict(self, texts: Sequence[str]) -> list[Parsed]:
        """One reading a sentence."""
        ...


@dataclass(frozen=True)
class FewShotModel:
    """Intents learned from a few sentences; reads as `IntentModel` does."""

    intents: tuple[str, ...]
    encoder: Vectors
    letters: TfidfVectorizer
    words: TfidfVectorizer
    logistic: Any  # sklearn's LogisticRegression
    values: dict[str, dict[str, str]]  # by intent: words that filled a slot, and which
    tuned: Any = None  # the adapter's network as a callable: texts → (n, intents) log-probabilities
    confidence: Confidence = field(default_factory=Confidence)

    def log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """(n, intents) log-probabilities, not calibrated."""
        found: np.ndarray = self.logistic.predict_log_proba(_features(self, texts))
        return found if self.tuned is None else found + _TUNED * self.tuned(texts)

    def predict(self, texts: Sequence[str]) -> list[Parsed]:
        """Read sentences."""
        if not texts:
            return []
        chances = self.confidence.probabilities(self.log_probabilities(texts))
        out = []
        for text, row in zip(texts, chances, strict=True):
            order = np.argsort(-row)[: _OTHERS + 1]
            best = self.intents[order[0]]
            others = tuple((self.intents[i], float(row[i])) for i in order[1:])
            slots = _known_values(text, self.values.get(best, {}))
            out.append(Parsed(best, float(row[order[0]]), slots, others))
        return out


def fit_few(
    examples: Sequence[Example],
    *,
    encoder: Vectors | None = None,
    tune: bool = False,
    epochs: int = 8,
    seed: int = 0,
) -> FewShotModel:
    """Learn intents from a few sentences each.

    Args:
        examples: About ten of every intent; tags, if given, say which words fill slots.
        encoder: Frozen; by default two layers of MiniLM in int8.
        tune: Also train a small adapter for about a minute (needs torch).
        epochs: Of the adapter.
        seed: Of the adapter.

    Raises:
        DataError: Fewer than two intents.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from core.models.encoder import TextEncoder

    intents = tuple(sorted({example.intent for example in examples}))
    if len(intents) < 2:
        raise DataError(
            "there is only one intent", where="intent", remedy="Give sentences of another one too"
        )
    named = [Example(in_words(intent), intent) for intent in intents]
    learned = [*examples, *named]
    texts = [example.text for example in learned]
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")  # noqa: S106
    letters.fit(texts)
    words.fit(texts)
    logistic = LogisticRegression(C=_STRENGTH, max_iter=300)
    values: dict[str, dict[str, str]] = {}
    for example in examples:
        for slot, start, end in example.spans() if example.tags else ():
            values.setdefault(example.intent, {})[example.text[start:end].lower()] = slot
    frozen = encoder or TextEncoder.open("minilm", layers=LAYERS)
    model = FewShotModel(intents, frozen, letters, words, logistic, values)
    logistic.fit(_features(model, texts), [example.intent for example in learned])
    return replace(model, tuned=_tuned(learned, epochs, seed)) if tune else model


@dataclass(frozen=True)
class Extended:
    """A model that learned further intents from a few sentences; reads as it did before."""

    model: Reads
    few: FewShotModel
    new: frozenset[str]

    @property
    def intents(self) -> tuple[str, ...]:
        """All that it knows."""
        return (*self.model.intents, *sorted(self.new))

    def predict(self, texts: Sequence[str]) -> list[Parsed]:
        """Read sentences: the new intents where they are likely, otherwise as before."""
        before, fresh = self.model.predict(texts), self.few.predict(texts)
        return [f if self._takes(f, b) else b for b, f in zip(before, fresh, strict=True)]

    def _takes(self, fresh: Parsed, before: Parsed) -> bool:
        sure = before.known and before.confidence > _SURE
        needed = before.confidence if sure else _TAKEN
        return fresh.intent in self.new and fresh.confidence >= needed


def add_intents(
    model: Reads,
    examples: Sequence[Example],
    *,
    others: Sequence[Example],
    encoder: Vectors | None = None,
) -> Extended:
    """Teach a model new intents, about ten sentences each.

    Args:
        model: What reads the intents known so far; it is not changed.
        examples: Of the new intents.
        others: Sentences of the intents known so far, so that the new ones do not swallow them.
        encoder: Frozen; by default two layers of MiniLM in int8.

    Raises:
        DataError: No sentences of other intents.
    """
    new = frozenset(example.intent for example in examples)
    rest = [example for example in others if example.intent not in new]
    if not rest:
        raise DataError(
            "there are no sentences of the intents known so far", where="others",
            remedy="Give some, or the new intents win every time",
        )  # fmt: skip
    return Extended(model, fit_few([*examples, *rest], encoder=encoder), new)


def _features(model: FewShotModel, texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix, hstack

    cues = (model.letters.transform(texts), model.words.transform(texts))
    vectors = csr_matrix(model.encoder.encode(texts).astype(np.float64))
    return hstack([vectors, *(cue * _LETTERS for cue in cues)]).tocsr()


def in_words(intent: str) -> str:
    """An intent's name as a sentence: lights_off and LightsOff are "lights off"."""
    return " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", intent)).lower() or intent


def _known_values(text: str, values: dict[str, str]) -> tuple[Slot, ...]:
    """Slots whose words were seen in the examples, longest first."""
    low, taken, found = text.lower(), [False] * len(text), []
    starts = {a for a, _ in split_words(text)}
    for said, slot in sorted(values.items(), key=lambda item: -len(item[0])):
        start = low.find(said)
        end = start + len(said)
        if start in starts and not any(taken[start:end]):
            taken[start:end] = [True] * len(said)
            found.append((slot, start, end))
    return slots_with_values(text, sorted(found, key=lambda span: span[1]))


def _tuned(examples: Sequence[Example], epochs: int, seed: int) -> Any:
    """An adapter trained on the sentences, as a callable."""
    import torch

    from verticals.voice.understanding.joint import inputs
    from verticals.voice.understanding.training import (
        INPUTS,
        IntentSettings,
        labels_of,
        rows_of,
        train_network,
    )

    labels = labels_of(examples)
    settings = IntentSettings(epochs=epochs, batch=32, seed=seed)
    network, tokenizer, _ = train_network(rows_of(examples, labels), labels, settings)

    def read(texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), len(labels.intents)), np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        with torch.no_grad():
            for start in range(0, len(order), 64):
                some = order[start : start + 64]
                words = [[texts[i][a:b] for a, b in split_words(texts[i])] or ["?"] for i in some]
                given = inputs(words, tokenizer)
                logits = network(*[torch.from_numpy(given[k]) for k in INPUTS])[0]
                out[some] = torch.log_softmax(logits, 1).numpy()
        return out

    return read
