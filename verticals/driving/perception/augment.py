"""Makes batches more varied: framing, light, lens, and the look of every surface.

The network learns from a drawn world and must see a real one: what a surface looks like is varied
far beyond what is drawn, so that only its shape and place can be relied on (domain randomisation,
Tobin et al., 2017). Works on whole batches, on any device.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

from verticals.driving.frame import UNLABELLED
from verticals.driving.perception.settings import DETECTED, LANES, PADDING, STRIDE

_SIGN = DETECTED.index("traffic_sign")
_GREY = torch.tensor([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Variety:
    """How far batches are varied; all strengths are 0 (off) to 1 (usual)."""

    flip: float = 0.5  # share of images mirrored
    zoom: tuple[float, float] = (0.8, 1.9)  # range of magnification
    size: tuple[int, int] | None = None  # width and height of a part to show instead of the whole
    light: float = 1.0  # exposure, contrast, colour
    lens: float = 1.0  # noise and blur
    surfaces: float = 1.0  # colour and texture of every class on its own


def vary(batch: Mapping[str, Tensor], variety: Variety) -> dict[str, Tensor]:
    """A batch varied at random, by torch's global generator.

    Args:
        batch: As `dataset.Cache` gives it.
        variety: How far.

    Returns:
        The same columns; `images` as floats (n, h, w, 3), 0 to 255.
    """
    varied = dict(batch)
    images = batch["images"].permute(0, 3, 1, 2).float()
    if variety.surfaces:
        images = _repaint(images, batch["surfaces"], variety.surfaces)
    varied["images"] = images
    varied = _reframe(varied, variety)
    images = varied["images"]
    if variety.light:
        images = _relight(images, variety.light)
    if variety.lens:
        images = _worsen(images, variety.lens)
    varied["images"] = images.clamp(0, 255).permute(0, 2, 3, 1)
    return varied


def _uniform(n: int, low: float, high: float, like: Tensor, *shape: int) -> Tensor:
    return torch.rand(n, *(shape or (1, 1, 1)), device=like.device) * (high - low) + low


def _noise(n: int, height: int, width: int, like: Tensor) -> Tensor:
    """Textures of several grains with mean 0 and spread about 1: (n, 1, h, w)."""
    total = torch.zeros(n, 1, height // 2, width // 2, device=like.device)
    for cells in (4, 12, 36, 108):
        grain = torch.randn(n, 1, max(2, cells * height // width), cells, device=like.device)
        share = torch.rand(n, 1, 1, 1, device=like.device)
        total += share * interpolate(grain, size=total.shape[-2:], mode="bilinear")
    return interpolate(total, size=(height, width), mode="bilinear")


def _repaint(images: Tensor, surfaces: Tensor, strength: float) -> Tensor:
    """Give every class of every image a colour shift and a texture of its own."""
    n, _, height, width = images.shape
    labels = surfaces.long()
    classes = UNLABELLED + 1
    chosen = (torch.rand(n, classes, 1, device=images.device) < 0.6).float() * strength
    gain = 1 + chosen * (torch.rand(n, classes, 3, device=images.device) - 0.5) * 0.5
    gain = gain * (1 + chosen * (torch.rand(n, classes, 1, device=images.device) - 0.5) * 0.9)
    shift = chosen * torch.randn(n, classes, 3, device=images.device) * 14
    rough = chosen * torch.rand(n, classes, 1, device=images.device) * 22
    table = torch.cat([gain, shift, rough], dim=2)  # (n, classes, 7)
    rows = torch.arange(n, device=images.device)[:, None, None]
    looks = table[rows, labels].permute(0, 3, 1, 2)
    return images * looks[:, :3] + looks[:, 3:6] + looks[:, 6:] * _noise(n, height, width, images)


def _reframe(batch: dict[str, Tensor], variety: Variety) -> dict[str, Tensor]:
    """Zoom, shift and mirror images with everything that is known of them."""
    images = batch["images"]
    n, _, height, width = images.shape
    device = images.device
    wide, tall = variety.size or (width, height)
    low, high = variety.zoom
    zoom = torch.exp(torch.rand(n, device=device) * math.log(high / low)) * low
    still = torch.rand(n, device=device) < 0.25
    zoom = torch.where(still, 1.0, zoom)
    squeeze = torch.where(still, 1.0, torch.exp((torch.rand(n, device=device) - 0.5) * 0.3))
    mirror = torch.rand(n, device=device) < variety.flip
    sx = wide / width / (zoom * squeeze)
    sy = tall / height / zoom
    # centre of the part that is shown, in units of half an image, inside where there is room
    x0 = (torch.rand(n, device=device) * 2 - 1) * (1 - sx).clamp(min=0)
    y0 = (torch.rand(n, device=device) * 2 - 1) * (1 - sy).clamp(min=0)
    sx = torch.where(mirror, -sx, sx)
    zero = torch.zeros_like(sx)
    theta = torch.stack([torch.stack([sx, zero, x0], 1), torch.stack([zero, sy, y0], 1)], 1)
    grid = affine_grid(theta, [n, 3, tall, wide], align_corners=False)
    moved = grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    outside = (grid.abs() > 1).any(dim=3)
    batch["images"] = torch.where(outside[:, None], float(PADDING), moved)
    labels = batch["surfaces"][:, None].float()
    labels = grid_sample(labels, grid, mode="nearest", align_corners=False)[:, 0]
    batch["surfaces"] = torch.where(outside, float(UNLABELLED), labels).to(torch.uint8)
    move = _Move(sx, sy, x0, y0, mirror, (width, height))
    if "boxes" in batch:
        batch = _move_boxes(batch, move)
    if "lanes" in batch:
        batch["lanes"] = _move_lanes(batch["lanes"], wide, tall, move)
    return batch


@dataclass(frozen=True, eq=False)
class _Move:
    """Which part of each image is shown: (n,) each, in units of half an image."""

    sx: Tensor  # old units per new one; negative where mirrored
    sy: Tensor
    x0: Tensor  # old place of the new centre
    y0: Tensor
    mirror: Tensor
    size: tuple[int, int]  # width and height before


def _move_boxes(batch: dict[str, Tensor], move: _Move) -> dict[str, Tensor]:
    """Boxes after the move: cut at the image's edge, or gone."""
    height, width = batch["images"].shape[-2:]
    boxes = batch["boxes"].float()

    x_unit = boxes[..., 0::2] * (2 / move.size[0]) - 1 - move.x0[:, None, None]
    y_unit = boxes[..., 1::2] * (2 / move.size[1]) - 1 - move.y0[:, None, None]
    left, right = ((x_unit / move.sx[:, None, None] + 1) * (width / 2)).unbind(dim=2)
    top, bottom = ((y_unit / move.sy[:, None, None] + 1) * (height / 2)).unbind(dim=2)
    left, right = torch.minimum(left, right), torch.maximum(left, right)
    whole = torch.stack([left, top, right, bottom], dim=2)
    limit = torch.tensor([width, height, width, height], device=boxes.device)
    inside = torch.minimum(whole.clamp(min=0), limit)
    area = ((whole[..., 2] - whole[..., 0]) * (whole[..., 3] - whole[..., 1])).clamp(min=1e-6)
    sides = (inside[..., 2:] - inside[..., :2]).clamp(min=0)
    shown = sides.prod(dim=2) / area
    batch["boxes"] = inside
    batch["kinds"] = torch.where(shown > 0.02, batch["kinds"], -1)
    batch["ignored"] = batch["ignored"] | (shown < 0.25) | (sides[..., 1] < 5)
    # a longer lens brings things nearer
    longer = width / move.size[0] / move.sx.abs()
    batch["distance"] = batch["distance"] / longer[:, None]
    batch["details"] = torch.where(
        move.mirror[:, None] & (batch["kinds"] == _SIGN), -1, batch["details"]
    )  # a mirrored sign is another sign
    return batch


def _move_lanes(lanes: Tensor, width: int, height: int, move: _Move) -> Tensor:
    """Where lane lines cross the rows of cells after the move."""
    n, lines, rows = lanes.shape
    new = round(rows * height / move.size[1])
    # the row of cells of the old image that each new row shows
    unit = ((torch.arange(new, device=lanes.device) + 0.5) / new * 2 - 1) * move.sy[:, None]
    old = ((unit + move.y0[:, None] + 1) / 2 * rows - 0.5)[:, None].expand(n, lines, new)
    below = old.floor().long().clamp(0, rows - 2)
    share = (old - below).clamp(0, 1)
    first, second = lanes.gather(2, below), lanes.gather(2, below + 1)
    x = first * (1 - share) + second * share
    x = torch.where((old < 0) | (old > rows - 1), torch.nan, x)
    unit_x = ((x + 0.5) * (2 / move.size[0]) - 1 - move.x0[:, None, None]) / move.sx[:, None, None]
    moved = (unit_x + 1) * (width / 2) - 0.5
    moved = torch.where((moved < -STRIDE) | (moved > width + STRIDE), torch.nan, moved)
    swapped = moved[:, [LANES.index(-offset) for offset in LANES]]
    return torch.where(move.mirror[:, None, None], swapped, moved)


def _relight(images: Tensor, strength: float) -> Tensor:
    """Exposure, contrast, gamma, colour cast, saturation, now and then grey."""
    n = len(images)
    unit = (images / 255).clamp(1e-3, 1)
    unit = unit ** torch.exp(_uniform(n, -0.5, 0.5, images) * strength)
    cast = torch.exp(_uniform(n, -0.18, 0.18, images, 3, 1, 1) * strength)
    unit = unit * cast * torch.exp(_uniform(n, -0.45, 0.45, images) * strength)
    mean = unit.mean(dim=(1, 2, 3), keepdim=True)
    unit = (unit - mean) * torch.exp(_uniform(n, -0.5, 0.4, images) * strength) + mean
    grey = (unit * _GREY.to(images.device)[:, None, None]).sum(dim=1, keepdim=True)
    colour = _uniform(n, 1 - 0.8 * strength, 1 + 0.5 * strength, images)
    colour = torch.where(_uniform(n, 0, 1, images) < 0.08 * strength, 0.0, colour)
    return (grey + (unit - grey) * colour) * 255


def _worsen(images: Tensor, strength: float) -> Tensor:
    """Blur, sharpening and noise."""
    n = len(images)
    soft = avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    share = _uniform(n, -0.6, 0.9, images) * strength  # below 0 it sharpens
    softer = avg_pool2d(soft, 3, 1, 1, count_include_pad=False)
    much = _uniform(n, 0, 1, images) < 0.12 * strength
    images = torch.where(much, softer, images + share * (soft - images))
    grain = torch.randn_like(images) * _uniform(n, 0, 9, images) * strength
    return images + grain
