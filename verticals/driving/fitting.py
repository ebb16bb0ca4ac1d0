"""Teaches a network on the client's images, and lets it compete with the one that is shipped."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.errors import ParameterError
from core.training.loop import FitSettings, half_precision
from verticals.driving.deploying.torch_runtime import torch_runtime
from verticals.driving.frame import Frame
from verticals.driving.perception.augment import Variety
from verticals.driving.perception.dataset import write_cache
from verticals.driving.perception.eye import WEIGHTS, Eye, open_eye
from verticals.driving.perception.judging.report import Judged, report
from verticals.driving.perception.settings import HEADS, PerceptionSettings
from verticals.driving.perception.training import TrainSettings, load_network, train
from verticals.driving.perception.trust import Trust, fit_trust
from verticals.driving.stages import Fitted, Labelled, Split

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

SHIPPED, TAUGHT = "shipped", "taught"
EPOCHS = {"quick": 1, "standard": 8, "thorough": 12}
_PART = (320, 192)  # pixels that a processor learns from at a time; a GPU takes whole images
_RATE = {"imagenet": 1.5e-3, SHIPPED: 4e-4}


def fit(split: Split, *, checkpoint: Path | None = None) -> Fitted:
    """Teach, calibrate, compare.

    Args:
        split: The images.
        checkpoint: Folder from which a killed run goes on.

    Raises:
        ParameterError: `start` is neither imagenet, shipped nor a file.
    """
    import torch

    parameters = split.checked.loaded.parameters
    torch.set_num_threads(parameters.threads)
    network = _start(parameters.start)
    losses = _teach(network, split, checkpoint)
    taught = calibrated(network, split.validation)
    candidates = {TAUGHT: taught}
    if (WEIGHTS / "road.safetensors").exists():
        candidates[SHIPPED] = open_eye()
    duel = {name: _on(eye, split.validation) for name, eye in candidates.items()}
    chosen = max(duel, key=lambda name: _worth(duel[name]))
    other = next((eye for name, eye in candidates.items() if name != chosen), None)
    if chosen == SHIPPED:
        network = load_network(WEIGHTS / "road.safetensors")
    return Fitted(split, network, candidates[chosen], chosen, other, losses, _table(duel, chosen))


def _start(start: str) -> RoadNetwork:
    """The network before it is taught."""
    from verticals.driving.perception.network import RoadNetwork

    if start == "imagenet":
        return RoadNetwork(PerceptionSettings())
    path = WEIGHTS / "road.safetensors" if start == SHIPPED else Path(start)
    if not path.is_file():
        raise ParameterError(
            f"there are no weights {start!r}", where="start",
            remedy="Give imagenet, shipped, or a file that save_network wrote",
        )  # fmt: skip
    return load_network(path)


def _teach(network: RoadNetwork, split: Split, checkpoint: Path | None) -> tuple[float, ...]:
    """Train on the train images, cached as arrays."""
    import torch

    parameters = split.checked.loaded.parameters
    gpu = torch.cuda.is_available()
    rate = _RATE.get(parameters.start, _RATE[SHIPPED])
    settings = TrainSettings(
        batch=16 if gpu else 8, frozen=3, depthwise=gpu, heads=labelled_heads(split.train),
        variety=Variety(size=None if gpu else _PART, zoom=(0.6, 1.7)),
        fit=FitSettings(
            epochs=EPOCHS[parameters.budget], learning_rate=rate, weight_decay=1e-2,
            precision=half_precision(), clip_norm=10.0,
            seed=parameters.seed, checkpoint=checkpoint, progress=parameters.budget == "thorough",
        ),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="casekit_frames_") as folder:
        frames = (Frame({"camera": one.view}, sequence=one.sequence) for one in split.train)
        cache = write_cache(frames, Path(folder), len(split.train), network.settings)
        history = train(network, cache.to("cuda") if gpu else cache, settings)
    return tuple(history.losses)


def labelled_heads(frames: Sequence[Labelled]) -> tuple[str, ...]:
    """The heads that there are labels for."""
    views = [one.view for one in frames]
    there = {
        "surfaces": any(view.surfaces is not None for view in views),
        "objects": any(view.boxes is not None for view in views),
        "lanes": any(view.lanes is not None for view in views),
    }
    return tuple(head for head in HEADS if there[head])


def calibrated(network: RoadNetwork, frames: Sequence[Labelled]) -> Eye:
    """Perception whose scores are chances, by images that the network did not learn from."""
    raw = Eye(torch_runtime(network.eval()), network.settings, Trust())
    views, names = [one.view for one in frames], [one.sequence for one in frames]
    return replace(raw, trust=fit_trust(raw.run, network.settings, views, names, raw.look))


def _on(eye: Eye, frames: Sequence[Labelled]) -> tuple[Judged, float]:
    """How well it sees some images, and seconds for each."""
    views, names = [one.view for one in frames], [one.sequence for one in frames]
    begun = time.perf_counter()
    sights = eye.look(views)
    seconds = (time.perf_counter() - begun) / len(frames)
    return report(sights, views, names, draws=100), seconds


def _worth(found: tuple[Judged, float]) -> float:
    """What decides: mean IoU of surfaces plus AP50 of objects, as far as they are labelled."""
    judged = found[0]
    return sum(one.value for one in (
        judged.surfaces.miou if judged.surfaces else None,
        judged.detections.ap50 if judged.detections else None,
    ) if one is not None)  # fmt: skip


def _table(duel: dict[str, tuple[Judged, float]], chosen: str) -> pd.DataFrame:
    rows = []
    for name, (judged, _) in duel.items():
        measures = judged.measures()
        found: dict[str, object] = {
            key: measures[key][0].value for key in ("miou", "ap50", "lane_f1") if key in measures
        }
        rows.append({"network": name, **found, "chosen": name == chosen})
    return pd.DataFrame(rows)
