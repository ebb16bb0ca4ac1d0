"""Prices of a portfolio: embedded or the client's, validated, with today's weights.

Returns are simple daily returns in percent, 100 * (p[t] / p[t-1] - 1): the portfolio's return is
then exactly the weighted sum of its assets' returns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.sources import fingerprint, safe_source
from core.errors import DataError, ParameterError
from verticals.finance.market.embedded import EMBEDDED, read_embedded
from verticals.finance.market.parameters import MarketParameters
from verticals.finance.market.tables import read_prices

LONGEST_GAP_DAYS = 14  # New Year and golden weeks close a market for up to 11 days
LARGE_MOVE_PERCENT = 40.0
FEWEST_PRICES = 531  # 500 days to learn from, 30 to test on


@dataclass(frozen=True)
class Prices:
    """Validated daily prices, sorted, without holes."""

    frame: pd.DataFrame  # index: days; one column an asset
    weights: pd.Series  # today's share of each asset, sums to 1
    parameters: MarketParameters
    source: str  # what was read; never with a password
    fingerprint: str  # SHA-256 of the prices used
    licence: str
    notes: tuple[str, ...] = ()  # what a reader should know about the data

    @property
    def asset_returns(self) -> pd.DataFrame:
        """(n - 1, assets) daily returns in percent."""
        return 100 * self.frame.pct_change().iloc[1:]

    @property
    def returns(self) -> pd.Series:
        """(n - 1,) daily returns in percent of the portfolio at today's weights."""
        values = self.asset_returns.to_numpy() @ self.weights.to_numpy()
        return pd.Series(values, index=self.frame.index[1:], name="portfolio")


def load_prices(parameters: MarketParameters) -> Prices:
    """Read and validate the prices and weights that the parameters name.

    Raises:
        DataError: The table cannot be used; names the row and column and what to do.
        ParameterError: Assets or weights name a column that is not there.
    """
    notes: list[str] = []
    if parameters.data in EMBEDDED:
        entry = EMBEDDED[parameters.data]
        frame, source, licence = read_embedded(parameters.data), entry.label, entry.licence
    else:
        frame, source, licence = read_prices(parameters), safe_source(parameters.data), ""
    frame = _chosen(frame, parameters)
    if parameters.until is not None:
        frame = frame.loc[frame.index <= _day(parameters.until)]
    frame, dropped = _without_holes(frame, parameters.missing)
    if dropped:
        notes.append(f"{dropped} days left out because an asset had no price")
    check_prices(frame)
    notes += _remarks(frame)
    return Prices(
        frame=frame,
        weights=_weights(frame, parameters),
        parameters=parameters,
        source=source,
        fingerprint=fingerprint(frame.reset_index()),
        licence=licence,
        notes=tuple(notes),
    )


def load_reference(name: str, parameters: MarketParameters) -> Prices:
    """A public index that comes with a pip package, with the same settings."""
    changes: dict[str, object] = {"data": name, "assets": (), "weights": {}, "until": None}
    return load_prices(parameters.model_copy(update=changes))


def describe_prices(prices: Prices) -> pd.DataFrame:
    """One row an asset: weight, days, first and last day, volatility and worst day in percent."""
    returns = prices.asset_returns
    return pd.DataFrame(
        {
            "weight": prices.weights.round(4),
            "first day": prices.frame.index[0].date().isoformat(),
            "last day": prices.frame.index[-1].date().isoformat(),
            "days": len(prices.frame),
            "volatility % a year": (returns.std() * np.sqrt(252)).round(1),
            "worst day %": returns.min().round(1),
        }
    )


def check_prices(frame: pd.DataFrame) -> None:
    """Refuse what would make a return meaningless; rows are counted from 1.

    Raises:
        DataError: Unsorted or repeated days, a price that is not positive and finite, a gap of
            more than 14 days, a price that never moves, or too few days.
    """
    index, values = frame.index, frame.to_numpy(dtype=np.float64)
    step = np.diff(index.to_numpy()).astype("timedelta64[D]").astype(int)
    if (step == 0).any():
        row = int(np.argmax(step == 0)) + 2
        raise DataError(
            f"the day {_text(index[row - 1])} comes twice",
            where=f"row {row}",
            remedy="Keep one price a day and asset",
        )
    if (step < 0).any():
        row = int(np.argmax(step < 0)) + 2
        raise DataError(
            f"{_text(index[row - 1])} comes after {_text(index[row - 2])}: days are not sorted",
            where=f"row {row}",
            remedy="Sort the table by date, and check that day and month are not exchanged",
        )
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise DataError(
            f"{values[row, column]:g} is no price: a return needs positive prices",
            where=f"{_text(index[row])}, column {frame.columns[column]!r}",
            remedy="Correct the price, or leave the asset out with the parameter assets",
        )
    if len(frame) < FEWEST_PRICES:
        raise DataError(
            f"{len(frame)} days of prices are too few: backtests need {FEWEST_PRICES}",
            remedy="Give at least three years of daily prices",
        )
    if (step > LONGEST_GAP_DAYS).any():
        row = int(np.argmax(step > LONGEST_GAP_DAYS)) + 1
        usual = int(np.median(step))
        kind = "the prices are not daily" if usual > 4 else "the prices have a gap"
        raise DataError(
            f"{kind}: no day between {_text(index[row - 1])} and {_text(index[row])}",
            where=f"row {row + 1}",
            remedy="Fill the gap from the source, or start after it",
        )
    for column, name in enumerate(frame.columns):
        if (values[1:, column] == values[:-1, column]).mean() > 0.5:
            raise DataError(
                "the price stands still on more than half of the days",
                where=f"column {name!r}",
                remedy="Leave this asset out: its risk cannot be read from these prices",
            )


def _chosen(frame: pd.DataFrame, parameters: MarketParameters) -> pd.DataFrame:
    wanted = list(parameters.assets) or list(parameters.weights) or list(frame.columns)
    absent = [a for a in wanted if a not in frame.columns]
    if absent:
        known = ", ".join(map(str, frame.columns[:12]))
        raise ParameterError(
            f"there is no asset {absent[0]!r}",
            where="assets" if parameters.assets else "weights",
            remedy=f"Choose among {known}",
        )
    return frame[wanted]


def _weights(frame: pd.DataFrame, parameters: MarketParameters) -> pd.Series:
    if not parameters.weights:
        return pd.Series(1 / frame.shape[1], index=frame.columns, name="weight")
    return pd.Series(parameters.weights, name="weight").reindex(frame.columns, fill_value=0.0)


def _without_holes(frame: pd.DataFrame, missing: str) -> tuple[pd.DataFrame, int]:
    empty = frame.isna()
    if not empty.to_numpy().any():
        return frame, 0
    if missing == "refuse":
        row, column = (int(i) for i in np.argwhere(empty.to_numpy())[0])
        raise DataError(
            f"no price on {_text(frame.index[row])}; {int(empty.any(axis=1).sum())} such days",
            where=f"column {frame.columns[column]!r}",
            remedy="Set missing to drop to use the days on which all assets have a price, "
            "or leave the asset out",
        )
    kept = frame[~empty.any(axis=1)]
    return kept, len(frame) - len(kept)


def _remarks(frame: pd.DataFrame) -> list[str]:
    returns = 100 * frame.pct_change().iloc[1:]
    large = returns.abs() > LARGE_MOVE_PERCENT
    remarks = []
    for asset in [a for a in frame.columns if large[a].any()][:5]:
        day = returns[asset].abs().idxmax()
        remarks.append(
            f"{asset} moves {returns.loc[day, asset]:+.0f}% on {_text(day)}: "
            "check that it is not a split or a typing error"
        )
    return remarks


def _day(text: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(pd.to_datetime(text, format="ISO8601"))
    except ValueError as error:
        raise ParameterError(
            f"{text!r} is no day", where="until", remedy="Write it as 2018-12-31"
        ) from error


def _text(day: pd.Timestamp) -> str:
    return pd.Timestamp(day).date().isoformat()
