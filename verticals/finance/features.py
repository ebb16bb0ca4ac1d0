"""One fitted, exportable pipeline from a typed book to the numeric matrix every entrant reads.

Knows nothing of models. Its state is JSON: categories become target rates (Micci-Barreca, 2001),
cross-fitted while training so that no row sees its own outcome; a category with few values also
becomes one indicator a value; dates become days and months.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import orjson
import pandas as pd

from core.data.schema import TableSchema
from core.errors import DataError

FEW_ROWS = 16  # so few are looked up one by one: finding distinct values costs more
MISSING = ""  # the category that stands for a missing one
MOST_RATES = 2_000  # categories of one column that keep a rate of their own, the most frequent
MOST_LEVELS = 12  # values up to which a category also becomes indicators
FEWEST_OF_LEVEL = 10  # rows that have, and that lack, a value with an indicator
MOST_INDICATORS = 200  # of the whole matrix


_Coded = tuple[np.ndarray, list[str]]  # (n,) codes and the categories they stand for


@dataclass(frozen=True)
class Feature:
    """One column of the matrix and how it comes from a raw column."""

    name: str
    raw: str
    kind: str  # "number", "rate", "level", "days" or "month"
    level: str = ""  # the value that a "level" indicates
    rates: dict[str, float] | None = None  # bad rate by category, for "rate"
    default: float = 0.0  # rate of an unseen category
    since: str = ""  # for "days": column of the application date that they are counted from
    origin: str = ""  # ... or, where there is none, the date that counts as day 0, ISO


@dataclass(frozen=True)
class FeaturePipeline:
    """Fitted features, in the order of the matrix."""

    features: tuple[Feature, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that are read, in order, each once."""
        raw = [f.raw for f in self.features]
        return tuple(dict.fromkeys(raw + [f.since for f in self.features if f.since]))

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """The matrix of typed rows, (n, features) float64; missing numbers stay NaN.

        Raises:
            DataError: A column is not there.
        """
        missing = [name for name in self.columns if name not in frame]
        if missing:
            raise DataError(
                "a column the model needs is missing",
                where=f"column {missing[0]!r}",
                remedy="Give the columns the model was trained on: " + ", ".join(self.columns),
            )
        matrix = np.empty((len(frame), len(self.features)))
        coded: dict[str, _Coded] = {}  # several features may read one category
        for j, feature in enumerate(self.features):
            if feature.kind in ("rate", "level"):
                if feature.raw not in coded:
                    coded[feature.raw] = _code(frame[feature.raw])
                matrix[:, j] = _read_category(coded[feature.raw], feature)
            else:
                matrix[:, j] = _READERS[feature.kind](frame, feature)
        return matrix

    def without(self, kind: str) -> np.ndarray:
        """Which matrix columns remain, (features,) bool, when a category is read one way only.

        Args:
            kind: The way left out: "rate" (a category without indicators keeps its rate), or
                "level".
        """
        levelled = {f.raw for f in self.features if f.kind == "level"}
        return np.array([f.kind != kind or f.raw not in levelled for f in self.features])

    def by_raw(self, values: np.ndarray) -> np.ndarray:
        """Sum matrix columns into raw columns, (n, features) → (n, columns)."""
        place = {name: j for j, name in enumerate(self.columns)}
        if len(place) == len(self.features):
            return values
        summed = np.zeros((len(values), len(place)))
        for j, feature in enumerate(self.features):
            summed[:, place[feature.raw]] += values[:, j]
        return summed

    def to_json(self) -> str:
        """JSON text that `from_json` reads back."""
        return orjson.dumps([asdict(f) for f in self.features]).decode()

    @classmethod
    def from_json(cls, text: str) -> FeaturePipeline:
        """The pipeline written by `to_json`."""
        return cls(tuple(Feature(**row) for row in orjson.loads(text)))


def fit_features(
    frame: pd.DataFrame,
    target: np.ndarray,
    schema: TableSchema,
    columns: Sequence[str],
    *,
    time: str | None = None,
    seed: int = 0,
) -> tuple[FeaturePipeline, np.ndarray]:
    """Fit on training rows only.

    Args:
        frame: Typed training rows.
        target: (n,) 0 or 1.
        schema: Kinds of the columns.
        columns: Raw columns a model may see.
        time: Column of the application date; other dates are counted back from it.
        seed: Of the cross-fitting.

    Returns:
        The pipeline, and the training matrix (n, features) whose rates are cross-fitted.
    """
    features: list[Feature] = []
    for name in columns:
        kind = schema[name].kind
        if kind in ("number", "boolean"):
            features.append(Feature(name, name, "number"))
        elif kind == "date":
            since = time if time and time != name else ""
            origin = "" if since else str(frame[name].min())
            features.append(Feature(name, name, "days", since=since, origin=origin))
            features.append(Feature(f"{name} month", name, "month"))
        else:
            features.append(Feature(name, name, "rate"))
    rated = [f.raw for f in features if f.kind == "rate"]
    fitted, cross = _fit_rates(frame, target, rated, seed)
    features = [fitted.get(f.raw, f) if f.kind == "rate" else f for f in features]
    levels = [level for name in rated for level in _levels(frame[name])]
    features += levels[:MOST_INDICATORS]
    pipeline = FeaturePipeline(tuple(features))
    matrix = pipeline.transform(frame)
    for j, feature in enumerate(features):
        if feature.kind == "rate":
            matrix[:, j] = cross[feature.raw]
    return pipeline, matrix


def _fit_rates(
    frame: pd.DataFrame, target: np.ndarray, names: list[str], seed: int
) -> tuple[dict[str, Feature], dict[str, np.ndarray]]:
    """Smoothed bad rates by category, and their cross-fitted values on the training rows."""
    if not names:
        return {}, {}
    from sklearn.model_selection import StratifiedKFold
    from sklearn.preprocessing import TargetEncoder

    folds = int(min(5, np.bincount(target, minlength=2).min()))
    text = np.column_stack([_text(frame[name]).to_numpy(object) for name in names])
    splitter = StratifiedKFold(max(2, folds), shuffle=True, random_state=seed)
    encoder = TargetEncoder(target_type="binary", cv=splitter)
    cross = encoder.fit_transform(text, target)
    prior = float(encoder.target_mean_)
    features = {
        name: Feature(name, name, "rate", rates=_most_frequent(values, categories, rates),
                      default=prior)
        for name, values, categories, rates in zip(
            names, text.T, encoder.categories_, encoder.encodings_, strict=True
        )
    }  # fmt: skip
    return features, {name: cross[:, j] for j, name in enumerate(names)}


def _most_frequent(
    values: np.ndarray, categories: np.ndarray, rates: np.ndarray
) -> dict[str, float]:
    """Rates by category; of very many, those that matter."""
    if len(categories) > MOST_RATES:
        kept = pd.Series(values).value_counts().index[:MOST_RATES]
        known = np.isin(categories.astype(str), kept.to_numpy(str))
        categories, rates = categories[known], rates[known]
    return dict(zip(map(str, categories), map(float, rates), strict=True))


def _levels(values: pd.Series) -> list[Feature]:
    """Indicators of a category with few values; of two values, one is enough."""
    counts = _text(values).value_counts()
    if len(counts) > MOST_LEVELS:
        return []
    enough = (counts >= FEWEST_OF_LEVEL) & (len(values) - counts >= FEWEST_OF_LEVEL)
    found = sorted(counts.index[enough])[: None if len(counts) > 2 else 1]
    name = str(values.name)
    return [Feature(f"{name} = {level or 'missing'}", name, "level", level) for level in found]


def _text(values: pd.Series) -> pd.Series:
    """Categories as text, missing ones as the empty category."""
    return values.astype(object).where(values.notna(), MISSING).astype(str)


def _read_number(frame: pd.DataFrame, feature: Feature) -> np.ndarray:
    return np.asarray(frame[feature.raw], dtype=float)


def _code(values: pd.Series) -> _Coded:
    """Each distinct category once: books have few of them and many rows."""
    if len(values) <= FEW_ROWS:
        cells = [MISSING if pd.isna(v) else str(v) for v in values.to_numpy(object)]
        return np.arange(len(cells)), cells
    codes, uniques = pd.factorize(values, use_na_sentinel=True)
    return codes, [*map(str, uniques), MISSING]  # code -1, missing, is the last entry


def _read_category(coded: _Coded, feature: Feature) -> np.ndarray:
    codes, categories = coded
    rates, default = feature.rates or {}, feature.default
    if feature.kind == "level":
        table = [float(c == feature.level) for c in categories]
    else:
        table = [rates.get(c, default) for c in categories]
    return np.asarray(table, dtype=float)[codes]


def _read_days(frame: pd.DataFrame, feature: Feature) -> np.ndarray:
    origin = frame[feature.since] if feature.since else pd.Timestamp(feature.origin)
    days = (frame[feature.raw] - origin) / pd.Timedelta(days=1)
    return np.asarray(days, dtype=float)


def _read_month(frame: pd.DataFrame, feature: Feature) -> np.ndarray:
    return np.asarray(frame[feature.raw].dt.month, dtype=float)


_READERS: dict[str, Callable[[pd.DataFrame, Feature], np.ndarray]] = {
    "number": _read_number,
    "days": _read_days,
    "month": _read_month,
}
