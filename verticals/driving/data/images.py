"""Reads a picture, whatever it is, as (height, width, 3) RGB of 8 bits; refuses what is no picture.

Grey becomes three equal channels, transparency is laid over black, 16 bits are scaled to 8 and the
camera's orientation tag is obeyed. Files are decoded only if they are not too large.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MOST_PIXELS = 50_000_000  # 150 MB of memory
_REMEDY = "Export it again as PNG or JPEG"


def read_image(source: str | Path | bytes, *, where: str = "") -> NDArray[np.uint8]:
    """A picture.

    Args:
        source: A path, or a file's bytes.
        where: What to call it in errors; the path by default.

    Returns:
        (height, width, 3) uint8, RGB.

    Raises:
        DataError: It cannot be read, is cut off, is no picture, or has too many pixels.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = where or (str(source) if not isinstance(source, bytes) else "image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", Image.DecompressionBombWarning
            )  # our own limit is below
            given = io.BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(given) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise DataError(
                        f"it has {picture.width} x {picture.height} pixels, too many to decode",
                        where=name, remedy=f"Scale it below {MOST_PIXELS:,} pixels",
                    )  # fmt: skip
                return _eight_bits(ImageOps.exif_transpose(picture) or picture)
    except UnidentifiedImageError:
        raise DataError("it is no picture that can be read", where=name, remedy=_REMEDY) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"the picture is broken ({error})", where=name, remedy=_REMEDY) from None


def _eight_bits(picture: object) -> NDArray[np.uint8]:
    from PIL.Image import Image

    assert isinstance(picture, Image)  # noqa: S101 - for mypy
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture).astype(np.float64)
        most = 65535.0 if picture.mode.startswith("I") else max(float(values.max()), 1e-9)
        grey = np.clip(values / most * 255, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        pixels = np.asarray(picture).astype(np.uint16)
        return (pixels[..., :3] * pixels[..., 3:] // 255).astype(np.uint8)
    return np.asarray(picture.convert("RGB")).copy()
