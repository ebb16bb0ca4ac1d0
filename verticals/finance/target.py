"""Which column says that a loan went bad, and which of its values means so."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.corrections import nearest
from core.data.quality import Finding
from core.data.schema import as_text
from core.errors import DataError

_FEWEST = 10  # cases of each class below which nothing can be split and measured
_NAMES = ("target", "default", "bad", "label", "outcome", "class", "y", "bad_flag", "loan_status")
_MISSING = {"?", "na", "n/a", "nan", "null"}
_BAD = {
    *("bad", "default", "defaulted", "charged off", "charged_off", "delinquent", "loss"),
    *("ausfall", "ausgefallen", "schlecht", "违约", "坏", "逾期"),
}


def find_target(name: str | None, frame: pd.DataFrame) -> str:
    """Name of the target column; a usual name is found where none is given.

    Raises:
        DataError: No such column; names the nearest.
    """
    names = [str(c) for c in frame.columns]
    if name is not None:
        if name in names:
            return name
        raise DataError(
            f"there is no target column {name!r}",
            where="parameter target",
            remedy=nearest(name, names),
        )
    usual = [c for c in names if c.lower() in _NAMES and frame[c].nunique() == 2]
    if len(usual) == 1:
        return usual[0]
    two = [c for c in names if frame[c].nunique() == 2]
    hint = f"Columns of two values: {', '.join(two[:8])}" if two else "No column has two values"
    raise DataError(
        "no target is named",
        where="parameter target",
        remedy=f"Set `target` to the column that says whether a loan went bad. {hint}",
    )


def read_target(
    values: pd.Series, positive: str | float | bool | None
) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """The outcome as ((labelled rows,) int8 with 1 = bad, (n,) bool labelled, findings).

    Args:
        values: The raw target column.
        positive: The value that means bad; by default a word such as bad or default, else the
            rarer of two values.

    Raises:
        DataError: One class only, more than two without `positive`, or too few cases of one.
    """
    text = as_text(values)
    text = text.mask(text.str.lower().isin(_MISSING))
    labelled = text.notna().to_numpy()
    counts = text.value_counts()
    where = f"column {values.name!r}"
    if len(counts) < 2:
        only = f"only {counts.index[0]!r}" if len(counts) else "no value at all"
        raise DataError(
            f"the target has one class: {only}" if len(counts) else f"the target has {only}",
            where=f"{where}, rows 1 to {len(values)}",
            remedy="Give loans of both outcomes, or name another column as `target`",
        )
    bad = _bad_value(counts, positive, where)
    target = (text[labelled] == bad).to_numpy().astype(np.int8)
    bads = int(target.sum())
    if min(bads, len(target) - bads) < _FEWEST:
        raise DataError(
            f"only {bads} bad and {len(target) - bads} other loans ({bad!r} means bad)",
            where=where,
            remedy=f"Give at least {_FEWEST} of each, or correct `positive`",
        )
    others = [str(v) for v in counts.index if v != bad][:5]
    findings = [
        Finding(
            "target",
            str(values.name),
            "info",
            f"{bad!r} means bad ({target.mean():.1%}), {', '.join(map(repr, others))} means good",
            "Set `positive` if it is the other way round",
        )
    ]
    dropped = np.flatnonzero(~labelled)
    if len(dropped):
        findings.append(
            Finding(
                "unlabelled",
                str(values.name),
                "warning",
                f"{len(dropped)} rows have no outcome and are dropped",
                "Ask whether they were rejected or are still open: a model of accepted loans "
                "says little about them",
                tuple(int(i) for i in dropped[:20]),
            )
        )
    return target, labelled, findings


def _bad_value(counts: pd.Series, positive: str | float | bool | None, where: str) -> str:
    """The text that means bad."""
    values = [str(v) for v in counts.index]
    if positive is not None:
        wanted = str(as_text(pd.Series([positive], dtype=object)).iloc[0])
        for value in values:
            if value.lower() == wanted.lower() or _same_number(value, wanted):
                return value
        raise DataError(
            f"the target never has the value {wanted!r}",
            where=where,
            remedy=nearest(wanted, values) + " (parameter `positive`)",
        )
    if len(values) > 2:
        raise DataError(
            f"the target has {len(values)} values ({', '.join(map(repr, values[:5]))}"
            + (", ...)" if len(values) > 5 else ")"),
            where=where,
            remedy="Set `positive` to the one that means bad; all others then mean good",
        )
    words = [v for v in values if v.lower() in _BAD]
    if len(words) == 1:
        return words[0]
    if counts.iloc[0] == counts.iloc[1]:
        return max(values)  # 1 rather than 0
    return values[1]


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return {one.lower(), other.lower()} in ({"true", "1"}, {"false", "0"})
