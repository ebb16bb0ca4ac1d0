"""Literature questions answered with evidence, for this patient; it informs, it never decides.

The steps `load → check → split → fit → evaluate → explain → pack` are imported when first used,
so that naming the case costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

_STEPS = {
    "load": "verticals.medical.data",
    "check": "verticals.medical.data",
    "split": "verticals.medical.data",
    "fit": "verticals.medical.fitting",
    "evaluate": "verticals.medical.judge",
    "explain": "verticals.medical.explanation",
    "pack": "verticals.medical.packing",
    "open_predictor": "verticals.medical.predictor",
    "service_routes": "verticals.medical.decisions.service",
}
_NOTEBOOK_FOLDER = Path(__file__).resolve().parents[2] / "notebooks"

NOTEBOOKS = {"medical_literature": _NOTEBOOK_FOLDER / "03_medical_literature.ipynb"}

__all__ = ["NOTEBOOKS", "PARAMETERS", *_STEPS]  # noqa: PLE0604 - the steps resolve lazily


def __getattr__(name: str) -> Any:
    if name == "PARAMETERS":
        from verticals.medical.parameters import LiteratureParameters

        return {"medical_literature": LiteratureParameters}
    if name in _STEPS:
        return getattr(import_module(_STEPS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
