"""Signs and lights read from crops, on tracks never trained on, beside HOG with a linear SVM.

    python -m bench.driving.signs [--save FOLDER]

GTSRB (Stallkamp et al., 2012): a fifth of each class's tracks is kept for the test, an eighth of
the rest to fit the temperature. Intervals draw whole tracks again. `random split` repeats the
baseline with frames split at random: what near duplicates on both sides seem to be worth.
Traffic lights by state: crops without sequence names, so nearly equal ones are kept together.
"""

from __future__ import annotations

import argparse
import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.driving.data import DATA
from bench.machine import machine, write_result
from core.evaluation.clusters import ratio_interval
from verticals.driving.data.images import read_image
from verticals.driving.perception.signs import (
    Crops,
    SignReader,
    SignSettings,
    by_track,
    cut,
    read_gtsrb,
    train_signs,
)
from verticals.driving.perception.unknown_calibration import calibration_interval, softmax

STATES = ("red", "green", "yellow")
HOG_C = 0.3  # the best of 0.03 to 3 on the tracks held out
ALIKE = 0.9  # correlation of 8x8 thumbnails above which two crops count as one passing


def main() -> None:
    """Train, judge; write bench/results/driving_signs.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", type=Path, help="keep the trained reader of signs there")
    saved = parser.parse_args().save
    crops = read_gtsrb(DATA / "gtsrb")
    learned, judged = by_track(crops, 0.2, seed=20)
    signs, reader = measured(learned, judged, SignSettings())
    if saved:
        reader.save(saved)
    random = np.random.default_rng(0).random(len(crops)) < 0.2
    leak = hog_svm(crops.take(~random), crops.take(random))
    lights, _ = measured(*by_track(light_crops(), 0.25, seed=20), SignSettings(epochs=25))
    headline = {
        "GTSRB accuracy, tracks never seen": signs["accuracy"] | {
            "baseline": signs["baseline"]["accuracy"]["value"]},
        "... its calibration error": signs["calibration_error"] | {
            "baseline": signs["before_calibration"]["value"]},
        "traffic light state accuracy": lights["accuracy"] | {
            "baseline": lights["baseline"]["accuracy"]["value"]},
    }  # fmt: skip
    print(write_result("driving_signs", {
        "machine": machine("torch", "scikit-learn", "numpy"), "headline": headline,
        "gtsrb": signs, "gtsrb_random_split_baseline": leak, "traffic_lights": lights,
    }))  # fmt: skip


def measured(
    learned: Crops, judged: Crops, settings: SignSettings
) -> tuple[dict[str, Any], SignReader]:
    """The reader and the baseline, trained on one part and judged on the other."""
    begun = time.process_time()
    reader = train_signs(learned, settings)
    seconds = time.process_time() - begun
    logits = reader.logits(judged.images)
    p = softmax(logits, reader.temperature)
    right = p.argmax(axis=1) == judged.labels
    cold = softmax(logits)
    found = {
        "train": len(learned), "test": len(judged), "test_tracks": len(np.unique(judged.tracks)),
        "settings": asdict(settings), "held_out": reader.about["held_out"],
        "accuracy": share(right, judged),
        "balanced_accuracy": balanced(right, judged),
        "calibration_error": asdict(calibration_interval(p.max(axis=1), right, judged.tracks)),
        "before_calibration": asdict(calibration_interval(cold.max(axis=1), right, judged.tracks)),
        "temperature": reader.temperature, "train_cpu_s": round(seconds, 1),
        "baseline": {"model": "HOG, linear SVM", **hog_svm(learned, judged)},
        "most_confused": confused(p, judged),
    }  # fmt: skip
    print(found, flush=True)
    return found, reader


def share(right: np.ndarray, crops: Crops) -> dict[str, float]:
    """Share of crops read right, by track."""
    return asdict(ratio_interval(right, np.ones(len(right)), crops.tracks.tolist()))


def balanced(right: np.ndarray, crops: Crops) -> float:
    """Mean of the classes' shares."""
    return float(np.mean([right[crops.labels == k].mean() for k in np.unique(crops.labels)]))


def confused(p: np.ndarray, crops: Crops) -> list[list[Any]]:
    """The five pairs most often taken for each other: truth, read, crops."""
    read = p.argmax(axis=1)
    pairs, counts = np.unique(
        np.stack([crops.labels, read])[:, read != crops.labels], axis=1, return_counts=True
    )
    order = np.argsort(-counts)[:5]
    return [[crops.names[pairs[0, i]], crops.names[pairs[1, i]], int(counts[i])] for i in order]


def hog_svm(learned: Crops, judged: Crops) -> dict[str, Any]:
    """Histograms of oriented gradients (Dalal and Triggs, 2005) and a linear machine."""
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=HOG_C, random_state=0)
    model.fit(hog(learned.images), learned.labels)
    right = model.predict(hog(judged.images)) == judged.labels
    return {"accuracy": share(right, judged), "balanced_accuracy": balanced(right, judged)}


def hog(images: np.ndarray) -> np.ndarray:
    """(n, 1764) histograms of (n, 32, 32, 3): nine directions, cells of 4 pixels, blocks of 2x2."""
    x = np.sqrt(images / 255)
    dy, dx = np.gradient(x, axis=1), np.gradient(x, axis=2)
    strongest = (dx**2 + dy**2).argmax(axis=3)[..., None]  # of the three colours
    dx, dy = (np.take_along_axis(d, strongest, axis=3)[..., 0] for d in (dx, dy))
    place = (np.arctan2(dy, dx) % np.pi) * 9 / np.pi - 0.5
    low, part = np.floor(place).astype(int), place % 1
    votes, size = np.zeros((*dx.shape, 9)), np.hypot(dx, dy)
    for directions, shares in ((low % 9, 1 - part), ((low + 1) % 9, part)):
        np.put_along_axis(votes, directions[..., None], (size * shares)[..., None], axis=3)
    cells = votes.reshape(len(x), 8, 4, 8, 4, 9).mean(axis=(2, 4))
    corners = [cells[:, i : i + 7, j : j + 7] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, axis=3)
    for _ in range(2):  # the second time after clipping: "L2-Hys"
        blocks = blocks / np.sqrt((blocks**2).sum(axis=3, keepdims=True) + 1e-4)
        blocks = np.minimum(blocks, 0.2)
    return blocks.reshape(len(x), -1)


def light_crops() -> Crops:
    """Crops of traffic lights; chains of nearly equal ones count as one passing."""
    images, labels = [], []
    with zipfile.ZipFile(DATA / "traffic_lights/train.zip") as archive:
        for name in sorted(archive.namelist()):
            state = name.split("/")[0]
            if state not in STATES or name.endswith("/"):
                continue
            image = read_image(archive.read(name), where=name)
            box = np.array([[0, 0, image.shape[1], image.shape[0]]])
            images.append(cut(image, box, margin=0)[0])
            labels.append(STATES.index(state))
    stacked = np.stack(images)
    return Crops(stacked, np.array(labels), passings(stacked, np.array(labels)), STATES)


def passings(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) names of groups linked by likeness of their thumbnails, within a label."""
    from scipy.sparse.csgraph import connected_components

    small = images.reshape(len(images), 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(len(images), -1)
    small = small - small.mean(axis=1, keepdims=True)
    small /= np.linalg.norm(small, axis=1, keepdims=True) + 1e-9
    alike = (small @ small.T > ALIKE) & (labels[:, None] == labels)
    return connected_components(alike)[1].astype(str)


if __name__ == "__main__":
    main()
