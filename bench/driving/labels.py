"""What labels are worth: splits that leak, labels that are wrong, and which to buy next.

    python -m bench.driving.labels

*Splits*: a linear probe and the nearest neighbour on German signs, split by frame and by track.
*Label errors*: 5% of Penn-Fudan's people get another class, 5% are dropped, 5% moved; the person
detector of the offline pack, which was trained elsewhere, says which labels look wrong. `SURE` was
chosen on these labels (beside cleanlab's own 0.95, also shown), so they flatter it somewhat; riders
of bicycles have no labels there and count as false alarms.
*Curve*: labels of sign frames bought round by round for a linear probe on frozen ImageNet features,
judged on tracks that no round can buy; the near duplicates of a track are what is to be avoided.
`rendered` measures label errors on rendered streets with any detector; run it with a trained one.
"""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.driving.data import DATA
from bench.machine import machine, write_result
from core.evaluation.bootstrap import Interval
from verticals.driving.data.coco import read_coco
from verticals.driving.data.splits import split_gap, split_units
from verticals.driving.engine.choosing import doubt
from verticals.driving.engine.curve import RANDOM, engine, label_curve, most_doubted
from verticals.driving.engine.label_errors import (
    KINDS,
    SURE,
    Detect,
    hits,
    precision_at,
    rank_labels,
)
from verticals.driving.engine.spoiling import spoil
from verticals.driving.frame import Boxes2D, Floats

BUDGETS = (50, 100, 200, 400, 800, 1600)
SPOILT, SEEDS = range(10), range(8)
LIMITS = (SURE, 0.95)  # cleanlab's own is the second
ENGINE = "doubt and difference"


def main() -> None:
    """Measure all three; write bench/results/driving_labels.json."""
    images, classes, tracks = signs()
    features = frozen(images)
    splits = {
        "nearest neighbour on pixels": split_gap(images.reshape(len(images), -1) / 255.0, classes,
                                                 tracks),
        "linear probe on frozen features": split_gap(features, classes, tracks, classify=probed),
    }  # fmt: skip
    wrong = people()
    bought = curve(features, classes, tracks)
    at = BUDGETS.index(400)
    found = {name: asdict(gap) for name, gap in splits.items()}
    probe = splits["linear probe on frozen features"]
    errors = wrong[f"sure {SURE}"]["all"]
    headline = {
        "accuracy of a probe on signs, split by track": asdict(probe.apart)
        | {"split by frame": probe.random.value},
        "label errors found, precision at k": errors | {"baseline": wrong["by chance"]},
        "accuracy with 400 labels": bought[ENGINE]["accuracy"][at]
        | {"baseline": bought[RANDOM]["accuracy"][at]["value"]},
        "labels saved, share": bought[ENGINE]["saved"],
    }
    print(json.dumps(headline, indent=1), flush=True)
    print(write_result("driving_labels", {
        "machine": machine("cleanlab", "scikit-learn", "openvino", "torch", "timm"),
        "headline": headline, "splits": found, "label_errors": wrong, "curve": bought,
    }))  # fmt: skip


def signs() -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """German signs: (n, 32, 32, 3), their classes, and the track each frame is of."""
    table = np.load(DATA / "gtsrb/train.npz")
    with (DATA / "gtsrb/train.csv").open(encoding="utf-8") as file:
        tracks = [row["track"] for row in csv.DictReader(file)]
    return table["images"], table["labels"].astype(np.int64), tracks


def frozen(images: NDArray[np.uint8]) -> Floats:
    """(n, 128) features at stride 8 of the ImageNet backbone, pooled 4 by 4, then whitened."""
    import timm
    import torch
    from sklearn.decomposition import PCA
    from torch.nn.functional import adaptive_avg_pool2d, interpolate

    from verticals.driving.perception.network import load_imagenet

    torch.set_num_threads(1)
    name = "tf_efficientnet_lite0"
    backbone = timm.create_model(name, features_only=True, out_indices=(0, 1, 2))
    load_imagenet(backbone, name)
    backbone.eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), 128):
            part = torch.from_numpy(images[start : start + 128]).permute(0, 3, 1, 2)
            given = interpolate(part.float() / 127.5 - 1, size=(64, 64), mode="bilinear")
            rows.append(adaptive_avg_pool2d(backbone(given)[2], 4).flatten(1).numpy())
    whole = np.concatenate(rows)
    whole = (whole - whole.mean(axis=0)) / (whole.std(axis=0) + 1e-6)
    shrunk: Floats = PCA(128, whiten=True, random_state=0, svd_solver="randomized").fit_transform(
        whole
    )
    return shrunk


def probed(known: Floats, classes: NDArray[np.int64], asked: Floats) -> NDArray[np.int64]:
    """A logistic regression's answers."""
    from sklearn.linear_model import LogisticRegression

    answer: NDArray[np.int64] = (
        LogisticRegression(C=0.1, max_iter=200).fit(known, classes).predict(asked)
    )
    return answer


def people() -> dict[str, Any]:
    """Errors put into Penn-Fudan's labels, by the offline pack's detector."""
    from verticals.driving.perception.second_opinion import SecondOpinion

    items = read_coco(DATA / "pennfudan/train.json")
    second = SecondOpinion.open(least=0.05)
    found = second.boxes([item.frame().views["camera"].image for item in items])
    return judged([item.boxes for item in items], found, ("pedestrian", "cyclist", "car"))


def rendered(detect: Detect, seeds: Iterable[int], *, every: int = 5) -> dict[str, Any]:
    """Errors put into the labels of rendered streets, by a detector that never saw those seeds."""
    from verticals.driving.frame import OBJECTS
    from verticals.driving.world.dataset import sequences

    views = [next(iter(frame.views.values())) for frame in sequences(seeds)
             if frame.index % every == 0]  # fmt: skip
    labels = [view.boxes for view in views if view.boxes is not None]
    return judged(labels, [detect(view.image) for view in views], OBJECTS)


def judged(
    labels: Sequence[Boxes2D], found: Sequence[Boxes2D], kinds: Sequence[str]
) -> dict[str, Any]:
    """Precision at as many suspects as there are errors, over `SPOILT` draws of errors.

    Ends of intervals are means over the draws of what images drawn again give.
    """
    result: dict[str, Any] = {"labels": sum(map(len, labels)), "images": len(labels)}
    for sure in LIMITS:
        rows: dict[str, list[Interval]] = {}
        shares = []
        for seed in SPOILT:
            spoilt = spoil(labels, kinds=kinds, seed=seed)
            suspects = rank_labels(spoilt.labels, found, sure=sure)
            right, errors = hits(suspects, spoilt), spoilt.count()
            shares.append(errors / (sum(map(len, spoilt.labels)) + sum(map(len, spoilt.deleted))))
            rows.setdefault("all", []).append(precision_at(suspects, right, errors))
            rows.setdefault("first 10", []).append(precision_at(suspects, right, 10))
            for number, kind in enumerate(KINDS):
                of = np.flatnonzero(suspects.kind == number)[: errors // 3]
                rows.setdefault(kind, []).append(
                    Interval(float(right[of].mean()) if len(of) else 0.0, 0.0, 1.0, len(of))
                )
        result[f"sure {sure}"] = {
            name: {"value": float(np.mean([i.value for i in each])), "n": each[0].n}
            | ({"low": float(np.mean([i.low for i in each])),
                "high": float(np.mean([i.high for i in each]))} if name not in KINDS else {})
            for name, each in rows.items()
        }  # fmt: skip
        result["by chance"] = float(np.mean(shares))
        print(f"sure {sure}", json.dumps(result[f"sure {sure}"]), flush=True)
    return result


def curve(features: Floats, classes: NDArray[np.int64], tracks: Sequence[str]) -> dict[str, Any]:
    """Accuracy on tracks left out by the number of labelled frames, for three ways to choose."""
    from sklearn.linear_model import LogisticRegression

    parts = split_units(np.asarray(tracks), shares={"pool": 0.7, "test": 0.3}, kinds=classes)
    pool, test = parts["pool"], parts["test"]

    # scikit-learn wonders about so many classes in so few rows
    warnings.filterwarnings("ignore", message="The number of unique classes")

    def train_and_score(rows: NDArray[np.int64], seed: int) -> tuple[float, Floats]:
        del seed
        model = LogisticRegression(C=0.1, max_iter=200).fit(features[pool[rows]],
                                                            classes[pool[rows]])  # fmt: skip
        return float(model.score(features[test], classes[test])), doubt(
            model.predict_proba(features[pool])
        )

    bought = label_curve(train_and_score, features[pool], BUDGETS, seeds=SEEDS,
                         ways={ENGINE: engine, "doubt alone": most_doubted})  # fmt: skip
    result: dict[str, Any] = {
        "budgets": list(BUDGETS), "pool": len(pool), "test": len(test), "seeds": len(SEEDS),
    }  # fmt: skip
    for way in bought.quality:
        result[way] = {"accuracy": [asdict(i) for i in bought.interval(way)]}
        if way != RANDOM:
            result[way] |= {"gain_over_random": [asdict(t) for t in bought.gain(way)],
                            "saved": asdict(bought.saved(way))}  # fmt: skip
        print(way, [round(i.value, 3) for i in bought.interval(way)], flush=True)
    return result


if __name__ == "__main__":
    main()
