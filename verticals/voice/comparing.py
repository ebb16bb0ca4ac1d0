"""The home's regression check: a bundle on a folder of recordings, against the bundle before it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson
import pandas as pd

from core.deployment.predictor import Predictor
from core.deployment.results import Measurement
from core.deployment.run import write_atomically
from core.errors import ParameterError
from verticals.voice.assistant import Assistant
from verticals.voice.measures import CHANGES, compare, latencies, measure, worse
from verticals.voice.predictor import HomePredictor
from verticals.voice.recordings import fingerprint, read_recordings
from verticals.voice.regression import judged


@dataclass(frozen=True)
class Regression:
    """What a folder of recordings says of a bundle.

    Attributes:
        measurements: Word error rate, wake word, understanding, task success, with intervals.
        latency: Seconds by stage.
        recordings: One row a recording.
        changes: Every number before and after; empty without a bundle to compare with.
        source: The folder of recordings.
        fingerprint: SHA-256 of labels and audio.
    """

    measurements: tuple[Measurement, ...]
    latency: pd.DataFrame
    recordings: pd.DataFrame
    changes: pd.DataFrame
    source: str
    fingerprint: str

    def worse(self) -> list[str]:
        """The metrics that became worse, beyond chance."""
        return worse(self.changes)


def regress(
    predictor: Predictor,
    folder: Path,
    *,
    before: Predictor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Regression:
    """Hear a home's labelled recordings with a bundle, and with the one before it.

    Args:
        predictor: Of the bundle.
        folder: With recordings.jsonl, see `verticals.voice.recordings`.
        before: Of the bundle that it may replace.
        progress: Told how many of how many recordings are heard.

    Raises:
        ParameterError: A bundle is not a home's.
        DataError: The labels or a recording cannot be read.
    """
    recordings = read_recordings(folder)
    with ExitStack() as stack:
        bundles = [_assistant(p, stack) for p in (predictor, before) if p is not None]
        rows: list[list[dict[str, object]]] = [[] for _ in bundles]
        for number, recording in enumerate(recordings, 1):
            # Both in turn, so that a machine that is busy for a while is busy for both.
            for assistant, found in zip(bundles, rows, strict=True):
                found.append(judged(assistant, recording))
            if progress is not None:
                progress(number, len(recordings))
    after, *others = (pd.DataFrame(found) for found in rows)
    changes = compare(others[0], after) if others else pd.DataFrame(columns=list(CHANGES))
    return Regression(
        measure(after), latencies(after), after, changes, str(folder), fingerprint(recordings)
    )  # fmt: skip


def write_regression(report: Regression, folder: Path) -> Path:
    """Write regression.json, recordings.csv and the page; returns the page.

    All three tell what was said in this home: personal data, for this home only.
    """
    from verticals.voice.comparing_page import page

    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "recordings.csv", report.recordings.to_csv(index=False).encode())
    write_atomically(folder / "regression.json", orjson.dumps({
        "measurements": [m.model_dump(mode="json") for m in report.measurements],
        "latency": report.latency.to_dict("records"),
        "changes": report.changes.to_dict("records"),
        "worse": report.worse(),
        "recordings": {"source": report.source, "fingerprint": report.fingerprint},
    }, option=orjson.OPT_INDENT_2))  # fmt: skip
    place = folder / "report.html"
    write_atomically(place, page(report).encode())
    return place


def _assistant(predictor: Predictor, stack: ExitStack) -> Assistant:
    if not isinstance(predictor, HomePredictor):
        raise ParameterError(
            "this bundle is not a home's", where="bundle", remedy="Give a bundle of the voice case"
        )
    return stack.enter_context(Assistant(predictor.parts))
