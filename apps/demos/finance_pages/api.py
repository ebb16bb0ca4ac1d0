"""The same answers for programs: named endpoints beside the pages (`gradio_client`, HTTP)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from apps.demos.finance_pages.asking import ask
from apps.demos.finance_pages.book import Curve, Economics, curves_of
from apps.demos.finance_pages.market import look_at_market
from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from verticals.finance.market.backtests import Backtest


def add_endpoints(desk: Desk) -> None:
    """Add /answer, /cutoff and /market to the demo being built; /batch is the upload's own.

    Args:
        desk: The opened bundle.
    """
    from gradio.events import api

    def answer(applicant: dict, language: str = "en") -> dict:
        """One applicant's probability of default, interval, decision and reasons."""
        return _told(lambda: ask(desk, applicant, language).model_dump(mode="json"))

    curves = curves_of(desk)

    def cutoff(
        cutoff: float, margin: float = 9.0, lgd: float = 45.0, cost: float = 0.1,
        exposure: float = 10_000.0,
    ) -> dict:  # fmt: skip
        """Approval, default and profit on 1,000 applications at a cut-off between 0 and 1."""
        return _told(lambda: _at_cutoff(curves, cutoff, Economics(margin, lgd, cost, exposure)))

    def market(
        series: str = "sp500", level: float = 0.99, method: str = "fhs", days: int = 250
    ) -> dict:
        """Value at risk of each of the last days of an index, its hits and its tests."""
        return _told(lambda: _market(look_at_market(series, level, method, days)))

    for function in (answer, cutoff, market):
        api(function, api_name=function.__name__, api_description=function.__doc__)


def _at_cutoff(
    curves: Callable[[Economics], Curve], cutoff: float, economics: Economics
) -> dict[str, float]:
    if not 0 < cutoff <= 1:
        raise DataError(
            f"{cutoff} is not a probability", where="cutoff", remedy="Give a number from 0 to 1"
        )
    curve = curves(economics)
    return {k: float(v) for k, v in curve.at(cutoff).items()} | {"best_cutoff": curve.best}


def _market(result: Backtest) -> dict[str, Any]:
    forecast = result.forecast
    return {
        "dates": [f"{day:%Y-%m-%d}" for day in forecast.dates],
        "losses": forecast.losses.tolist(),
        "var": forecast.var.tolist(),
        "hits": result.hits,
        "expected": result.expected,
        "p_values": {test.name: test.p_value for test in result.tests},
        "zone": result.zone.colour if result.zone else None,
    }


def _told(answer: Any) -> dict[str, Any]:
    """The answer, or the kit's error as one that callers see."""
    import gradio as gr

    try:
        result: dict[str, Any] = answer()
    except CasekitError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return result
