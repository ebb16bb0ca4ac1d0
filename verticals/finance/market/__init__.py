"""Market risk: prices in, value at risk and expected shortfall out, backtests always attached.

The steps are imported when first used, so that naming the case costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "parameters": ("MarketParameters",),
    "prices": ("load_prices", "describe_prices"),
    "var": ("METHODS", "forecast_risk"),
    "multiday": ("forecast_multiday", "risk_today"),
    "backtests": ("backtest", "backtest_table"),
    "portfolio": ("risk_contributions", "stress_days"),
    "allocation": ("compare_allocations",),
    "view": ("MarketView", "market_view"),
    "figures": ("var_figure", "contribution_figure", "allocation_figure", "risk_figure"),
    "report": ("start_run", "finish_run", "report_sections", "stress_table", "allocation_table"),
    "verdicts": ("verdict",),
    "analysis": ("backtest_market", "measure", "risk_table"),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
