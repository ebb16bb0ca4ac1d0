"""What is drawn into maps is read out of them again."""

from __future__ import annotations

import numpy as np
import torch

from tests.verticals.driving.perception.test_losses import right_maps
from verticals.driving.perception.decoding import (
    find_lanes,
    find_objects,
    find_surfaces,
    suppress,
    to_boxes,
)
from verticals.driving.perception.settings import DETECTED, LANES, LIGHTS


def test_boxes_come_back() -> None:
    light = DETECTED.index("traffic_light")
    batch = {
        "boxes": torch.tensor([[[8.0, 8, 40, 30], [60, 10, 70, 34], [90, 40, 120, 90]]]),
        "kinds": torch.tensor([[0, light, 4]]),
        "distance": torch.tensor([[12.0, 30.0, 7.5]]),
        "details": torch.tensor([[-1, 3, -1]]),
    }
    maps = {name: value[0].numpy() for name, value in right_maps(batch, 24, 32).items()}
    found = find_objects(maps)
    order = np.argsort(found.xyxy[:, 0])
    assert np.allclose(found.xyxy[order], batch["boxes"][0], atol=1e-3)
    assert found.classes[order].tolist() == [0, light, 4]
    assert np.allclose(found.distance[order], [12, 30, 7.5], rtol=1e-4)
    assert [found.details[i] for i in order] == ["", LIGHTS[3], ""]
    boxes = to_boxes(found, (0.5, 0.5), (192, 256), 0.5)
    assert np.allclose(boxes.xyxy[order], batch["boxes"][0].numpy() * 2 - 0.5, atol=1e-3)
    assert np.allclose(np.asarray(boxes.distance)[order], [6, 15, 3.75], rtol=1e-4)


def test_an_empty_image_holds_nothing() -> None:
    maps = {
        "heat": np.full((9, 6, 8), -9.0), "extent": np.ones((4, 6, 8)),
        "distance": np.zeros((1, 6, 8)), "lights": np.zeros((4, 6, 8)),
        "signs": np.zeros((34, 6, 8)),
    }  # fmt: skip
    found = find_objects(maps)
    assert len(found.scores) == 0
    assert len(to_boxes(found, (1, 1), (24, 32), 1.0)) == 0


def test_suppression_is_torchvisions() -> None:
    from torchvision.ops import nms

    random = np.random.default_rng(0)
    start = random.uniform(0, 60, (80, 2))
    boxes = np.concatenate([start, start + random.uniform(4, 40, (80, 2))], axis=1)
    scores = random.permutation(80) / 80 + 0.01
    theirs = nms(torch.tensor(boxes), torch.tensor(scores), 0.6).tolist()
    assert suppress(boxes, scores, 0.6).tolist() == theirs


def test_a_lane_line_comes_back() -> None:
    rows, columns = 18, 32
    x = np.linspace(30, 90, 12)
    logits = np.full((4, rows, columns), -8.0)
    middles = (np.arange(columns) + 0.5) * 4 - 0.5
    for row, place in enumerate(x, 4):
        logits[1, row] = 8 - 2 * np.abs(middles - place)
    (line,) = find_lanes(logits, (1.0, 1.0))
    assert line.offset == LANES[1]
    assert np.abs(line.points[::-1, 0] - x).max() < 1.5
    assert np.allclose(line.points[::-1, 1], (np.arange(4, 16) + 0.5) * 4 - 0.5)
    assert line.points[0, 1] > line.points[-1, 1]  # near to far


def test_surfaces_reach_the_images_own_size() -> None:
    logits = np.zeros((11, 20, 30))
    logits[3, 8:], logits[0, :8] = 9, 9
    labels, sure = find_surfaces(logits, (0.5, 0.5), (80, 100))
    assert labels.shape == sure.shape == (80, 100)
    assert set(np.unique(labels)) == {0, 3}
    assert abs(float((labels == 0).mean()) - 0.4) < 0.05
    assert sure.min() > 0.45
    assert sure.max() <= 1
    hesitant = find_surfaces(logits, (0.5, 0.5), (80, 100), temperature=9)[1]
    assert hesitant.mean() < sure.mean()
