"""The GPU check, run on the processor: what it writes is whole and compares with the truth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from verticals.driving.deploying import gpu_check
from verticals.driving.perception.settings import PerceptionSettings

SMALL = PerceptionSettings(width=64, height=32)


@pytest.mark.slow  # some 10 s
def test_the_check_runs_every_route_it_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_check, "BATCHES", (1, 8))
    network = gpu_check.drawn_network(SMALL, gpu_check.drawn_images(8, SMALL))
    found = gpu_check.check(network, device="cpu", seconds=19)
    assert json.loads(json.dumps(found))["routes"]
    same = found["routes"]["eager float32"]["parity"]
    assert all(one["largest"] == 0 for one in same.values())
    assert found["left_out"]["compiled float16"] == "no time left"
    assert found["routes"]["eager float32"]["batches"][8]["frames_a_second"] > 0
    if "onnx" in found["routes"]:
        away = found["routes"]["onnx"]["parity"]
        assert all(one["largest_in_spreads"] < 1e-3 for one in away.values())


def test_parity_counts_places_of_another_class() -> None:
    one = np.zeros((1, 2, 1, 4), np.float32)
    one[0, 1] = 1
    other = one.copy()
    other[0, 0, 0, 0] = 3
    found = gpu_check.parity({"surfaces": one}, {"surfaces": other})["surfaces"]
    assert found["same_class"] == 0.75
    assert found["largest"] == 3


def test_images_are_drawn_alike() -> None:
    np.testing.assert_array_equal(
        gpu_check.drawn_images(2, SMALL), gpu_check.drawn_images(2, SMALL)
    )
