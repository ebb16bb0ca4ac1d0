"""Looks for what is wrong with a table: gaps, duplicates, outliers, leaks, drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from core.data.leaks import column_aucs

Severity = Literal["info", "warning", "error"]

_SHOWN = 20  # row positions kept in a finding
_MUCH_MISSING = 0.5
_FAR_OUT = 20.0  # interquartile ranges beyond the quartiles
_DRIFT = 0.25  # PSI from which a population is said to have shifted (Siddiqi, 2006)


@dataclass(frozen=True)
class Finding:
    """One thing a person should know about the data, with a remedy."""

    kind: str  # missing, duplicates, near-duplicates, outliers, constant, leak, drift, ...
    column: str  # empty when it concerns whole rows
    severity: Severity
    detail: str
    remedy: str
    rows: tuple[int, ...] = ()  # 0-based positions of the first rows concerned


def profile(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a column: type, share missing, distinct values, quantiles or the most frequent."""
    return pd.DataFrame([_profile(str(name), frame[name]) for name in frame])


def quality_findings(
    frame: pd.DataFrame,
    target: np.ndarray | None = None,
    *,
    time: pd.Series | None = None,
    whole: pd.DataFrame | None = None,
) -> tuple[Finding, ...]:
    """What is wrong with a typed table, the gravest first.

    Args:
        frame: Columns a model might use, typed.
        target: (n,) 0 or 1; without it no leak is looked for.
        time: (n,) dates of the rows; with it, the last 30% are compared with those before.
        whole: The columns that make rows equal, where they are more than `frame`.
    """
    found = [f for name in frame for f in _column_findings(str(name), frame[name])]
    found += duplicate_findings(frame if whole is None else whole, target)
    if target is not None:
        found += leak_findings(frame, target)
    if time is not None:
        found += drift_findings(*_early_and_late(frame, time))
    order = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda f: order[f.severity]))


def leak_findings(frame: pd.DataFrame, target: np.ndarray) -> list[Finding]:
    """Columns that know the outcome, as errors: nothing measured with them can be believed."""
    return [
        Finding(
            "leak",
            leak.column,
            "error",
            leak.why,
            "Left out of the model. If it is known before the decision, keep it with "
            f"columns={{{leak.column!r}: 'keep'}}",
        )
        for leak in column_aucs(frame, target)
        if leak.why
    ]


def duplicate_findings(frame: pd.DataFrame, target: np.ndarray | None = None) -> list[Finding]:
    """Rows that are equal, equal but for the outcome, or equal but for rounding."""
    if frame.shape[1] == 0:
        return []
    hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    keys = pd.DataFrame({"inputs": hashes, "outcome": 0 if target is None else target})
    again = keys.duplicated().to_numpy()
    found = []
    outcomes = keys[keys["inputs"].duplicated(keep=False)].groupby("inputs")["outcome"].nunique()
    if (outcomes > 1).any():
        groups = int((outcomes > 1).sum())
        torn = keys["inputs"].isin(outcomes.index[outcomes > 1]).to_numpy()
        found.append(
            Finding(
                "conflicts",
                "",
                "info",
                f"{groups} groups of otherwise equal rows have different outcomes",
                "No model can tell them apart; check whether a column is missing",
                _positions(torn),
            )
        )
    if again.any():
        detail = f"{int(again.sum())} rows repeat an earlier one"
        found.append(
            Finding(
                "duplicates",
                "",
                "warning" if again.mean() > 0.01 else "info",
                detail,
                "Kept. Remove them at the source, or name `group` so that they stay on one side",
                _positions(again),
            )
        )
    numbers = frame.select_dtypes("number").columns
    if len(numbers) >= 3:  # with fewer, rows are alike by chance
        rounded = frame.assign(**{c: _three_digits(frame[c]) for c in numbers})
        keys["inputs"] = pd.util.hash_pandas_object(rounded, index=False).to_numpy()
        alike = keys.duplicated().to_numpy() & ~again
        if alike.any():
            found.append(
                Finding(
                    "near-duplicates",
                    "",
                    "info",
                    f"{int(alike.sum())} rows equal an earlier one to three digits",
                    "Check whether the same loan was recorded twice",
                    _positions(alike),
                )
            )
    return found


def drift_findings(early: pd.DataFrame, late: pd.DataFrame) -> list[Finding]:
    """Columns whose distribution differs between two parts of a table."""
    from core.monitoring.drift import psi

    found = []
    for name in early.select_dtypes(exclude="datetime"):  # dates move by nature
        value = float(psi(early[name], late[name]))
        if value >= _DRIFT:
            found.append(
                Finding(
                    "drift",
                    str(name),
                    "warning",
                    f"its distribution shifts over time: PSI {value:.2f}",
                    "Ask what changed; prefer a time split and watch it in service",
                )
            )
    return found


def _early_and_late(frame: pd.DataFrame, time: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    rank = time.rank(pct=True, method="min").to_numpy()
    return frame[rank <= 0.7], frame[rank > 0.7]


def _column_findings(name: str, values: pd.Series) -> list[Finding]:
    found = []
    missing = values.isna().to_numpy()
    share = float(missing.mean()) if len(values) else 0.0
    if share > 0:
        much = share > _MUCH_MISSING
        found.append(
            Finding(
                "missing",
                name,
                "warning" if much else "info",
                f"{int(missing.sum())} cells are missing ({share:.1%})",
                "Missing is treated as a value of its own"
                + ("; ask why it is so often empty" if much else ""),
                _positions(missing),
            )
        )
    if len(values) and values.nunique(dropna=False) == 1:
        found.append(
            Finding("constant", name, "info", "it has one value only", "Left out of the model")
        )
    if pd.api.types.is_float_dtype(values.dtype) and share < 1:
        found += _outliers(name, values.to_numpy())
    return found


def _outliers(name: str, array: np.ndarray) -> list[Finding]:
    low, middle, high = np.nanquantile(array, [0.25, 0.5, 0.75])
    spread = high - low
    if spread <= 0:
        return []
    far = (array > high + _FAR_OUT * spread) | (array < low - _FAR_OUT * spread)
    if not far.any():
        return []
    worst = array[far][np.argmax(np.abs(array[far] - middle))]
    return [
        Finding(
            "outliers",
            name,
            "info",
            f"{int(far.sum())} values lie far outside, up to {worst:.6g} (median {middle:.4g})",
            "Check the unit of those rows; trees and bins are not disturbed by them",
            _positions(far),
        )
    ]


def _three_digits(values: pd.Series) -> pd.Series:
    array = values.to_numpy(dtype=np.float64, na_value=np.nan)
    size = np.abs(array)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.where(size > 0, size, 1.0))) - 2)
    return pd.Series(np.round(array / unit) * unit, index=values.index)


def _positions(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.flatnonzero(mask)[:_SHOWN])


def _profile(name: str, values: pd.Series) -> dict[str, object]:
    row: dict[str, object] = {
        "column": name,
        "type": str(values.dtype),
        "missing": float(values.isna().mean()) if len(values) else 0.0,
        "distinct": int(values.nunique()),
    }
    present = values.dropna()
    if pd.api.types.is_numeric_dtype(values.dtype) and len(present):
        quantiles = present.astype(float).quantile([0, 0.25, 0.5, 0.75, 1])
        row |= dict(zip(("minimum", "25%", "median", "75%", "maximum"), quantiles, strict=True))
        row["mean"] = float(present.mean())
    elif len(present):
        counts = present.value_counts()
        row["most frequent"] = str(counts.index[0])
        row["its share"] = float(counts.iloc[0] / len(present))
    return row
