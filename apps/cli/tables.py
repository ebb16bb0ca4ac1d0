"""Tables on a terminal: what they hold is text, never markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from core.deployment.results import Measurement

HEADLINES = ("Metric", "Value", "95% interval", "n", "Split", "Model", "Baseline")
SHORT = 18  # characters of a column that is not broken into lines
SEALED_FIRST = ("private", "test", "backtest", "time", "public", "validation", "train")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Rows as a table; numbers are set to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD)
    body = [[text(cell) for cell in row] for row in rows]
    for i, name in enumerate(columns):
        numeric = bool(body) and all(_is_number(row[i]) for row in body)
        side: Any = "right" if numeric else "left"
        whole = numeric or (bool(body) and max(len(row[i]) for row in body) <= SHORT)
        drawn.add_column(name, justify=side, no_wrap=whole, overflow="fold")
    for row in body:
        drawn.add_row(*(Text(cell) for cell in row))
    return drawn


def frame_table(title: str, frame: pd.DataFrame, most: int = 40) -> Table:
    """A data frame's first rows as a table."""
    more = f" (first {most} of {len(frame):,})" if len(frame) > most else ""
    rows = frame.head(most).itertuples(index=False)
    return table(title + more, [str(c) for c in frame.columns], rows)


def measurement_row(m: Measurement) -> list[str]:
    """One measurement as a row under HEADLINES."""
    interval = "" if m.low is None or m.high is None else f"{text(m.low)} to {text(m.high)}"
    named = m.baseline_model or "baseline"
    baseline = "" if m.baseline is None else f"{text(m.baseline)} ({named})"
    return [m.metric, text(m.value), interval, f"{m.n:,}", m.split, m.model, baseline]


def headlines(measurements: Sequence[Measurement], most: int = 12) -> list[Measurement]:
    """The measurements a reader wants first: of the leading model, on data it never saw.

    The leading model is the one a run lists first on its most strictly kept split. Each of its
    metrics is shown once, on the most strictly kept split it was measured on.
    """
    ordered = sorted(measurements, key=lambda m: SEALED_FIRST.index(m.split))
    chosen: dict[str, Measurement] = {}
    for m in ordered:
        if m.model == ordered[0].model:
            chosen.setdefault(m.metric, m)
    return list(chosen.values())[:most]


def text(value: Any) -> str:
    """A cell as text: three significant digits, thousands apart, blank for missing."""
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "") or "0")
    except ValueError:
        return False
    return True
