"""Embedded prices are the known ones; a client's table is read, or refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import CasekitError, DataError, ParameterError
from verticals.finance.market.parameters import MarketParameters
from verticals.finance.market.prices import Prices, describe_prices, load_prices

Change = Callable[[pd.DataFrame], pd.DataFrame]


def table(days: int = 700, assets: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = [f"A{i}" for i in range(assets)]
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (days, assets)), axis=0))
    frame = pd.DataFrame(prices.round(4), columns=names)
    frame.insert(0, "Date", pd.bdate_range("2018-01-01", periods=days).strftime("%Y-%m-%d"))
    return frame


def load(path: Path, frame: pd.DataFrame, **settings: object) -> Prices:
    frame.to_csv(path / "prices.csv", index=False)
    values = {"data": str(path / "prices.csv"), **settings}
    return load_prices(MarketParameters.model_validate(values))


def test_embedded_sp500_is_the_one_arch_loads() -> None:
    from arch.data import sp500

    ours = load_prices(MarketParameters(data="sp500"))
    theirs = sp500.load()["Adj Close"]
    np.testing.assert_array_equal(ours.frame["S&P 500"], theirs)
    assert list(ours.frame.index) == list(theirs.index)


def test_embedded_stocks_are_the_ones_skfolio_loads() -> None:
    from skfolio.datasets import load_sp500_dataset

    ours = load_prices(MarketParameters())
    np.testing.assert_array_equal(ours.frame, load_sp500_dataset())
    assert ours.weights.sum() == pytest.approx(1)
    assert any("split" in note for note in ours.notes)  # a 67% fall in a day is worth a look


def test_wti_holidays_are_left_out() -> None:
    wti = load_prices(MarketParameters(data="wti")).frame
    assert not wti.isna().to_numpy().any()
    assert len(wti) > 8000


def test_portfolio_return_is_the_weighted_sum(tmp_path: Path) -> None:
    weights = {"A0": 0.5, "A1": 0.7, "A2": -0.2}
    prices = load(tmp_path, table(), weights=weights)
    value = (prices.frame / prices.frame.shift()).iloc[10] @ pd.Series(weights)
    assert prices.returns.iloc[9] == pytest.approx(100 * (value - 1))
    assert describe_prices(prices)["weight"].to_dict() == weights


def wide_to_long(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.melt(id_vars="Date", var_name="ticker", value_name="close")


def european(frame: pd.DataFrame) -> pd.DataFrame:
    dates = pd.to_datetime(frame["Date"]).dt.strftime("%d.%m.%Y")
    numbers = frame.drop(columns="Date").map(lambda v: f"{v:.4f}".replace(".", ","))
    return numbers.assign(Datum=dates)


@pytest.mark.parametrize(
    "change", [wide_to_long, lambda f: f.iloc[::-1], european], ids=["long", "newest", "european"]
)
def test_other_layouts_read_the_same(tmp_path: Path, change: Change) -> None:
    expected = load(tmp_path, table()).frame
    found = load(tmp_path, change(table())).frame
    pd.testing.assert_frame_equal(
        found, expected, check_names=False, check_freq=False, check_column_type=False, rtol=1e-9
    )


def test_ohlc_table_gives_the_adjusted_close(tmp_path: Path) -> None:
    frame = table(assets=1).rename(columns={"A0": "Close"})
    frame = frame.assign(Open=1.0, High=2.0, Low=1.0, Volume=0, **{"Adj Close": frame["Close"] / 2})
    assert list(load(tmp_path, frame).frame.columns) == ["Adj Close"]


def test_until_cuts_the_future(tmp_path: Path) -> None:
    prices = load(tmp_path, table(), until="2020-03-31")
    assert prices.frame.index[-1] == pd.Timestamp("2020-03-31")


def test_holes_can_be_dropped(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[5, 9], "A1"] = np.nan
    prices = load(tmp_path, frame, missing="drop")
    assert len(prices.frame) == len(frame) - 2
    assert "2 days" in prices.notes[0]


def put(row: int, column: str, value: object) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return change


BROKEN: dict[str, tuple[Change, str, str]] = {
    "unsorted": (lambda f: f.iloc[[*range(50), 51, 50, *range(52, 700)]], "not sorted", "row 52"),
    "twice": (lambda f: f.iloc[[*range(50), 49, *range(50, 700)]], "comes twice", "row 51"),
    "negative": (put(7, "A1", -3.0), "is no price", "'A1'"),
    "zero": (put(7, "A1", 0.0), "is no price", "'A1'"),
    "infinite": (put(7, "A1", np.inf), "is no price", "'A1'"),
    "text": (put(7, "A1", "n.a. today"), "is no price", "row 8"),
    "hole": (put(7, "A1", np.nan), "no price on", "'A1'"),
    "gap": (lambda f: f.drop(index=range(100, 130)), "gap", "row 101"),
    "monthly": (
        lambda f: f.assign(Date=pd.date_range("1960-01-31", periods=700, freq="ME")),
        "not daily",
        "row 2",
    ),
    "short": (lambda f: f.head(200), "too few", "200"),
    "future": (put(699, "Date", "2150-01-01"), "future", "row 700"),
    "no date": (put(7, "Date", "soon"), "is no date", "row 8"),
    "no dates": (lambda f: f.drop(columns="Date"), "no column holds dates", "prices.csv"),
    "frozen": (lambda f: f.assign(A2=5.0), "stands still", "'A2'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tables_say_where_and_what_to_do(tmp_path: Path, name: str) -> None:
    change, what, where = BROKEN[name]
    with pytest.raises(DataError) as caught:
        load(tmp_path, change(table()))
    assert what in caught.value.what
    assert where in str(caught.value)
    assert caught.value.remedy


def test_two_prices_of_an_asset_on_a_day_are_refused(tmp_path: Path) -> None:
    frame = wide_to_long(table())
    with pytest.raises(DataError, match="two prices"):
        load(tmp_path, pd.concat([frame, frame.tail(1)]))


@pytest.mark.parametrize(
    "settings",
    [{"assets": ["A0", "B9"]}, {"weights": {"A0": 0.5, "B9": 0.5}}, {"date": "B9"}],
    ids=str,
)
def test_unknown_names_list_the_known_ones(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=r"B9.*A0"):
        load(tmp_path, table(), **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"weights": {"A0": 0.4}},
        {"weights": {"A0": float("nan")}},
        {"assets": ["A0"], "weights": {"A1": 1.0}},
        {"level": 0.5},
        {"colour": "red"},
    ],
    ids=str,
)
def test_impossible_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"weights|level|colour"):
        MarketParameters.model_validate(settings)


def test_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CasekitError, match="pip install"):
        load_prices(MarketParameters(data="sp500"))
