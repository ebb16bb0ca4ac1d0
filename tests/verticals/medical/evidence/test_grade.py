"""Grades of real-looking records, judged by hand."""

from __future__ import annotations

import pytest

from verticals.medical.corpus.documents import Document
from verticals.medical.evidence.grade import grade

TITLES = [
    ("2023 ACC/AHA guideline for the diagnosis and management of atrial fibrillation", "guideline"),
    ("Management of sepsis in adults: a clinical practice guideline", "guideline"),
    ("Consensus statement on the care of adults with sickle cell disease", "guideline"),
    ("Standards of care in diabetes: position statement of a national society", "guideline"),
    ("Screening for lung cancer: recommendation statement", "guideline"),
    ("Adherence to guidelines for community-acquired pneumonia in Dutch hospitals", "other"),
    ("Impact of a guideline on antibiotic prescribing: a retrospective study", "cohort study"),
    ("Statins for primary prevention: a systematic review and meta-analysis", "systematic review"),
    ("Beta-blockers after infarction: meta-analysis of randomised trials", "systematic review"),
    ("Exercise in heart failure: an umbrella review", "systematic review"),
    ("Vitamin D for asthma: protocol for a systematic review", "other"),
    ("Dapagliflozin in heart failure: a randomized, double-blind trial", "randomised trial"),
    ("Early versus late tracheotomy: a randomised controlled trial", "randomised trial"),
    ("A placebo-controlled study of zinc lozenges for the common cold", "randomised trial"),
    ("Yoga for back pain: study protocol of a randomised controlled trial", "other"),
    ("Body mass index and stroke: a Mendelian randomization study", "cohort study"),
    ("A non-randomised comparison of two stents", "cohort study"),
    ("Nonrandomized evaluation of home nursing", "cohort study"),
    ("Coffee and mortality in a prospective cohort of 90,000 nurses", "cohort study"),
    ("Risk factors for falls: a case-control study", "cohort study"),
    ("Cross-sectional survey of hand hygiene in intensive care", "cohort study"),
    ("Real-world persistence with biologics in psoriasis", "cohort study"),
    ("Lithium toxicity after thiazide treatment: a case report", "case report"),
    ("A rare cause of hyponatraemia in a 34-year-old woman", "case report"),
    ("Report of two cases of drug-induced lupus", "case report"),
    ("Spontaneous splenic rupture: a case of misdiagnosis", "case report"),
    ("Structure of the human insulin receptor", "other"),
    ("Why do we sleep?", "other"),
    ("", "other"),
]
TYPES = [
    (("Journal Article", "Practice Guideline"), "guideline"),
    (("Meta-Analysis", "Randomized Controlled Trial"), "systematic review"),
    (("Journal Article", "Systematic Review"), "systematic review"),
    (("Randomized Controlled Trial", "Multicenter Study"), "randomised trial"),
    (("Pragmatic Clinical Trial",), "randomised trial"),
    (("Observational Study", "Comparative Study"), "cohort study"),
    (("Case Reports", "Letter"), "case report"),
    (("Editorial",), "other"),
    (("Journal Article",), "other"),
]
TEXTS = [
    ("We searched MEDLINE, Embase and CENTRAL up to May 2019.", "systematic review"),
    ("Patients were randomly assigned to metoprolol or placebo.", "randomised trial"),
    ("120 women were randomized to two groups of 60.", "randomised trial"),
    ("We retrospectively reviewed the charts of 84 children.", "cohort study"),
    ("We report a case of severe lactic acidosis.", "case report"),
    ("Mice lacking the receptor gained weight.", "other"),
]


@pytest.mark.parametrize(("title", "expected"), TITLES)
def test_titles(title: str, expected: str) -> None:
    assert grade(Document(id="x", title=title, text="")) == expected


@pytest.mark.parametrize(("types", "expected"), TYPES)
def test_publication_types(types: tuple[str, ...], expected: str) -> None:
    assert grade(Document(id="x", title="On the heart", text="", publication_types=types)) == (
        expected
    )


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_texts(text: str, expected: str) -> None:
    assert grade(Document(id="x", title="On the heart", text=text)) == expected


def test_types_outrank_titles_and_bodies() -> None:
    record = Document(
        id="x", title="Comment on a randomised trial", text="", publication_types=("Comment",)
    )
    assert grade(record) == "other"
    assert grade(Document(id="guideline:a/b", title="Rate control", text="")) == "guideline"
    assert grade(Document(id="a", title="Rate control", text="", organisation="ESC")) == "guideline"


def test_trials_of_evidence_inference(shared_medical) -> None:  # type: ignore[no-untyped-def]
    """Nearly all of these are randomised trials by their title and abstract."""
    import gzip
    import json

    with gzip.open(shared_medical / "evidence_inference" / "abstracts.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    grades = []
    for text in texts:
        title, _, body = text.removeprefix("TITLE:").strip().partition("\n")
        grades.append(grade(Document(id="x", title=title, text=body)))
    assert grades.count("randomised trial") / len(grades) > 0.6
    assert grades.count("guideline") / len(grades) < 0.02
