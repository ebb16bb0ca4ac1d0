"""Models of the hub's kinds, built small and random: what needs no skill works offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import DataError, ModelError
from core.training.loop import FitSettings
from verticals.driving.frame import OBJECTS, SURFACES, UNLABELLED, Boxes2D, Frame, View
from verticals.driving.perception.hub import (
    HubDetector,
    HubSegmenter,
    finetune_detector,
    open_detector,
    open_segmenter,
    see,
)
from verticals.driving.perception.hub_labels import objects_of, surfaces_of
from verticals.driving.perception.hub_models import random_detector, random_segmenter
from verticals.driving.perception.settings import DETECTED

CAR = OBJECTS.index("car")
COCO = ("person", "bicycle", "car", "toaster", "traffic light")
CITYSCAPES = ("road", "sidewalk", "building", "vegetation", "rider", "truck", "mailbox")


def frames(count: int = 6) -> list[Frame]:
    """A red block on grey, called a car."""
    random, made = np.random.default_rng(0), []
    for index in range(count):
        image = np.full((96, 160, 3), 110, np.uint8)
        left, top = random.integers(5, 90), random.integers(5, 40)
        image[top : top + 40, left : left + 60] = (200, 20, 20)
        xyxy = np.array([[left, top, left + 60, top + 40], [0, 0, 160, 96]], float)
        boxes = Boxes2D(xyxy, np.array([CAR, CAR]), np.array([1, 2]),
                        ignore=np.array([False, True]))  # fmt: skip
        made.append(Frame({"front": View(image, boxes=boxes)}, index=index))
    return made


def detector(kind: str, labels: tuple[str, ...] = COCO) -> HubDetector:
    torch.manual_seed(0)
    return HubDetector(*random_detector(kind, labels, side=96), least=0.0)


@pytest.mark.parametrize("kind", ["d_fine", "rt_detr"])
def test_a_detector_speaks_our_words_and_stays_inside(kind: str) -> None:
    image = frames(1)[0].views["front"].image
    found = detector(kind).boxes([image, image[:50]])
    for boxes, height in zip(found, (96, 50), strict=True):
        assert len(boxes) > 0
        assert set(boxes.details) <= set(COCO) - {"toaster"}
        assert (boxes.classes >= 0).all()
        assert (boxes.xyxy >= 0).all()
        assert boxes.xyxy[:, 3].max() <= height
        assert (np.diff(boxes.scores) <= 0).all()


@pytest.mark.parametrize("kind", ["d_fine", "rt_detr"])
def test_training_lowers_the_loss_and_a_saved_detector_sees_the_same(
    kind: str, tmp_path: Path
) -> None:
    trained = detector(kind)
    settings = FitSettings(epochs=4, learning_rate=2e-3, clip_norm=0.1)
    history = finetune_detector(trained, frames(), settings, batch=3)
    assert history.losses[-1] < history.losses[0]
    again = open_detector(trained.save(tmp_path / kind), least=0.0)
    image = [frames(1)[0].views["front"].image]
    (one,), (two,) = trained.boxes(image), again.boxes(image)
    assert one.xyxy == pytest.approx(two.xyxy, abs=1e-3)
    assert one.scores == pytest.approx(two.scores, abs=1e-5)


def test_a_fresh_head_learns_our_classes(tmp_path: Path) -> None:
    folder = detector("d_fine").save(tmp_path)
    ours = open_detector(folder, classes=DETECTED, least=0.0)
    assert tuple(ours.model.config.id2label.values()) == DETECTED
    assert objects_of(ours.model.config.id2label).tolist() == list(range(len(DETECTED)))
    history = finetune_detector(ours, frames(3), FitSettings(epochs=1, learning_rate=1e-3))
    assert np.isfinite(history.losses).all()


def test_frames_without_any_known_class_are_refused() -> None:
    with pytest.raises(DataError, match="no frame has a box"):
        finetune_detector(detector("rt_detr", ("toaster", "vase")), frames(2), FitSettings())


@pytest.mark.parametrize("kind", ["segformer", "mask2former"])
def test_a_segmenter_gives_surfaces_of_every_pixel_and_is_kept(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    segmenter = HubSegmenter(*random_segmenter(kind, CITYSCAPES, side=64))
    image = frames(1)[0].views["front"].image
    surfaces, confidence = segmenter.surfaces([image])[0]
    assert surfaces.shape == confidence.shape == image.shape[:2]
    assert surfaces.dtype == np.uint8
    assert (confidence > 0).all()
    assert (confidence <= 1 + 1e-5).all()
    known = {
        SURFACES.index(n) for n in ("road", "pavement", "building", "tree", "bicyclist", "car")
    }
    assert set(np.unique(surfaces).tolist()) <= known | {UNLABELLED}
    again = open_segmenter(segmenter.save(tmp_path / kind)).surfaces([image])[0]
    assert (again[0] == surfaces).all()
    assert again[1] == pytest.approx(confidence, abs=1e-5)


def test_both_give_a_sight_and_alone_the_rest_stays_empty() -> None:
    image = frames(1)[0].views["front"].image
    segmenter = HubSegmenter(*random_segmenter("segformer", CITYSCAPES, side=64))
    both = see([image], detector=detector("rt_detr"), segmenter=segmenter)[0]
    assert len(both.boxes) == len(both.unknown) > 0
    assert both.surfaces.shape == image.shape[:2]
    assert not both.alarm
    alone = see([image], detector=detector("rt_detr"))[0]
    assert (alone.surfaces == UNLABELLED).all()
    assert len(see([image], segmenter=segmenter)[0].boxes) == 0


def test_labels_of_three_data_sets() -> None:
    coco = objects_of({0: "person", 1: "bicycle", 2: "car", 9: "traffic light", 11: "stop sign"})
    assert [OBJECTS[k] for k in coco[[0, 1, 2, 9, 11]]] == [
        "pedestrian", "cyclist", "car", "traffic_light", "traffic_sign",
    ]  # fmt: skip
    assert coco[3] == -1
    ade = surfaces_of({0: "wall", 1: "sidewalk, pavement", 2: "streetlight", 3: "door;double door"})
    assert [SURFACES[k] for k in ade[:3]] == ["building", "pavement", "pole"]
    assert ade[3] == UNLABELLED


def test_what_is_not_there_or_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="hub did not answer") as caught:
        open_detector("nobody/nothing-at-all")
    assert "hub_models" in caught.value.remedy
    with pytest.raises(ModelError, match="cannot be opened"):
        open_detector(tmp_path)
    segmenter = HubSegmenter(*random_segmenter("segformer", CITYSCAPES, side=64))
    with pytest.raises(ModelError, match="cannot be opened"):
        open_detector(segmenter.save(tmp_path / "seg"))
