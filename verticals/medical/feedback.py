"""What readers said of answers: kept in an append-only file, for the next renewal.

An entry never holds the patient, nor the facts of the patient that shaped a search; personal data
in the question and the comment is replaced before anything is written.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.deployment.signing import casekit_home
from core.errors import DataError
from verticals.medical.answer import Answer
from verticals.medical.labelled import LabelledQuestion
from verticals.medical.patient.privacy import replace_personal

Verdict = Literal["useful", "wrong", "unsafe"]
LONGEST_COMMENT = 2_000  # characters
LONGEST_QUESTION = 2_000


class Quoted(BaseModel):
    """A place that was quoted: enough to find it again, whatever became of the index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: str
    start: int
    end: int


class Feedback(BaseModel):
    """One verdict on one answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(default_factory=lambda: secrets.token_hex(8))
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    verdict: Verdict
    comment: str = Field("", max_length=LONGEST_COMMENT)
    question: str = Field(max_length=LONGEST_QUESTION)
    status: Literal["answered", "abstained"]
    confidence: float = Field(ge=0, le=1)
    quoted: tuple[Quoted, ...] = ()
    bundle: str = Field("", description="Fingerprint of the data that the model was packed with.")


def feedback_file() -> Path:
    """Where feedback is kept: medical/feedback.jsonl in casekit's own folder."""
    return casekit_home() / "medical" / "feedback.jsonl"


def give_feedback(
    verdict: Verdict,
    question: str,
    answer: Answer,
    comment: str = "",
    *,
    bundle: str = "",
    known: Sequence[str] = (),
    path: Path | None = None,
) -> Feedback:
    """Keep a verdict on an answer.

    Args:
        verdict: Whether the answer was useful, wrong or unsafe.
        question: As it was asked, without the patient's facts.
        answer: What was shown; only the places of its quotations are kept.
        comment: In the reader's words, up to 2,000 characters.
        bundle: Fingerprint of the data behind the model.
        known: What must not survive in either text, from `patient.privacy.identifiers`.
        path: The file; by default `feedback_file()`.

    Returns:
        What was written.

    Raises:
        DataError: The verdict is unknown, the comment or the question too long, or the file
            cannot be written.
    """
    shown = answer.evidence if answer.status == "answered" else answer.nearest
    try:
        entry = Feedback(
            verdict=verdict,
            comment=replace_personal(comment.strip(), known),
            question=replace_personal(question.strip(), known),
            status=answer.status,
            confidence=answer.confidence,
            quoted=tuple(Quoted(document=e.document, start=e.start, end=e.end) for e in shown),
            bundle=bundle,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(first["msg"], where=where, remedy="Shorten or correct it") from None
    append_line(path or feedback_file(), entry.model_dump_json() + "\n")
    return entry


def append_line(path: Path, line: str) -> None:
    """Add a line in one write to a file that its owner alone can read.

    Raises:
        DataError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise DataError(
            f"feedback cannot be kept: {error.strerror}",
            where=str(path),
            remedy="Set CASEKIT_HOME to a folder that can be written",
        ) from error


def read_feedback(path: Path | None = None) -> tuple[Feedback, ...]:
    """Every verdict so far, oldest first; none where nobody gave one.

    Raises:
        DataError: A line is no verdict; names it.
    """
    file = path or feedback_file()
    if not file.is_file():
        return ()
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return tuple(_entry(line, file, number) for number, line in lines if line.strip())


def _entry(line: str, file: Path, number: int) -> Feedback:
    try:
        return Feedback.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise DataError(
            f"a line holds no verdict: {fault}",
            where=f"{file.name}, line {number}",
            remedy="Remove the line; it was cut off or edited",
        ) from None


def as_labelled(feedback: Iterable[Feedback]) -> tuple[LabelledQuestion, ...]:
    """What renewal learns from: questions whose answer was found useful, with what it quoted.

    A question that anybody called wrong or unsafe is left out: a person has to look at it.
    """
    given = tuple(feedback)
    doubted = {entry.question for entry in given if entry.verdict != "useful"}
    found: dict[str, dict[str, None]] = {}
    for entry in given:
        if entry.status == "answered" and entry.question not in doubted:
            found.setdefault(entry.question, {}).update(
                dict.fromkeys(quoted.document for quoted in entry.quoted)
            )
    return tuple(LabelledQuestion(question, tuple(names)) for question, names in found.items())
