"""Watching a drive: ids that last, times to collision that are right, memory that stays."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from verticals.driving.frame import OBJECTS, Boxes2D, Calibration, Floats
from verticals.driving.perception.sight import Sight
from verticals.driving.watching import (
    WARN_S,
    Seen,
    Watcher,
    assumed_camera,
    on_the_ground,
    watch,
)

WIDTH, HEIGHT = 512, 288
CAMERA = assumed_camera(WIDTH, HEIGHT)
CAR, PERSON, LIGHT = (OBJECTS.index(name) for name in ("car", "pedestrian", "traffic_light"))


def shown(
    things: list[tuple[int, float, float]], score: float = 0.9, details: tuple[str, ...] = ()
) -> Sight:
    """What a faultless eye says of things at (class, metres ahead, metres left) of the axle."""
    rows, away = [], []
    for _, x, y in things:
        seat = np.array([[x, y, 1.4]])
        (pixel,), _ = CAMERA.project(seat)
        rows.append([pixel[0] - 8, pixel[1] - 6, pixel[0] + 8, pixel[1] + 6])
        away.append(float(np.linalg.norm(CAMERA.camera_from_ego[:3] @ [x, y, 1.4, 1.0])))
    n = len(things)
    boxes = Boxes2D(
        np.array(rows, float).reshape(-1, 4), np.array([k for k, _, _ in things], np.int64),
        np.full(n, -1), distance=np.array(away), scores=np.full(n, score),
        details=details or ("",) * n,
    )  # fmt: skip
    maps = np.zeros((HEIGHT, WIDTH), np.uint8)
    return Sight(maps, maps.astype(np.float32), boxes, unknown=np.zeros(n, np.bool_))


def drive(moments: list[Sight], step_s: float = 0.1, speed: float | None = None) -> list[Seen]:
    watcher = Watcher(None, CAMERA)  # type: ignore[arg-type]  # what was seen is given
    return [
        watcher.follow(sight, (HEIGHT, WIDTH), k * step_s, speed) for k, sight in enumerate(moments)
    ]


def test_a_place_is_found_again_from_box_and_distance() -> None:
    things = [(CAR, 20.0, 3.0), (PERSON, 8.0, -2.5)]
    places = on_the_ground(shown(things).boxes, CAMERA)
    np.testing.assert_allclose(places, [(20, 3), (8, -2.5)], atol=1e-6)


def test_a_camera_without_a_place_is_taken_to_look_ahead() -> None:
    plain = Calibration(CAMERA.matrix, WIDTH, HEIGHT)
    places = on_the_ground(shown([(CAR, 20.0, 3.0)]).boxes, plain)
    np.testing.assert_allclose(places, [(20, 3)], atol=1e-6)


def test_time_to_collision_is_that_of_the_scene_and_stands_if_distances_are_off_by_a_factor() -> (
    None
):
    closing, bodies = 9.0, 1.35 + (4.5 + 4.4) / 2
    at = [40.0 - closing * 0.1 * k for k in range(25)]
    truth = np.array([(x - bodies) / closing for x in at])
    for factor, off in ((1.0, 0.02), (1.4, bodies / closing)):
        moments = [shown([(CAR, x, 0.0)]) for x in at]
        for sight in moments:
            assert sight.boxes.distance is not None
            sight.boxes.distance[:] *= factor
        seen = drive(moments)
        found = np.array([float(one.time_to_collision_s[0]) for one in seen])
        assert np.isnan(found[:6]).all()
        np.testing.assert_allclose(found[9:], truth[9:], atol=off)
        assert [int(one.sight.boxes.track_ids[0]) for one in seen] == [-1] + [1] * 24
        assert bool(seen[-1].warned[0]) == (truth[-1] < WARN_S)


def test_time_to_collision_bears_noise_of_distance_and_place() -> None:
    rng, found, truth = np.random.default_rng(0), [], []
    for _ in range(20):
        moments = []
        for k in range(20):
            sight = shown([(CAR, 40 - 10 * 0.1 * k, 0.2)])
            assert sight.boxes.distance is not None
            sight.boxes.distance[:] *= np.exp(rng.normal(0, 0.04))
            sight.boxes.xyxy[:] += rng.normal(0, 1.5, 4)
            moments.append(sight)
        found.append(float(drive(moments)[-1].time_to_collision_s[0]))
        truth.append((40 - 19 - 1.35 - 4.45) / 10)
    error = np.abs(np.nan_to_num(found, posinf=99) - truth)
    assert np.median(error) < 0.4


def test_noise_of_what_keeps_its_distance_seldom_warns() -> None:
    rng, warned = np.random.default_rng(1), 0
    for _ in range(20):
        moments = []
        for _ in range(25):
            sight = shown([(CAR, 18.0, 0.0)])
            assert sight.boxes.distance is not None
            sight.boxes.distance[:] *= np.exp(rng.normal(0, 0.05))
            moments.append(sight)
        warned += sum(bool(one.warned.any()) for one in drive(moments))
    assert warned < 0.02 * 20 * 25


def test_who_passes_beside_the_ego_or_drives_away_is_not_met() -> None:
    seen = drive(
        [shown([(CAR, 40 - k, 4.0), (CAR, 15 + 0.3 * k, 0.0)], details=("", "")) for k in range(20)]
    )
    assert np.isinf(seen[-1].time_to_collision_s).all()
    assert not seen[-1].warned.any()


def test_the_gap_and_headway_are_of_the_lane_only_and_of_the_given_speed() -> None:
    seen = drive([shown([(CAR, 25.0, 0.3), (CAR, 25.0, 3.6)]) for _ in range(8)], speed=10.0)
    gap = 25 - 1.35 - 4.45
    assert seen[-1].gap_m[0] == pytest.approx(gap, abs=0.3)
    assert seen[-1].headway_s[0] == pytest.approx(gap / 10, abs=0.05)
    assert np.isinf(seen[-1].headway_s[1])


def test_the_own_speed_is_told_from_what_stands_still() -> None:
    moments = [
        shown([(LIGHT, 60 - 1.2 * k, -4.0), (CAR, 20.0, 0.0)], details=("red", ""))
        for k in range(20)
    ]
    seen = drive(moments)
    assert np.isnan(seen[0].ego_speed)
    assert np.isnan(seen[0].headway_s[1])
    assert seen[-1].ego_speed == pytest.approx(12, rel=0.02)
    assert seen[-1].headway_s[1] == pytest.approx((20 - 5.8) / 12, rel=0.05)
    assert np.isinf(seen[-1].time_to_collision_s[0])  # a light is driven under, not into


def test_an_id_survives_a_short_gap_and_is_not_another_kinds() -> None:
    moments = [shown([(CAR, 20.0, 0.0), (PERSON, 20.0, 0.5)]) for _ in range(6)]
    moments += [shown([(PERSON, 20.0, 0.5)]) for _ in range(4)]
    moments += [shown([(CAR, 20.0, 0.0), (PERSON, 20.0, 0.5)]) for _ in range(4)]
    seen = drive(moments)
    assert seen[-1].sight.boxes.track_ids.tolist() == seen[3].sight.boxes.track_ids.tolist()
    assert len(set(seen[-1].sight.boxes.track_ids.tolist())) == 2


def test_a_light_misread_once_and_a_van_taken_for_a_car_once_are_outvoted() -> None:
    moments = [shown([(LIGHT, 30.0, -4.0)], details=("red",)) for _ in range(6)]
    moments.append(shown([(LIGHT, 30.0, -4.0)], details=("green",)))
    assert drive(moments)[-1].sight.boxes.details == ("red",)
    moments = [shown([(OBJECTS.index("van"), 30.0, 0.0)]) for _ in range(6)]
    moments.append(shown([(CAR, 30.0, 0.0)]))
    assert drive(moments)[-1].sight.boxes.classes.tolist() == [OBJECTS.index("van")]


def test_weak_boxes_begin_no_track_and_continue_one() -> None:
    assert drive([shown([(CAR, 20.0, 0.0)], 0.3)] * 5)[-1].sight.boxes.track_ids.tolist() == [-1]
    moments = [shown([(CAR, 20.0, 0.0)])] * 6 + [shown([(CAR, 20.0, 0.0)], 0.3)]
    assert drive(moments)[-1].sight.boxes.track_ids.tolist() == [1]


@dataclass
class Counting:
    """An eye that sees nothing, and remembers how many images it was given at once."""

    given: list[int] = field(default_factory=list)

    def see(self, images: list[Floats], cameras: object = None) -> list[Sight]:
        self.given.append(len(images))
        return [shown([]) for _ in images]


def test_watching_takes_one_image_at_a_time_and_nothing_at_all_is_fine() -> None:
    asked: list[int] = []

    def images() -> Iterator[np.ndarray]:
        for k in range(3):
            asked.append(k)
            yield np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    eye = Counting()
    moments = watch(images(), eye)  # type: ignore[arg-type]
    first = next(moments)
    assert asked == [0]
    assert first.nearest_s == float("inf")
    assert len(first.sight.boxes) == 0
    assert [one.time_s for one in moments] == [0.1, 0.2]
    assert eye.given == [1, 1, 1]


def test_memory_stays_bounded_however_many_come_and_go() -> None:
    watcher = Watcher(None, CAMERA)  # type: ignore[arg-type]
    for k in range(300):
        sight = shown([(CAR, 10.0 + (37 * k) % 60, ((13 * k) % 17) - 8.0)])
        watcher.follow(sight, (HEIGHT, WIDTH), 0.5 * k)
    assert len(watcher._known) < 12
