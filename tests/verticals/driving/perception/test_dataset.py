"""Frames as cached arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import DataError
from verticals.driving.frame import UNLABELLED, Boxes2D, Calibration, Frame, LaneLine, View
from verticals.driving.perception.dataset import (
    Cache,
    collate,
    encode,
    fitted,
    open_cache,
    render_cache,
    write_cache,
)
from verticals.driving.perception.settings import (
    DETECTED,
    FOCAL,
    LANES,
    LIGHTS,
    SIGNS,
    PerceptionSettings,
)
from verticals.driving.world import scene, signs
from verticals.driving.world.dataset import WorldSettings
from verticals.driving.world.scene import LIGHTS as DRAWN_LIGHTS
from verticals.driving.world.signs import SIGNS as DRAWN_SIGNS

SMALL = PerceptionSettings(width=128, height=64)


def view(width: int = 256, height: int = 128) -> View:
    """A labelled image, twice as large as the network's."""
    image = np.full((height, width, 3), 90, np.uint8)
    camera = Calibration(np.array([[200.0, 0, 128], [0, 200, 64], [0, 0, 1]]), width, height)
    boxes = Boxes2D(
        np.array([[19.5, 9.5, 59.5, 49.5], [99.5, 99.5, 103.5, 103.5], [150, 20, 190, 100]]),
        np.array([0, 4, DETECTED.index("traffic_light")]), np.array([1, 2, 3]),
        occlusion=np.array([0.0, 0.0, 0.95]), distance=np.array([10.0, 50.0, 30.0]),
        details=("", "", "amber"),
    )  # fmt: skip
    surfaces = np.zeros((height, width), np.uint8)
    surfaces[64:] = 3
    line = LaneLine(np.array([[40.0, 127], [100, 60]]), "solid", LANES[0])
    return View(image, camera, boxes, surfaces, lanes=(line,))


def test_names_are_those_that_the_world_draws() -> None:
    assert LIGHTS == DRAWN_LIGHTS
    assert tuple(DRAWN_SIGNS) == SIGNS


def test_images_keep_their_shape() -> None:
    image, scale = fitted(np.full((100, 50, 3), 7, np.uint8), 128, 64)
    assert scale == (0.64, 0.64)
    assert (image[:, :32] == 7).all()
    assert (image[:, 32:] == 114).all()


def test_labels_are_brought_to_the_networks_image() -> None:
    row = encode(view(), SMALL)
    assert row["images"].shape == (64, 128, 3)
    assert (row["surfaces"][:32] == 0).all()
    assert (row["surfaces"][32:] == 3).all()
    order = np.argsort(row["distance"])
    first = order[0]
    assert np.allclose(row["boxes"][first], [10, 5, 30, 25])
    assert row["distance"][first] == pytest.approx(10 * FOCAL / 100)
    ignored = {int(k): bool(i) for k, i in zip(row["kinds"], row["ignored"], strict=True) if k >= 0}
    assert ignored == {0: False, 4: True, DETECTED.index("traffic_light"): True}  # tiny, hidden
    assert row["details"][row["kinds"] == DETECTED.index("traffic_light")] == LIGHTS.index("amber")
    known = ~np.isnan(row["lanes"][0])
    assert known.sum() == 8
    assert np.isnan(row["lanes"][1:]).all()
    assert (np.diff(row["lanes"][0][known]) < 0).all()


def test_a_cache_comes_back_and_gives_batches(tmp_path: Path) -> None:
    frames = [Frame({"a": view(), "b": view()}, sequence=f"drive {i}") for i in range(3)]
    cache = write_cache(frames, tmp_path / "cache", 10, SMALL)
    assert cache.sequences == ("drive 0",) * 2 + ("drive 1",) * 2 + ("drive 2",) * 2
    again = open_cache(tmp_path / "cache", SMALL)
    assert isinstance(again.arrays["images"], np.memmap)  # mapped, not loaded
    loader = torch.utils.data.DataLoader(again, batch_size=4, collate_fn=collate)  # type: ignore[arg-type]
    sizes = [len(batch["images"]) for batch in loader]
    assert sizes == [4, 2]
    part = again.part([0, 5])
    assert part.sequences == ("drive 0", "drive 2")
    moved: Cache = part.to("cpu")
    assert torch.equal(moved[1]["images"][0], torch.from_numpy(encode(view(), SMALL)["images"]))


def test_a_cache_of_another_size_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished cache"):
        open_cache(tmp_path, SMALL)
    write_cache([Frame({"a": view()})], tmp_path, 1, SMALL)
    with pytest.raises(DataError, match="128 x 64"):
        open_cache(tmp_path, PerceptionSettings(256, 128))
    with pytest.raises(DataError, match="no labelled frame"):
        write_cache([], tmp_path, 1, SMALL)


def test_an_unlabelled_image_teaches_nothing() -> None:
    row = encode(View(np.zeros((64, 128, 3), np.uint8)), SMALL)
    assert (row["surfaces"] == UNLABELLED).all()
    assert (row["kinds"] == -1).all()
    assert np.isnan(row["lanes"]).all()


@pytest.mark.slow
def test_streets_are_rendered_alike_by_one_process_and_two(tmp_path: Path) -> None:
    world = WorldSettings(width=128, height=64, frames=1)
    one = render_cache(tmp_path / "one", [3, 4], world, SMALL)
    two = render_cache(tmp_path / "two", [3, 4], world, SMALL, workers=2)
    assert one.sequences == two.sequences
    for name, column in one.arrays.items():
        assert np.array_equal(column, two.arrays[name], equal_nan=name in ("distance", "lanes"))


def test_the_heads_name_what_the_world_draws() -> None:
    assert set(scene.LIGHTS) == set(LIGHTS)
    assert set(signs.SIGNS) <= set(SIGNS)
