"""Hears the test recordings once, beside the same chain without the home's words.

Tables: recordings (one row each), latency (by stage), speakers (by who spoke).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from core.deployment.results import Measurement
from core.evaluation.bootstrap import share_interval
from verticals.voice.assistant import Assistant
from verticals.voice.measures import MODEL, by_speaker, latencies, measure
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.regression import judge
from verticals.voice.stages import Evaluated, Fitted
from verticals.voice.understanding.understand import Understander
from verticals.voice.wake.training import WakeReport


def evaluate(fitted: Fitted, *, progress: Callable[[int, int], None] | None = None) -> Evaluated:
    """Measure on the test recordings.

    Args:
        fitted: The assistant of the home.
        progress: Told how many of how many recordings are heard; every one is heard twice.
    """
    recordings, parts = fitted.split.test, fitted.assistant.parts
    whole = 2 * len(recordings)

    def told(begun: int) -> Callable[[int, int], None] | None:
        return progress and (lambda done, _: progress(begun + done, whole))

    table = judge(fitted.assistant, recordings, progress=told(0))
    parameters = fitted.split.checked.loaded.parameters
    bare = replace(
        parts, understander=Understander.open(parts.home),
        recogniser=Recogniser.open(parameters.recogniser, threads=parameters.threads),
    )  # fmt: skip
    with Assistant(bare) as plain:
        beside = judge(plain, recordings, progress=told(len(recordings)))
    measurements = (*measure(table, beside), *_wake_measurements(fitted.wake))
    tables = {"recordings": table, "latency": latencies(table), "speakers": by_speaker(table)}
    return Evaluated(fitted, measurements, tables)


def _wake_measurements(report: WakeReport) -> list[Measurement]:
    """On made-up speakers who trained nothing: the phrase missed, and near misses that woke it."""
    found = {
        "wake_missed_spoken": share_interval(report.missed, report.clips),
        "wake_near_misses_accepted": share_interval(report.near_accepted, report.near),
    }
    return [
        Measurement(metric=name, value=i.value, low=i.low, high=i.high, n=i.n, split="test",
                    model=MODEL, baseline=None, baseline_model=None)
        for name, i in found.items()
    ]  # fmt: skip
