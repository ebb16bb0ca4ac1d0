"""Ask the model: one applicant or a table in, answers or one clear problem out."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Words
    from verticals.finance.answer import CreditAnswer


def ask(desk: Desk, applicant: Mapping[str, Any], language: str) -> CreditAnswer:
    """The answer for one applicant.

    Raises:
        DataError: A field is unknown, or a value is out of the schema; names the field.
    """
    try:
        asked = desk.predictor.input_model.model_validate(dict(applicant))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(
            first["msg"], where=place, remedy="Use the fields and values of the form"
        ) from error
    answer = cast("CreditAnswer", desk.predictor.predict([asked])[0])
    said = [r.model_copy(update={"text": wording(desk, r.code, r.text, language)})
            for r in answer.reasons]  # fmt: skip
    return answer.model_copy(update={"reasons": said})


def wording(desk: Desk, code: str, text: str, language: str) -> str:
    """A reason in a language: as the bundle's mapping words its code, else as it was given."""
    reasons = desk.mapping.reasons if desk.mapping else ()
    known = next((reason for reason in reasons if reason.code == code), None)
    if known is None:
        return text
    return known.zh if language == "zh" else known.en


def problem_card(error: CasekitError, words: Words, language: str) -> str:
    """What was wrong, where, and what to do, in place of an answer."""
    place = f'<p class="ck-quiet">{escape(error.where)}</p>' if error.where else ""
    remedy = f"<p>{escape(error.remedy)}</p>" if error.remedy else ""
    what = error.what[:1].upper() + error.what[1:]
    return (
        f'<section class="ck-card ck-problem" role="alert"><h3>'
        f"{escape(words('problem.title', language))}</h3>"
        f"<p><strong>{escape(what)}</strong></p>{place}{remedy}</section>"
    )
