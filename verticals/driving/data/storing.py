"""Stores the pictures of frames, with faces and plates hidden if that is wanted."""

from __future__ import annotations

from pathlib import Path

from core.errors import DataError
from verticals.driving.data.privacy import hide_people
from verticals.driving.frame import Frame


def picture_name(frame: Frame, camera: str, *, stored: bool = False) -> str:
    """What one picture of a frame is called in files of labels.

    Args:
        frame: Whose.
        camera: Name of the view.
        stored: `store_pictures` wrote it; else the name that its source has, if it is a file.
    """
    own = Path(frame.source).name
    if own and not stored and len(frame.views) == 1:
        return own
    stem = Path(own).stem if own and len(frame.views) == 1 else (
        f"{frame.sequence}_{frame.index:06d}_{camera}")  # fmt: skip
    return f"{stem}.png".replace("/", "_")


def store_pictures(frame: Frame, folder: Path, *, private: bool) -> None:
    """Write every view as a PNG.

    Args:
        frame: Whose views.
        folder: Where to; made if it is not there.
        private: Hide faces and plates first: the sharp picture is in no file then.

    Raises:
        ValueError: It shall be private and a view has no boxes.
        DataError: The file cannot be written.
    """
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    shown = hide_people(frame) if private else frame
    for camera, view in shown.views.items():
        path = folder / picture_name(frame, camera, stored=True)
        if not cv2.imwrite(str(path), view.image[..., ::-1]):
            raise DataError("the picture cannot be written", where=str(path))
