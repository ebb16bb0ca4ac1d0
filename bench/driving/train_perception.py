"""Train the road network that the kit ships, on rendered streets only.

    python -m bench.driving.train_perception --seeds 6000 --workers 16 --epochs 24  # with a GPU
    python -m bench.driving.train_perception --part 384 224  # an hour or two of two cores

Seeds below 1,000,000 train, those from 8,000,000 tell how far it has come; nothing else is read, no
photograph among it. A killed run goes on where it was.
`python -m bench.driving.perception` then calibrates and measures what was learned.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from core.training.loop import FitSettings, half_precision
from verticals.driving.perception.augment import Variety
from verticals.driving.perception.dataset import Cache, render_cache
from verticals.driving.perception.network import RoadNetwork
from verticals.driving.perception.settings import PerceptionSettings
from verticals.driving.perception.training import (
    TrainSettings,
    load_network,
    mean_iou,
    save_network,
    surface_confusion,
    train,
)
from verticals.driving.world.dataset import WorldSettings

VALIDATION = 8_000_000  # first seed that is never learned from


def main() -> None:
    """Render, train, save."""
    words = arguments().parse_args()
    settings = PerceptionSettings()
    if words.only_render:
        rendered(words, settings)
        return
    import torch

    cache, held_out = rendered(words, settings)
    gpu = torch.cuda.is_available()
    if gpu:
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        cache, held_out = cache.to("cuda"), held_out.to("cuda")
    network = load_network(words.start) if words.start else RoadNetwork(settings)
    few = held_out.part(range(0, len(held_out), 2)) if not gpu else held_out

    def score(learning: RoadNetwork) -> float:
        """Keep what is learned so far, and see how far it has come."""
        save_network(learning, words.out / "road.safetensors")
        value = mean_iou(surface_confusion(learning, few))
        print(f"rendered mIoU {value:.3f} after {time.monotonic() - begun:.0f} s", flush=True)
        return value

    zoom = (0.6, 1.7) if words.part else Variety().zoom
    begun = time.monotonic()
    history = train(network, cache, TrainSettings(
        batch=words.batch, frozen=words.frozen, depthwise=gpu,
        variety=Variety(surfaces=words.repaint, size=words.part, zoom=zoom),
        fit=FitSettings(
            epochs=words.epochs, learning_rate=words.learning_rate, weight_decay=1e-2,
            precision=half_precision(), clip_norm=10.0, seed=words.seed,
            deadline=begun + words.deadline, checkpoint=words.out / "checkpoint",
        ),
    ), validate=score)  # fmt: skip
    seconds = time.monotonic() - begun
    path = save_network(network, words.out / "road.safetensors")
    confusion = surface_confusion(network.to("cuda" if gpu else "cpu"), held_out)
    card = {
        "data": f"{len(cache)} rendered frames of {words.seeds} streets from {words.first}",
        "start": words.start.name if words.start else "ImageNet", "seed": words.seed,
        "epochs": len(history.losses), "batch": words.batch,
        "learning_rate": words.learning_rate, "frozen": words.frozen, "repaint": words.repaint,
        "device": torch.cuda.get_device_name() if gpu else "cpu", "seconds": round(seconds),
        "images_a_second": round(len(cache) * len(history.losses) / seconds, 1),
        "losses": [round(loss, 4) for loss in history.losses],
        "rendered_miou": round(mean_iou(confusion), 4),
    }  # fmt: skip
    (words.out / "training.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card), path)


def rendered(words: argparse.Namespace, settings: PerceptionSettings) -> tuple[Cache, Cache]:
    """The frames to learn from, and those that tell how far it has come."""
    world = WorldSettings(frames=words.frames, step_s=1.7, view="any")
    begun = time.monotonic()
    seeds = range(words.first, words.first + words.seeds)
    cache = render_cache(words.cache / "train", seeds, world, settings, workers=words.workers)
    seeds = range(VALIDATION, VALIDATION + max(8, words.seeds // 50))
    held_out = render_cache(words.cache / "val", seeds, world, settings, workers=words.workers)
    print(f"{len(cache)} frames in {time.monotonic() - begun:.0f} s", flush=True)
    return cache, held_out


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/perception"), help="folder of the weights")
    add("--cache", type=Path, default=Path("runs/frames"), help="folder of the rendered frames")
    add("--seeds", type=int, default=6000, help="streets")
    add("--first", type=int, default=0, help="the first street's seed")
    add("--frames", type=int, default=4, help="of each street")
    add("--workers", type=int, default=2, help="processes that render")
    add("--only-render", action="store_true", help="stop when the frames are there")
    add("--start", type=Path, help="weights to go on from")
    add("--epochs", type=int, default=24)
    add("--batch", type=int, default=32)
    add("--learning-rate", type=float, default=1.5e-3)
    add("--frozen", type=int, default=0, help="first stages of the backbone that do not learn")
    add(
        "--part",
        type=int,
        nargs=2,
        metavar=("WIDTH", "HEIGHT"),
        help="learn from parts of this many pixels instead of whole frames: less work each",
    )
    add("--repaint", type=float, default=1.0, help="strength of the surfaces' variety")
    add("--seed", type=int, default=0)
    add("--deadline", type=float, default=1e9, help="seconds after which no epoch begins")
    return parser


if __name__ == "__main__":
    main()
