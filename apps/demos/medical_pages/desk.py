"""What every page of the medical demo reads: one opened bundle, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from apps.demos.words import Words

if TYPE_CHECKING:
    from apps.demos.medical_pages.records import Record
    from core.deployment.manifest import Manifest
    from verticals.medical.answer import Answer, Question

TEXTS = (Path(__file__).with_name("texts.yaml"),)


@dataclass(frozen=True)
class Facets:
    """What the filters of a corpus can choose from."""

    years: tuple[int, int] | None = None  # first and last
    grades: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    documents: int = 0
    passages: int = 0


@dataclass(frozen=True)
class Word:
    """A word of a passage and how much it carried, by its place in the document's text."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Carried:
    """Why one passage stands in the answer.

    Attributes:
        words: Weights of its words; positive for it, negative against it.
        features: (name, value, effect on the ranker's score), largest first.
    """

    words: tuple[Word, ...] = ()
    features: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why an answer is what it is.

    Attributes:
        carried: One per piece of evidence, in its order.
        without: By piece of evidence, the confidence once its passage is left out.
    """

    carried: tuple[Carried, ...]
    without: tuple[float, ...] = ()


@dataclass(frozen=True)
class Advice:
    """One card of decision support, as CDS Hooks shapes it."""

    indicator: str  # info, warning or critical
    summary: str
    detail: str = ""
    source: str = ""
    link: str = ""


@dataclass(frozen=True)
class Score:
    """What a calculator made of the record."""

    name: str
    value: str  # with its unit; empty where an input is missing
    says: str = ""
    inputs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()  # absent, as the record does not mention it
    link: str = ""


class Reader(Protocol):
    """What the pages ask of an opened model, its corpus and its decision support."""

    def answer(self, question: Question) -> Answer:
        """Evidence, or the reason for none; raises CasekitError on what cannot be read."""
        ...

    def text(self, document: str) -> str:
        """A document's text, empty if there is no such document."""
        ...

    def facets(self) -> Facets:
        """What there is to filter by."""
        ...

    def explain(self, question: Question, answer: Answer) -> Explanation:
        """Why the answer is what it is; takes seconds."""
        ...

    def advise(self, record: Record) -> tuple[Advice, ...]:
        """What to beware of in a record, most urgent first."""
        ...

    def scores(self, record: Record) -> tuple[Score, ...]:
        """What the calculators make of a record."""
        ...


@dataclass(frozen=True)
class Desk:
    """An opened bundle and the texts around it; shared by all sessions, so nobody writes to it.

    Attributes:
        reader: Answers questions.
        manifest: What the bundle says about itself.
        patients: FHIR bundles of made-up patients, by name.
        signer: Public key that signed the bundle, empty for a desk that was not opened from one.
        own: Whether the signer is this user.
        files: Texts of the bundle that pages show, by path.
    """

    reader: Reader
    manifest: Manifest
    words: Words
    patients: Mapping[str, Path] = field(default_factory=dict)
    signer: str = ""
    own: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
