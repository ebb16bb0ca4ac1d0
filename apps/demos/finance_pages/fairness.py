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

FOUR_FIFTHS = 0.8
LEAST = 30  # loans in a group below which its rate says too little
MOST_GROUPS = 8


def fairness_card(desk: Desk, language: str, cutoff: float) -> str:
    """Approval rate, its ratio to the highest, and default rate, by protected group.

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
    note = escape(words("fairness.few_note", language, least=LEAST))
    return (
        f'<section class="ck-card">{title}<p class="ck-quiet">{lead}</p>{tables}'
        f'<p class="ck-quiet">{note}</p></section>'
    )


def _column(desk: Desk, language: str, cutoff: float, name: str) -> str:
    words = desk.words
    label = words(f"fields.{name}", language) if words.has(f"fields.{name}") else readable(name)
    groups = _groups(desk, language, name)
    approved = desk.reference["pd"].to_numpy(float) < cutoff
    bad = desk.reference["target"].to_numpy(float)
    table = (
        pd.DataFrame({"group": groups, "approved": approved, "bad": bad})
        .groupby("group", sort=True, observed=True)
        .apply(
            lambda g: pd.Series(
                {
                    "n": len(g),
                    "rate": g["approved"].mean(),
                    "bad": g.loc[g["approved"], "bad"].mean() if g["approved"].any() else np.nan,
                }
            ),
            include_groups=False,
        )
    )
    judged = table["n"] >= LEAST
    highest = table.loc[judged, "rate"].max() if judged.any() else np.nan
    rows = [
        _row(str(group), row, highest, desk, language)
        for group, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    head = [words(f"fairness.{c}", language) for c in ("group", "n", "rate", "verdict", "bad")]
    return f"<h4>{escape(label)}</h4>" + html_table(head, rows, numbers=(1, 2, 4))


def _row(
    group: str, row: dict[str, float], highest: float, desk: Desk, language: str
) -> list[object]:
    words = desk.words
    if row["n"] < LEAST or not highest > 0:
        verdict = f'<span class="ck-quiet">{escape(words("fairness.few", language))}</span>'
    elif row["rate"] == highest:
        verdict = f'<span class="ck-quiet">{escape(words("fairness.highest", language))}</span>'
    else:
        ratio = row["rate"] / highest
        word = "meets" if ratio >= FOUR_FIFTHS else "below"
        kind = "approve" if ratio >= FOUR_FIFTHS else "decline"
        sign = "✓" if ratio >= FOUR_FIFTHS else "✗"
        text = f"{sign} {percent(ratio)} {escape(words(f'fairness.{word}', language))}"
        verdict = f'<span class="ck-tag ck-{kind}">{text}</span>'
    bad = "–" if row["bad"] != row["bad"] else percent(row["bad"])
    return [group, f"{row['n']:,.0f}", percent(row["rate"]), Markup(verdict), bad]


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
