"""The first steps of the literature case: ingest the corpus, describe it, part the questions."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.errors import ParameterError
from verticals.medical.labelled import EMBEDDED, LabelledQuestion, read_labelled
from verticals.medical.parameters import LiteratureParameters
from verticals.medical.stages import Checked, Loaded, Split

if TYPE_CHECKING:
    from verticals.medical.corpus.store import Corpus
    from verticals.medical.patient.record import PatientSummary

SAMPLES = Path(__file__).with_name("patient") / "samples"
GUIDELINES = "guidelines"
_MOST_TITLES = 200  # drawn as questions where there are no labels
_LONG_TITLE = 5  # words; shorter ones say too little to find a document by


def load(parameters: LiteratureParameters) -> Loaded:
    """Ingest the corpus into `out`/corpora; what is there already is not read again.

    Raises:
        DataError: Nothing readable is there.
    """
    from core.models.resolver import asset
    from verticals.medical.corpus.ingest import ingest

    report = ingest(parameters.data, corpus_folder(parameters.data, parameters.out))
    embedded = parameters.data == GUIDELINES
    return Loaded(
        parameters, report.corpus, report, parameters.data, report.corpus.fingerprint,
        asset("open_medicine_guidelines").attribution if embedded else "",
    )  # fmt: skip


def corpus_folder(source: str, out: str | Path) -> Path:
    """Where the corpus of a source is kept, the same one for every run."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9]+", "-", Path(source).name).strip("-")[:40] or "corpus"
    return Path(out) / "corpora" / f"{name}-{digest}"


def check(loaded: Loaded) -> Checked:
    """Describe the corpus, read the labelled questions and the patient.

    Raises:
        DataError: Questions or patient cannot be read, or name documents that are not there.
    """
    parameters, corpus = loaded.parameters, loaded.corpus
    questions, drawn = _questions(parameters, corpus)
    return Checked(
        loaded, questions, drawn, _patient(parameters.patient), _findings(loaded), _facets(corpus)
    )


def split(checked: Checked) -> Split:
    """Part the questions into dev and test; no document answers questions of both.

    Raises:
        ParameterError: Too few questions to part.
    """
    given = [q for q in checked.questions if q.split]
    if len(given) == len(checked.questions):
        dev = [q for q in given if q.split == "dev"]
        test = [q for q in given if q.split == "test"]
    else:
        dev, test = _parted(checked.questions, checked.loaded.parameters.seed)
    if not any(q.answerable for q in dev) or not any(q.answerable for q in test):
        raise ParameterError(
            f"{len(checked.questions)} labelled questions are too few to tune and to test on",
            where="questions",
            remedy="Label at least 20, over several documents",
        )
    return Split(checked, tuple(dev), tuple(test))


def patient_file(name: str) -> Path:
    """The FHIR bundle of a patient: a path, or the name of a made-up sample."""
    sample = SAMPLES / f"{name}.json"
    return sample if sample.is_file() else Path(name)


def sample_patients() -> tuple[str, ...]:
    """Names of the made-up patients."""
    return tuple(sorted(p.stem for p in SAMPLES.glob("*.json")))


def _patient(name: str | None) -> PatientSummary | None:
    if name is None:
        return None
    from verticals.medical.patient.fhir import read_patient

    file = patient_file(name)
    if not file.is_file():
        raise ParameterError(
            f"there is no patient {name!r}",
            where="patient",
            remedy=f"Name a FHIR bundle, or one of {', '.join(sample_patients())}",
        )
    return read_patient(file)


def _questions(
    parameters: LiteratureParameters, corpus: Corpus
) -> tuple[tuple[LabelledQuestion, ...], bool]:
    """Labelled questions, and whether they had to be drawn from titles."""
    if parameters.questions is not None:
        return _known(read_labelled(parameters.questions), corpus), False
    if parameters.data == GUIDELINES:
        return _known(read_labelled(EMBEDDED), corpus), False
    titled = [d for d in corpus.documents() if len(d.title.split()) >= _LONG_TITLE]
    drawn = random.Random(parameters.seed).sample(titled, min(_MOST_TITLES, len(titled)))  # noqa: S311
    return tuple(LabelledQuestion(d.title, (d.id,)) for d in drawn), True


def _known(questions: tuple[LabelledQuestion, ...], corpus: Corpus) -> tuple[LabelledQuestion, ...]:
    """The questions, if their documents are in the corpus."""
    there = {d.id for d in corpus.documents()}
    for question in questions:
        if question.answerable and not there & set(question.documents):
            raise ParameterError(
                f"document {question.documents[0]!r} is not in the corpus",
                where=f"questions: {question.question[:60]!r}",
                remedy="Use the documents' own identifiers, such as pmid:31715818",
            )
    return questions


def _parted(
    questions: Sequence[LabelledQuestion], seed: int
) -> tuple[list[LabelledQuestion], list[LabelledQuestion]]:
    """Halves by document: questions that share a document stay together."""
    groups: dict[str, list[LabelledQuestion]] = {}
    home: dict[str, str] = {}  # document -> its group
    for number, question in enumerate(questions):
        names = sorted({home[d] for d in question.documents if d in home})
        name = names[0] if names else f"group {number}"
        merged = [q for other in names for q in groups.pop(other)]
        groups[name] = [*merged, question]
        home |= {d: name for q in groups[name] for d in q.documents}
    parts = list(groups.values())
    random.Random(seed).shuffle(parts)  # noqa: S311 - a split, not a secret
    dev: list[LabelledQuestion] = []
    test: list[LabelledQuestion] = []
    for part in parts:
        (dev if len(dev) <= len(test) else test).extend(part)
    return dev, test


def _findings(loaded: Loaded) -> pd.DataFrame:
    """What was left out or lacks something, one row each."""
    report = loaded.report
    documents = list(loaded.corpus.documents())
    undated = sum(d.year is None for d in documents)
    unlinked = sum(not d.link for d in documents)
    rows = [
        ("skipped", len(report.skipped), _first_skipped(loaded), "Repair or leave out"),
        ("near-duplicates", report.duplicates, "merged with the document they repeat", ""),
        ("retracted", report.retracted, "never used as evidence", "Tell whoever cites them"),
        ("without a year", undated, "left out by filters on years", "Add `year`"),
        ("without a link", unlinked, "a reader cannot verify them", "Add `doi` or `pmid`"),
    ]
    found = [row for row in rows if row[1]] or [("nothing left out", len(documents), "", "")]
    return pd.DataFrame(found, columns=["finding", "documents", "detail", "remedy"])


def _first_skipped(loaded: Loaded) -> str:
    skipped = loaded.report.skipped
    return f"{skipped[0].file}, {skipped[0].position}: {skipped[0].reason}" if skipped else ""


def _facets(corpus: Corpus) -> pd.DataFrame:
    """Documents by kind of evidence, with their years."""
    from verticals.medical.answer import GRADES
    from verticals.medical.evidence.grade import grade

    table = pd.DataFrame([(grade(d), d.year, d.organisation) for d in corpus.documents()])
    table.columns = pd.Index(["kind of evidence", "year", "organisation"])
    grouped = table.groupby("kind of evidence", sort=False)
    out = grouped.agg(
        documents=("year", "size"), first_year=("year", "min"), last_year=("year", "max"),
        bodies=("organisation", "nunique"),
    )  # fmt: skip
    years = ["first_year", "last_year"]  # as words: a year is not a number to be grouped
    out[years] = out[years].astype("Int64").astype(str)
    return out.reindex([g for g in GRADES if g in out.index]).reset_index()
