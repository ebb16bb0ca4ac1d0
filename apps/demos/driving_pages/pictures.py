"""Pictures as bytes that a page can hold: compressed, tinted, laid over one another."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apps.demos.driving_pages.desk import Image
from verticals.driving.frame import UNLABELLED, Floats
from verticals.driving.overlays import SURFACE_COLOURS

_QUALITY = 92
_TINT = 125  # opacity of surfaces, of 255
_HEAT = 205  # ... of a heat map where it is hottest


def packed(image: NDArray[np.uint8], *, exact: bool = False) -> bytes:
    """As PNG if it has to be exact, else as JPEG."""
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    if exact:
        Pillow.fromarray(image).save(buffer, "PNG", compress_level=2)
    else:
        Pillow.fromarray(image).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def unpacked(data: bytes) -> NDArray[np.uint8]:
    """What `packed` made smaller; grey pictures stay (height, width)."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(data)) as picture:
        return np.asarray(picture).copy()


def shrunk(image: Image, longest: int) -> Image:
    """The picture with no side longer than that."""
    import cv2

    height, width = image.shape[:2]
    share = longest / max(height, width)
    if share >= 1:
        return image
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def data_uri(data: bytes) -> str:
    """A picture or film inside the page itself: no file is served, none is left behind."""
    kind = "image/png"
    if data.startswith(b"\xff\xd8"):
        kind = "image/jpeg"
    elif data[4:8] == b"ftyp":
        kind = "video/mp4"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def tinted(surfaces: NDArray[np.uint8]) -> bytes:
    """Surfaces as a PNG to lay over the picture.

    Args:
        surfaces: (h, w) index into frame.SURFACES; what is not labelled stays clear.
    """
    known = np.minimum(surfaces, UNLABELLED)
    alpha = np.where(known == UNLABELLED, 0, _TINT).astype(np.uint8)
    return packed(np.dstack([SURFACE_COLOURS[known], alpha]), exact=True)


def heated(heat: Floats) -> bytes:
    """Evidence for something as a PNG to lay over the picture; the more, the warmer."""
    import cv2

    share = np.clip(heat / max(float(np.max(heat)), 1e-9), 0, 1)
    tones = np.asarray(cv2.applyColorMap((255 * share).astype(np.uint8), cv2.COLORMAP_INFERNO))
    alpha = (_HEAT * np.sqrt(share)).astype(np.uint8)
    return packed(np.dstack([tones[..., ::-1], alpha]), exact=True)


def filmed(pictures: Iterable[Image], pictures_a_second: int) -> bytes:
    """An MP4 that browsers play."""
    from verticals.driving.data.video import write_video

    with tempfile.TemporaryDirectory(prefix="casekit_film_") as folder:
        path = Path(folder) / "film.mp4"
        return write_video(pictures, path, pictures_a_second=pictures_a_second).read_bytes()
