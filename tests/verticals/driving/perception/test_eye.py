"""Perception as a whole: the shipped weights on rendered streets, any image, any camera."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import DataError, ModelError
from verticals.driving.frame import SURFACES, Calibration
from verticals.driving.perception.eye import WEIGHTS, Eye, open_eye
from verticals.driving.perception.judging.report import report
from verticals.driving.perception.trust import Trust
from verticals.driving.world.dataset import WorldSettings, sequence


@pytest.fixture(scope="module")
def eye() -> Eye:
    return open_eye()


@pytest.mark.slow
def test_shipped_weights_see_streets_they_never_saw(eye: Eye) -> None:
    views, names = [], []
    for seed in range(8_600_000, 8_600_008):
        frame = sequence(seed, WorldSettings(weathers=("day", "overcast"))).frame(0, 1.0)
        views.append(next(iter(frame.views.values())))
        names.append(frame.sequence)
    judged = report(eye.look(views), views, names, draws=20)
    assert judged.surfaces is not None
    assert judged.detections is not None
    assert judged.usual is not None
    # far below what is measured on hundreds of streets, far above what is usual at each place
    assert judged.surfaces.miou.value > judged.usual.miou.value + 0.2
    car = judged.detections.classes.set_index("class").loc["car"]
    assert car["ap50"] > 0.5


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 700, 3), (900, 40, 3), (288, 512, 3)])
def test_images_of_any_size_are_seen(eye: Eye, shape: tuple[int, ...]) -> None:
    (sight,) = eye.see([np.full(shape, 128, np.uint8)])
    assert sight.surfaces.shape == shape[:2]
    assert sight.confidence.shape == shape[:2]
    assert (sight.surfaces < len(SURFACES)).all()
    assert (sight.boxes.xyxy[:, [0, 2]] <= shape[1]).all()


@pytest.mark.parametrize("image", [
    np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32),
    np.zeros((0, 9, 3), np.uint8),
])  # fmt: skip
def test_what_is_no_image_is_named(eye: Eye, image: np.ndarray) -> None:
    with pytest.raises(DataError, match="image 1"):
        eye.see([np.zeros((9, 9, 3), np.uint8), image])


def test_a_longer_lens_means_farther(eye: Eye) -> None:
    frame = sequence(8_600_000, WorldSettings(weathers=("day",))).frame(0, 1.0)
    image = next(iter(frame.views.values())).image
    near, far = (
        Calibration(np.array([[f, 0, 256], [0, f, 144], [0, 0, 1.0]]), 512, 288)
        for f in (400.0, 800.0)
    )
    one, other = eye.see([image, image], [near, far])
    assert len(one.boxes)
    assert np.allclose(np.asarray(other.boxes.distance), 2 * np.asarray(one.boxes.distance))


def test_noise_is_strange_and_streets_are_not(eye: Eye) -> None:
    frames = [sequence(8_600_000 + i, WorldSettings()).frame(0, 1.0) for i in range(6)]
    streets = eye.see([next(iter(frame.views.values())).image for frame in frames])
    noise = np.random.default_rng(0).integers(0, 256, (288, 512, 3), dtype=np.uint8)
    assert eye.see([noise])[0].alarm
    assert sum(sight.alarm for sight in streets) <= 1


def test_trust_comes_back_and_damage_is_refused(eye: Eye, tmp_path: Path) -> None:
    path = eye.trust.save(tmp_path / "trust.safetensors")
    again = Trust.open(path)
    raw = np.linspace(0.05, 0.95, 9)
    assert np.allclose(again.scores(raw), eye.trust.scores(raw))
    assert again.temperature == eye.trust.temperature
    assert (np.diff(again.scores(raw)) >= 0).all()
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelError, match=r"trust\.safetensors"):
        Trust.open(path)


def test_without_calibration_scores_are_as_they_come(eye: Eye) -> None:
    bare = replace(eye, trust=Trust())
    image = np.full((288, 512, 3), 120, np.uint8)
    (sight,) = bare.see([image])
    assert sight.strangeness == 0
    assert not sight.alarm


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"road\.safetensors"):
        open_eye(tmp_path)


def test_the_weights_are_small() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.iterdir()) < 9 * 2**20
