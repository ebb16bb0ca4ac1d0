"""A small desk: a made-up network behind the real eye, so that pages are quick.

It always sees a pedestrian on the right, a car in the middle and a red light; the darker the
picture, the nearer they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apps.demos.driving_pages.desk import Desk, Reason
from apps.demos.driving_pages.looking import Looked, Picture, look
from apps.demos.driving_pages.opening import desk_of
from apps.demos.driving_pages.runtimes import Runtimes
from core.errors import ModelError
from verticals.driving.data.video import write_video
from verticals.driving.frame import OBJECTS, Boxes2D
from verticals.driving.perception.eye import Eye
from verticals.driving.perception.settings import DETECTED, SIGNS, PerceptionSettings

EVIL = "<script>alert(1)</script>"
SETTINGS = PerceptionSettings()
HEIGHT, WIDTH = SETTINGS.height, SETTINGS.width
THINGS = {  # row and column of the centre, half height and half width, all in cells
    "pedestrian": (40, 100, 9, 4), "car": (42, 62, 8, 10), "traffic_light": (14, 30, 5, 2),
}  # fmt: skip


def run(images: np.ndarray) -> dict[str, np.ndarray]:
    """Maps of images, as the network names and shapes them."""
    n, tall, wide = len(images), HEIGHT // 4, WIDTH // 4
    surfaces = np.zeros((n, 11, HEIGHT // 2, WIDTH // 2), np.float32)
    surfaces[:, 0, : HEIGHT // 4] = surfaces[:, 3, HEIGHT // 4 :] = 5
    heat = np.full((n, len(DETECTED), tall, wide), -6.0, np.float32)
    extent = np.ones((n, 4, tall, wide), np.float32)
    for name, (row, column, high, broad) in THINGS.items():
        heat[:, DETECTED.index(name), row, column] = 3
        extent[:, :, row, column] = np.array([broad, high, broad, high]) * 4
    away = 4 + images.mean(axis=(1, 2, 3)) / 6
    lights = np.zeros((n, 4, tall, wide), np.float32)
    lights[:, 0] = 1
    return {
        "surfaces": surfaces, "heat": heat, "extent": extent, "lights": lights,
        "distance": np.log(away / 0.87)[:, None, None, None] * np.ones((n, 1, tall, wide)),
        "lanes": np.full((n, 4, tall, wide), -6, np.float32),
        "signs": np.zeros((n, len(SIGNS), tall, wide), np.float32),
        "embedding": np.ones((n, 4), np.float32),
    }  # fmt: skip


def picture(grey: int = 128) -> np.ndarray:
    rng = np.random.default_rng(grey)
    noise = rng.integers(-20, 20, (HEIGHT, WIDTH, 3))
    return np.clip(grey + noise, 0, 255).astype(np.uint8)


def explain(image: np.ndarray, box: np.ndarray, kind: str) -> Reason:
    if kind == "traffic_light":
        raise ModelError("lights cannot be explained here", remedy="Choose another")
    heat = np.zeros(image.shape[:2])
    left, top, right, bottom = (int(v) for v in box)
    heat[top:bottom, left:right] = 1
    return Reason(heat, {"en": f"{kind}: {EVIL}", "zh": f"{kind}：依据"}, holds=True)


def second(image: np.ndarray) -> Boxes2D:
    row, column, high, broad = (4 * v for v in THINGS["pedestrian"])
    scale = np.array([image.shape[1] / WIDTH, image.shape[0] / HEIGHT] * 2)
    box = np.array([column - broad, row - high, column + broad, row + high]) * scale
    far = np.array([400, 120, 420, 170]) * scale
    kinds = np.full(2, OBJECTS.index("pedestrian"))
    return Boxes2D(np.stack([box, far]), kinds, np.full(2, -1), scores=np.array([0.9, 0.8]))


@pytest.fixture(scope="session")
def desk() -> Desk:
    runtimes = Runtimes(Eye(run, SETTINGS), "torch", ())
    return desk_of(runtimes, explain=explain, second=second, card=f"# Card\n\nWith {EVIL}.\n")


@pytest.fixture(scope="session")
def photo(desk: Desk) -> Looked:
    return look(desk.runtimes.eye("torch"), "torch", [Picture(picture())], "photo")


@pytest.fixture(scope="session")
def clip(desk: Desk) -> Looked:
    """Everything comes nearer, at 15 m/s."""
    pictures = [Picture(picture(230 - 9 * k), 0.1 * k) for k in range(20)]
    return look(desk.runtimes.eye("torch"), "torch", pictures, "clip")


@pytest.fixture(scope="session")
def photo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "street.png"
    Image.fromarray(picture()).save(path)
    return path


@pytest.fixture(scope="session")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "drive.mp4"
    return write_video((picture(230 - 9 * k) for k in range(20)), path)


@pytest.fixture(scope="session")
def served(desk: Desk) -> Iterator[str]:
    """Address of the demo of the small desk."""
    from apps.demos.driving import compose, launch

    demo = compose(desk)
    yield launch(demo, block=False)
    demo.close()


@pytest.fixture
def ready() -> Callable[[Any], Any]:
    return lambda page: page.get_by_test_id("stage")
