"""Readers of crops, on signs drawn by our own renderer's vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import DataError, ModelError
from verticals.driving.perception.signs import (
    GTSRB_SIGNS,
    Crops,
    SignReader,
    SignSettings,
    by_track,
    cut,
    read_gtsrb,
    train_signs,
)
from verticals.driving.perception.signs_network import CropNetwork, varied
from verticals.driving.perception.unknown_calibration import calibration_error

COLOURS = {"stop": (200, 20, 30), "keep_right": (20, 60, 190), "priority_road": (240, 200, 20)}


@pytest.fixture(scope="module")
def crops() -> Crops:
    """Discs of three colours in three kinds of light; four frames of each of ninety tracks."""
    random, images, labels, tracks = np.random.default_rng(0), [], [], []
    y, x = np.mgrid[:32, :32]
    for track in range(90):
        label = track % 3
        for _ in range(4):
            disc = (x - 16 + random.normal()) ** 2 + (y - 16 + random.normal()) ** 2 < 150
            image = np.full((32, 32, 3), random.uniform(60, 160))
            image[disc] = list(COLOURS.values())[label]
            image = image * random.uniform(0.4, 1.1) + random.normal(0, 8, image.shape)
            images.append(image.clip(0, 255).astype(np.uint8))
            labels.append(label)
            tracks.append(f"t{track}")
    return Crops(np.stack(images), np.array(labels), np.array(tracks), tuple(COLOURS))


@pytest.fixture(scope="module")
def reader(crops: Crops) -> SignReader:
    settings = SignSettings(epochs=6, batch=32, width=8, learning_rate=1e-2)
    return train_signs(by_track(crops, 0.3, seed=1)[0], settings)


def test_no_track_and_every_class_is_on_both_sides(crops: Crops) -> None:
    for seed in range(5):
        first, second = by_track(crops, 0.2, seed)
        assert not set(first.tracks) & set(second.tracks)
        assert len(first) + len(second) == len(crops)
        assert set(first.labels) == set(second.labels) == {0, 1, 2}
        assert len(second) == pytest.approx(0.2 * len(crops), rel=0.1)


def test_a_class_with_one_track_is_learned_not_judged(crops: Crops) -> None:
    few = crops.take(np.isin(crops.tracks, ["t0", "t1", "t4"]))
    first, second = by_track(few, 0.5)
    assert set(first.labels) == {0, 1}
    assert set(second.labels) == {1}


def test_it_learns_and_its_confidence_means_something(reader: SignReader, crops: Crops) -> None:
    judged = by_track(crops, 0.3, seed=1)[1]
    p = reader.read(judged.images)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(judged)))
    right = p.argmax(axis=1) == judged.labels
    assert right.mean() > 0.95
    assert calibration_error(p.max(axis=1), right) < 0.05
    assert reader.about["losses"][-1] < reader.about["losses"][0]


def test_saved_and_opened_it_reads_the_same(
    reader: SignReader, crops: Crops, tmp_path: Path
) -> None:
    again = SignReader.open(reader.save(tmp_path / "signs"))
    assert again.names == reader.names
    assert again.read(crops.images[:20]) == pytest.approx(reader.read(crops.images[:20]), abs=1e-6)
    assert again.read(crops.images[:0]).shape == (0, 3)


def test_a_folder_without_a_reader_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no reader of signs"):
        SignReader.open(tmp_path)
    (tmp_path / "signs.json").write_text('{"names": ["a", "b"], "temperature": 1}')
    with pytest.raises(ModelError, match="no reader of signs"):
        SignReader.open(tmp_path)


def test_a_class_without_crops_is_refused(crops: Crops) -> None:
    with pytest.raises(DataError, match="yellow"):
        train_signs(Crops(crops.images, crops.labels, crops.tracks, (*crops.names, "yellow")))


def test_brightness_and_contrast_change_no_reading() -> None:
    torch.manual_seed(0)
    network = CropNetwork(5, width=4).eval()
    crops = torch.randint(60, 120, (4, 32, 32, 3)).float()
    with torch.inference_mode():
        plain, bright = network(crops), network(crops * 1.5 + 40)
    assert plain.shape == (4, 5)
    assert torch.allclose(plain, bright, atol=0.1 * float(plain.abs().max()))


def test_variation_keeps_crops_crops_and_never_mirrors() -> None:
    torch.manual_seed(0)
    arrow = torch.zeros(64, 32, 32, 3, dtype=torch.uint8)
    arrow[:, :, :16] = 250  # bright on the left
    shown = varied(arrow)
    assert shown.shape == arrow.shape
    assert float(shown.min()) >= 0
    assert float(shown.max()) <= 255
    assert (shown[:, :, :12].mean((1, 2, 3)) > shown[:, :, 20:].mean((1, 2, 3))).all()
    assert torch.allclose(varied(arrow, 0.0)[:, :, :15], arrow[:, :, :15].float(), atol=1)


@pytest.mark.parametrize("side", [6.0, 30.0, 300.0])
def test_a_crop_shows_its_box_in_the_middle(side: float) -> None:
    image = np.zeros((400, 500, 3), np.uint8)
    left, top = 100, 60
    image[top : int(top + side), left : int(left + side)] = 255
    crop = cut(image, np.array([[left, top, left + side, top + side]]), margin=0.25)[0]
    assert crop.shape == (32, 32, 3)
    assert crop[16, 16].min() > 250
    assert crop[2, 2].max() < 20
    assert (crop > 127).mean() == pytest.approx(1 / 1.5**2, abs=0.12)


def test_a_box_beyond_the_edge_repeats_it() -> None:
    image = np.full((20, 20, 3), 90, np.uint8)
    crops = cut(image, np.array([[-10.0, -10, 8, 8], [15, 15, 60, 60]]))
    assert (crops == 90).all()
    assert cut(image, np.zeros((0, 4))).shape == (0, 32, 32, 3)


def test_gtsrb_is_read_with_its_tracks(shared_driving: Path, tmp_path: Path) -> None:
    crops = read_gtsrb(shared_driving / "gtsrb")
    assert crops.names == GTSRB_SIGNS
    assert len(crops) == 5228
    assert len(np.unique(crops.tracks)) == 1307
    assert set(crops.labels) == set(range(43))
    with pytest.raises(DataError, match="no GTSRB crops"):
        read_gtsrb(tmp_path)
