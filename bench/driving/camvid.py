"""The surfaces of real streets: learned from CamVid's train split, judged on its val split.

    python -m bench.driving.camvid            # the ten minutes of two cores
    python -m bench.driving.camvid --long     # an hour of them, or minutes of a GPU

CamVid is for research: what is learned here is measured and thrown away. Every choice was made on
the last fifth of the train split's films; val is read once, at the end, and scored at its full
480 x 360 pixels. Intervals draw blocks of neighbouring frames again, since val is a single film.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.driving.data import DATA
from bench.machine import machine, write_result
from core.training.loop import FitSettings, half_precision
from verticals.driving.data.masks import read_masks
from verticals.driving.frame import SURFACES
from verticals.driving.perception.augment import Variety
from verticals.driving.perception.dataset import Cache, write_cache
from verticals.driving.perception.network import RoadNetwork
from verticals.driving.perception.settings import PerceptionSettings
from verticals.driving.perception.training import (
    TrainSettings,
    mean_iou,
    surface_confusion,
    train,
)

SETTINGS = PerceptionSettings(480, 360, heads=("surfaces",))
BLOCKS = 10  # neighbouring frames of val that are drawn together
DRAWS = 1000


_VARIETY = Variety(zoom=(0.7, 2.0), light=0.4, lens=0.3, surfaces=0.0)


@dataclass(frozen=True)
class Plan:
    """How long and how to train."""

    epochs: int
    learning_rate: float
    frozen: int
    batch: int = 8
    variety: Variety = _VARIETY


SHORT = Plan(epochs=24, learning_rate=1.5e-3, frozen=2, variety=replace(_VARIETY, size=(320, 240)))
LONG = Plan(epochs=60, learning_rate=1e-3, frozen=0, batch=12)


def main() -> None:
    """Train, judge; write bench/results/driving_camvid.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="an hour of two cores, or a GPU")
    words = parser.parse_args()
    plan = LONG if words.long else SHORT
    with tempfile.TemporaryDirectory() as folder:
        learned = split(Path(folder), "train", 367)
        judged = split(Path(folder), "val", 101)
        found = run(plan, learned, judged)
    name = "driving_camvid_long" if words.long else "driving_camvid"
    print(write_result(name, {"machine": machine("torch", "timm"), **found}))


def split(folder: Path, name: str, count: int) -> Cache:
    """One of CamVid's splits, decoded."""
    cache = write_cache(read_masks(DATA / "camvid" / name), folder / name, count, SETTINGS)
    return cache.part(range(len(cache)))


def run(plan: Plan, learned: Cache, judged: Cache) -> dict[str, Any]:
    """Train by a plan and judge once."""
    import torch

    gpu = torch.cuda.is_available()
    threads = torch.get_num_threads() if gpu else best_threads()
    torch.set_num_threads(threads)
    if gpu:
        learned, judged = learned.to("cuda"), judged.to("cuda")
    network = RoadNetwork(SETTINGS)
    wall, cpu = time.monotonic(), time.process_time()
    train(network, learned, TrainSettings(
        batch=plan.batch, frozen=plan.frozen, depthwise=gpu, variety=plan.variety,
        fit=FitSettings(epochs=plan.epochs, learning_rate=plan.learning_rate, weight_decay=1e-2,
                        precision=half_precision(), clip_norm=10.0),
    ))  # fmt: skip
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    network.to("cuda" if gpu else "cpu")
    tables = np.stack([
        surface_confusion(network, judged.part([i]) if not gpu else one(judged, i))
        for i in range(len(judged))
    ])  # fmt: skip
    low, high = interval(tables)
    table = tables.sum(axis=0)
    both = np.diag(table)
    shares = both / np.maximum(table.sum(axis=0) + table.sum(axis=1) - both, 1)
    return {
        "headline": {"CamVid val mIoU": {"value": mean_iou(table), "low": low, "high": high}},
        "iou": {name: round(float(share), 3) for name, share in zip(SURFACES, shares, strict=True)},
        "minutes": wall / 60, "cpu_minutes": cpu / 60, "threads": threads,
        "device": torch.cuda.get_device_name() if gpu else "cpu", "plan": str(plan),
    }  # fmt: skip


def one(cache: Cache, row: int) -> Cache:
    """A single image of a cache on a GPU."""
    arrays = {name: column[row : row + 1] for name, column in cache.arrays.items()}
    return Cache(arrays, cache.sequences[row : row + 1], cache.settings)


def interval(tables: np.ndarray[Any, Any]) -> tuple[float, float]:
    """95% of the mIoU of blocks of frames drawn again."""
    random = np.random.default_rng(0)
    starts = np.arange(0, len(tables), BLOCKS)
    blocks = np.add.reduceat(tables, starts, axis=0)
    drawn = [mean_iou(blocks[random.integers(len(blocks), size=len(blocks))].sum(axis=0))
             for _ in range(DRAWS)]  # fmt: skip
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def best_threads() -> int:
    """One thread, or as many as there are cores if those are faster."""
    import torch

    network = RoadNetwork(SETTINGS, pretrained=False).train()
    images = torch.zeros(2, SETTINGS.height, SETTINGS.width, 3, dtype=torch.uint8)
    took = {}
    for threads in (1, len(os.sched_getaffinity(0))):
        torch.set_num_threads(threads)
        for _ in range(2):  # the first warms up
            begun = time.monotonic()
            network(images)["surfaces"].sum().backward()
            took[threads] = time.monotonic() - begun
    return min(took, key=lambda threads: took[threads])


if __name__ == "__main__":
    main()
