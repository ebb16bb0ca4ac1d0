"""The road network's runtimes beside torch, its training beside a bare loop, perception's speed.

    python -m bench.driving.runtimes [--parts export,training,video]

Rendered streets of seeds that no training used; the shipped weights where there are any, else ones
that this benchmark trains for a minute or two, which see little: losses of accuracy then say less
than the speeds. Processor seconds count all threads; variants run by turns, medians are compared.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import RESULTS, machine, write_result
from core.errors import ModelError
from core.training.loop import FitSettings
from verticals.driving.deploying.exporting import (
    KINDS,
    classes_table,
    export,
    exports_table,
)
from verticals.driving.deploying.losing import Frames
from verticals.driving.deploying.runtimes import Opened, open_runtime, usable_cores
from verticals.driving.frame import Frame, View
from verticals.driving.perception.augment import vary
from verticals.driving.perception.dataset import Cache, fitted, write_cache
from verticals.driving.perception.eye import Eye
from verticals.driving.perception.losses import road_loss
from verticals.driving.perception.network import RoadNetwork
from verticals.driving.perception.settings import DETECTED, PerceptionSettings
from verticals.driving.perception.training import TrainSettings, load_network, train
from verticals.driving.tracking.tracker import Tracker
from verticals.driving.world.dataset import WorldSettings, sequences

WEIGHTS = Path(__file__).parents[2] / "verticals/driving/perception/weights"
SETTINGS = PerceptionSettings()
LEARNED, JUDGED, FITTED, DRIVEN = range(9000, 9012), range(9100, 9112), range(9200, 9216), (9300,)
BATCH, STEPS, ROUNDS = 4, 4, 5
TURNS = 25


def main() -> None:
    """Measure; write bench/results/driving_runtimes.json, parts not measured now as they were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="training,export,video")
    parts = parser.parse_args().parts.split(",")
    place = RESULTS / "driving_runtimes.json"
    found: dict[str, Any] = json.loads(place.read_text()) if place.exists() else {}
    found["machine"] = machine("torch", "onnxruntime", "openvino", "nncf", "executorch")
    found["cores_used"] = usable_cores()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        learned = write_cache(
            sequences(LEARNED, WorldSettings(frames=4, step_s=0.5)), folder / "cache",
            4 * len(LEARNED), SETTINGS,
        )  # fmt: skip
        network, found["weights"] = weights(learned)
        if "training" in parts:
            found["training"] = training(network, learned)
            show("training", found["training"])
            write_result("driving_runtimes", found)
        if "export" in parts or "video" in parts:
            made = exporting(network, folder / "export", timed="export" in parts)
            if "export" in parts:
                found["export"] = made
                write_result("driving_runtimes", found)
            if "video" in parts:
                found["video"] = video(open_runtime(folder / "export", made["fastest"]))
                show("video", found["video"])
    found["headline"] = headline(found)
    show("headline", found["headline"])
    print(write_result("driving_runtimes", found))


def weights(cache: Cache) -> tuple[RoadNetwork, str]:
    """The shipped network, or one that was trained for a minute."""
    shipped = sorted(WEIGHTS.glob("*.safetensors"))
    for path in shipped:
        try:
            return load_network(path), path.name
        except ModelError:  # another network's weights
            continue
    network = RoadNetwork(SETTINGS)
    fit = FitSettings(epochs=3, learning_rate=2e-3, seed=0)
    train(network, cache, TrainSettings(batch=BATCH, fit=fit))
    return network.eval(), "trained by this benchmark on 48 frames, 3 epochs"


def training(network: RoadNetwork, cache: Cache) -> dict[str, Any]:
    """Images per second of `train` and of bare loops over the same tensors."""
    part = cache.part(np.arange(BATCH * STEPS))
    given = TrainSettings(batch=BATCH, fit=FitSettings(epochs=1))
    loops: dict[str, Callable[[RoadNetwork], Any]] = {
        "train": lambda one: train(one, part, given),
        "bare": lambda one: bare(one, part, given, varied=True),
        "bare, images not varied": lambda one: bare(one, part, given, varied=False),
    }
    times: dict[str, list[float]] = {name: [] for name in loops}
    for again in range(ROUNDS + 1):
        for name, loop in loops.items():
            one = copy.deepcopy(network)
            begun = time.process_time()
            loop(one)
            if again:  # the first round warms up
                times[name].append(time.process_time() - begun)
    images = BATCH * STEPS
    speed = {name: images / float(np.median(taken)) for name, taken in times.items()}
    ratios = np.array(times["bare"]) / np.array(times["train"])
    plain = np.array(times["bare, images not varied"]) / np.array(times["train"])
    return {
        "images_a_cpu_second": {name: round(one, 3) for name, one in speed.items()},
        "ratio": float(np.median(ratios)), "low": float(ratios.min()), "high": float(ratios.max()),
        "ratio_to_unvaried": float(np.median(plain)), "rounds": ROUNDS, "images_a_round": images,
    }  # fmt: skip


def bare(network: RoadNetwork, cache: Cache, settings: TrainSettings, *, varied: bool) -> None:
    """The shortest loop that does the same: cached tensors, loss, AdamW, one-cycle, clipping."""
    import torch

    network.train().to(memory_format=torch.channels_last)
    fit = settings.fit
    tensors = {name: torch.from_numpy(np.asarray(a)) for name, a in cache.arrays.items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=fit.learning_rate,
                                  weight_decay=fit.weight_decay, fused=True)  # fmt: skip
    steps = fit.epochs * (len(cache) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, fit.learning_rate, steps)
    for step in range(steps):
        rows = slice(step * settings.batch, (step + 1) * settings.batch)
        batch = {name: a[rows] for name, a in tensors.items()}
        if varied:
            batch = vary(batch, settings.variety)
        loss = road_loss(network(batch["images"]), batch, settings.weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), fit.clip_norm)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()


def exporting(network: RoadNetwork, folder: Path, *, timed: bool) -> dict[str, Any]:
    """Every runtime: what it loses by class, weighs and costs."""
    frames = list(sequences(JUDGED, WorldSettings(frames=2, step_s=2.0)))
    judged = Frames([main_view(f) for f in frames], [f.sequence for f in frames], SETTINGS)
    typical = list(sequences(FITTED, WorldSettings(frames=2, step_s=2.0)))
    calibration = np.stack([fitted(main_view(f).image, SETTINGS.width, SETTINGS.height)[0]
                            for f in typical])  # fmt: skip
    kinds = KINDS if timed else ("torch", "onnx_int8", "openvino_int8")
    made = export(network, folder, kinds, calibration=calibration, judge=judged,
                  seconds=2.0 if timed else 0.0)  # fmt: skip
    table, classes = exports_table(made), classes_table(made)
    print(table.drop(columns="refused").round(4).to_string(), flush=True)
    print(classes.round(4).to_string(), flush=True)
    for one in made:
        if one.refused:
            print(one.kind, "refused:", one.refused, flush=True)
    used = [one.kind for one in made if not one.refused]
    turns = by_turns({kind: open_runtime(folder, kind, threads=1) for kind in used},
                     calibration[:1])  # fmt: skip
    show("by turns", turns)
    edge = [k for k in used if k.endswith(("int8", "bf16"))] or used
    return {
        "judged_frames": len(frames), "judged_sequences": len(JUDGED), "by_turns": turns,
        "fastest": min(edge, key=lambda kind: turns[kind]["cpu_ms_a_frame"]),
        "runtimes": json.loads(table.to_json(orient="records")),
        "loss_by_class": json.loads(classes.to_json(orient="records")),
    }  # fmt: skip


def by_turns(runs: dict[str, Opened], image: np.ndarray) -> dict[str, Any]:
    """Processor and wall time of one frame, every runtime called once a turn."""
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(TURNS + 3):
        for name, run in runs.items():
            begun, used = time.perf_counter(), time.process_time()
            run(image)
            if turn >= 3:
                wall[name].append(time.perf_counter() - begun)
                cpu[name].append(time.process_time() - used)
    base = np.array(cpu.get("torch", [np.nan] * TURNS))
    found = {}
    for name, taken in cpu.items():
        ratios = base / np.array(taken)
        low, high = np.quantile(ratios, [0.025, 0.975])
        found[name] = {
            "cpu_ms_a_frame": 1e3 * float(np.median(taken)),
            "times_torch": float(np.median(ratios)), "low": float(low), "high": float(high),
            "frames_a_second": 1 / float(np.median(wall[name])),
        }  # fmt: skip
    return found


def video(run: Opened) -> dict[str, Any]:
    """Frames per second of seeing and following a drive, image by image."""
    frames = list(sequences(DRIVEN, WorldSettings(frames=40)))
    views = [main_view(frame) for frame in frames]
    eye = Eye(run, SETTINGS)
    eye.see([views[0].image], [views[0].calibration])
    trackers = {name: Tracker() for name in DETECTED[:7]}
    taken, cpu, followed = [], time.process_time(), 0
    for frame, view in zip(frames, views, strict=True):
        begun = time.perf_counter()
        (sight,) = eye.see([view.image], [view.calibration])
        boxes, camera = sight.boxes, view.calibration
        assert camera is not None
        middle = (boxes.xyxy[:, 0] + boxes.xyxy[:, 2]) / 2
        slope = (middle - camera.matrix[0, 2]) / camera.matrix[0, 0]
        ahead = np.asarray(boxes.distance) / np.sqrt(1 + slope**2)
        places = np.stack([ahead, -ahead * slope], axis=1)
        for name, tracker in trackers.items():
            mine = boxes.classes == DETECTED.index(name)
            found = tracker.update(places[mine], boxes.xyxy[mine],
                                   np.asarray(boxes.scores)[mine], frame.time_s)  # fmt: skip
            followed += len(found.ids)
        taken.append(time.perf_counter() - begun)
    return {
        "kind": run.kind, "threads": run.threads, "cores": usable_cores(), "frames": len(frames),
        "frames_a_second": len(frames) / sum(taken), "slowest_ms": 1e3 * max(taken),
        "cpu_ms_a_frame": 1e3 * (time.process_time() - cpu) / len(frames), "followed": followed,
    }  # fmt: skip


def main_view(frame: Frame) -> View:
    """Of the first camera."""
    return next(iter(frame.views.values()))


def headline(found: dict[str, Any]) -> dict[str, Any]:
    """The numbers that were asked for."""
    lines: dict[str, Any] = {}
    if "export" in found:
        rows = {row["kind"]: row for row in found["export"]["runtimes"]}
        kind = found["export"]["fastest"]
        turn = found["export"]["by_turns"][kind]
        lines[f"{kind}, times torch in processor time"] = {
            "value": turn["times_torch"],
            "low": turn["low"],
            "high": turn["high"],
            "baseline": 1.0,
        }
        lines[f"{kind}, mIoU lost"] = {
            "value": rows[kind]["miou_loss"], "low": rows[kind]["miou_low"],
            "high": rows[kind]["miou_high"], "baseline": 0.0}  # fmt: skip
    if "training" in found:
        one = found["training"]
        lines["training images per second, times the bare loop's"] = {
            "value": one["ratio"],
            "low": one["low"],
            "high": one["high"],
            "baseline": 1.0,
        }
    if "video" in found:
        lines["perception and tracking, frames per second"] = found["video"]["frames_a_second"]
    return lines


def show(name: str, what: Any) -> None:
    """On the terminal, at once."""
    print(name, json.dumps(what, indent=1), flush=True)


if __name__ == "__main__":
    main()
