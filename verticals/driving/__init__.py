"""Driving: see the road, follow what moves, decide safely, prove it in scenarios.

The steps `load → check → split → fit → evaluate → explain → pack` are imported when first used,
so that naming the case costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

_STEPS = {
    "load": "verticals.driving.loading",
    "check": "verticals.driving.loading",
    "split": "verticals.driving.loading",
    "fit": "verticals.driving.fitting",
    "evaluate": "verticals.driving.judge",
    "explain": "verticals.driving.explanation",
    "pack": "verticals.driving.packing",
    "open_predictor": "verticals.driving.predictor",
}
_NOTEBOOK_FOLDER = Path(__file__).resolve().parents[2] / "notebooks"

NOTEBOOKS = {
    "driving_perception": _NOTEBOOK_FOLDER / "05_driving_perception.ipynb",
    "driving_decisions": _NOTEBOOK_FOLDER / "06_driving_decisions.ipynb",
}

__all__ = ["NOTEBOOKS", "PARAMETERS", *_STEPS]  # noqa: PLE0604 - the steps resolve lazily


def __getattr__(name: str) -> Any:
    if name == "PARAMETERS":
        from verticals.driving.deciding.parameters import DecisionParameters
        from verticals.driving.parameters import RoadParameters

        return {"driving_perception": RoadParameters, "driving_decisions": DecisionParameters}
    if name in _STEPS:
        return getattr(import_module(_STEPS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
