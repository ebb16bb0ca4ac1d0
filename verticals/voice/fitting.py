"""Makes the assistant of a home: its wake word trained, and when it asks back chosen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson
import pandas as pd

from core.deployment.run import write_atomically
from core.errors import ModelError
from verticals.voice.assistant import Assistant, Parts, open_parts
from verticals.voice.parameters import Budget, HomeParameters
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.regression import judge
from verticals.voice.stages import Fitted, Split
from verticals.voice.understanding.reject import Limits
from verticals.voice.wake.detector import WakeWord
from verticals.voice.wake.synthesis import Amounts
from verticals.voice.wake.training import WakeReport, train_wake_word

REPORT = "report.json"
_GRID = np.round(np.arange(0.0, 0.96, 0.05), 2)
_DEFAULT = Limits().act
# How much is spoken to train the wake word.
_AMOUNTS: dict[Budget, Amounts] = {
    "quick": Amounts(phrase=12, near=8, other=6),
    "standard": Amounts(phrase=20, near=14, other=8),
    "thorough": Amounts(phrase=64, near=48, other=32),
}


def fit(split: Split, *, progress: Callable[[int, int], None] | None = None) -> Fitted:
    """Train the wake word, and choose on the dev recordings when the assistant asks back.

    A wake word that an earlier run trained for the same phrase and seed is used again.

    Args:
        split: The recordings.
        progress: Told how many of how many recordings are heard.
    """
    loaded = split.checked.loaded
    parameters = loaded.parameters
    parts = open_parts(
        loaded.home, recogniser=parameters.recogniser, endpoint=parameters.endpoint,
        threads=parameters.threads,
    )  # fmt: skip
    folder = Path(parameters.out) / "wake" / _name(parameters)
    recogniser = Recogniser.open(parameters.recogniser, threads=parameters.threads)
    wake = wake_word(parameters, folder, recogniser)
    parts = replace(parts, wake=WakeWord.open(folder, recogniser))
    with Assistant(with_limits(parts, 0.0)) as bold:  # acts on everything, to see what goes wrong
        judged = judge(bold, split.dev, progress=progress)
    tuning = threshold_table(judged, parameters.error_cost)
    threshold = chosen_threshold(tuning)
    return Fitted(
        split, Assistant(with_limits(parts, threshold)), wake, folder, tuning, threshold
    )  # fmt: skip


def with_limits(parts: Parts, threshold: float) -> Parts:
    """The same parts, asking back below another confidence."""
    limits = Limits(act=threshold, ask=min(Limits().ask, threshold))
    return replace(parts, understander=parts.understander.limited(limits))


def wake_word(parameters: HomeParameters, folder: Path, recogniser: Recogniser) -> WakeReport:
    """The report of a wake word in a folder, trained now if it is not there."""
    kept = folder / REPORT
    if kept.is_file():
        try:
            raw = orjson.loads(kept.read_bytes())
            return WakeReport(**raw | {"spellings": tuple(raw["spellings"])})
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise ModelError(
                "what an earlier run kept of its wake word cannot be read", where=str(kept),
                remedy="Delete the folder",
            ) from None  # fmt: skip
    report = train_wake_word(
        parameters.wake_phrase, folder, recogniser, amounts=_AMOUNTS[parameters.budget],
        seed=parameters.seed,
    )  # fmt: skip
    write_atomically(kept, orjson.dumps(report))
    return report


def threshold_table(judged: pd.DataFrame, error_cost: float) -> pd.DataFrame:
    """What every threshold would cost: a wrong action `error_cost`, a question back 1.

    (Chow, 1970: the reject option.)
    """
    known = judged[judged["judged"] & (judged["understood"] != "")]
    sure = known["confidence"].to_numpy(float)
    right = known["done_right"].fillna(False).to_numpy(bool)
    rows = []
    for threshold in _GRID:
        acts = sure >= threshold
        wrong, asked = int((acts & ~right).sum()), int((~acts).sum())
        rows.append((float(threshold), int(acts.sum()), wrong, asked, error_cost * wrong + asked))
    return pd.DataFrame(rows, columns=["threshold", "acted", "wrongly", "asked back", "cost"])


def chosen_threshold(tuning: pd.DataFrame) -> float:
    """The cheapest threshold; of several, the one nearest to the default."""
    cheapest = tuning[tuning["cost"] == tuning["cost"].min()]["threshold"]
    return float(cheapest.iloc[int((cheapest - _DEFAULT).abs().to_numpy().argmin())])


def _name(parameters: HomeParameters) -> str:
    """A folder's name for what shaped a wake word."""
    shaped = (parameters.wake_phrase, parameters.recogniser, parameters.seed, parameters.budget,
              version("casekit"))  # fmt: skip
    words = "-".join(w for w in parameters.wake_phrase.lower().split() if w.isalpha())
    return f"{words}-{hashlib.sha256(repr(shaped).encode()).hexdigest()[:8]}"
