"""What a street looks like: all classes occur, signs and lights differ, weather shows."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.verticals.driving.world.scenes import plain_street, scene_of
from verticals.driving.frame import OBJECTS, SURFACES
from verticals.driving.world.cameras import Camera, Imaging, rig
from verticals.driving.world.crowd import populate
from verticals.driving.world.dataset import WorldSettings, sequence
from verticals.driving.world.overview import overview
from verticals.driving.world.plan import draw_plan
from verticals.driving.world.render import render_frame
from verticals.driving.world.scene import LIGHTS, Scene, Sign, Signal
from verticals.driving.world.signs import SIGNS, plates
from verticals.driving.world.streets import build
from verticals.driving.world.weather import DAY, WEATHERS, Weather, draw_weather

PERFECT = Imaging(blur=0, noise=0, jpeg=0)


def camera(width: int = 512, height: int = 288) -> Camera:
    return Camera("front", rig(1, width, height)[0].calibration, PERFECT)


def look(scene: Scene, weather: Weather = DAY) -> np.ndarray:
    return render_frame(scene, [camera()], weather).views["front"].image


def test_every_class_occurs_over_fifty_seeds() -> None:
    pixels = np.zeros(len(SURFACES), np.int64)
    objects = np.zeros(len(OBJECTS), np.int64)
    for seed in range(50):
        frame = sequence(seed, WorldSettings(width=192, height=108)).frame(0, 0.0)
        labels = frame.views["front"].surfaces.ravel()
        pixels += np.bincount(labels, minlength=12)[: len(SURFACES)]  # parked bicycles: 11
        objects += np.bincount(frame.views["front"].boxes.classes, minlength=len(OBJECTS))
    shares = dict(zip(SURFACES, pixels / pixels.sum(), strict=True))
    assert min(shares.values()) > 0.0008, shares
    assert 0.2 < shares["road"] < 0.5
    assert shares["sky"] < 0.45
    missing = [name for name, n in zip(OBJECTS, objects, strict=True) if n == 0 and name != "other"]
    assert not missing


def test_signs_can_be_told_apart_when_rendered() -> None:
    assert len(SIGNS) >= 12
    kinds = list(SIGNS)
    side = 24
    templates = np.stack([_grey(plates()[f"sign:{kind}"][..., :3], side) for kind in kinds])
    right = 0
    for number, kind in enumerate(kinds):
        turn = np.pi + 0.15 * (-1) ** number
        sign = Sign(kind, np.array([9.0, -1.5]), turn, 1.8, 0.8)
        scene = scene_of(street=replace(plain_street(), signs=(sign,)))
        view = render_frame(scene, [camera()]).views["front"]
        assert view.boxes.details == (kind,)
        x0, y0, x1, y1 = (round(float(v)) for v in view.boxes.amodal_xyxy[0])
        crop = _grey(view.image[y0 : y1 + 1, x0 : x1 + 1], side)
        right += int(np.argmax((templates * crop).sum(axis=(1, 2, 3))) == number)
    assert right / len(kinds) >= 0.9


def _grey(image: np.ndarray, side: int) -> np.ndarray:
    """Normalised colours of the middle, where no background shows."""
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(float)
    middle = small[4:-4, 4:-4]
    middle = middle - middle.mean()
    return middle / np.linalg.norm(middle)


@pytest.mark.parametrize("state", LIGHTS)
def test_a_traffic_light_shows_its_state(state: str) -> None:
    light = Signal(np.array([8.0, -1.5]), np.pi, ((state, 1.0),), height=2.0)
    street = replace(plain_street(), signals=(light,))
    view = render_frame(scene_of(street=street), [camera()]).views["front"]
    assert view.boxes.details == (state,)
    x0, y0, x1, y1 = (round(float(v)) for v in view.boxes.xyxy[0])
    masked = view.image * (view.instances > 0)[..., None]
    head = masked[y0 : y1 + 1, x0 : x1 + 1].astype(int)
    third = len(head) // 3
    top, middle, low = (head[i * third : (i + 1) * third].max(axis=2).max() for i in range(3))
    lit = [brightness > 200 for brightness in (top, middle, low)]
    assert lit == [state in ("red", "red_amber"), "amber" in state, state == "green"]
    pixel = head.reshape(-1, 3)[head.max(axis=2).argmax()]
    assert (pixel[1] > pixel[0]) == (state == "green")


def test_the_programme_of_a_light_repeats() -> None:
    light = Signal(np.zeros(2), 0.0, (("green", 5.0), ("amber", 1.0), ("red", 4.0)), 2.0)
    states = [light.state(t) for t in (0.0, 2.9, 3.1, 4.1, 7.9, 8.1, 10.0)]
    assert states == ["green", "green", "amber", "red", "red", "green", "green"]


def test_night_is_dark_and_lamps_light_the_road() -> None:
    scene = scene_of(("car", 30.0, 3.0))
    day, night = look(scene), look(scene, draw_weather(np.random.default_rng(0), "night"))
    assert night.mean() < 0.5 * day.mean()
    road = night[230:, 200:312].mean(), night[160:170, 200:312].mean()
    assert road[0] > 1.3 * road[1]  # headlamps reach the near road


def test_fog_takes_far_contrast() -> None:
    scene = scene_of(("bus", 20.0, 3.0), ("bus", 55.0, -3.0))
    clear, dim = look(scene), look(scene, replace(DAY, fog=0.03))
    instances = render_frame(scene, [camera()]).views["front"].instances
    kept = [dim[instances == track].std() / clear[instances == track].std() for track in (1, 2)]
    assert kept[1] < 0.6 * kept[0] < 0.6


def test_a_low_sun_ahead_blinds() -> None:
    scene = scene_of(("car", 30.0, 3.0))
    ahead, behind = (
        Weather(sun_height=0.15, sun_bearing=bearing, clouds=0.0) for bearing in (0.0, np.pi)
    )
    assert look(scene, ahead)[:140].mean() > look(scene, behind)[:140].mean() + 10


def test_a_car_throws_a_shadow_away_from_the_sun() -> None:
    empty, car = scene_of(), scene_of(("car", 14.0, 0.0))
    from_right = Weather(sun_height=0.6, sun_bearing=-np.pi / 2, clouds=0.0)
    darker = look(empty, from_right).astype(int).sum(2) - look(car, from_right).astype(int).sum(2)
    frame = render_frame(car, [camera()], from_right).views["front"]
    ground = (frame.surfaces == SURFACES.index("road")) & (darker > 60)
    columns = np.nonzero(ground)[1]
    assert len(columns) > 100
    assert np.median(columns) < 256  # on the left


@pytest.mark.parametrize("name", WEATHERS)
def test_every_weather_renders(name: str) -> None:
    drive = sequence(3, WorldSettings(width=160, height=96, weathers=(name,)))
    image = drive.frame(0, 0.0).views["front"].image
    assert image.dtype == np.uint8
    assert image.std() > 3


def test_unknown_weather_is_refused() -> None:
    with pytest.raises(ValueError, match="snow"):
        draw_weather(np.random.default_rng(0), "snow")


def test_people_drive_on_the_side_the_map_says() -> None:
    for left_hand in (True, False):
        plan = replace(draw_plan(8), left_hand=left_hand, curvature=0.0, junction="none")
        street = build(plan)
        forward = street.lanes[0]
        assert (forward.centre[0, 1] > 0) == left_hand
        assert forward.centre[-1, 0] > forward.centre[0, 0]


def test_lanes_through_a_junction_join() -> None:
    for hand in (True, False):
        plan = replace(draw_plan(4), junction="signals", left_hand=hand, lanes=2, curvature=0.004)
        lanes = build(plan).lanes
        joined = 0
        for lane in lanes:
            for follower in lane.follows:
                gap = np.hypot(*(lanes[follower].centre[0] - lane.centre[-1]))
                turn = lanes[follower].at(0.0)[0, 2] - lane.at(lane.lengths[-1] - 1e-6)[0, 2]
                assert gap < 0.05
                assert np.cos(turn) > 0.9
                joined += 1
        assert joined >= 12
        assert len(build(plan).stop_lines) == 6


def test_nobody_stands_in_the_ego() -> None:
    for seed in range(20):
        plan = draw_plan(seed)
        scene = populate(build(plan), plan).scene(0.0)
        local = (scene.actors.poses[:, :2] - [scene.ego.x, scene.ego.y]) @ scene.ego.pose()[:2, :2]
        reach = scene.actors.sizes[:, 0] / 2
        inside = (local[:, 0] > -1.5 - reach) & (local[:, 0] < 3.0 + reach)
        assert not (inside & (np.abs(local[:, 1]) < 0.9)).any(), seed


def test_the_overview_shows_ego_and_actors() -> None:
    image = overview(scene_of(("car", 10.0, 0.0)), (240, 240), 60.0)
    ego, car = (250, 210, 60), (86, 156, 214)
    rows = {
        name: np.nonzero((image == colour).all(axis=2))[0]
        for name, colour in (("ego", ego), ("car", car))
    }
    assert len(rows["ego"]) > 20
    assert rows["car"].mean() < rows["ego"].mean()  # ahead is up


@pytest.mark.parametrize(("turn", "told"), [(0.0, "red"), (1.1, "red"), (1.5, ""), (3.1, "")])
def test_a_light_or_sign_seen_from_its_back_or_edge_tells_nothing(turn: float, told: str) -> None:
    towards = np.arctan2(1.5, -12.0)
    light = Signal(np.array([12.0, -1.5]), towards + turn, (("red", 1.0),), height=2.0)
    view = render_frame(scene_of(street=replace(plain_street(), signals=(light,))), [camera()])
    assert view.views["front"].boxes.details == (told,)
