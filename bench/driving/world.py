"""How fast the street world is seen: labelled frames and LiDAR sweeps per CPU second.

    python -m bench.driving.world --sequences 12

A frame has everything at once: image with weather, lens and electronics, class, instance and depth
maps, boxes in image and space with hidden and missing shares, lane lines, drivable area. CPU time
of one thread counts, with the building of each street shared by the frames of its sequence.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from core.evaluation.bootstrap import mean_interval

FRAMES, FRAME_TARGET, SWEEP_TARGET = 20, 100.0, 40.0


def main() -> None:
    """Measure everything; write bench/results/driving_world.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=12, help="streets, of 20 frames each")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # before anything that reads it is imported
    import cv2

    cv2.setNumThreads(1)
    result: dict[str, Any] = {"machine": machine("numba", "numpy", "opencv-python")}
    result["frames"] = frames(given.sequences)
    result["six_cameras"] = frames(max(2, given.sequences // 4), cameras=6)
    result["sweeps"] = sweeps(given.sequences)
    seen, turned = result["frames"]["per_cpu_second"], result["sweeps"]["per_cpu_second"]
    result["headline"] = {
        "frames_per_cpu_second": seen,
        "frames_target": FRAME_TARGET,
        "sweeps_per_cpu_second": turned,
        "sweeps_target": SWEEP_TARGET,
    }
    print(json.dumps(result["headline"]))
    write_result("driving_world", result)


def _rate(seconds: list[float], each: int) -> dict[str, Any]:
    """Pictures per second over sequences that took so many seconds, with an interval."""
    per_picture = mean_interval(np.array(seconds) / each)
    return {
        "per_cpu_second": round(1 / per_picture.value, 1),
        "low": round(1 / per_picture.high, 1),
        "high": round(1 / per_picture.low, 1),
        "sequences": len(seconds),
    }


def frames(count: int, cameras: int = 1) -> dict[str, Any]:
    """Labelled images at 512 × 288, in weather and through lenses drawn at random."""
    from verticals.driving.world.cameras import rig
    from verticals.driving.world.dataset import sequence

    mounted = None if cameras == 1 else rig(cameras, distorted=True)
    sequence(10_000, cameras=mounted).frame(0, 0.0)  # compiles the loops and draws the textures
    seconds, building = [], []
    for seed in range(10_001, 10_001 + count):
        start = time.thread_time()
        drive = sequence(seed, cameras=mounted)
        building.append(time.thread_time() - start)
        for index in range(FRAMES):
            drive.frame(index, index * 0.1)
        seconds.append(time.thread_time() - start)
    return {
        **_rate(seconds, FRAMES * cameras),
        "building_ms": round(1e3 * float(np.mean(building)), 1),
        "frames_each": FRAMES,
        "cameras": cameras,
    }


def sweeps(count: int) -> dict[str, Any]:
    """Sweeps of 32 × 1024 rays with noise, in the same streets; the scene stands ready."""
    from verticals.driving.world.dataset import sequence
    from verticals.driving.world.lidar import Lidar, sweep
    from verticals.driving.world.mesh import assemble

    lidar, seconds = Lidar(), []
    for seed in range(10_000, 10_001 + count):
        drive = sequence(seed)
        scene = drive.crowd.scene(0.0)
        mesh, pose, rng = assemble(scene), scene.ego.pose(), np.random.default_rng(seed)
        start = time.thread_time()
        for _ in range(5):
            sweep(mesh, lidar, pose, drive.weather, rng)
        seconds.append(time.thread_time() - start)
    return {**_rate(seconds[1:], 5), "rays": 32 * 1024}


if __name__ == "__main__":
    main()
