"""The whole report."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from tests.verticals.driving.perception.judging.made import (
    CAR,
    LIGHT,
    SIGN,
    boxes,
    line,
    sight,
    view,
)
from verticals.driving.frame import View
from verticals.driving.perception.judging.report import report


def test_perfect_sight_is_reported_as_such() -> None:
    rng = np.random.default_rng(0)
    views, sights, names = [], [], []
    for i in range(16):
        surfaces = rng.integers(0, 11, (288, 512)).astype(np.uint8)
        labels = boxes([[10, 10, 60, 60], [100, 10, 120, 60], [200, 20, 240, 60]],
                       [CAR, LIGHT, SIGN], distance=[10 + i, 20, 30], track_ids=[1, 2, 3],
                       details=("", ("red", "green")[i % 2], "stop"))  # fmt: skip
        lanes = (line(100, 1), line(300, -1))
        views.append(view(labels, surfaces=surfaces, lanes=lanes))
        seen = boxes(labels.xyxy, labels.classes, scores=[0.9] * 3, distance=labels.distance,
                     details=labels.details)  # fmt: skip
        sights.append(sight(seen, surfaces, np.ones((288, 512)), lanes=lanes))
        names.append(f"s{i // 2}")
    judged = report(sights, views, names, ["day", "night"] * 8, draws=20)
    table = judged.table().set_index("measure")
    for name in ("miou", "pixels_right", "ap50", "ap", "lane_f1", "light_state", "sign_name"):
        assert table.loc[name, "value"] == pytest.approx(1)
    assert table.loc["distance_error", "value"] == 0
    assert table.loc["pixel_ece", "value"] == 0
    assert table.loc["box_ece", "value"] == pytest.approx(0.1)
    assert table.loc["miou", "baseline"] < 0.2
    assert table.loc["light_state", "baseline is"].startswith("always")
    again = judged.table(judged, "itself")
    assert (again["baseline is"] == "itself").all()
    bare = report(sights, [View(v.image, surfaces=v.surfaces) for v in views], names, draws=5)
    assert bare.detections is None
    assert set(bare.table()["measure"]) == {"miou", "pixels_right", "pixel_ece"}
    with pytest.raises(DataError, match="one of each"):
        report(sights, views[:3], names)
