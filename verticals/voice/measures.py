"""What a home's judged recordings amount to, with 95% intervals, and how two bundles compare.

Whole speakers are drawn again, because one speaker's recordings err together; where there are
fewer than four, recordings are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.deployment.results import Measurement
from core.evaluation.bootstrap import Interval, PairedTest, rate_interval, share_interval
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.regression import SHARES

MODEL, BASELINE = "voice assistant", "the same without the home's words and the learned model"
LOWER_IS_BETTER = ("word_error_rate", "wake_missed", "woken_by_mistake", "seconds_whole")
CHANGES = ("metric", "before", "after", "change", "low", "high", "p")
Row = tuple[str, float, float, float, float, float, float]
_FEWEST_SPEAKERS = 4
_CHANCE = 0.05
_SLOWER, _SLOWER_S = 1.2, 0.1  # times as slow, and seconds, from which it counts
_DRAWS = 2000


def measure(table: pd.DataFrame, plain: pd.DataFrame | None = None) -> tuple[Measurement, ...]:
    """Word error rate, shares of recordings understood and done, and the wake word.

    Args:
        table: Of `verticals.voice.regression.judge`.
        plain: The same recordings judged without the home's words: the baseline.
    """
    found = []
    worded = table[table["words"] > 0]
    if len(worded):
        wer = _errors(worded)
        found.append(_measurement("word_error_rate", wer, None if plain is None else _wer(plain)))
    for name in SHARES:
        part = _known(table, name)
        if len(part):
            beside = None if plain is None else float(plain.loc[part.index, name].mean())
            found.append(_measurement(name, _share(part, name), beside))
    return (*found, *_waking(table))


def latencies(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds from the end of speech, by stage and for the whole: median and 95th percentile.

    Intervals are of the recordings drawn again.
    """
    rows = []
    for name in (c for c in table.columns if c.startswith("seconds_")):
        took = table[name].dropna().to_numpy(float)
        drawn = took[np.random.default_rng(0).integers(len(took), size=(_DRAWS, len(took)))]
        ends = [np.quantile(np.quantile(drawn, q, axis=1), (0.025, 0.975)) for q in (0.5, 0.95)]
        rows.append((name.removeprefix("seconds_"), np.median(took), *ends[0],
                     np.quantile(took, 0.95), *ends[1], len(took)))  # fmt: skip
    columns = ["stage", "median s", "low", "high", "95th percentile s", "low ", "high ", "n"]
    return pd.DataFrame(rows, columns=columns)


def by_speaker(table: pd.DataFrame) -> pd.DataFrame:
    """Who is understood worst: word errors and requests done rightly, by speaker."""
    rows = []
    for speaker, part in table.groupby("speaker"):
        done = part["done_right"].dropna()
        rows.append((speaker, len(part), part["errors"].sum() / max(part["words"].sum(), 1),
                     float(done.astype(float).mean()) if len(done) else float("nan")))  # fmt: skip
    columns = ["speaker", "recordings", "word error rate", "done rightly"]
    return pd.DataFrame(rows, columns=columns).sort_values("done rightly", ignore_index=True)


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Two bundles on the same recordings: every number, its change and whether it may be chance.

    Args:
        before: Of the bundle in use, by `judge`.
        after: Of the one that may replace it.

    Returns:
        metric, before, after, change, low, high, p; change is after minus before.

    Raises:
        ValueError: The tables are of different recordings.
    """
    if list(before["recording"]) != list(after["recording"]):
        raise ValueError("the two reports are of different recordings")
    rows = []
    if after["words"].sum():
        test = paired_ratios(after["errors"], before["errors"], after["words"], units(after))
        rows.append(_change("word_error_rate", _wer(before), _wer(after), test))
    for name in (*SHARES, "seconds_whole"):
        new = after if name.startswith("seconds") else _known(after, name)
        new = new[before.loc[new.index, name].notna()]
        if len(new):
            rows.append(_paired(name, before.loc[new.index, name], new[name], new))
    if "woken" in before and "woken" in after:
        rows += _waking_changes(before, after)
    return pd.DataFrame(rows, columns=list(CHANGES))


def worse(changes: pd.DataFrame) -> list[str]:
    """The metrics that became worse, beyond chance (two-sided p below 0.05).

    Time counts from a fifth and a tenth of a second more on: two runs never meet an equally busy
    machine, and nobody notices less.
    """
    found = []
    for row in changes.to_dict("records"):
        rose = row["change"] > 0
        felt = row["metric"] != "seconds_whole" or (
            row["after"] > max(_SLOWER * row["before"], row["before"] + _SLOWER_S)
        )
        if row["p"] < _CHANCE and rose == (row["metric"] in LOWER_IS_BETTER) and felt:
            found.append(str(row["metric"]))
    return found


def units(table: pd.DataFrame) -> list[str]:
    """What is drawn again: the speaker of every recording, or, of few speakers, the recording."""
    few = table["speaker"].nunique() < _FEWEST_SPEAKERS
    return list(table["recording" if few else "speaker"])


def _errors(worded: pd.DataFrame) -> Interval:
    """Errors a word; Wilson's interval of the words where none was wrong."""
    words, errors = int(worded["words"].sum()), int(worded["errors"].sum())
    if not errors:
        return replace(share_interval(0, words), n=len(worded))
    return ratio_interval(worded["errors"], worded["words"], units(worded))


def _known(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["judged"] & table[name].notna()]


def _share(part: pd.DataFrame, name: str) -> Interval:
    """A share of recordings; Wilson's interval where all are right or all wrong."""
    right = part[name].astype(float)
    if right.nunique() == 1:
        return share_interval(int(right.sum()), len(right))
    return ratio_interval(right, np.ones(len(part)), units(part))


def _waking(table: pd.DataFrame) -> list[Measurement]:
    """How often the wake phrase was missed, and what else woke it in an hour."""
    if "woken" not in table:
        return []
    said, other = table[table["wake"]], table[~table["wake"]]
    found = []
    if len(said):
        missed = share_interval(int((said["woken"] == 0).sum()), len(said))
        found.append(_measurement("wake_missed", missed, None))
    if len(other):
        hours = float(other["length_s"].sum()) / 3600
        rate = rate_interval(int(other["woken"].sum()), hours)
        found.append(_measurement("false_wakes_an_hour", Interval(
            rate.value, rate.low, rate.high, len(other)
        ), None))  # fmt: skip
    return found


def _waking_changes(before: pd.DataFrame, after: pd.DataFrame) -> list[Row]:
    """Wake phrases missed, and recordings that woke it by mistake, before and after."""
    rows = []
    for name, said in (("wake_missed", True), ("woken_by_mistake", False)):
        part = after[after["wake"] == said]
        if len(part):
            old, new = ((t.loc[part.index, "woken"] > 0) != said for t in (before, after))
            rows.append(_paired(name, old, new, part))
    return rows


def _paired(name: str, old: pd.Series, new: pd.Series, rows: pd.DataFrame) -> Row:
    """The change of a mean over the same recordings."""
    first, second = new.to_numpy(float), old.to_numpy(float)
    test = paired_ratios(first, second, np.ones(len(rows)), units(rows))
    return _change(name, float(second.mean()), float(first.mean()), test)


def _change(name: str, before: float, after: float, test: PairedTest) -> Row:
    return name, before, after, test.difference, test.low, test.high, test.p_value


def _wer(table: pd.DataFrame) -> float:
    return float(table["errors"].sum() / max(table["words"].sum(), 1))


def _measurement(metric: str, interval: Interval, beside: float | None) -> Measurement:
    return Measurement(
        metric=metric, value=interval.value, low=interval.low, high=interval.high, n=interval.n,
        split="test", model=MODEL, baseline=beside,
        baseline_model=None if beside is None else BASELINE,
    )  # fmt: skip
