"""Losses against references, and against answers that are known to be right."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from verticals.driving.frame import SURFACES, UNLABELLED
from verticals.driving.perception.losses import (
    Weights,
    focal_loss,
    gaussians,
    giou_loss,
    lane_loss,
    object_losses,
    surface_loss,
)
from verticals.driving.perception.settings import DETECTED, LIGHTS, SIGNS, STRIDE


def right_maps(batch: dict[str, torch.Tensor], height: int, width: int) -> dict[str, torch.Tensor]:
    """Maps of a network that knows everything."""
    n = len(batch["boxes"])
    boxes, kinds = batch["boxes"], batch["kinds"]
    maps = {
        "heat": torch.full((n, len(DETECTED), height, width), -12.0),
        "extent": torch.ones(n, 4, height, width),
        "distance": torch.zeros(n, 1, height, width),
        "lights": torch.zeros(n, len(LIGHTS), height, width),
        "signs": torch.zeros(n, len(SIGNS), height, width),
    }
    bells = gaussians(boxes / STRIDE, height, width).reshape(n, -1, height, width)
    for i in range(n):
        for j, kind in enumerate(kinds[i].tolist()):
            if kind < 0:
                continue
            ys, xs = torch.nonzero(bells[i, j] > 0, as_tuple=True)
            top = bells[i, j] == 1
            maps["heat"][i, kind][top] = 12.0
            x, y = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
            left, up, right, down = boxes[i, j]
            maps["extent"][i, :, ys, xs] = torch.stack([x - left, y - up, right - x, down - y])
            maps["distance"][i, 0, ys, xs] = torch.log(batch["distance"][i, j])
            detail = int(batch["details"][i, j])
            if detail >= 0:
                name = "lights" if DETECTED[kind] == "traffic_light" else "signs"
                maps[name][i, detail, ys, xs] = 12.0
    return maps


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    light = DETECTED.index("traffic_light")
    return {
        "boxes": torch.tensor([[[8.0, 8, 40, 30], [60, 10, 70, 34], [0, 0, 0, 0]]]),
        "kinds": torch.tensor([[0, light, -1]], dtype=torch.int8),
        "ignored": torch.zeros(1, 3, dtype=torch.bool),
        "distance": torch.tensor([[12.0, 30.0, torch.nan]]),
        "details": torch.tensor([[-1, 3, -1]], dtype=torch.int8),
    }


def test_who_knows_everything_loses_almost_nothing(batch: dict[str, torch.Tensor]) -> None:
    found = object_losses(right_maps(batch, 24, 32), batch)
    assert float(found["extent"]) < 1e-3
    assert float(found["distance"]) < 1e-5
    assert float(found["lights"]) < 1e-3
    assert float(found["heat"]) < 0.05


@pytest.mark.parametrize("name", ["heat", "extent", "distance", "lights"])
def test_each_mistake_costs(batch: dict[str, torch.Tensor], name: str) -> None:
    maps = right_maps(batch, 24, 32)
    right = float(object_losses(maps, batch)[name])
    maps[name] = maps[name].flip(1) * 0.5 + 1
    assert float(object_losses(maps, batch)[name]) > right + 0.1


def test_objects_passed_over_are_neither_learned_nor_punished(
    batch: dict[str, torch.Tensor],
) -> None:
    batch["ignored"][:] = True
    maps = right_maps(batch, 24, 32)
    loud = float(object_losses(maps, batch)["heat"])
    maps["heat"][:] = -12.0
    quiet = float(object_losses(maps, batch)["heat"])
    assert abs(loud - quiet) < 0.01


def test_giou_is_torchvisions() -> None:
    from torchvision.ops import generalized_box_iou_loss

    torch.manual_seed(0)
    one, other = torch.rand(50, 4) * 9 + 0.1, torch.rand(50, 4) * 9 + 0.1

    def corners(sides: torch.Tensor) -> torch.Tensor:
        return torch.stack([-sides[:, 0], -sides[:, 1], sides[:, 2], sides[:, 3]], dim=1)

    theirs = generalized_box_iou_loss(corners(one), corners(other))
    assert torch.allclose(giou_loss(one, other), theirs, atol=1e-5)


def test_focal_loss_is_centernets_formula() -> None:
    random = np.random.default_rng(0)
    logits, target = random.normal(size=(1, 2, 9)), random.uniform(0, 0.9, (1, 2, 9))
    target[0, 0, 4] = 1
    p = 1 / (1 + np.exp(-logits))
    want = np.where(
        target == 1, -((1 - p) ** 2) * np.log(p), -((1 - target) ** 4) * p**2 * np.log(1 - p)
    ).sum()
    got = focal_loss(torch.tensor(logits), torch.tensor(target), torch.zeros(1, 2, 9))
    assert float(got) == pytest.approx(want, rel=1e-5)


def test_surfaces_right_and_wrong() -> None:
    torch.manual_seed(0)
    labels = torch.randint(0, len(SURFACES), (2, 8, 10)).repeat_interleave(2, 1)
    labels = labels.repeat_interleave(2, 2).to(torch.uint8)
    hot = torch.nn.functional.one_hot(labels[:, ::2, ::2].long(), len(SURFACES))
    right = hot.permute(0, 3, 1, 2) * 30.0
    assert float(surface_loss(right, labels, Weights())) < 0.05
    assert float(surface_loss(-right, labels, Weights())) > 2
    nothing = torch.full_like(labels, UNLABELLED)
    assert float(surface_loss(-right, nothing, Weights(overlap=0))) == 0


def test_lanes_right_and_wrong() -> None:
    lanes = torch.full((1, 4, 18), torch.nan)
    lanes[0, 1, 4:] = torch.linspace(20, 60, 14)
    middles = (torch.arange(32) + 0.5) * STRIDE - 0.5
    there = (middles - lanes.nan_to_num(-1e4)[..., None]).abs() <= 2.5
    right = there.float() * 40 - 20
    assert float(lane_loss(right, lanes)) < 0.01
    assert float(lane_loss(-right, lanes)) > 5
