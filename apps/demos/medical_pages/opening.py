"""Open a bundle for the demo: its engine, its documents and the made-up patients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from apps.demos.medical_pages.desk import (
    TEXTS,
    Advice,
    Carried,
    Desk,
    Explanation,
    Facets,
    Score,
    Word,
)
from apps.demos.medical_pages.finding import CASE
from apps.demos.words import Words
from core.errors import BundleError, DataError

if TYPE_CHECKING:
    from apps.demos.medical_pages.records import Record
    from verticals.medical.answer import Answer, Question
    from verticals.medical.answering import Engine
    from verticals.medical.predictor import MedicalPredictor
    from verticals.medical.why import Why


@dataclass(frozen=True)
class EngineReader:
    """What the pages ask, answered by an opened engine."""

    engine: Engine

    def answer(self, question: Question) -> Answer:
        """Evidence, or the reason for none."""
        from verticals.medical.answering import answer

        return answer(question, self.engine)

    def text(self, document: str) -> str:
        """A document's text, empty if there is no such document."""
        try:
            return self.engine.corpus.document(document).text
        except DataError:
            return ""

    def facets(self) -> Facets:
        """What there is to filter by."""
        return self._facets

    @cached_property
    def _facets(self) -> Facets:
        corpus = self.engine.corpus
        found = corpus.facets()
        years = list(found["years"])
        return Facets(
            (years[0], years[-1]) if years else None, tuple(found["grades"]),
            tuple(found["organisations"]), sum(found["grades"].values()), len(corpus),
        )  # fmt: skip

    def explain(self, question: Question, answer: Answer) -> Explanation:
        """Words, features, and the confidence without each document."""
        from verticals.medical.why import explain_answer

        return explanation_of(explain_answer(question, answer, self.engine), answer)


def explanation_of(why: Why, answer: Answer) -> Explanation:
    """The vertical's explanation by piece of evidence, as the pages show it."""
    left = dict(zip(why.leave_one_out["document"], why.leave_one_out["confidence"], strict=True))
    carried = []
    for number, words in enumerate(why.words, 1):
        rows = why.features[why.features["evidence"] == number]
        features = zip(rows["feature"], rows["value"], rows["effect"], strict=True)
        carried.append(
            Carried(
                tuple(Word(word.start, word.end, word.weight) for word in words),
                tuple((str(name), float(value), float(effect)) for name, value, effect in features),
            )
        )
    without = tuple(float(left.get(piece.document, answer.confidence)) for piece in answer.evidence)
    return Explanation(tuple(carried), without)
