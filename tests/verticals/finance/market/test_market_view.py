"""What the demo and the run get: a view of one series, the numbers promised, the measurements."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import DataError, ParameterError
from verticals.finance.market.analysis import backtest_market, measure, risk_table
from verticals.finance.market.figures import contribution_figure, risk_figure, var_figure
from verticals.finance.market.parameters import MarketParameters
from verticals.finance.market.portfolio import risk_contributions
from verticals.finance.market.prices import load_prices
from verticals.finance.market.view import market_view


# The client's numbers: defaults only, last 1,000 days, VaR 99%, returns in percent.
@pytest.mark.parametrize(("name", "limit"), [("sp500", 0.0318), ("nasdaq", 0.0378)])
def test_default_reaches_its_numbers(name: str, limit: float) -> None:
    frame = load_prices(MarketParameters(data=name)).frame
    view = market_view(frame.iloc[:, 0])
    assert len(view.dates) == len(view.returns) == len(view.var) == len(view.es) == 1000
    assert view.dates[-1] == frame.index[-1]
    assert (view.es >= view.var).all()
    np.testing.assert_array_equal(view.hits, view.returns < -view.var)
    assert view.backtest.test("kupiec").p_value > 0.05
    assert view.backtest.pinball.value <= limit
    assert view.verdict("zh") != view.verdict("en")


def test_view_refuses_what_it_cannot_show() -> None:
    prices = pd.Series(
        100 + np.sin(np.arange(700.0)), index=pd.bdate_range("2015-01-01", periods=700)
    )
    with pytest.raises(ParameterError, match="method"):
        market_view(prices, method="magic")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="level"):
        market_view(prices, level=0.2)
    with pytest.raises(DataError, match="too few"):
        market_view(prices.iloc[:300])
    with pytest.raises(DataError, match="not sorted"):
        market_view(prices.iloc[::-1])


def test_a_run_measures_every_method_beside_the_baseline() -> None:
    parameters = MarketParameters(
        data="sp500", until="2009-06-30", days=250, references=("nasdaq",), horizon=5
    )
    prices = load_prices(parameters)
    market = backtest_market(prices)
    found = measure(market)
    assert {m.split for m in found} == {"backtest"}
    assert {m.baseline_model for m in found} == {"hs"}
    keys = [(m.metric, m.model) for m in found]
    assert len(keys) == len(set(keys))
    assert {"portfolio_var_99_1d_kupiec_p", "nasdaq_var_99_1d_pinball"} <= {m.metric for m in found}
    assert market.lead.forecast.method == "fhs"
    assert market.lead.forecast.level == 0.99
    table = risk_table(prices)
    assert (table["ES 99%"] >= table["VaR 99%"]).all()
    shares = risk_contributions(prices)
    for figure in (var_figure(market.lead), risk_figure(table), contribution_figure(shares)):
        assert figure.axes[0].get_title(loc="left")
