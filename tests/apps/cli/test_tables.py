"""What a terminal shows first, and how."""

from __future__ import annotations

import io

import pandas as pd
from rich.console import Console

from apps.cli.tables import frame_table, headlines, measurement_row
from core.deployment.results import Measurement, Split


def measured(metric: str, split: Split, model: str) -> Measurement:
    return Measurement(metric=metric, value=0.5, n=1, split=split, model=model)


def shown(table: object) -> str:
    file = io.StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


def test_headlines_are_the_leaders_on_the_most_strictly_kept_split() -> None:
    everything = [
        measured("roc_auc", "test", "scorecard"),
        measured("roc_auc", "test", "blend"),
        measured("roc_auc", "private", "blend"),
        measured("brier", "private", "blend"),
        measured("roc_auc", "private", "scorecard"),
        measured("coverage", "test", "blend"),
    ]
    found = [(m.metric, m.split, m.model) for m in headlines(everything)]
    assert found == [("roc_auc", "private", "blend"), ("brier", "private", "blend"),
                     ("coverage", "test", "blend")]  # fmt: skip
    assert headlines([]) == []


def test_what_a_table_holds_is_text_never_markup() -> None:
    frame = pd.DataFrame({"[red]name": ["[bold]x[/bold]", None], "n": [1, 2_000_000]})
    text = shown(frame_table("[link]t", frame))
    assert "[bold]x[/bold]" in text
    assert "2000000" in text


def test_long_tables_say_that_there_is_more() -> None:
    assert "first 40 of 1,000" in shown(frame_table("Rows", pd.DataFrame({"a" * 40: range(1000)})))


def test_a_measurement_without_interval_or_baseline_leaves_blanks() -> None:
    row = measurement_row(measured("ks", "test", "m"))
    assert row == ["ks", "0.5", "", "1", "test", "m", ""]
