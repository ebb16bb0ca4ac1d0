"""Measures an edge box in a process of its own: latency, memory and size of every stage."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from core.errors import DataError, ModelError, ParameterError
from verticals.voice.edge import EdgeBox, read_edge
from verticals.voice.edge_run import BLOCK_S

STREAMED = ("wake", "listening")
ANSWER = ("recognition", "understanding", "action")  # between the end of speech and what is done


@dataclass(frozen=True)
class EdgeReport:
    """What the chain takes on a box.

    Attributes:
        stages: One row a stage. `per` says what the latency is of: a block of sound where the
            stage streams, an utterance elsewhere. `rtf` is seconds of computing a second of sound.
        turns: One row an utterance: what was heard, answered and done, and its seconds.
        threads: That the process was given, and no more.
        peak_mb: The most memory that the process had.
    """

    stages: pd.DataFrame
    turns: pd.DataFrame
    threads: int
    peak_mb: float

    def to_json(self) -> bytes:
        """All of it, without what was said."""
        return orjson.dumps({
            "threads": self.threads, "peak_mb": round(self.peak_mb, 1),
            "utterances": len(self.turns),
            "stages": self.stages.replace({np.nan: None}).to_dict("records"),
        })  # fmt: skip


def measure_edge(
    recordings: Sequence[Path], folder: Path, *, threads: int = 1, timeout_s: float = 900.0
) -> EdgeReport:
    """Run recordings through an edge box as on a machine without torch.

    Args:
        recordings: Audio files.
        folder: Written by `export_edge`.
        threads: Processors that the process may use: 1 is a small box.
        timeout_s: After which it is stopped.

    Returns:
        The report; its process could not import torch.

    Raises:
        ParameterError: Fewer than one thread.
        DataError: No recordings.
        ModelError: The folder is no edge box, a part needs torch, or the process ended badly.
    """
    if threads < 1:
        raise ParameterError(f"{threads} threads", where="threads", remedy="Give 1 or more")
    if not recordings:
        raise DataError("there are no recordings", where="recordings", remedy="Give at least one")
    box = read_edge(folder)
    with tempfile.TemporaryDirectory() as scratch:
        asked, told = Path(scratch) / "asked.json", Path(scratch) / "told.json"
        paths = [str(Path(r).resolve()) for r in recordings]
        asked.write_bytes(orjson.dumps({"recordings": paths, "threads": threads}))
        _run([str(folder.resolve()), str(asked), str(told)], folder, threads, timeout_s)
        found = orjson.loads(told.read_bytes())
    if "error" in found:
        what, where, remedy = found["error"]
        raise ModelError(what, where=where, remedy=remedy)
    return EdgeReport(_stages(found, box), _turns(found), threads, found["peak_mb"])


def _run(arguments: list[str], folder: Path, threads: int, timeout_s: float) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    environment = kept | limits | {"CASEKIT_HOME": str(folder.resolve()), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "verticals.voice.edge_run", *arguments]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"the chain took longer than {timeout_s:.0f} s", where=str(folder),
            remedy="Give fewer recordings, or a longer timeout_s",
        ) from None  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"the edge process ended badly: {last}", where=str(folder),
                         remedy="Export the folder again with this version")  # fmt: skip


def _stages(found: dict[str, Any], box: EdgeBox) -> pd.DataFrame:
    """One row a stage, in the order of opening, then the way from speech to action."""
    sizes = {part.name: part.bytes / 1e6 for part in box.parts}
    answers = [answer for turn in found["turns"] for answer in turn["answers"]]
    streamed_s = sum(turn["streams_s"] for turn in found["turns"])
    spoken_s = sum(answer["audio_s"] for answer in answers)
    rows, before = [], 0.0
    for opened in found["opened"]:
        name = opened["stage"]
        row: dict[str, Any] = {
            "stage": name, "file_mb": sizes.get(name, 0.0), "open_s": opened["seconds"],
            "memory_mb": opened["memory_mb"], "added_mb": opened["memory_mb"] - before,
        }  # fmt: skip
        before = opened["memory_mb"]
        if name in STREAMED:
            taken = [s for turn in found["turns"] for s in turn[name]]
            row |= {"per": f"block of {BLOCK_S * 1000:.0f} ms"} | _latency(taken, streamed_s)
        else:
            taken = [a["seconds"][name] for a in answers if name in a["seconds"]]
            row |= {"per": "utterance" if taken else ""} | _latency(taken, spoken_s)
        rows.append(row)
    taken = [sum(a["seconds"].get(name, 0.0) for name in ANSWER) for a in answers]
    whole = {"stage": "end of speech to action", "file_mb": sum(sizes.values()),
             "memory_mb": found["memory_mb"], "per": "utterance"}  # fmt: skip
    return pd.DataFrame([*rows, whole | _latency(taken, spoken_s)])


def _latency(seconds: Sequence[float], sound_s: float) -> dict[str, float]:
    if not seconds or not sound_s:
        return {"median_s": np.nan, "p95_s": np.nan, "rtf": np.nan}
    median, late = np.quantile(seconds, [0.5, 0.95])
    return {"median_s": float(median), "p95_s": float(late), "rtf": sum(seconds) / sound_s}


def _turns(found: dict[str, Any]) -> pd.DataFrame:
    rows = [
        {"recording": turn["recording"], "heard": answer["heard"], "reply": answer["reply"],
         "done": ", ".join(answer["done"]), "audio_s": answer["audio_s"], "woken": turn["woken"],
         **{f"seconds_{k}": v for k, v in answer["seconds"].items()}}
        for turn in found["turns"] for answer in turn["answers"]
    ]  # fmt: skip
    return pd.DataFrame(rows)
