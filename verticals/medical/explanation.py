"""Answers the run's own question for its patient, and explains the answer."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson

from verticals.medical.answer import Question
from verticals.medical.answering import answer
from verticals.medical.data import patient_file
from verticals.medical.stages import Evaluated, Explained
from verticals.medical.why import explain_answer


def explain(evaluated: Evaluated) -> Explained:
    """Answer the parameters' question, and say which documents and words carried it.

    Raises:
        DataError: The question or the patient cannot be read.
    """
    engine = evaluated.fitted.engine
    parameters = evaluated.fitted.split.checked.loaded.parameters
    patient = None
    if parameters.patient is not None:
        patient = _bundle(patient_file(parameters.patient))
    question = Question(question=parameters.question, patient=patient, filters=None, limit=5)
    found = answer(question, engine)
    return Explained(evaluated, parameters.question, found, explain_answer(question, found, engine))


def _bundle(file: Path) -> dict[str, object]:
    """The FHIR bundle of a file that `check` has already read."""
    payload = file.read_bytes()
    read: dict[str, object] = orjson.loads(
        gzip.decompress(payload) if file.suffix == ".gz" else payload
    )
    return read
