"""Videos frame by frame, in bounded memory; written too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.frame import Frame, View

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")
_SLACK_S = 0.9  # by which the last picture may come before the end that the file tells of


def read_video(path: Path, *, every_s: float = 0.0) -> Iterator[Frame]:
    """The pictures of a video, one in memory at a time.

    A video that ends in the middle of a picture gives those before it, then says so.

    Args:
        path: Whatever FFmpeg reads.
        every_s: Seconds between two pictures that are given; all of them by default.

    Raises:
        DataError: It is no video; or, after its last whole picture, that it is cut off.
    """
    import av

    given, due, time_s = 0, -np.inf, 0.0
    try:
        with av.open(str(path)) as file:
            if not file.streams.video:
                raise DataError("it holds no pictures", where=str(path))
            promised = _length(file)
            for number, picture in enumerate(file.decode(file.streams.video[0])):
                time_s = float(picture.time) if picture.time is not None else float(number)
                if time_s < due:
                    continue
                due, given = time_s + every_s - 1e-6, given + 1
                views = {"camera": View(picture.to_ndarray(format="rgb24").astype(np.uint8))}
                yield Frame(views, time_s, path.stem, number, source=f"{path}, {time_s:.2f} s")
            if time_s < promised - _SLACK_S:  # FFmpeg takes the end of the file for that of a video
                raise DataError(
                    f"the video breaks off at {time_s:.1f} s of {promised:.1f} s",
                    where=str(path), remedy="Use what was read, or copy it again",
                )  # fmt: skip
    except (av.FFmpegError, OSError) as error:
        if given:
            raise DataError(f"the video breaks off after {given} pictures", where=str(path),
                            remedy="Use what was read, or copy it again") from None  # fmt: skip
        raise DataError(f"it is no video that can be read ({error})", where=str(path),
                        remedy="Export it as MP4") from None  # fmt: skip


def _length(file: Any) -> float:
    """Seconds of pictures that the file promises; 0 where it does not say (AVI never does)."""
    stream = file.streams.video[0]
    start = float((stream.start_time or 0) * stream.time_base)
    if stream.duration:
        return start + float(stream.duration * stream.time_base)
    if file.duration and len(file.streams) == 1:  # else sound may be what lasts so long
        return float(file.duration) / 1e6
    return 0.0


def write_video(
    pictures: Iterable[NDArray[np.uint8]], path: Path, *, pictures_a_second: int = 10
) -> Path:
    """Write pictures of one size, (height, width, 3) RGB, as an MP4 that browsers play (H.264)."""
    import av

    with av.open(str(path), "w") as file:
        stream = None
        for picture in pictures:
            height, width = (side // 2 * 2 for side in picture.shape[:2])  # H.264 wants even sides
            if stream is None:
                stream = file.add_stream("libx264", rate=pictures_a_second)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            whole = np.ascontiguousarray(picture[:height, :width])
            file.mux(stream.encode(av.VideoFrame.from_ndarray(whole, format="rgb24")))
        if stream is None:
            raise ValueError("there are no pictures to write")
        file.mux(stream.encode())
    return path
