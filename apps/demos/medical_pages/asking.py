"""Ask the engine: what the form holds in, an answer or one clear problem out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from pydantic import ValidationError

from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk
    from apps.demos.medical_pages.records import Record
    from apps.demos.words import Words
    from verticals.medical.answer import Answer, Filters, Question

QUOTES = 5  # pieces of evidence at most


@dataclass(frozen=True)
class Asked:
    """A question as it was put, and what came back."""

    question: Question
    answer: Answer


def ask(
    desk: Desk, text: str, record: Record | None = None, filters: Filters | None = None
) -> Asked:
    """Put a question.

    Args:
        desk: Whose engine answers.
        text: As it was typed.
        record: The patient it is asked for.
        filters: Which documents may answer; none for all.

    Raises:
        DataError: The question or the patient cannot be used; names it.
    """
    from verticals.medical.answer import Question

    bundle = dict(record.bundle) if record else None
    with _told():
        question = Question(question=text, patient=bundle, filters=filters, limit=QUOTES)
    return Asked(question, desk.reader.answer(question))


def filters_of(
    first: float | None, last: float | None, grades: Sequence[str], organisations: Sequence[str]
) -> Filters | None:
    """What the form's filters say; None if they say nothing.

    Args:
        first: Year from which a document may answer.
        last: Year up to which.
        grades: Kinds of evidence; none for all.
        organisations: Guideline bodies; none for all.

    Raises:
        DataError: A year is none.
    """
    from verticals.medical.answer import Filters

    if not (first or last or grades or organisations):
        return None
    with _told():
        return Filters.model_validate(
            {
                "year_from": int(first) if first else None,
                "year_to": int(last) if last else None,
                "grades": tuple(grades),
                "organisations": tuple(organisations),
            }
        )


@contextmanager
def _told() -> Iterator[None]:
    """Turn what pydantic refuses into an error that names the field."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(first["msg"], where=where, remedy="Correct it and ask again") from None


def problem_html(error: CasekitError, words: Words, language: str) -> str:
    """What was wrong, where, and what to do, in place of an answer."""
    place = f'<p class="ck-quiet">{escape(error.where)}</p>' if error.where else ""
    remedy = f"<p>{escape(error.remedy)}</p>" if error.remedy else ""
    what = error.what[:1].upper() + error.what[1:]
    title = escape(words("site.problem", language))
    return (
        f'<section class="ck-card ck-problem" role="alert"><h3>{title}</h3>'
        f"<p><strong>{escape(what)}</strong></p>{place}{remedy}</section>"
    )
