"""Figures show the numbers that they are given."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataError
from core.evaluation.figures import png
from verticals.driving.frame import OBJECTS, Boxes2D, LaneLine, View
from verticals.driving.perception.figures import (
    detections_figure,
    distance_figure,
    draw_sight,
    montage,
    reliability_figure,
    slices_figure,
    surfaces_figure,
)
from verticals.driving.perception.judging.report import Judged, report
from verticals.driving.perception.sight import Sight

KINDS = np.array([OBJECTS.index(n) for n in ("car", "pedestrian")])


@pytest.fixture(scope="module")
def seen() -> tuple[list[View], list[Sight]]:
    rng = np.random.default_rng(0)
    views, sights = [], []
    for _ in range(20):
        surfaces = rng.integers(0, 11, (72, 128)).astype(np.uint8)
        said = np.where(rng.random(surfaces.shape) < 0.8, surfaces, 3).astype(np.uint8)
        xyxy = np.array([[10.0, 10, 40, 40], [60, 10, 80, 60]])
        far = rng.uniform(5, 80, 2)
        views.append(View(np.zeros((72, 128, 3), np.uint8), surfaces=surfaces,
                          boxes=Boxes2D(xyxy, KINDS, np.array([1, 2]), distance=far)))  # fmt: skip
        boxes = Boxes2D(xyxy, KINDS, np.array([-1, -1]), scores=rng.uniform(0.3, 1, 2),
                        distance=far * rng.lognormal(0, 0.1, 2))  # fmt: skip
        lane = LaneLine(np.array([[20.0, 70], [60, 30]]), "solid", 1)
        sights.append(Sight(said, np.full(said.shape, 0.8, np.float32), boxes, (lane,)))
    return views, sights


@pytest.fixture(scope="module")
def judged(seen: tuple[list[View], list[Sight]]) -> Judged:
    views, sights = seen
    names = [f"s{i // 2}" for i in range(20)]
    return report(sights, views, names, ["day", "rain"] * 10, draws=20)


def test_bars_are_as_long_as_the_values(judged: Judged) -> None:
    figure = surfaces_figure({"now": judged.surfaces, "usual": judged.usual})
    drawn = [bar.get_width() for bar in figure.axes[0].containers[0]]
    np.testing.assert_allclose(drawn, judged.surfaces.classes["iou"])
    figure = detections_figure({"now": judged.detections})
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["car", "pedestrian"]
    figure = distance_figure(judged.distance)
    drawn = [bar.get_height() for bar in figure.axes[0].patches]
    bins = judged.distance.bins
    np.testing.assert_allclose(drawn, 100 * bins.loc[bins["by"] == "distance", "error"])
    with pytest.raises(DataError, match="nothing to draw"):
        surfaces_figure({})


def test_every_slice_has_its_row_and_figures_are_the_same_bytes(judged: Judged) -> None:
    figure = slices_figure(judged.detections)
    assert len(figure.axes[0].get_yticks()) == len(judged.detections.slices)
    assert png(figure) == png(slices_figure(judged.detections))
    assert png(reliability_figure({"boxes": judged.boxes, "pixels": judged.pixels}))


def test_a_sight_is_drawn_and_pictures_stand_side_by_side(
    seen: tuple[list[View], list[Sight]],
) -> None:
    views, sights = seen
    image = draw_sight(views[0].image, sights[0], shown=0.0)
    bare = draw_sight(views[0].image, sights[0], shown=1.1)
    assert (image != bare).any()
    whole = montage([image] * 3, columns=2, width=128)
    assert whole.shape == (72 * 2 + 4, 128 * 2 + 4, 3)
    np.testing.assert_array_equal(whole[76:, :128], image)
    assert (whole[76:, 132:] == 255).all()
    with pytest.raises(DataError, match="no picture"):
        montage([])
