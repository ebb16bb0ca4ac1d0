"""Watches a drive: perception image by image, who is who over time, and how soon it is met.

One image is in memory at a time. Who is who is told by boxes (ByteTrack, Zhang et al., 2022), which
are surer than distances. Speeds are the slope of a track's last second of places on the ground,
straight lines being what risk assumes. Distances that are off by a factor, as in a clip of an
unknown camera, leave times to collision as they are but for the length of bodies (Lee, 1976).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS, Boxes2D, Calibration, Floats
from verticals.driving.perception.eye import Eye
from verticals.driving.perception.sight import Sight
from verticals.driving.tracking.risk import risks
from verticals.driving.world.cameras import mount, pinhole

WARN_S = 2.5  # time to collision below which a driver should be braking
_FIELD_OF_VIEW = np.radians(60)  # what perception assumes where no lens is known
_ALIKE = (  # kinds that are taken for one another from one image to the next
    ("car", "van", "truck", "bus"),
    ("pedestrian", "cyclist", "motorcycle"),
    ("traffic_light",),
    ("traffic_sign",),
)
_STANDING = frozenset({"traffic_light", "traffic_sign"})
_SIZES = {"car": (4.4, 1.8), "van": (5.2, 2.0), "truck": (8.5, 2.5), "bus": (11.5, 2.55),
          "pedestrian": (0.6, 0.6), "cyclist": (1.8, 0.7), "motorcycle": (2.1, 0.8)}  # fmt: skip
_MIDDLE = 1.35  # metres from the rear axle to the ego's centre
_RANGE = 0.08  # usual error of a distance from one image to the next, a share of it
_OLD_ENOUGH_S = 0.45  # before that a track's speed is mostly noise
_REMEMBERED = 5  # details of a track that vote
_FITTED = 15  # places of a track that its speed is fitted to
_WANING_S = 0.6  # over which a place loses two thirds of its weight
_BELIEVED = 3  # detections' worth of belief in _RANGE as the error of a distance
_SIGNIFICANT = 2.5  # standard errors from which a track is said to come nearer
_SPEEDS = np.array([7.0, 1.5])  # spread of speeds over ground along the road and across it, m/s
_OWN_SPEED = 14.0  # of the ego while it is unknown
_SURE = 0.5  # score from which a box begins a track
_WEAK = 0.1  # ... from which one continues a track
_WORTH = 0.3  # ... and from which it is worth a warning
_OVERLAP = 0.05  # intersection over union of a box and where its track should be, at least
_MISSED = 12  # images after which who was not seen is forgotten
_FORGOTTEN_S = 10.0


@dataclass(frozen=True, eq=False)
class Seen:
    """One moment of a drive; all arrays have a row for each of the n boxes of `sight`."""

    sight: Sight  # its boxes carry track ids; -1 where none is followed
    time_s: float
    positions: Floats  # (n, 2) metres ahead and to the left of the rear axle; filtered if followed
    velocities: Floats  # (n, 2) metres per second relative to the ego; NaN until known
    time_to_collision_s: Floats  # (n,) infinite where nothing will surely happen, NaN until known
    gap_m: Floats  # (n,) from the ego's front to the object's rear; infinite if not in its lane
    headway_s: Floats  # (n,) the gap at the ego's speed; NaN where that is unknown
    ego_speed: float  # metres per second; NaN while unknown

    @property
    def nearest_s(self) -> float:
        """The least time to collision of what is likely there; infinite if there is none."""
        scores, likely = self.sight.boxes.scores, np.isfinite(self.time_to_collision_s)
        if scores is not None:
            likely &= np.asarray(scores) >= _WORTH
        known = self.time_to_collision_s[likely]
        return float(known.min()) if len(known) else float("inf")

    @property
    def warned(self) -> NDArray[np.bool_]:
        """(n,) objects that will be met within WARN_S, of those that are likely there."""
        with np.errstate(invalid="ignore"):
            found: NDArray[np.bool_] = self.time_to_collision_s < WARN_S
        scores = self.sight.boxes.scores
        return found if scores is None else found & (np.asarray(scores) >= _WORTH)


@dataclass
class _Known:
    """What is remembered of a track."""

    number: int
    first_s: float
    last_s: float
    classes: Counter[int] = field(default_factory=Counter)
    details: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    places: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=_FITTED))


def watch(
    images: Iterable[NDArray[np.uint8]],
    eye: Eye,
    camera: Calibration | None = None,
    *,
    step_s: float = 0.1,
    ego_speed: float | None = None,
) -> Iterator[Seen]:
    """What a drive shows, one image after the other.

    Args:
        images: (h, w, 3) uint8 RGB each, in order of time.
        eye: Perception.
        camera: Of all images; None assumes a lens of 60 degrees behind the windscreen.
        step_s: Seconds between two images.
        ego_speed: Metres per second; None estimates it from lights and signs, which stand still.

    Raises:
        DataError: Something is no image.
    """
    watcher = Watcher(eye, camera)
    for number, image in enumerate(images):
        yield watcher.take(image, number * step_s, ego_speed)


class Watcher:
    """What is remembered between the images of one drive."""

    def __init__(self, eye: Eye, camera: Calibration | None = None) -> None:
        """Begin a drive.

        Args:
            eye: Perception.
            camera: Of all images, if it is known.
        """
        self._eye, self._camera = eye, camera
        self._trackers = tuple(_tracker() for _ in _ALIKE)
        self._known: dict[tuple[int, int], _Known] = {}
        self._next = 1
        self._speed = float("nan")

    def take(self, image: NDArray[np.uint8], time_s: float, ego_speed: float | None = None) -> Seen:
        """The next image.

        Args:
            image: (h, w, 3) uint8 RGB.
            time_s: Later than that of the last one.
            ego_speed: Metres per second, if it is known.

        Raises:
            DataError: It is no image.
            ValueError: Time did not pass.
        """
        (sight,) = self._eye.see([image], [self._camera])
        return self.follow(sight, image.shape[:2], time_s, ego_speed)

    def follow(
        self, sight: Sight, size: tuple[int, ...], time_s: float, ego_speed: float | None = None
    ) -> Seen:
        """The next image, as it was seen elsewhere; see `take`.

        Args:
            sight: Of the image.
            size: Its height and width.
            time_s: Later than that of the last one.
            ego_speed: Metres per second, if it is known.
        """
        boxes = sight.boxes
        places = on_the_ground(boxes, self._camera or assumed_camera(size[1], size[0]))
        ids, velocities = np.full(len(boxes), -1), np.full((len(boxes), 2), np.nan)
        errors = np.full(len(boxes), np.inf)
        speed = self._speed if ego_speed is None else ego_speed
        classes, details = boxes.classes.copy(), list(boxes.details)
        for group, tracker in enumerate(self._trackers):
            rows = np.flatnonzero(np.isin(boxes.classes, [OBJECTS.index(n) for n in _ALIKE[group]]))
            for number, row in _followed(tracker, boxes, rows):
                known = self._remember((group, number), boxes, row, time_s)
                ids[row], classes[row] = known.number, known.classes.most_common(1)[0][0]
                if details:
                    details[row] = Counter(known.details).most_common(1)[0][0]
                known.places.append((time_s, float(places[row, 0]), float(places[row, 1])))
                if time_s - known.first_s >= _OLD_ENOUGH_S:
                    places[row], velocities[row], errors[row] = _line(np.array(known.places), speed)
        self._forget(time_s)
        boxes = replace(boxes, track_ids=ids, classes=classes, details=tuple(details))
        with np.errstate(invalid="ignore"):
            nearing = velocities[:, 0] < -_SIGNIFICANT * errors
        return self._judged(
            replace(sight, boxes=boxes), places, velocities, nearing=nearing, time_s=time_s,
            ego_speed=ego_speed,
        )  # fmt: skip

    def _remember(self, key: tuple[int, int], boxes: Boxes2D, row: int, time_s: float) -> _Known:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(self._next, time_s, time_s)
            self._next += 1
        known.last_s = time_s
        score = 1.0 if boxes.scores is None else float(boxes.scores[row])
        known.classes[int(boxes.classes[row])] += round(100 * score)
        if boxes.details:
            known.details.append(boxes.details[row])
        return known

    def _forget(self, time_s: float) -> None:
        """Tracks that no tracker remembers any more: memory stays bounded."""
        limit = time_s - _FORGOTTEN_S
        for key in [key for key, known in self._known.items() if known.last_s < limit]:
            del self._known[key]

    def _judged(
        self, sight: Sight, places: Floats, velocities: Floats, *,
        nearing: NDArray[np.bool_], time_s: float, ego_speed: float | None,
    ) -> Seen:  # fmt: skip
        """Times to collision of what surely comes nearer, and headways."""
        classes = sight.boxes.classes
        names = [OBJECTS[int(k)] for k in classes]
        standing = np.array([name in _STANDING for name in names], bool)
        speed = self._own_speed(places, velocities, standing) if ego_speed is None else ego_speed
        sizes = np.array([_SIZES.get(name, (0.5, 0.5)) for name in names]).reshape(-1, 2)
        known = np.isfinite(velocities).all(axis=1) & np.isfinite(places).all(axis=1)
        judged = risks(
            np.nan_to_num(places) - [_MIDDLE, 0.0], np.nan_to_num(velocities), sizes,
            ego_speed=max(float(np.nan_to_num(speed)), 0.0),
        )  # fmt: skip
        collision = np.where(nearing, judged.time_to_collision_s, np.inf)
        collision[~known] = np.nan
        gap = np.where(np.isfinite(places).all(axis=1), judged.gap_m, np.nan)
        headway = judged.headway_s if np.isfinite(speed) else np.full(len(names), np.nan)
        # lights and signs hang over the road or stand beside it
        collision[standing], gap[standing] = np.inf, np.inf
        headway = np.where(standing | np.isinf(gap), np.inf, headway)
        return Seen(sight, time_s, places, velocities, collision, gap, headway, float(speed))

    def _own_speed(self, places: Floats, velocities: Floats, standing: NDArray[np.bool_]) -> float:
        """How fast things that stand come nearer; near ones tell it best."""
        rows = np.flatnonzero(standing & np.isfinite(velocities).all(axis=1))
        if len(rows):
            near = rows[np.argsort(np.hypot(*places[rows].T))][:3]
            now = max(0.0, float(np.median(-velocities[near, 0])))
            self._speed = now if np.isnan(self._speed) else 0.8 * self._speed + 0.2 * now
        return self._speed


def assumed_camera(width: int, height: int) -> Calibration:
    """A lens of 60 degrees behind the windscreen, where nothing is known."""
    return pinhole(width, height, float(_FIELD_OF_VIEW), mount())


def on_the_ground(boxes: Boxes2D, camera: Calibration) -> Floats:
    """Where objects stand, by the middle of their boxes and their distance.

    Args:
        boxes: With distances.
        camera: Of the image; one without a place of its own is taken to be behind the windscreen.

    Returns:
        (n, 2) metres ahead and to the left of the ego's rear axle; NaN without a distance.
    """
    import cv2

    if not len(boxes):
        return np.zeros((0, 2))
    middle = ((boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2).astype(np.float64)
    flat = cv2.undistortPoints(middle[:, None], camera.matrix, camera.distortion)[:, 0]
    rays = np.column_stack([flat, np.ones(len(flat))])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    away = np.full(len(boxes), np.nan) if boxes.distance is None else boxes.distance
    pose = camera.camera_from_ego
    if np.array_equal(pose, np.eye(4)):
        pose = mount()
    places: Floats = ((rays * np.asarray(away)[:, None] - pose[:3, 3]) @ pose[:3, :3])[:, :2]
    return places


def _tracker() -> Any:
    from trackers import ByteTrackTracker

    return ByteTrackTracker(
        lost_track_buffer=_MISSED, minimum_consecutive_frames=1, track_activation_threshold=_SURE,
        high_conf_det_threshold=_SURE, minimum_iou_threshold=_OVERLAP,
    )  # fmt: skip


def _followed(tracker: Any, boxes: Boxes2D, rows: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Numbers and rows of the boxes that belong to a track; new ones do from their second image."""
    from supervision import Detections

    scores = np.ones(len(boxes)) if boxes.scores is None else np.asarray(boxes.scores)
    rows = rows[scores[rows] >= _WEAK]
    given = Detections(
        xyxy=boxes.xyxy[rows].astype(np.float64), confidence=scores[rows].astype(np.float64),
        class_id=rows.astype(int),
    )  # fmt: skip
    found = tracker.update(given)
    for number, row in zip(found.tracker_id, found.class_id, strict=True):
        if number >= 0:
            yield int(number), int(row)


def _line(track: Floats, ego_speed: float) -> tuple[Floats, Floats, float]:
    """Where a track is now and how it moves: a straight line through its last places.

    Weighted least squares, with what is usual of speeds as one observation more: a few distances
    that err by a tenth would else make a parked car fly. Whatever stands comes at the ego's speed,
    whoever drives along does not come at all, and between them all is usual.

    Args:
        track: (k, 3) seconds, metres ahead and to the left; the last row is now.
        ego_speed: Metres per second; NaN if it is unknown.

    Returns:
        (2,) metres, (2,) metres per second, and the standard error of the first of these; NaN if
        a place is unknown or there is one only.
    """
    if len(track) < 2 or not np.isfinite(track).all():
        return track[-1, 1:], np.full(2, np.nan), float("inf")
    ago = track[:, 0] - track[-1, 0]
    # errors of distance grow with distance
    weight = np.exp(ago / _WANING_S) / np.maximum(np.hypot(track[:, 1], track[:, 2]), 1.0)
    design = np.column_stack([np.ones(len(ago)), ago]) * weight[:, None]
    given = track[:, 1:] * weight[:, None]
    plain = np.linalg.lstsq(design, given, rcond=None)[0][1]
    fastest = ego_speed if np.isfinite(ego_speed) else _OWN_SPEED
    usual = np.array([np.clip(plain[0], -fastest, 0.0), 0.0])
    place, speed, error = np.empty(2), np.empty(2), np.empty(2)
    for axis in range(2):
        doubt = _RANGE / _SPEEDS[axis]
        rows = np.vstack([design, [0.0, doubt]])
        values = np.append(given[:, axis], doubt * usual[axis])
        inverse = np.linalg.inv(rows.T @ rows)
        place[axis], speed[axis] = inverse @ rows.T @ values
        left = float(np.square(rows @ [place[axis], speed[axis]] - values).sum())
        # residuals of a few places say little of the noise: what is usual counts beside them
        variance = (left + _BELIEVED * _RANGE**2) / (len(track) - 1 + _BELIEVED)
        error[axis] = np.sqrt(variance * inverse[1, 1])
    return place, speed, float(error[0])
