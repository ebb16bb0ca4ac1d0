"""The learned reading of a sentence: intent, slots and how sure, in ONNX Runtime without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from core.errors import ModelError
from verticals.voice.command import Slot
from verticals.voice.understanding.calibration import Confidence
from verticals.voice.understanding.joint import best_tags, inputs
from verticals.voice.understanding.words import Span, spans_of, split_words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL, TOKENIZER, ABOUT = "model.onnx", "tokenizer.json", "about.json"
SHIPPED = Path(__file__).parents[1] / "weights" / "intents"
MOST_WORDS = 60  # of a sentence that is read; a spoken command is shorter
_OTHERS = 4  # alternatives that are named
_UNSEEN = -6.0  # log-score of a slot that was never seen with an intent
_NEVER = -1e4  # logit of an intent that is not allowed
_CLOSE = 0.02  # probability from which an intent may still win by its slots


@dataclass(frozen=True)
class Parsed:
    """What a sentence means to the model.

    Attributes:
        intent: The most likely one.
        confidence: Calibrated probability that the intent is right.
        slots: With their characters in the sentence and normalised values.
        alternatives: Other intents with their probabilities, most likely first.
        known: False where the sentence is about something the model never learned.
    """

    intent: str
    confidence: float
    slots: tuple[Slot, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    known: bool = True


@dataclass(frozen=True)
class About:
    """What belongs to an exported network."""

    intents: tuple[str, ...]
    tags: tuple[str, ...]
    slots_of: tuple[tuple[str, ...], ...]
    steps: np.ndarray  # (tags + 1, tags)
    confidence: Confidence
    shares: tuple[float, ...] = ()  # of each intent among the sentences it was learned from

    def to_bytes(self) -> bytes:
        """JSON that `from_bytes` reads back."""
        return orjson.dumps({
            "intents": self.intents, "tags": self.tags, "slots_of": self.slots_of,
            "steps": np.round(self.steps, 4).tolist(), "confidence": vars(self.confidence),
            "shares": self.shares,
        })  # fmt: skip

    @classmethod
    def from_bytes(cls, raw: bytes) -> About:
        """Read what `to_bytes` wrote."""
        d: dict[str, Any] = orjson.loads(raw)
        slots = tuple(tuple(names) for names in d["slots_of"])
        return cls(
            tuple(d["intents"]), tuple(d["tags"]), slots, np.array(d["steps"], np.float32),
            Confidence(**d["confidence"]), tuple(d.get("shares", ())),
        )  # fmt: skip


@dataclass(frozen=True)
class IntentModel:
    """Reads sentences; safe to share between threads."""

    about: About
    tokenizer: Tokenizer
    session: Any  # onnxruntime.InferenceSession
    folder: Path
    seen: np.ndarray = field(repr=False)  # (intents, tags) 0 where seen together, else _UNSEEN
    allowed: np.ndarray | None = field(default=None, repr=False)  # (intents,) bool; None for all
    shift: np.ndarray | None = field(default=None, repr=False)  # (intents,) of log-probabilities

    @classmethod
    def open(cls, folder: Path | str | None = None, *, threads: int = 1) -> IntentModel:
        """Open a model, exporting it to the cache if only its weights are there.

        Args:
            folder: Written by `fit_intents`; the shipped home model if None.
            threads: Of ONNX Runtime.

        Raises:
            ModelError: There is no model in the folder.
        """
        place = Path(folder) if folder is not None else SHIPPED
        if not (place / ABOUT).is_file():
            raise ModelError(
                "there is no intent model", where=str(place), remedy="Train it with fit_intents"
            )
        if not (place / MODEL).is_file():
            from verticals.voice.understanding.weights import exported

            place = exported(place)
        import onnxruntime

        from core.models.transformer import load_tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            str(place / MODEL), options, providers=["CPUExecutionProvider"]
        )
        about = About.from_bytes((place / ABOUT).read_bytes())
        return cls(about, load_tokenizer(place), session, place, _seen(about))

    @property
    def intents(self) -> tuple[str, ...]:
        """All that it knows."""
        return self.about.intents

    def predict(self, texts: Sequence[str]) -> list[Parsed]:
        """Read sentences, one by one: an int8 network's answer then depends on nothing else."""
        return [self._read(text) for text in texts]

    def among(self, intents: Sequence[str]) -> IntentModel:
        """The same model, reading only these intents: a room's, a guest's, a benchmark's.

        Raises:
            ModelError: It knows none of them.
        """
        allowed = np.array([name in set(intents) for name in self.about.intents])
        if not allowed.any():
            raise ModelError(
                "the model knows none of these intents", where=", ".join(sorted(intents)[:5]),
                remedy=f"Choose among {', '.join(self.about.intents[:5])} …",
            )  # fmt: skip
        return replace(self, allowed=allowed)

    def expecting(self, counts: Mapping[str, float]) -> IntentModel:
        """The same model where intents are asked for as often as counted, not as it learned them.

        The ratio of both shares corrects its probabilities (Saerens et al., 2002).

        Args:
            counts: How often each intent was asked for, by a home's people or in a data set;
                each counts once more, so that none becomes impossible.

        Raises:
            ModelError: It was trained before casekit noted the shares it learned.
        """
        names, learned = self.about.intents, np.array(self.about.shares, np.float64)
        if len(learned) != len(names):
            raise ModelError(
                "the model does not say how often it saw each intent", where=str(self.folder),
                remedy="Train it again with fit_intents",
            )  # fmt: skip
        expected = np.array([counts.get(name, 0.0) + 1.0 for name in names])
        return replace(self, shift=np.log(expected / expected.sum() / learned))

    def scores(self, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Intent logits (intents,), tag scores (words, tags) and vector (width,) of a sentence."""
        words = [text[a:b] for a, b in split_words(text)[:MOST_WORDS]] or ["?"]
        intent, tags, vector = self.session.run(None, inputs([words], self.tokenizer))
        return intent[0], tags[0], vector[0]

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, width) sentence vectors of length one, for few-shot learning and explanations."""
        found = np.array([self.scores(text)[2] for text in texts], np.float32)
        out: np.ndarray = found / np.linalg.norm(found, axis=1, keepdims=True)
        return out

    def _read(self, text: str) -> Parsed:
        places = split_words(text)[:MOST_WORDS]
        if not places:
            return Parsed("", 0.0, known=False)
        logits, scores, _ = self.scores(text)
        if self.allowed is not None:
            logits = np.where(self.allowed, logits, _NEVER)
        confidence = self.about.confidence
        moved = logits if self.shift is None else logits + confidence.temperature * self.shift
        chances = confidence.probabilities(moved[None])[0]
        order = np.argsort(-chances)[: _OTHERS + 1]
        winner, path = self._together(chances, scores, order)
        slots = spans_of([self.about.tags[i] for i in path], places)
        names = self.about.intents
        others = [(names[i], float(chances[i])) for i in order if i != winner]
        return Parsed(
            names[winner], float(chances[winner]), slots_with_values(text, slots),
            tuple(others[:_OTHERS]), bool(confidence.known(logits[None])[0]),
        )  # fmt: skip

    def _together(
        self, chances: np.ndarray, scores: np.ndarray, order: np.ndarray
    ) -> tuple[int, list[int]]:
        """The intent whose probability and best slots together score highest."""
        best: tuple[float, int, list[int]] | None = None
        for i in order:
            if best is not None and chances[i] < _CLOSE:
                break
            path, score = best_tags(scores + self.seen[i], self.about.steps)
            total = float(np.log(chances[i] + 1e-12)) + score
            if best is None or total > best[0]:
                best = (total, int(i), path)
        assert best is not None  # noqa: S101 - order is never empty
        return best[1], best[2]


def slots_with_values(text: str, spans: Sequence[Span]) -> tuple[Slot, ...]:
    """Slots with what their words mean: numbers as numbers, the rest as plain lower-case words."""
    from verticals.voice.understanding.normalise import plain_words

    found = []
    for name, start, end in spans:
        said = text[start:end]
        plain = plain_words(said)
        number = plain.removesuffix(" percent").removesuffix(" degrees")
        value: str | float = float(number) if number.isdigit() else plain or said
        found.append(Slot(name=name, value=value, start=start, end=end))
    return tuple(found)


def _seen(about: About) -> np.ndarray:
    return np.array([
        [0.0 if tag == "O" or tag[2:] in slots else _UNSEEN for tag in about.tags]
        for slots in about.slots_of
    ], np.float32)  # fmt: skip
