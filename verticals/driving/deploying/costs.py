"""What a runtime costs: frames per second, processor seconds and memory of a process of its own.

    python -m verticals.driving.deploying.costs FOLDER KIND [THREADS]

A fresh process, so that neither another runtime's memory nor its threads are counted. Time is the
fastest third of the calls: on a shared machine the rest measures the neighbours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.errors import ModelError
from verticals.driving.deploying.runtimes import Opened, open_runtime
from verticals.driving.perception.settings import PerceptionSettings


@dataclass(frozen=True)
class Costs:
    """Of one image at a time."""

    frames_a_second: float
    cpu_s_a_frame: float  # processor seconds of all threads
    resident_mib: float  # of the whole process, after it ran
    threads: int | None


def measure(kind: str, folder: Path, *, threads: int | None = 1, seconds: float = 3.0) -> Costs:
    """Measure a runtime in a process of its own.

    Args:
        kind: A name of `routes.ROUTES`.
        folder: Where it was exported to.
        threads: None for as many as pay.
        seconds: To run, besides opening it and warming up.

    Raises:
        ModelError: It cannot be opened there.
    """
    command = [sys.executable, "-m", __name__, str(folder), kind, str(threads or 0), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ModelError(
            f"the runtime failed in a process of its own ({said[-1] if said else 'no message'})",
            where=kind, remedy=f"Run {' '.join(command[1:])} to see how",
        )  # fmt: skip
    return Costs(**json.loads(done.stdout.strip().splitlines()[-1]))


def run_for(opened: Opened, seconds: float) -> Costs:
    """Call a runtime over and over with one drawn image of its size."""
    usual = PerceptionSettings()
    width, height = opened.size
    shape = (max(opened.batch, 1), height or usual.height, width or usual.width, 3)
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for _ in range(3):
        opened(images)
    wall: list[float] = []
    cpu: list[float] = []
    end = time.perf_counter() + seconds
    while len(wall) < 6 or time.perf_counter() < end:
        begun, used = time.perf_counter(), time.process_time()
        opened(images)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return Costs(
        round(len(images) / _fast(wall), 2), round(_fast(cpu) / len(images), 6),
        round(resident_mib(), 1), opened.threads,
    )  # fmt: skip


def resident_mib() -> float:
    """Memory that this process holds, MiB; its peak where the system does not say more."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        found = next(line for line in lines if line.startswith("VmRSS:"))
        return int(found.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def _fast(times: list[float]) -> float:
    ordered = sorted(times)
    return float(np.mean(ordered[: max(1, len(ordered) // 3)]))


def main() -> None:
    """Measure what the command line names; the last line is JSON."""
    folder, kind, threads, seconds, *_ = [*sys.argv[1:], "1", "3"]
    opened = open_runtime(Path(folder), kind, threads=int(threads) or None, device="cpu")
    sys.stdout.write(f"{json.dumps(asdict(run_for(opened, float(seconds))))}\n")


if __name__ == "__main__":
    main()
