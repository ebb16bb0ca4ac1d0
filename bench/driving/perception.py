"""What the shipped road network sees: rendered streets it never saw, and real ones.

    python -m bench.driving.perception --calibrate   # fit confidence first, then measure
    python -m bench.driving.perception               # measure

Confidence is fitted on streets of seeds from 8,000,000; the measures are of seeds from 8,500,000,
all weathers, 0.3 s between frames. CamVid's val split and Penn-Fudan's photographs were never
learned from; CamVid's train split chose between two trained networks. Intervals draw streets,
blocks of film or photographs again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np

from bench.driving.data import DATA
from bench.driving.second_opinion import judged as people_judged
from bench.driving.second_opinion import people
from bench.machine import machine, write_result
from verticals.driving.data.masks import read_masks
from verticals.driving.deciding.perception_error import write_errors
from verticals.driving.frame import Boxes2D, View
from verticals.driving.perception.eye import WEIGHTS, Eye, open_eye
from verticals.driving.perception.judging.error_table import error_table
from verticals.driving.perception.judging.report import Judged, report
from verticals.driving.perception.judging.surfaces import surface_scores, usual_surfaces
from verticals.driving.perception.second_opinion import PEDESTRIAN, SecondOpinion, merge, taken
from verticals.driving.perception.trust import Trust, fit_trust
from verticals.driving.world.dataset import WorldSettings, sequence

CALIBRATION, JUDGED = 8_000_000, 8_500_000  # first seeds
STREETS, FRAMES, STEP_S = 120, 5, 0.3


def main() -> None:
    """Calibrate if asked, measure; write bench/results/driving_perception.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calibrate", action="store_true", help="fit confidence anew")
    parser.add_argument("--streets", type=int, default=STREETS)
    words = parser.parse_args()
    eye = open_eye()
    if words.calibrate:
        calibrate(eye)
        eye = open_eye()
    views, streets, weathers = rendered(JUDGED, words.streets)
    sights = eye.look(views)
    found = report(sights, views, streets, weathers)
    if found.errors:
        nights = [weather == "night" for weather in weathers]
        write_errors(error_table(found.errors, nights, step_s=STEP_S), WEIGHTS / "errors.json")
    real = camvid(eye)
    humans = pennfudan(eye)
    table = {
        row["measure"]: {k: row[k] for k in ("value", "low", "high", "n", "baseline")
                         if row[k] == row[k]}  # not-a-number is no baseline
        for row in found.table().to_dict("records")
    }  # fmt: skip
    print(json.dumps(table | {"camvid": real, "pennfudan": humans}, indent=1, default=float))
    headline = {
        "detection AP50, rendered": table["ap50"], "detection AP, rendered": table["ap"],
        "distance error, median share": table["distance_error"], "lane F1": table["lane_f1"],
        "light state over time": table.get("light_state_over_time"),
        "surfaces mIoU, rendered": table["miou"],
        "CamVid val mIoU, learned from rendered streets only": real["miou"],
        "Penn-Fudan person AP50, network alone": humans["network"]["AP50"],
        "Penn-Fudan person AP50, with the second opinion": humans["together"]["AP50"],
    }  # fmt: skip
    write_card(headline)
    print(write_result("driving_perception", {
        "machine": machine("torch", "timm"), "streets": words.streets, "frames": len(views),
        "headline": headline, "rendered": table, "classes": classes(found),
        "slices": found.detections.slices.to_dict("records") if found.detections else [],
        "camvid": real, "pennfudan": humans,
    }))  # fmt: skip


_CARD = """# Model card: the shipped road network

EfficientNet-Lite0 from ImageNet (Apache-2.0), a feature pyramid and heads for surfaces, objects,
lanes, lights and signs. Taught on streets that the kit renders itself, and on nothing else: no
photograph of a road taught it anything, so a company may use it. Licence: Apache-2.0.

## Taught
{taught}

The commands, in order; each goes on from the one before:

```
python -m bench.driving.train_perception --seeds 300 --frames 8 --part 320 192 --frozen 3 --epochs 9
python -m bench.driving.train_perception --start FIRST --first 300 --seeds 350 --frames 7 \\
    --part 320 192 --frozen 3 --learning-rate 1.2e-3 --epochs 7
python -m bench.driving.perception --calibrate
```

The first run learned distances at another fixed focal length; its bias was shifted by ln(512/320)
before the second, which changes nothing else.

## Measured
{measured}

Rendered streets have seeds from 8,500,000, in all weathers; confidence was fitted on seeds from
8,000,000. CamVid and Penn-Fudan taught and chose nothing.

## Limits
It learned for under an hour of two cores. Rare kinds (buses, trucks, motorcycles), small lights and
signs are found badly; see the table by class in `bench/results/driving_perception.json`. Real
photographs are seen worse than rendered ones. Teach it on your own cameras before you rely on it.
"""


def write_card(headline: dict[str, Any]) -> None:
    """The card beside the weights; every number of it comes from this run or from training's."""
    taught = [
        f"- from {run['start']}: {run['data']}, {run['epochs']} epochs, batches of {run['batch']}, "
        f"seed {run['seed']}, {run['seconds']} s on {run['device']}"
        for run in json.loads((WEIGHTS / "training.json").read_text(encoding="utf-8"))
    ]
    measured = [f"- {name}: {one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
                for name, one in headline.items() if one]  # fmt: skip
    text = _CARD.format(taught="\n".join(taught), measured="\n".join(measured))
    (WEIGHTS / "card.md").write_text(text, encoding="utf-8")


def rendered(first: int, streets: int) -> tuple[list[View], list[str], list[str]]:
    """Views, and of each its street and weather."""
    settings = WorldSettings(frames=FRAMES, step_s=STEP_S)
    views, names, weathers = [], [], []
    for seed in range(first, first + streets):
        drive = sequence(seed, settings)
        for index in range(FRAMES):
            frame = drive.frame(index, index * STEP_S)
            views.append(next(iter(frame.views.values())))
            names.append(frame.sequence)
            weathers.append("night" if drive.weather.night else "rain" if drive.weather.rain
                            else "fog" if drive.weather.fog > 0.01 else "day")  # fmt: skip
    return views, names, weathers


def calibrate(eye: Eye) -> None:
    """Fit what scores are worth; kept beside the weights."""
    views, streets, _ = rendered(CALIBRATION, STREETS)
    raw = replace(eye, trust=Trust())
    trust = fit_trust(eye.run, eye.settings, views, streets, raw.look)
    trust.save(WEIGHTS / "trust.safetensors")
    print(trust.temperature, trust.objects and trust.objects.method)


def classes(found: Judged) -> list[dict[str, Any]]:
    """AP of each class of objects, IoU of each surface."""
    rows: list[dict[str, Any]] = []
    if found.detections:
        rows += found.detections.classes.to_dict("records")
    if found.surfaces:
        rows += found.surfaces.classes.to_dict("records")
    return rows


def camvid(eye: Eye) -> dict[str, Any]:
    """Surfaces of real frames, beside what is usual at each place of rendered ones."""
    views = [next(iter(f.views.values())) for f in read_masks(DATA / "camvid/val")]
    scores = surface_scores(eye.look(views), views, ["0016E5"] * len(views))
    usual = surface_scores([usual_surfaces(views)] * len(views), views, ["0016E5"] * len(views))
    miou = scores.miou
    return {
        "miou": {"value": miou.value, "low": miou.low, "high": miou.high,
                 "baseline": usual.miou.value},
        "iou": scores.classes.to_dict("records"),
    }  # fmt: skip


def pennfudan(eye: Eye) -> dict[str, Any]:
    """Pedestrians of real photographs: by the network, by the second opinion, by both."""
    images, truth = people()
    mine = [only_people(sight.boxes) for sight in replace(eye, least=0.05).see(images)]
    other = SecondOpinion.open(least=0.02).boxes(images)
    both = [only_people(merge(a, b).boxes) for a, b in zip(mine, other, strict=True)]
    return {
        "network": people_judged(mine, truth), "second opinion": people_judged(other, truth),
        "together": people_judged(both, truth),
    }  # fmt: skip


def only_people(boxes: Boxes2D) -> Boxes2D:
    """Pedestrians only."""
    return taken(boxes, np.flatnonzero(boxes.classes == PEDESTRIAN))


if __name__ == "__main__":
    main()
