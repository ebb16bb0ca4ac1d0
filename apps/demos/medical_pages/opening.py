"""Open a bundle for the demo: its engine, its documents and the made-up patients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from apps.demos.medical_pages.desk import TEXTS, Advice, Desk, Explanation, Facets, Score
from apps.demos.words import Words
from core.errors import BundleError, DataError

if TYPE_CHECKING:
    from apps.demos.medical_pages.records import Record
    from verticals.medical.answer import Answer, Question
    from verticals.medical.answering import Engine
    from verticals.medical.predictor import MedicalPredictor

CASE = "medical"


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

    @cached_property
    def _facets(self) -> Facets:
        corpus = self.engine.corpus
        found = corpus.facets()
        years = sorted(found["years"])
        return Facets(
            (years[0], years[-1]) if years else None,
            tuple(found["grades"]),
            tuple(found["organisations"]),
            sum(found["grades"].values()),
            len(corpus),
        )

    def facets(self) -> Facets:
        """What there is to filter by."""
        return self._facets
