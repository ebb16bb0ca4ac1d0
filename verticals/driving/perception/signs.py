"""Reads crops of signs and lights: which one it is, and how sure that is.

Learns from crops grouped by track, the passing of one physical sign: frames of a track are near
duplicates, so what is kept apart is kept apart by track. Knows nothing of where crops come from.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, ModelError
from core.training.loop import FitHistory, FitSettings, fit, half_precision
from verticals.driving.perception.unknown_calibration import Floats, fit_temperature, softmax

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDE = 32  # pixels of a crop

# German Traffic Sign Recognition Benchmark (Stallkamp et al., 2012), in its order.
GTSRB_SIGNS = (
    "limit_20", "limit_30", "limit_50", "limit_60", "limit_70", "limit_80", "end_of_limit_80",
    "limit_100", "limit_120", "no_passing", "no_passing_trucks", "right_of_way", "priority_road",
    "yield", "stop", "no_vehicles", "no_trucks", "no_entry", "caution", "curve_left",
    "curve_right", "double_curve", "bumpy_road", "slippery_road", "narrows_right", "road_works",
    "traffic_signals", "pedestrians", "children", "bicycles", "ice_or_snow", "wild_animals",
    "end_of_limits", "turn_right_ahead", "turn_left_ahead", "ahead_only", "straight_or_right",
    "straight_or_left", "keep_right", "keep_left", "roundabout", "end_of_no_passing",
    "end_of_no_passing_trucks",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Crops:
    """Labelled crops, n of them."""

    images: NDArray[np.uint8]  # (n, 32, 32, 3) RGB
    labels: NDArray[np.int64]  # (n,) index into names
    tracks: NDArray[np.str_]  # (n,) the passing of one sign: never split
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: NDArray[Any]) -> Crops:
        """Some of them, by mask or row."""
        return Crops(self.images[rows], self.labels[rows], self.tracks[rows], self.names)


@dataclass(frozen=True)
class SignSettings:
    """How a reader of crops is trained."""

    epochs: int = 40
    batch: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 2e-3
    width: int = 24  # channels of the network's first stage
    dropout: float = 0.4
    strength: float = 1.0  # of the variation of crops; 0 shows them as they are
    balance: float = 0.3  # classes count by frequency to the power -balance: 0 all rows alike
    smoothing: float = 0.05  # of the labels (Szegedy et al., 2016)
    held_out: float = 0.12  # share of tracks kept apart to choose and to fit the temperature
    precision: Literal["auto", "no", "bf16", "fp16"] = "auto"  # bf16 where the chip computes in it
    seed: int = 0


def read_gtsrb(folder: Path) -> Crops:
    """GTSRB as train.npz (`images`, `labels`) with train.csv, whose column `track` groups frames.

    Raises:
        DataError: A file is not there, or the two do not match.
    """
    try:
        with np.load(folder / "train.npz") as stored:
            images, labels = stored["images"], stored["labels"].astype(np.int64)
        with (folder / "train.csv").open(encoding="utf-8", newline="") as stream:
            tracks = np.array([row["track"] for row in csv.DictReader(stream)])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"no GTSRB crops are there: {error}", where=str(folder),
            remedy="Give a folder with train.npz (images, labels) and train.csv (track)",
        ) from None  # fmt: skip
    if images.shape != (len(labels), SIDE, SIDE, 3) or len(tracks) != len(labels):
        raise DataError(
            f"{images.shape} images, {len(labels)} labels and {len(tracks)} tracks do not match",
            where=str(folder), remedy="Images are (n, 32, 32, 3), with a label and a track each",
        )  # fmt: skip
    return Crops(images, labels, tracks, GTSRB_SIGNS)


def by_track(crops: Crops, share: float, seed: int = 0) -> tuple[Crops, Crops]:
    """Split so that no track is on both sides; every class with two tracks or more is on both.

    Args:
        crops: To be split.
        share: Of each class's tracks that go to the second part.
        seed: Of the drawing.
    """
    random, second = np.random.default_rng(seed), []
    for label in np.unique(crops.labels):
        tracks = np.unique(crops.tracks[crops.labels == label])
        count = min(len(tracks) - 1, max(1, round(share * len(tracks))))
        second += random.permutation(tracks)[:count].tolist()
    apart = np.isin(crops.tracks, second)
    return crops.take(~apart), crops.take(apart)


@dataclass(frozen=True, eq=False)
class SignReader:
    """A trained reader of crops."""

    network: nn.Module  # a CropNetwork
    names: tuple[str, ...]
    temperature: float  # of the softmax, fitted on tracks kept apart
    about: dict[str, Any]  # settings and what was measured in training

    def logits(self, crops: NDArray[np.uint8], *, batch: int = 256) -> Floats:
        """(n, classes) before temperature and softmax, for (n, 32, 32, 3) uint8."""
        import torch

        parts = [np.zeros((0, len(self.names)), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(crops), batch):
                given = torch.from_numpy(np.ascontiguousarray(crops[start : start + batch]))
                parts.append(self.network(given).numpy())
        return np.concatenate(parts)

    def read(self, crops: NDArray[np.uint8]) -> Floats:
        """(n, classes) calibrated probabilities for (n, 32, 32, 3) uint8 crops."""
        return softmax(self.logits(crops), self.temperature)

    def save(self, folder: Path) -> Path:
        """Write signs.safetensors and signs.json."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        state = {k: v.contiguous() for k, v in self.network.state_dict().items()}
        save_file(state, folder / "signs.safetensors")
        about = {"names": self.names, "temperature": self.temperature, **self.about}
        (folder / "signs.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        return folder

    @staticmethod
    def open(folder: Path) -> SignReader:
        """What `save` wrote.

        Raises:
            ModelError: It is not there, or not of this kind.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from verticals.driving.perception.signs_network import CropNetwork

        try:
            about = json.loads((folder / "signs.json").read_text(encoding="utf-8"))
            names, temperature = tuple(about.pop("names")), float(about.pop("temperature"))
            network = CropNetwork(len(names), about["settings"]["width"])
            network.load_state_dict(load_file(folder / "signs.safetensors"))
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"it holds no reader of signs: {error}", where=str(folder),
                remedy="Train one with train_signs and save it there",
            ) from None  # fmt: skip
        return SignReader(network.eval(), names, temperature, about)


def cut(image: NDArray[np.uint8], xyxy: Floats, *, margin: float = 0.12) -> NDArray[np.uint8]:
    """The crops that boxes frame, as readers want them.

    Args:
        image: (h, w, 3) uint8 RGB.
        xyxy: (n, 4) pixels.
        margin: Added on every side, as a share of the longer one; GTSRB leaves about as much.

    Returns:
        (n, 32, 32, 3) uint8; beyond the image's edge the edge is repeated.
    """
    import cv2

    crops = np.zeros((len(xyxy), SIDE, SIDE, 3), np.uint8)
    height, width = image.shape[:2]
    for i, (left, top, right, bottom) in enumerate(np.asarray(xyxy, float)):
        side = max(round(max(right - left, bottom - top) * (1 + 2 * margin)), 2)
        window = np.arange(side) - side // 2
        columns = np.clip(window + round((left + right) / 2), 0, width - 1)
        rows = np.clip(window + round((top + bottom) / 2), 0, height - 1)
        finer = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        crops[i] = cv2.resize(image[np.ix_(rows, columns)], (SIDE, SIDE), interpolation=finer)
    return crops


def train_signs(
    crops: Crops,
    settings: SignSettings | None = None,
    *,
    told: Callable[[FitHistory], None] | None = None,
) -> SignReader:
    """Train a reader; on a GPU if there is one.

    A share of the tracks is kept apart: there the temperature is fitted, and `about` says how
    well they were read.

    Args:
        crops: To learn from.
        settings: How.
        told: Given the history of the training.

    Raises:
        DataError: Fewer than two classes, or a class without crops.
    """
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    from verticals.driving.perception.signs_network import CropNetwork, varied

    settings = settings or SignSettings()
    _check(crops)
    learned, apart = by_track(crops, settings.held_out, settings.seed)
    counts = np.bincount(learned.labels, minlength=len(crops.names)).clip(1)
    weights = (counts.mean() / counts) ** settings.balance
    weight = torch.tensor(weights / np.average(weights, weights=counts), dtype=torch.float32)

    def loss(model: nn.Module, batch: Sequence[Tensor]) -> Tensor:
        images, labels = batch
        given = varied(images, settings.strength) if settings.strength else images
        return torch.nn.functional.cross_entropy(
            model(given), labels, weight.to(images.device), label_smoothing=settings.smoothing
        )

    torch.manual_seed(settings.seed)
    network = CropNetwork(len(crops.names), settings.width, settings.dropout)
    network = network.to(memory_format=torch.channels_last)  # twice as fast on processors
    rows = TensorDataset(torch.from_numpy(learned.images), torch.from_numpy(learned.labels))
    whole = len(learned) > settings.batch  # a rest of one row would break batch normalisation
    batches = DataLoader(rows, settings.batch, shuffle=True, drop_last=whole)
    history = fit(network, batches, loss, FitSettings(
        epochs=settings.epochs, learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay, seed=settings.seed,
        precision=half_precision() if settings.precision == "auto" else settings.precision,
        clip_norm=5.0,
    ))  # fmt: skip
    if told is not None:
        told(history)
    reader = SignReader(network.eval(), crops.names, 1.0, {"settings": vars(settings)})
    logits = reader.logits(apart.images)
    accuracy = float((logits.argmax(axis=1) == apart.labels).mean())
    about = reader.about | {"held_out": {"accuracy": accuracy, "crops": len(apart)},
                            "losses": [round(v, 4) for v in history.losses]}  # fmt: skip
    return replace(reader, temperature=fit_temperature(logits, apart.labels), about=about)


def _check(crops: Crops) -> None:
    counts = np.bincount(crops.labels, minlength=len(crops.names))
    missing = [name for name, count in zip(crops.names, counts, strict=False) if not count]
    if missing or len(crops.names) < 2:
        raise DataError(
            f"no crop shows {', '.join(missing) or 'a second class'}",
            remedy="Leave the class out of the names, or add crops of it",
        )
