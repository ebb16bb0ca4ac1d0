"""What would change the answer, as a card: the smallest changes found, each scored again."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.finance_pages.answer_card import badge, percent
from apps.demos.finance_pages.asking import ask
from apps.demos.finance_pages.fields import value_label
from apps.demos.finance_pages.search import Found, changeable, find_changes

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk


def change_card(desk: Desk, applicant: Mapping[str, Any], language: str) -> str:
    """The card for one applicant.

    Args:
        desk: The opened bundle.
        applicant: Values of the form.
        language: Of the texts.

    Raises:
        DataError: The applicant cannot be scored.
    """
    words = desk.words
    answer = ask(desk, applicant, language)
    if answer.decision == "approve":
        body = _quiet(words("change.already", language))
    elif not changeable(desk):
        body = _quiet(words("change.closed", language))
    else:
        changes = find_changes(desk, applicant, answer.decision)
        items = "".join(_item(desk, applicant, change, language) for change in changes)
        body = (
            _quiet(words("change.lead", language))
            + f'<ul class="ck-tests">{items}</ul>'
            + _quiet(words("change.not_advice", language))
            if changes
            else _quiet(words("change.none", language))
        )
    title = escape(words("change.title", language))
    return f'<section class="ck-card"><h3>{title}</h3>{body}</section>'


def _quiet(text: str) -> str:
    return f'<p class="ck-quiet">{escape(text)}</p>'


def _item(desk: Desk, applicant: Mapping[str, Any], change: Found, language: str) -> str:
    words = desk.words
    labels = {field.name: field.label(words, language) for field in desk.fields}
    moves = "<br>".join(
        escape(
            words(
                "change.to",
                language,
                field=labels[name],
                old=value_label(applicant.get(name), words, language),
                new=value_label(value, words, language),
            )
        )
        for name, value in change.values.items()
    )
    gives = escape(words("change.gives", language, pd=percent(change.pd)))
    return (
        f'<li><span>{moves}</span><span class="ck-gives">{badge(change.decision, words, language)}'
        f'<span class="ck-num">{gives}</span></span></li>'
    )
