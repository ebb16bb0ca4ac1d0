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
from apps.demos.medical_pages.records import read_record
from apps.demos.words import Words
from core.errors import BundleError, DataError
from verticals.medical.answer import DISCLAIMER

if TYPE_CHECKING:
    from apps.demos.medical_pages.records import Record
    from verticals.medical.answer import Answer, Question
    from verticals.medical.answering import Engine
    from verticals.medical.decisions.calculators import Calculated
    from verticals.medical.decisions.cards import Card
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

    def advise(self, record: Record) -> tuple[Advice, ...]:
        """Interactions and contra-indications of what is taken, as the CDS service gives them."""
        from verticals.medical.decisions.cards import cards_for

        return tuple(advice_of(card) for card in cards_for(record.summary))

    def scores(self, record: Record) -> tuple[Score, ...]:
        """What open-medicine's calculators make of a record."""
        from verticals.medical.decisions.calculators import calculate

        return tuple(score_of(found) for found in calculate(record.summary))


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


def advice_of(card: Card) -> Advice:
    """A CDS card without the disclaimer, which the page shows itself."""
    detail = "\n".join(
        line.strip("*")
        for line in card.detail.splitlines()
        if line.strip() and DISCLAIMER not in line
    )
    return Advice(card.indicator, card.summary, detail, card.source.label, card.source.url or "")


def score_of(calculated: Calculated) -> Score:
    """A calculator's result, rounded for reading."""
    value = "" if calculated.value is None else f"{calculated.value:.3g} {calculated.unit}".strip()
    return Score(
        calculated.name, value, calculated.says, calculated.inputs, calculated.missing,
        calculated.assumed, calculated.link,
    )  # fmt: skip


def open_desk(path: Path) -> Desk:
    """Verify and load a bundle, once for all sessions.

    Args:
        path: A bundle's folder or .zip file.

    Raises:
        BundleError: It is missing, changed, signed by a stranger, or of another case.
    """
    from core.deployment.bundle import Bundle
    from core.deployment.signing import own_key, public_key
    from verticals.medical.data import patient_file, sample_patients

    bundle = Bundle.open(path)
    if bundle.manifest.case != CASE:
        raise BundleError(
            f"this bundle belongs to the case {bundle.manifest.case!r}",
            where=str(path),
            remedy=f"Open it with `casekit app {bundle.manifest.case}`",
        )
    predictor = cast("MedicalPredictor", bundle.predictor())
    predictor.warm_up()
    patients = {name: patient_file(name) for name in sample_patients()}
    reader = EngineReader(predictor.engine)
    for file in list(patients.values())[:1]:  # the first record costs seconds of imports
        reader.advise(read_record(file))
    texts = {
        name: (bundle.folder / name).read_text(encoding="utf-8")
        for name in bundle.manifest.files
        if name.endswith(".md")
    }
    return Desk(
        reader=reader, manifest=bundle.manifest,
        words=Words.load(*TEXTS), patients=patients, signer=bundle.signer,
        own=bundle.signer == public_key(own_key()), files=texts,
    )  # fmt: skip
