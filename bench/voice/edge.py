"""The whole chain on a small box: one thread, no torch, memory and latency of every stage.

    python -m bench.voice.edge [--threads 1] [--wake FOLDER]

People's recordings of home commands go through an edge box in a process that cannot import torch,
pinned to as many processors as threads. Beside it, the same recordings through faster-whisper used
plainly in a process of its own: recognition alone, nothing understood or done. The wake word is
trained here from its phrase unless a folder is given.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.tarred import read_tar
from core.data.audio import write_wav
from core.evaluation.bootstrap import quantile_interval
from verticals.voice.edge import export_edge
from verticals.voice.edge_report import EdgeReport, measure_edge
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.wake.synthesis import Amounts
from verticals.voice.wake.training import train_wake_word

PHRASE, FEW = "hey juniper", Amounts(phrase=16, near=12, other=8)
SETS = ("ha_human", "ha_synthetic")
_PLAIN = """
import json, os, sys, time
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[1])])
from faster_whisper import WhisperModel
from core.data.audio import read_audio
from core.models.resolver import resolve
from verticals.voice.edge_run import memory_mb
model = WhisperModel(str(resolve("whisper_tiny_en")), device="cpu", compute_type=sys.argv[2],
                     cpu_threads=int(sys.argv[1]))
seconds = []
for path in [sys.argv[3], *sys.argv[3:]]:
    sound = read_audio(path)
    begun = time.perf_counter()
    list(model.transcribe(sound, language="en", beam_size=5)[0])
    seconds.append(time.perf_counter() - begun)
print(json.dumps({"seconds": seconds[1:], "peak_mb": memory_mb()[1]}))
"""


def main() -> None:
    """Export, measure, write bench/results/voice_edge.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--wake", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        wake = arguments.wake or _trained(place / "wake")
        made = export_edge(place / "box", wake=wake, voice="joe", people=True)
        recordings = [
            _written(place / f"{number:03}.wav", sound)
            for number, (row, sound) in enumerate(read_tar("asr")) if row["src"] in SETS
        ]  # fmt: skip
        report = measure_edge(recordings, place / "box", threads=arguments.threads)
        plain = {kind: _plain(recordings, arguments.threads, kind) for kind in ("int8", "float32")}
    result = {
        "machine": machine("faster-whisper", "onnxruntime"), "threads": arguments.threads,
        "recordings": len(recordings), "parity": made.parity,
        "baseline": "faster-whisper used plainly: recognition alone",
        **json.loads(report.to_json()),
        "plain": {k: {"median_s": round(float(np.median(v["seconds"])), 4),
                      "peak_mb": round(v["peak_mb"], 1)} for k, v in plain.items()},
        "headline": headline(report, plain["float32"]),
    }  # fmt: skip
    print(report.stages.to_string(), json.dumps(result["headline"], indent=2), sep="\n")
    print(write_result("voice_edge", result))


def headline(report: EdgeReport, plain: dict[str, Any]) -> dict[str, Any]:
    """The numbers that decide whether it fits a box."""
    names = [f"seconds_{stage}" for stage in ("recognition", "understanding", "action")]
    whole = report.turns[names].fillna(0.0).sum(axis=1).to_numpy()
    stages = report.stages.set_index("stage")
    return {
        "end of speech to action, p95 in seconds, endpoint apart":
            vars(quantile_interval(whole, 0.95)),
        "... median over plain float32 recognition alone":
            round(float(np.median(whole) / np.median(plain["seconds"])), 3),
        "wake word and voice activity, share of the core":
            round(float(stages.loc["wake", "rtf"] + stages.loc["listening", "rtf"]), 4),
        "understanding, median in ms": round(1e3 * stages.loc["understanding", "median_s"], 2),
        "reply's first sound, median in seconds": round(stages.loc["speech", "median_s"], 3),
        "peak memory in MB": round(report.peak_mb, 1),
        "... of plain float32 recognition alone": round(plain["peak_mb"], 1),
        "files in MB": round(stages["file_mb"].iloc[-1], 1),
    }  # fmt: skip


def _trained(folder: Path) -> Path:
    """A wake word from few clips: how much it listens counts here, not how well."""
    train_wake_word(PHRASE, folder, Recogniser.open(threads=1), amounts=FEW, seed=1)
    return folder


def _written(path: Path, sound: np.ndarray) -> Path:
    write_wav(path, sound)
    return path


def _plain(recordings: list[Path], threads: int, kind: str) -> dict[str, Any]:
    command = [sys.executable, "-c", _PLAIN, str(threads), kind, *map(str, recordings)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    main()
