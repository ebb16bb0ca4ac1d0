"""What the network learns from: the loss of every head, on whole batches, on any device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax

from verticals.driving.frame import SURFACES, UNLABELLED
from verticals.driving.perception.settings import DETECTED, STRIDE

_CORE = 0.54  # TTFNet's share of a box that its Gaussian covers
_LIGHT = DETECTED.index("traffic_light")
_SIGN = DETECTED.index("traffic_sign")
_LANE_HALF = 2.5  # pixels to either side of a lane line's middle that count as the line
# how rare a surface is decides how much a pixel of it weighs; a city street's usual shares
_SHARES = torch.tensor([0.16, 0.23, 0.01, 0.31, 0.06, 0.11, 0.004, 0.02, 0.06, 0.008, 0.01])


@dataclass(frozen=True)
class Weights:
    """How much each head counts."""

    surfaces: float = 1.0
    overlap: float = 0.7  # of the surfaces' soft IoU, which is nearer to what is measured
    heat: float = 1.0
    extent: float = 2.0
    distance: float = 1.0
    lights: float = 0.3
    signs: float = 0.3
    lanes: float = 1.0


def road_loss(
    maps: Mapping[str, Tensor], batch: Mapping[str, Tensor], weights: Weights | None = None
) -> Tensor:
    """Sum of the losses of the heads that the network has and the batch has labels for.

    Args:
        maps: As `RoadNetwork.forward` returns them.
        batch: As `dataset.Cache` gives it.
        weights: Of the heads.
    """
    weights = weights or Weights()
    total = maps["embedding"].sum() * 0
    if "surfaces" in maps:
        total = total + surface_loss(maps["surfaces"], batch["surfaces"], weights)
    if "heat" in maps:
        for name, value in object_losses(maps, batch).items():
            total = total + getattr(weights, name) * value
    if "lanes" in maps:
        total = total + weights.lanes * lane_loss(maps["lanes"], batch["lanes"])
    return total


def surface_loss(logits: Tensor, labels: Tensor, weights: Weights) -> Tensor:
    """Weighted cross entropy and one minus the soft IoU (Rahman and Wang, 2016).

    Args:
        logits: (n, 11, h/2, w/2).
        labels: (n, h, w) index into SURFACES, or UNLABELLED.
        weights: Of the two.
    """
    step = labels.shape[-1] // logits.shape[-1]
    # every cell is asked for one of its pixels, another one each time
    row, column = torch.randint(0, step, (2,)).tolist()
    target = labels[:, row::step, column::step][:, : logits.shape[2], : logits.shape[3]].long()
    logits = logits.float()
    rare = (0.5 * _SHARES.rsqrt()).clamp(0.7, 4.0).to(logits.device)
    sums = cross_entropy(logits, target, weight=rare, ignore_index=UNLABELLED, reduction="sum")
    known = target != UNLABELLED
    mass = (rare[target.clamp(max=len(SURFACES) - 1)] * known).sum().clamp(min=1)
    total = weights.surfaces * sums / mass
    if weights.overlap:
        shares = log_softmax(logits, dim=1).exp() * known[:, None]
        hot = torch.zeros_like(shares).scatter_(
            1, target.clamp(max=len(SURFACES) - 1)[:, None], 1.0
        ) * known[:, None]  # fmt: skip
        both = (shares * hot).sum(dim=(0, 2, 3))
        either = (shares + hot).sum(dim=(0, 2, 3)) - both
        there = hot.sum(dim=(0, 2, 3)) > 0
        total = total + weights.overlap * (1 - both / (either + 1.0))[there].mean()
    return total


def object_losses(maps: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Losses of heat, extent, distance, light and sign, by name.

    Args:
        maps: Of the network.
        batch: `boxes` (n, b, 4) pixels, `kinds` (n, b) with -1 where there is none, `ignored`
            (n, b), `distance` (n, b) metres at a focal length of FOCAL, `details` (n, b).
    """
    heat = maps["heat"].float()
    height, width = heat.shape[-2:]
    kinds = batch["kinds"].long()
    boxes = batch["boxes"].float() / STRIDE
    learned = (kinds >= 0) & ~batch["ignored"].bool()
    near = gaussians(boxes, height, width) * learned[..., None]  # (n, b, h*w)
    places = kinds.clamp(min=0)[..., None].expand_as(near)
    target = torch.zeros(len(heat), len(DETECTED), height * width, device=heat.device)
    target.scatter_reduce_(1, places, near, "amax")
    silent = torch.zeros_like(target)
    covered = _inside(boxes, height, width) * ((kinds >= 0) & batch["ignored"].bool())[..., None]
    silent.scatter_reduce_(1, places, covered.to(silent.dtype), "amax")
    found = {"heat": focal_loss(heat.flatten(2), target, silent)}

    # each cell learns from the smallest object whose core covers it
    core = near > torch.exp(torch.tensor(-4.5))
    area = ((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])).clamp(min=0.1)
    sized = torch.where(core, area[..., None], torch.inf)
    smallest, owner = sized.min(dim=1)  # (n, h*w)
    image, cell = torch.nonzero(torch.isfinite(smallest), as_tuple=True)
    owner = owner[image, cell]
    mine = near[image, owner, cell] * (torch.log(area[image, owner] * STRIDE**2) + 1).clamp(min=1)
    mass = near.new_zeros(near.shape[:2]).index_put_(
        (image, owner), near[image, owner, cell], accumulate=True
    )
    share = mine / mass[image, owner].clamp(min=1e-6)
    count = learned.sum().clamp(min=1)

    def at(name: str) -> Tensor:
        return maps[name].float().flatten(2)[image, :, cell]

    x, y = (cell % width + 0.5) * STRIDE, (cell // width + 0.5) * STRIDE
    goal = boxes[image, owner] * STRIDE
    ltrb = torch.stack([x - goal[:, 0], y - goal[:, 1], goal[:, 2] - x, goal[:, 3] - y], dim=1)
    found["extent"] = (share * giou_loss(at("extent"), ltrb.clamp(min=0.05))).sum() / (5 * count)

    even = near[image, owner, cell] / mass[image, owner].clamp(min=1e-6)
    metres = batch["distance"][image, owner]
    known = torch.isfinite(metres) & (metres > 0)
    off = (at("distance")[:, 0] - torch.log(metres.clamp(min=0.5))).abs()
    found["distance"] = (even * torch.where(known, off, 0.0)).sum() / count

    detail = batch["details"][image, owner].long()
    for name, kind in (("lights", _LIGHT), ("signs", _SIGN)):
        asked = (kinds[image, owner] == kind) & (detail >= 0)
        wrong = cross_entropy(at(name)[asked], detail[asked], reduction="none")
        found[name] = (even[asked] * wrong).sum() / even[asked].sum().clamp(min=1)
    return found


def gaussians(boxes: Tensor, height: int, width: int) -> Tensor:
    """Elliptic bells around box centres, cut off at three sigma: (n, b, h*w), 1 at the centre.

    Args:
        boxes: (n, b, 4) in cells.
        height: Of the map, in cells.
        width: Of it.
    """
    bells = []
    for low, high, size in ((0, 2, width), (1, 3, height)):
        centre = ((boxes[..., low] + boxes[..., high]) / 2).floor().clamp(0, size - 1)
        reach = _CORE / 2 * (boxes[..., high] - boxes[..., low]).clamp(min=0)
        sigma = (2 * reach + 1) / 6
        away = torch.arange(size, device=boxes.device) - centre[..., None]
        bell = torch.exp(-(away**2) / (2 * sigma[..., None] ** 2))
        bells.append(bell * (away.abs() <= reach[..., None].clamp(min=0.5)))
    return (bells[1][..., :, None] * bells[0][..., None, :]).flatten(2)


def _inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """Cells that a box touches: (n, b, h*w)."""
    masks = []
    for low, high, size in ((0, 2, width), (1, 3, height)):
        centre = torch.arange(size, device=boxes.device) + 0.5
        start, end = boxes[..., low, None] - 0.5, boxes[..., high, None] + 0.5
        masks.append((centre >= start) & (centre <= end))
    return (masks[1][..., :, None] & masks[0][..., None, :]).flatten(2)


def focal_loss(logits: Tensor, target: Tensor, silent: Tensor) -> Tensor:
    """CenterNet's focal loss on bells (Zhou et al., 2019, alpha 2, beta 4), per object.

    Args:
        logits: (n, c, h*w).
        target: (n, c, h*w) 1 at centres, falling off around them.
        silent: (n, c, h*w) 1 where nothing is learned.
    """
    chance = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    hit = target >= 1 - 1e-4
    positive = -((1 - chance) ** 2) * chance.log() * hit
    negative = -((1 - target) ** 4) * chance**2 * (1 - chance).log() * ~hit * (1 - silent)
    return (positive.sum() + negative.sum()) / hit.sum().clamp(min=1)


def giou_loss(ltrb: Tensor, goal: Tensor) -> Tensor:
    """One minus generalised IoU (Rezatofighi et al., 2019) of boxes around one point: (m,).

    Args:
        ltrb: (m, 4) distances from the point to left, top, right and bottom.
        goal: (m, 4) likewise, of the truth.
    """
    least, most = torch.minimum(ltrb, goal), torch.maximum(ltrb, goal)

    def area(sides: Tensor) -> Tensor:
        return (sides[:, 0] + sides[:, 2]) * (sides[:, 1] + sides[:, 3])

    both = area(least)
    either = area(ltrb) + area(goal) - both
    hull = area(most)
    return 1 - both / either.clamp(min=1e-6) + (hull - either) / hull.clamp(min=1e-6)


def lane_loss(logits: Tensor, lanes: Tensor) -> Tensor:
    """Cross entropy, lines weighing as much as what lies between, and the soft overlap of lines.

    Args:
        logits: (n, 4, h/4, w/4).
        lanes: (n, 4, h/4) where each line crosses each row, pixels; NaN where it does not.
    """
    logits = logits.float()
    middles = (torch.arange(logits.shape[-1], device=logits.device) + 0.5) * STRIDE - 0.5
    away = (middles - lanes.nan_to_num(-1e4)[..., None]).abs()
    target = (away <= _LANE_HALF).float()
    heavy = torch.tensor(6.0, device=logits.device)
    plain = binary_cross_entropy_with_logits(logits, target, pos_weight=heavy)
    chance = torch.sigmoid(logits)
    both = (chance * target).sum(dim=(2, 3))
    sizes = (chance.square() + target.square()).sum(dim=(2, 3))
    there = target.sum(dim=(2, 3)) > 0
    dice = ((1 - 2 * both / sizes.clamp(min=1)) * there).sum() / there.sum().clamp(min=1)
    return 5 * plain + 0.5 * dice
