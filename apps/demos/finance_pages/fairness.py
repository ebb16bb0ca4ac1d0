"""Fairness at a cut-off: approval rates by protected group and the four-fifths rule."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from apps.demos.finance_pages.answer_card import percent
from apps.demos.finance_pages.fields import readable, short, value_label
from apps.demos.finance_pages.tables import Markup, html_table

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk

MOST_GROUPS = 8
_SIGNS = {"meets": ("approve", "✓"), "below": ("decline", "✗")}


def fairness_card(desk: Desk, language: str, cutoff: float) -> str:
    """Approval rate, its ratio to the highest, and good payers approved, by group.

    Args:
        desk: The opened bundle with its reference sample.
        language: Of the texts.
        cutoff: PD from which an application is declined.
    """
    words = desk.words
    columns = [name for name in desk.protected if name in desk.reference]
    title = f"<h3>{escape(words('fairness.title', language))}</h3>"
    if not columns:
        text = escape(words("fairness.none", language))
        return f'<section class="ck-card">{title}<p class="ck-quiet">{text}</p></section>'
    lead = escape(words("fairness.lead", language))
    tables = "".join(_column(desk, language, cutoff, name) for name in columns)
    note = escape(words("fairness.few_note", language))
    return (
        f'<section class="ck-card">{title}<p class="ck-quiet">{lead}</p>{tables}'
        f'<p class="ck-quiet">{note}</p></section>'
    )


def _column(desk: Desk, language: str, cutoff: float, name: str) -> str:
    from verticals.finance.fairness import fairness_table

    words, groups = desk.words, _groups(desk, language, name)
    label = words(f"fields.{name}", language) if words.has(f"fields.{name}") else readable(name)
    table = fairness_table(
        desk.reference["target"].to_numpy(int),
        desk.reference["pd"].to_numpy(float),
        {name: pd.Series(groups.astype(str))},
        cutoff=cutoff,
    ).set_index("group")
    shown = [str(group) for group in groups.categories if str(group) in table.index]
    head = [words(f"fairness.{c}", language) for c in ("group", "n", "rate", "verdict", "good")]
    rows = [_row(group, table.loc[group], desk, language) for group in shown]
    return f"<h4>{escape(label)}</h4>" + html_table(head, rows, numbers=(1, 2, 4))


def _row(group: str, row: pd.Series, desk: Desk, language: str) -> list[object]:
    verdict = str(row["verdict"])
    if verdict in _SIGNS:
        kind, sign = _SIGNS[verdict]
        word = escape(desk.words(f"fairness.{verdict}", language))
        shown = f'<span class="ck-tag ck-{kind}">{sign} {percent(row["ratio"])} {word}</span>'
    else:
        word = escape(
            desk.words(f"fairness.{'highest' if verdict[:1] == 'h' else 'few'}", language)
        )
        shown = f'<span class="ck-quiet">{word}</span>'
    good = "–" if np.isnan(row["good_approved"]) else percent(row["good_approved"])
    return [group, f"{row['n']:,.0f}", percent(row["approval_rate"]), Markup(shown), good]


def _groups(desk: Desk, language: str, name: str) -> pd.Categorical:
    """The group of every reference row; numbers such as ages fall into quarters of the book."""
    words, values = desk.words, desk.reference[name]
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().mean() < 0.9 or numbers.nunique() <= MOST_GROUPS:
        return pd.Categorical([value_label(value, words, language) for value in values])
    edges = np.unique(np.round(numbers.quantile([0.25, 0.5, 0.75])))
    labels = [words("fairness.under", language, high=short(edges[0]))]
    labels += [
        words("fairness.years", language, low=short(a), high=short(b)) for a, b in pairwise(edges)
    ]
    labels += [words("fairness.over", language, low=short(edges[-1]))]
    positions = np.searchsorted(edges, numbers.to_numpy(float), side="right")
    return pd.Categorical.from_codes(positions, labels, ordered=True)
