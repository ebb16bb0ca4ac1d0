"""How often strange images raise the alarm, and how often familiar ones do.

    python -m bench.driving.unknown [--weights FOLDER]

Familiar are rendered streets, or CamVid's training film; what counts as strange to each are other
cameras' streets, people on campus, chessboards, noise, and CamVid's own film blurred or darkened.
Mahalanobis distance beside the distance to neighbours (`perception.unknown`), on the embedding of
the network as ImageNet left it, or of trained weights. Real streets beside rendered ones are
strange by degrees: no number here says that an image without alarm is understood.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np

from bench.driving.data import DATA
from bench.machine import machine, write_result
from core.evaluation.bootstrap import share_interval
from core.evaluation.metrics import METRICS, Groups
from verticals.driving.data.images import read_image
from verticals.driving.perception.dataset import fitted
from verticals.driving.perception.settings import PerceptionSettings
from verticals.driving.perception.unknown import Measure, fit_domain
from verticals.driving.world.dataset import WorldSettings, sequences

FALSE_ALARM = 0.05
RENDERED = {
    "learned": range(5000, 5160),
    "threshold": range(5160, 5240),
    "judged": range(5240, 5300),
}
WORLD = WorldSettings(width=320, height=180, frames=1)
SMALL = PerceptionSettings(width=320, height=192, heads=())
STREETS = {
    "BDD100K": "bdd100k/*.jpg", "KITTI": "kitti/training/image_2/*.png",
    "Penn-Fudan": "pennfudan/images/*.jpg", "chessboards": "calibration_chessboard/*.jpg",
}  # fmt: skip


def main() -> None:
    """Embed, fit, count alarms; write bench/results/driving_unknown.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="road.safetensors of a trained network")
    embed = Embedder(parser.parse_args().weights)
    film = [read_image(path) for path in sorted((DATA / "camvid/train/images").glob("*.jpg"))]
    val = [read_image(path) for path in sorted((DATA / "camvid/val/images").glob("*.jpg"))]
    strange = {name: embed(read_image(path) for path in sorted(DATA.glob(pattern)))
               for name, pattern in STREETS.items()} | spoiled(embed, val[::5])  # fmt: skip
    streets = {part: embed(next(iter(f.views.values())).image for f in sequences(seeds, WORLD))
               for part, seeds in RENDERED.items()}  # fmt: skip
    camvid, unseen = embed(film), embed(val)
    half = len(film) // 2  # the film's second half sets the threshold: neighbours are not apart
    cases = {
        "rendered": (streets["learned"], streets["threshold"], streets["judged"],
                     strange | {"CamVid": unseen}),
        "CamVid": (camvid[:half], camvid[half:], unseen, strange | {"rendered": streets["judged"]}),
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, (learned, apart, familiar, others) in cases.items():
        found[name] = {
            measure: alarms(learned, apart, familiar, others, measure)
            for measure in get_args(Measure)
        }
        print(name, found[name], flush=True)
    headline = {
        f"AUROC of strange images, {name} familiar": {
            "value": rows["mahalanobis"]["mean_auroc"],
            "baseline": rows["neighbours"]["mean_auroc"]} for name, rows in found.items()
    } | {
        f"false alarms, {name} familiar": rows["mahalanobis"]["false_alarms"]
        for name, rows in found.items()
    }  # fmt: skip
    print(write_result("driving_unknown", {
        "machine": machine("torch", "timm", "scikit-learn", "numpy"), "headline": headline,
        "false_alarm_chosen": FALSE_ALARM, **found,
    }))  # fmt: skip


class Embedder:
    """The network's embedding of images."""

    def __init__(self, weights: Path | None) -> None:
        """As trained, or as ImageNet left it."""
        from verticals.driving.perception.network import RoadNetwork
        from verticals.driving.perception.training import load_network

        self.network = (load_network(weights) if weights else RoadNetwork(SMALL)).eval()
        settings = self.network.settings if weights else SMALL
        self.size = (settings.width, settings.height)

    def __call__(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """(n, d)."""
        import torch

        found = []
        with torch.inference_mode():
            for image in images:
                given = torch.from_numpy(fitted(image, *self.size)[0])[None]
                found.append(self.network(given)["embedding"].float().numpy()[0])
        return np.stack(found)


def spoiled(embed: Embedder, images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The same street through a wet lens, at a tenth of the light, and no street at all."""
    import cv2

    random = np.random.default_rng(0)
    return {
        "blurred": embed(cv2.GaussianBlur(image, (0, 0), 8) for image in images),
        "darkened": embed((image * 0.1).astype(np.uint8) for image in images),
        "noise": embed(random.integers(0, 255, (180, 320, 3), dtype=np.uint8) for _ in range(20)),
    }


def alarms(
    learned: np.ndarray, apart: np.ndarray, familiar: np.ndarray,
    others: dict[str, np.ndarray], measure: Measure,
) -> dict[str, Any]:  # fmt: skip
    """Alarms among familiar images, and among each kind of strange ones with the AUROC."""
    domain = fit_domain(learned, validation=apart, false_alarm=FALSE_ALARM, measure=measure)
    plain = domain.strangeness(familiar)
    kinds = {}
    for name, embeddings in others.items():
        far = domain.strangeness(embeddings)
        y = np.r_[np.zeros(len(plain), int), np.ones(len(far), int)]
        groups = Groups.of(y, np.r_[plain, far])
        auroc = float(METRICS["roc_auc"](groups, *groups.counts())[0])
        kinds[name] = {"alarms": share(far), "auroc": auroc}
    return {
        "false_alarms": share(plain), "strange": kinds,
        "mean_auroc": float(np.mean([row["auroc"] for row in kinds.values()])),
    }  # fmt: skip


def share(strangeness: np.ndarray) -> dict[str, float]:
    """Share of images with an alarm; a film's neighbours count as if drawn one by one."""
    return asdict(share_interval(int((strangeness > 1).sum()), len(strangeness)))


if __name__ == "__main__":
    main()
