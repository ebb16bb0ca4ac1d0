"""A voice assistant for one home: from a wake word to an executed command, measured in that home.

The steps `load → check → split → fit → evaluate → explain → pack` are imported when first used,
so that naming the case costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

_STEPS = {
    "load": "verticals.voice.data",
    "check": "verticals.voice.data",
    "split": "verticals.voice.data",
    "fit": "verticals.voice.fitting",
    "evaluate": "verticals.voice.judge",
    "explain": "verticals.voice.explanation",
    "pack": "verticals.voice.packing",
    "open_predictor": "verticals.voice.predictor",
    "serve_wyoming": "verticals.voice.serving",
    "regress": "verticals.voice.comparing",
    "write_regression": "verticals.voice.comparing",
    "forget": "verticals.voice.people.people",
}
_NOTEBOOK_FOLDER = Path(__file__).resolve().parents[2] / "notebooks"

NOTEBOOKS = {"voice_home": _NOTEBOOK_FOLDER / "04_voice_home.ipynb"}

__all__ = ["NOTEBOOKS", "PARAMETERS", *_STEPS]  # noqa: PLE0604 - the steps resolve lazily


def __getattr__(name: str) -> Any:
    if name == "PARAMETERS":
        from verticals.voice.parameters import HomeParameters

        return {"voice_home": HomeParameters}
    if name in _STEPS:
        return getattr(import_module(_STEPS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
