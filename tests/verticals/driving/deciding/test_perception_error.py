"""The table of perception errors: written, read, refused with the field named."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from core.errors import DataError
from verticals.driving.deciding.perception_error import (
    DEFAULT,
    KEYS,
    PerceptionError,
    errors_of,
    measured,
    read_errors,
    speed_error,
    write_errors,
)  # fmt: skip


def test_it_comes_back_as_written(tmp_path: Path) -> None:
    write_errors(DEFAULT, tmp_path / "errors.json")
    assert read_errors(tmp_path / "errors.json") == DEFAULT


def test_the_loops_get_the_same_numbers() -> None:
    table = errors_of(DEFAULT)
    assert table.found[1, 1, 0].tolist() == DEFAULT.found["vulnerable night clear"]
    assert table.found[0, 0, 1].tolist() == DEFAULT.found["vehicle day partly"]


def test_a_missing_key_a_short_list_and_a_falling_edge_are_refused() -> None:
    good = DEFAULT.model_dump()
    for change, named in (
        ({"found": {k: v for k, v in good["found"].items() if k != KEYS[0]}}, KEYS[0]),
        ({"side_sigma_m": [0.1]}, "side_sigma_m"), ({"edges_m": [20, 10, 60, 90, 150]}, "edges_m"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=named):
            PerceptionError.model_validate({**good, **change})


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "errors.json"
    path.write_text('{"source": "x"}')
    with pytest.raises(DataError, match="edges_m"):
        read_errors(path)


def test_a_measured_table_finds_the_shares_and_spreads_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    n = 40_000
    away = rng.uniform(1, 60, n)
    person, night = rng.random(n) < 0.5, rng.random(n) < 0.5
    share = np.where(person, 0.8, 0.95) - np.where(night, 0.2, 0.0)
    missed = rng.random(n) > share
    ratio = np.where(missed, np.nan, 1 + 0.05 * rng.standard_normal(n))
    table = measured(away, missed, ratio, np.where(person, "pedestrian", "car"), night=night,
                     source="made up")  # fmt: skip
    assert table.found["vulnerable night clear"][:3] == pytest.approx([0.6] * 3, abs=0.03)
    assert table.found["vehicle day clear"][:3] == pytest.approx([0.95] * 3, abs=0.02)
    middle = [
        np.sqrt(np.mean(away[(away > a) & (away <= b)] ** 2)) for a, b in ((20, 40), (40, 60))
    ]
    assert table.range_sigma_m[1:3] == pytest.approx([0.05 * m for m in middle], rel=0.08)
    assert table.range_sigma_m[4] == DEFAULT.range_sigma_m[4]  # nothing was that far
    assert table.source.startswith("made up; 40000 objects")
    assert errors_of(table).active == 1


def test_few_objects_lean_on_the_class_as_a_whole() -> None:
    table = measured([10.0] * 50 + [10.0], [False] * 50 + [True], [1.0] * 51, ["car"] * 51,
                     night=[False] * 50 + [True], source="x")  # fmt: skip
    assert 0.9 < table.found["vehicle night clear"][0] < 0.98  # not 0, though the one was missed


@pytest.mark.parametrize(
    ("away", "ratio", "match"),
    [([], [], "positive"), ([1.0, -1.0], [1.0, 1.0], "positive"), ([1.0, 2.0], [1.0], "rows")],
)
def test_impossible_measurements_are_refused(away: list, ratio: list, match: str) -> None:
    with pytest.raises(DataError, match=match):
        measured(away, [False] * len(away), ratio, ["car"] * len(away), source="x")


def test_a_speed_from_distances_is_as_good_as_simulated_tracks_say() -> None:
    """Of a target with white acceleration, tracked by that filter."""
    rng = np.random.default_rng(1)
    dt, sigma, wander, n = 0.1, 0.8, 2.0, 4000
    gain_x, gain_v = _steady_gain(sigma, dt, wander)
    x = v = seen_x = seen_v = np.zeros(n)
    for _ in range(200):
        a = wander * rng.standard_normal(n)
        x, v = x + v * dt + a * dt**2 / 2, v + a * dt
        seen_x = seen_x + seen_v * dt
        off = x + sigma * rng.standard_normal(n) - seen_x
        seen_x, seen_v = seen_x + gain_x * off, seen_v + gain_v * off
    assert (seen_v - v).std() == pytest.approx(speed_error(sigma, dt, wander), rel=0.05)


def _steady_gain(sigma: float, dt: float, wander: float) -> tuple[float, float]:
    p = np.eye(2)
    step, push = np.array([[1, dt], [0, 1]]), np.array([[dt**2 / 2], [dt]])
    for _ in range(2000):
        p = step @ p @ step.T + wander**2 * push @ push.T
        k = p[:, :1] / (p[0, 0] + sigma**2)
        p = p - k @ p[:1]
    return float(k[0, 0]), float(k[1, 0])
