"""Segmentation masks: a PNG of class numbers beside every photograph (CamVid, Cityscapes)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.data.images import SUFFIXES, read_image
from verticals.driving.frame import SURFACES, UNLABELLED, Frame, View

# Cityscapes' labelIds (Cordts et al., 2016) as SURFACES; all others are left out.
CITYSCAPES = {
    7: "road", 8: "pavement", 11: "building", 12: "building", 13: "fence", 14: "fence", 17: "pole",
    19: "sign", 20: "sign", 21: "tree", 22: "tree", 23: "sky", 24: "pedestrian", 25: "bicyclist",
    26: "car", 27: "car", 28: "car", 32: "bicyclist", 33: "bicyclist",
}  # fmt: skip


def read_masks(
    folder: Path, *, cityscapes: bool = False, broken: Callable[[DataError], None] | None = None
) -> Iterator[Frame]:
    """Photographs with their masks, in the order of their names.

    Args:
        folder: With images/ and masks/, the same names in both.
        cityscapes: Masks hold Cityscapes' labelIds; CamVid's twelve classes otherwise.
        broken: Told of a frame that cannot be read, which is then left out; without it, reading
            stops there.

    Raises:
        DataError: No photograph is there, or, while nobody is told, a mask is missing or of another
            size, or holds a number that is no class; names the file.
    """
    photographs = sorted(p for p in (folder / "images").glob("*") if p.suffix.lower() in SUFFIXES)
    if not photographs:
        raise DataError("no photograph is there", where=str(folder / "images"),
                        remedy="Put photographs in images/ and masks in masks/")  # fmt: skip
    table = _table(cityscapes)
    for number, path in enumerate(photographs):
        try:
            yield _frame(path, folder / "masks" / f"{path.stem}.png", number, table)
        except DataError as error:
            if broken is None:
                raise
            broken(error)


def _frame(path: Path, masked: Path, number: int, table: NDArray[np.uint8]) -> Frame:
    image, mask = read_image(path), read_mask(masked, table)
    if mask.shape != image.shape[:2]:
        raise DataError(
            f"the mask is {mask.shape[1]} x {mask.shape[0]}, the photograph "
            f"{image.shape[1]} x {image.shape[0]}", where=str(path), remedy="Export both again",
        )  # fmt: skip
    views = {"camera": View(image, surfaces=mask)}
    return Frame(views, sequence=path.stem.split("_")[0], index=number, source=str(path))


def read_mask(path: Path, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask as indices into SURFACES, or UNLABELLED: (height, width).

    Args:
        path: A PNG of one channel.
        table: (256,) what every number means; 255 marks those that mean nothing.

    Raises:
        DataError: It is missing, has several channels, or holds a number without meaning.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            values = np.asarray(picture)
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(
            f"the mask cannot be read ({error})", where=str(path),
            remedy="Put one PNG of class numbers beside every photograph",
        ) from None  # fmt: skip
    if values.ndim != 2 or values.dtype != np.uint8:
        raise DataError(f"the mask has the shape {values.shape} and type {values.dtype}",
                        where=str(path), remedy="Give one channel of 8 bits")  # fmt: skip
    mask = table[values]
    if (mask == 255).any():
        number = int(values[mask == 255][0])
        raise DataError(f"the mask holds {number}, which is no class", where=str(path),
                        remedy=f"Use 0 to {UNLABELLED}")  # fmt: skip
    return mask


def _table(cityscapes: bool) -> NDArray[np.uint8]:
    if not cityscapes:
        table = np.full(256, 255, np.uint8)
        table[: UNLABELLED + 1] = np.arange(UNLABELLED + 1)
        return table
    table = np.full(256, UNLABELLED, np.uint8)
    for number, name in CITYSCAPES.items():
        table[number] = SURFACES.index(name)
    return table
