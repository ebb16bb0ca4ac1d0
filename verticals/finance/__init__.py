"""Credit and market risk: prepare, compete, judge, decide, explain, hand over.

The steps `load → check → split → fit → evaluate → explain → pack` are imported when first used,
so that naming the case costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

_STEPS = {
    "load": "verticals.finance.data",
    "check": "verticals.finance.data",
    "check_report": "verticals.finance.data",
    "split": "verticals.finance.data",
    "fit": "verticals.finance.compete",
    "evaluate": "verticals.finance.judge",
    "explain": "verticals.finance.explanation",
    "pack": "verticals.finance.packing",
    "open_predictor": "verticals.finance.predictor",
}
_NOTEBOOK_FOLDER = Path(__file__).resolve().parents[2] / "notebooks"

NOTEBOOKS = {
    "finance_credit_risk": _NOTEBOOK_FOLDER / "01_finance_credit_risk.ipynb",
    "finance_market_risk": _NOTEBOOK_FOLDER / "02_finance_market_risk.ipynb",
}

__all__ = ["NOTEBOOKS", "PARAMETERS", *_STEPS]  # noqa: PLE0604 - the steps resolve lazily


def __getattr__(name: str) -> Any:
    if name == "PARAMETERS":
        from verticals.finance.market.parameters import MarketParameters
        from verticals.finance.parameters import CreditParameters

        return {"finance_credit_risk": CreditParameters, "finance_market_risk": MarketParameters}
    if name in _STEPS:
        return getattr(import_module(_STEPS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
