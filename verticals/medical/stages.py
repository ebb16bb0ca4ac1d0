"""What each step of the literature case hands to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.deployment.results import Measurement, Results
from verticals.medical.answer import Answer
from verticals.medical.labelled import LabelledQuestion
from verticals.medical.parameters import LiteratureParameters

if TYPE_CHECKING:
    from verticals.medical.answering import Engine
    from verticals.medical.corpus.ingest import IngestReport
    from verticals.medical.corpus.store import Corpus
    from verticals.medical.patient.record import PatientSummary
    from verticals.medical.why import Why


@dataclass(frozen=True)
class Loaded:
    """A corpus as it was ingested, and what was left out."""

    parameters: LiteratureParameters
    corpus: Corpus
    report: IngestReport
    source: str
    fingerprint: str  # of the documents' content
    licence: str = ""  # attribution owed, for embedded data


@dataclass(frozen=True)
class Checked:
    """The corpus described, the labelled questions and the patient read."""

    loaded: Loaded
    questions: tuple[LabelledQuestion, ...]
    drawn_from_titles: bool  # the questions are the documents' own titles: no labels were given
    patient: PatientSummary | None
    findings: pd.DataFrame  # what a consultant should know: skipped, merged, retracted, undated
    facets: pd.DataFrame  # documents by kind of evidence and years


@dataclass(frozen=True)
class Split:
    """Which questions tune, and which are asked once at the end; no document is in both."""

    checked: Checked
    dev: tuple[LabelledQuestion, ...]
    test: tuple[LabelledQuestion, ...]


@dataclass(frozen=True)
class Fitted:
    """The engine, its threshold tuned on the dev questions."""

    split: Split
    engine: Engine
    tuning: pd.DataFrame  # thresholds tried on the dev questions, and what each would cost


@dataclass(frozen=True)
class Evaluated:
    """What the test questions said, with intervals, and the tables behind the report."""

    fitted: Fitted
    measurements: tuple[Measurement, ...]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Explained:
    """The parameters' question answered for their patient, and why so."""

    evaluated: Evaluated
    question: str
    answer: Answer
    why: Why


@dataclass(frozen=True)
class Packed:
    """Where everything is."""

    bundle: Path
    report: Path
    results: Results
