"""Looks at pictures one after the other, and keeps of each what the page needs, compressed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from apps.demos.driving_pages.desk import Image
from apps.demos.driving_pages.pictures import packed, shrunk, unpacked
from verticals.driving.watching import Seen, Watcher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verticals.driving.frame import Boxes2D, Calibration
    from verticals.driving.perception.eye import Eye

_MAP = 512  # pixels of the longer side of the surfaces that are kept
_SURE = 0.5  # score from which an object is mentioned though nobody follows it yet
_FAINT = 0.3  # score below which nothing is mentioned


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture to look at, and what is known of it besides."""

    image: Image
    time_s: float = 0.0
    truth: Boxes2D | None = None
    ego_speed: float | None = None  # metres per second


@dataclass(frozen=True, eq=False)
class Moment:
    """One picture as it was seen; a visitor's whole clip has to fit into some megabytes."""

    picture: bytes  # PNG of a photograph, JPEG of a clip's picture
    size: tuple[int, int]  # width and height, pixels
    surfaces: bytes  # PNG of class numbers, smaller than the picture
    seen: Seen  # without its maps
    truth: Boxes2D | None
    ego_speed: float | None
    followed: bool  # one of several: ids mean something

    @property
    def image(self) -> Image:
        """(height, width, 3) RGB."""
        return unpacked(self.picture)

    @property
    def shown(self) -> NDArray[np.intp]:
        """Rows of the objects that are worth mentioning, nearest first."""
        boxes, unknown = self.seen.sight.boxes, self.seen.sight.unknown
        scores = np.asarray(boxes.scores)
        kept = (scores >= _SURE) | ((boxes.track_ids >= 0) & (scores >= _FAINT))
        if len(unknown):
            kept |= unknown & (scores >= _FAINT)
        rows = np.flatnonzero(kept)
        away = np.asarray(boxes.distance)[rows] if boxes.distance is not None else rows
        return rows[np.argsort(np.nan_to_num(away, nan=np.inf), kind="stable")]


@dataclass(frozen=True, eq=False)
class Looked:
    """All that was seen of a photograph, a clip or a scene."""

    moments: tuple[Moment, ...]
    source: str  # "photo", "clip", "scene" or "drive"
    runtime: str
    rate: float  # pictures a second of perception and tracking, as measured
    camera: Calibration | None = None
    remarks: tuple[str, ...] = ()
    films: dict[frozenset[str], bytes] = field(default_factory=dict)  # the last one, by its layers

    @property
    def riskiest(self) -> int:
        """The moment with the least time to collision; the last one if there is no risk."""
        nearest = [moment.seen.nearest_s for moment in self.moments]
        return int(np.argmin(nearest)) if np.isfinite(nearest).any() else len(nearest) - 1

    @property
    def pictures(self) -> Iterator[Picture]:
        """What was looked at, to look again."""
        for moment in self.moments:
            yield Picture(moment.image, moment.seen.time_s, moment.truth, moment.ego_speed)

    @property
    def film(self) -> bool:
        """Whether there is more than one moment."""
        return len(self.moments) > 1


def look(
    eye: Eye, runtime: str, pictures: Iterable[Picture], source: str, *,
    camera: Calibration | None = None, remarks: list[str] | None = None,
) -> Looked:  # fmt: skip
    """Look at pictures, one in memory at a time.

    Args:
        eye: Perception.
        runtime: On what it runs.
        pictures: In order of time.
        source: "photo", "clip", "scene" or "drive".
        camera: If it is known.
        remarks: Filled while the pictures are taken.

    Raises:
        CasekitError: Of the pictures.
    """
    watcher, moments, spent = Watcher(eye, camera), list[Moment](), 0.0
    exact = source in ("photo", "scene")
    for picture in pictures:
        begun = time.perf_counter()
        seen = watcher.take(picture.image, picture.time_s, picture.ego_speed)
        spent += time.perf_counter() - begun
        moments.append(_kept(picture, seen, exact=exact, followed=source in ("clip", "drive")))
    return Looked(
        tuple(moments), source, runtime, len(moments) / max(spent, 1e-9), camera,
        tuple(remarks or ()),
    )  # fmt: skip


def _kept(picture: Picture, seen: Seen, *, exact: bool, followed: bool) -> Moment:
    import cv2

    surfaces = seen.sight.surfaces
    height, width = surfaces.shape
    share = min(1.0, _MAP / max(height, width))
    small = (max(1, round(width * share)), max(1, round(height * share)))
    kept = np.asarray(cv2.resize(surfaces, small, interpolation=cv2.INTER_NEAREST), np.uint8)
    empty = np.zeros((0, 0), np.uint8)
    sight = replace(seen.sight, surfaces=empty, confidence=empty.astype(np.float32))
    return Moment(
        packed(picture.image, exact=exact), (width, height), packed(kept, exact=True),
        replace(seen, sight=sight), picture.truth, picture.ego_speed,
        followed,
    )  # fmt: skip


def private(moment: Moment) -> Image:
    """The picture with heads and plates made coarse, of everything that may be one."""
    from verticals.driving.data.privacy import hide_people
    from verticals.driving.frame import Frame, View

    view = View(moment.image, boxes=replace(moment.seen.sight.boxes, details=()))
    return next(iter(hide_people(Frame({"camera": view})).views.values())).image


def thumbnail(moment: Moment, longest: int, *, hidden: bool) -> Image:
    """The picture for a film, small."""
    return shrunk(private(moment) if hidden else moment.image, longest)
