"""Roads: poses on paths, where they run together, where they cross."""

import numpy as np
import pytest

from core.errors import ParameterError
from verticals.driving.traffic.geometry import place, project
from verticals.driving.traffic.layouts import LAYOUTS, layout
from verticals.driving.traffic.records import packed
from verticals.driving.traffic.roads import METRES, SHAPES, Path, Plan, lay


def test_a_bend_ends_where_geometry_says() -> None:
    radius = 20.0
    path = Path((0.0, 0.0, 0.0), ((10.0, 0.0), (radius * np.pi / 2, 1 / radius), (30.0, 0.0)))
    roads = lay(Plan((path,)))
    x, y, heading = place(roads.table, 0, 10 + radius * np.pi / 2 + 5, 0.0)
    assert (x, y) == pytest.approx((30.0, 25.0), abs=0.02)
    assert heading == pytest.approx(np.pi / 2, abs=0.02)


def test_a_straight_path_goes_on_beyond_its_table() -> None:
    roads = layout("highway").roads
    assert place(roads.table, 1, 1234.5, 0.7)[:2] == pytest.approx((1234.5, -4.0 + 0.7))


@pytest.mark.parametrize("name", LAYOUTS)
def test_projection_inverts_placing(name: str) -> None:
    roads = layout(name).roads
    rng = np.random.default_rng(0)
    for _ in range(60):
        path = int(rng.integers(roads.paths))
        s, d = rng.uniform(5, min(roads.length[path], METRES) - 5), rng.uniform(-1.5, 1.5)
        x, y, _ = place(roads.table, path, s, d)
        assert project(roads.table, roads.straight, path, x, y) == pytest.approx((s, d), abs=0.06)


def test_lanes_know_their_neighbours() -> None:
    roads = layout("highway").roads
    assert roads.left.tolist() == [-1, 0, 1]
    assert roads.right.tolist() == [1, 2, -1]


def test_junction_zones_lie_where_the_paths_cross() -> None:
    roads = layout("intersection").roads
    straight_on, from_the_west = 1, 4
    first, last, other_first, other_last = roads.zones[straight_on, from_the_west]
    x, y, _ = place(roads.table, straight_on, (first + last) / 2, 0.0)
    assert (x, y) == pytest.approx((2.0, -2.0), abs=1.0)
    assert (x, y) == pytest.approx(
        place(roads.table, from_the_west, (other_first + other_last) / 2, 0.0)[:2], abs=1.0
    )


def test_paths_of_one_arm_share_their_approach_and_have_no_zone() -> None:
    roads = layout("intersection").roads
    assert roads.shared[0, 2, 50] == pytest.approx(50.0)
    assert np.isnan(roads.zones[0, 2]).all()
    assert np.isnan(roads.shared[0, 5, 50])


def test_too_many_paths_are_refused() -> None:
    plan = Plan(tuple(Path((0.0, 10.0 * i, 0.0), ((50.0, 0.0),)) for i in range(13)))
    with pytest.raises(ParameterError, match="at most"):
        packed(lay(plan), SHAPES)


def test_an_unknown_layout_or_number_is_named() -> None:
    with pytest.raises(ParameterError, match="moon"):
        layout("moon")
    with pytest.raises(ParameterError, match="fastness"):
        layout("street").changed(fastness=3)
