"""Trains the road network on cached frames, rendered or a client's own, and keeps its weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from core.errors import ModelError
from core.training.loop import FitHistory, FitSettings, fit
from verticals.driving.frame import SURFACES
from verticals.driving.perception.augment import Variety, vary
from verticals.driving.perception.dataset import Cache, collate
from verticals.driving.perception.losses import Weights, road_loss
from verticals.driving.perception.network import OBJECT_MAPS, RoadNetwork
from verticals.driving.perception.settings import HEADS, PerceptionSettings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TrainSettings:
    """How the network is trained."""

    batch: int = 8  # images
    frozen: int = 0  # first stages of the backbone that do not learn
    depthwise: bool = True  # whether the backbone's depthwise filters learn
    heads: tuple[str, ...] = HEADS  # that the cache has labels for; others stay as they are
    variety: Variety = field(default_factory=Variety)
    weights: Weights = field(default_factory=Weights)
    fit: FitSettings = field(default_factory=FitSettings)


def train(
    network: RoadNetwork,
    cache: Cache,
    settings: TrainSettings,
    *,
    validate: Callable[[RoadNetwork], float] | None = None,
) -> FitHistory:
    """Train in place, on whatever device Accelerate finds.

    Args:
        network: Its heads for which the cache has no labels should not be there.
        cache: Moved to the GPU beforehand (`Cache.to`), it is never waited for.
        settings: How.
        validate: Score after each epoch, higher is better.

    Returns:
        Losses and scores by epoch.
    """
    import torch
    from torch.utils.data import DataLoader

    network.freeze(settings.frozen, depthwise=not settings.depthwise)
    # images lie with their channels last, and convolutions in half precision want them so
    network.to(memory_format=torch.channels_last)
    batches: Any = DataLoader(
        cache, batch_size=settings.batch, shuffle=True, drop_last=len(cache) > settings.batch,  # type: ignore[arg-type]
        collate_fn=collate,
    )  # fmt: skip

    def loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        varied = vary(batch, settings.variety)
        maps = model(varied["images"])
        return road_loss(_asked(maps, settings.heads), varied, settings.weights)

    return fit(network, batches, loss, settings.fit, validate=cast("Any", validate))


def _asked(maps: dict[str, torch.Tensor], heads: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """The maps of some heads."""
    left_out = {name for name in ("surfaces", "lanes") if name not in heads}
    left_out |= set() if "objects" in heads else set(OBJECT_MAPS)
    return {name: value for name, value in maps.items() if name not in left_out}


def surface_confusion(
    network: RoadNetwork, cache: Cache, *, batch: int = 16
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """How often each surface was taken for each: (11, 11), truth by row, at full resolution.

    Args:
        network: On any device.
        cache: With surfaces.
        batch: Images at a time.
    """
    import torch
    from torch.nn.functional import interpolate

    device = next(network.parameters()).device
    n = len(SURFACES)
    counts = torch.zeros(n * n, dtype=torch.int64, device=device)
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(cache), batch):
            rows = cache.__getitems__(range(start, min(start + batch, len(cache))))
            labels = rows["surfaces"].to(device).long()
            logits = network(rows["images"].to(device))["surfaces"].float()
            logits = interpolate(logits, size=labels.shape[1:], mode="bilinear")
            known = labels < n
            said = logits.argmax(dim=1)
            counts += torch.bincount(labels[known] * n + said[known], minlength=n * n)
    return counts.reshape(n, n).cpu().numpy()


def mean_iou(confusion: np.ndarray[Any, Any]) -> float:
    """Mean intersection over union of the classes that occur."""
    both = np.diag(confusion)
    either = confusion.sum(axis=0) + confusion.sum(axis=1) - both
    there = confusion.sum(axis=1) > 0
    return float((both[there] / np.maximum(either[there], 1)).mean())


def save_network(network: RoadNetwork, path: Path) -> Path:
    """Weights in half precision, with the settings that rebuild the network, as safetensors."""
    from safetensors.torch import save_file

    halves = {
        name: value.detach().cpu().half().contiguous() if value.is_floating_point() else value.cpu()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, path, {"settings": json.dumps(asdict(network.settings))})
    return path


def load_network(path: Path) -> RoadNetwork:
    """The network that `save_network` kept, in evaluation mode.

    Raises:
        ModelError: The file is no such network.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            given = json.loads((file.metadata() or {})["settings"])
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        given["heads"] = tuple(given["heads"])
        network = RoadNetwork(PerceptionSettings(**given), pretrained=False)
        missing = network.load_state_dict(weights, strict=False).missing_keys
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"no road network can be read ({error})", where=str(path),
            remedy="Use weights that save_network wrote, whole",
        ) from error  # fmt: skip
    if lost := [name for name in missing if not name.endswith("num_batches_tracked")]:
        raise ModelError(f"the weights lack {lost[0]}", where=str(path), remedy="Train again")
    return network.eval()
