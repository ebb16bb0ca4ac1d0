"""Frames and their labels as decoded arrays on disk, so that training never waits for a decoder.

A cache is a folder of `.npy` files that are mapped, never loaded: it may be larger than memory.
Boxes are in pixel edges here (0 is the image's left edge), everything else as in `frame`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.frame import UNLABELLED, Boxes2D, Frame, LaneLine, View
from verticals.driving.perception.settings import (
    DETECTED,
    FOCAL,
    LANES,
    LIGHTS,
    PADDING,
    SIGNS,
    STRIDE,
    PerceptionSettings,
)

if TYPE_CHECKING:
    import torch

    from verticals.driving.world.dataset import WorldSettings

MOST = 64  # boxes of an image; the largest are kept
_LEAST = 5.0  # pixels of height below which an object is not learned, only passed over
_HIDDEN = 0.85  # ... and share hidden above which
_COLUMNS = ("images", "surfaces", "boxes", "kinds", "ignored", "distance", "details", "lanes")


def fitted(
    image: NDArray[Any], width: int, height: int
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """An image brought to a size, its shape kept: grey is added to the right or below.

    Args:
        image: (h, w, 3) uint8.
        width: Wanted, pixels.
        height: Wanted.

    Returns:
        (height, width, 3), and by how much x and y were multiplied.
    """
    high, wide = image.shape[:2]
    scale = min(width / wide, height / high)
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = image if size == (wide, high) else cv2.resize(image, size, interpolation=way)
    out = np.full((height, width, 3), PADDING, np.uint8)
    out[: size[1], : size[0]] = small
    return out, (size[0] / wide, size[1] / high)


def encode(view: View, settings: PerceptionSettings) -> dict[str, NDArray[Any]]:
    """A labelled image as the arrays that the network learns from.

    Args:
        view: With any of surfaces, boxes and lanes.
        settings: Size of the network's images.

    Returns:
        `images` (h, w, 3) and `surfaces` (h, w) uint8; `boxes` (MOST, 4), `kinds` (-1 for none),
        `ignored`, `distance` (metres at a focal length of FOCAL) and `details` (light or sign
        by number, -1 unknown) of MOST each; `lanes` (4, h/4) pixels.
    """
    image, scale = fitted(view.image, settings.width, settings.height)
    surfaces = np.full(image.shape[:2], UNLABELLED, np.uint8)
    if view.surfaces is not None:
        high, wide = view.surfaces.shape
        size = (round(wide * scale[0]), round(high * scale[1]))
        surfaces[: size[1], : size[0]] = cv2.resize(
            view.surfaces, size, interpolation=cv2.INTER_NEAREST_EXACT
        )
    row: dict[str, NDArray[Any]] = {"images": image, "surfaces": surfaces}
    row |= _boxes(view, scale)
    row["lanes"] = _lanes(view.lanes or (), scale, settings.height // STRIDE)
    return row


def _boxes(view: View, scale: tuple[float, float]) -> dict[str, NDArray[Any]]:
    row: dict[str, NDArray[Any]] = {
        "boxes": np.zeros((MOST, 4), np.float32), "kinds": np.full(MOST, -1, np.int8),
        "ignored": np.zeros(MOST, np.bool_), "distance": np.full(MOST, np.nan, np.float32),
        "details": np.full(MOST, -1, np.int8),
    }  # fmt: skip
    boxes = view.boxes
    if boxes is None or not len(boxes):
        return row
    places = (boxes.xyxy + 0.5) * np.array([*scale, *scale])
    tall = places[:, 3] - places[:, 1]
    order = np.argsort(-tall * (places[:, 2] - places[:, 0]), kind="stable")[:MOST]
    n = len(order)
    row["boxes"][:n] = places[order]
    known = boxes.classes[order] < len(DETECTED)
    row["kinds"][:n] = np.where(known, boxes.classes[order], -1)
    row["ignored"][:n] = passed_over(boxes, tall, _LEAST)[order]
    if boxes.distance is not None and view.calibration is not None:
        focal = view.calibration.matrix[0, 0] * scale[0]
        row["distance"][:n] = boxes.distance[order] * FOCAL / focal
    if boxes.details:
        row["details"][:n] = [detail_number(boxes.details[i]) for i in order]
    return row


def passed_over(boxes: Boxes2D, tall: NDArray[Any], least: float) -> NDArray[np.bool_]:
    """Which objects are neither learned nor asked for: tiny ones, hidden ones, marked ones."""
    skipped = tall < least
    if boxes.occlusion is not None:
        skipped = skipped | (boxes.occlusion > _HIDDEN)
    if boxes.ignore is not None:
        skipped = skipped | boxes.ignore
    return np.asarray(skipped, np.bool_)


def detail_number(name: str) -> int:
    """Number of a light's state or a sign's name; -1 for any other."""
    for names in (LIGHTS, SIGNS):
        if name in names:
            return names.index(name)
    return -1


def _lanes(lines: Sequence[LaneLine], scale: tuple[float, float], rows: int) -> NDArray[np.float32]:
    """(4, rows) where each line crosses each row of cells, pixels; NaN where it does not."""
    found = np.full((len(LANES), rows), np.nan, np.float32)
    heights = (np.arange(rows) + 0.5) * STRIDE - 0.5
    for line in lines:
        if line.offset not in LANES or len(line.points) < 2:
            continue
        x = (line.points[:, 0] + 0.5) * scale[0] - 0.5
        y = (line.points[:, 1] + 0.5) * scale[1] - 0.5
        order = np.argsort(y)
        found[LANES.index(line.offset)] = np.interp(
            heights, y[order], x[order], left=np.nan, right=np.nan
        )
    return found


@dataclass(frozen=True)
class Cache:
    """Arrays of many labelled images; a torch dataset that gives whole batches."""

    arrays: dict[str, Any]  # by column: (n, ...) numpy maps, or tensors after `to`
    sequences: tuple[str, ...]  # of each image
    settings: PerceptionSettings

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """One image, as a batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """A batch: what torch's DataLoader asks for; needs `collate` as its collate_fn."""
        import torch

        rows = np.asarray(indices)
        first = next(iter(self.arrays.values()))
        if isinstance(first, torch.Tensor):
            where = torch.as_tensor(rows, device=first.device)
            return {name: column[where] for name, column in self.arrays.items()}
        return {name: torch.from_numpy(column[rows]) for name, column in self.arrays.items()}

    def part(self, rows: Sequence[int] | NDArray[Any]) -> Cache:
        """Some of its images, loaded into memory."""
        where = np.asarray(rows)
        return Cache(
            {name: np.ascontiguousarray(column[where]) for name, column in self.arrays.items()},
            tuple(self.sequences[i] for i in where),
            self.settings,
        )

    def to(self, device: str) -> Cache:
        """Everything on one device: on a GPU that has room for it, training waits for nothing."""
        import torch

        moved = {k: torch.as_tensor(np.asarray(v)).to(device) for k, v in self.arrays.items()}
        return replace(self, arrays=moved)


def collate(batch: Any) -> Any:
    """The batch as it is: `Cache` has put it together already."""
    return batch


def write_cache(
    frames: Iterable[Frame], folder: Path, count: int, settings: PerceptionSettings
) -> Cache:
    """Write every view of frames as arrays, one after the other, in constant memory.

    Args:
        frames: Labelled.
        folder: Is made; what an earlier call left there is replaced.
        count: How many views will come; fewer leave the rest unused.
        settings: Size of the network's images.

    Raises:
        DataError: No frame came.
    """
    columns = _open(folder, count, settings, "w+")
    names: list[str] = []
    for frame in frames:
        for view in frame.views.values():
            if len(names) == count:
                break
            for name, value in encode(view, settings).items():
                columns[name][len(names)] = value
            names.append(frame.sequence)
    if not names:
        raise DataError("no labelled frame came", where=str(folder), remedy="Give at least one")
    (folder / "sequences.txt").write_text("\n".join(names), encoding="utf-8")
    return open_cache(folder, settings)


def open_cache(folder: Path, settings: PerceptionSettings) -> Cache:
    """A cache that was written before, mapped.

    Raises:
        DataError: It is missing, unfinished, or of another size.
    """
    listed = folder / "sequences.txt"
    if not listed.exists():
        raise DataError("no finished cache is there", where=str(folder), remedy="Write it again")
    sequences = tuple(listed.read_text(encoding="utf-8").split("\n"))
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _COLUMNS}
    shape = arrays["images"].shape
    if shape[1:3] != (settings.height, settings.width) or shape[0] < len(sequences):
        raise DataError(
            f"the cache holds images of {shape[2]} x {shape[1]} pixels, not {settings.width} x "
            f"{settings.height}", where=str(folder), remedy="Write it again",
        )  # fmt: skip
    return Cache({k: v[: len(sequences)] for k, v in arrays.items()}, sequences, settings)


def _open(folder: Path, count: int, settings: PerceptionSettings, mode: str) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sequences.txt").unlink(missing_ok=True)
    empty = encode(View(np.zeros((settings.height, settings.width, 3), np.uint8)), settings)
    return {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", mode, value.dtype, (count, *value.shape)
        )
        for name, value in empty.items()
    }  # fmt: skip


def render_cache(
    folder: Path,
    seeds: Sequence[int],
    world: WorldSettings,
    settings: PerceptionSettings,
    *,
    workers: int = 1,
) -> Cache:
    """Render sequences of the street world into a cache, on several processes.

    Args:
        folder: Is made; a finished cache that is there is opened instead.
        seeds: One sequence each.
        world: Size, length and weather of the sequences.
        settings: Size of the network's images.
        workers: Processes.
    """
    if (folder / "sequences.txt").exists():
        return open_cache(folder, settings)
    _open(folder, len(seeds) * world.frames, settings, "w+")
    jobs = [(folder, i * world.frames, seed, world, settings) for i, seed in enumerate(seeds)]
    if workers == 1:
        names = [_render(job) for job in jobs]
    else:
        # numba's threads and torch's do not survive a fork
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            names = list(pool.map(_render, jobs, chunksize=4))
    listing = "\n".join(name for many in names for name in many)
    (folder / "sequences.txt").write_text(listing, encoding="utf-8")
    return open_cache(folder, settings)


def _render(job: tuple[Path, int, int, WorldSettings, PerceptionSettings]) -> list[str]:
    """Render one sequence straight into its rows."""
    from verticals.driving.world.dataset import sequences

    folder, row, seed, world, settings = job
    columns = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _COLUMNS}
    names: list[str] = []
    for frame in sequences([seed], world):
        view = next(iter(frame.views.values()))
        for name, value in encode(view, settings).items():
            columns[name][row + len(names)] = value
        names.append(frame.sequence)
    return names  # maps are shared through memory; writing them back is the system's business
