"""One network for everything an image is asked: an ImageNet backbone, a feature pyramid, heads.

Detection without anchors follows CenterNet (Zhou et al., 2019) with TTFNet's direct extents (Liu et
al., 2020); the surfaces are read from the fused pyramid (Kirillov et al., 2019) at half resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, softplus

from verticals.driving.frame import SURFACES
from verticals.driving.perception.settings import (
    DETECTED,
    LANES,
    LIGHTS,
    SIGNS,
    PerceptionSettings,
)

_EXTENT = 16.0  # pixels that one unit of the extents' output means
_RARE = -3.0  # first guess of a heat map's logits: hardly any cell is an object's centre
OBJECT_MAPS = {
    "heat": len(DETECTED),
    "extent": 4,
    "distance": 1,
    "lights": len(LIGHTS),
    "signs": len(SIGNS),
}


class RoadNetwork(nn.Module):
    """Images to maps; what the maps mean is said by `forward`."""

    def __init__(self, settings: PerceptionSettings, *, pretrained: bool = True) -> None:
        """Build it.

        Args:
            settings: Size and heads.
            pretrained: Start from ImageNet weights, which are found as `core.models.resolver`
                finds them; from random numbers otherwise.
        """
        super().__init__()
        import timm

        self.settings = settings
        self.frozen = 0  # first stages of the backbone that do not learn; see `freeze`
        self.backbone: Any = timm.create_model(
            settings.backbone, features_only=True, out_indices=(0, 1, 2, 3, 4)
        )
        if pretrained:
            load_imagenet(self.backbone, settings.backbone)
        info: Any = self.backbone.feature_info
        fine, *levels = info.channels()
        width = settings.channels
        self.context = Context(levels[-1], width)
        self.laterals = nn.ModuleList(_block(c, width, 1) for c in levels[:-1])
        # what comes up from below is smoothed by `fuse` at the finest level
        self.smooth = nn.ModuleList([nn.Identity(), *(_block(width, width) for _ in levels[1:-1])])
        self.fuse = _block(width, width)
        if {"surfaces", "lanes"} & set(settings.heads):
            self.ground = _block(width, width)
        if "surfaces" in settings.heads:
            self.fine = _block(fine, width // 2, 1)
            self.narrow = _block(width, width // 2, 1)
            self.detail = _block(width // 2, width // 2)
            self.surfaces = nn.Conv2d(width // 2, len(SURFACES), 1)
        if "lanes" in settings.heads:
            self.lanes = nn.Conv2d(width, len(LANES), 1)
        if "objects" in settings.heads:
            self.objects = nn.Sequential(_block(width, width), _block(width, width))
            self.maps = nn.ModuleDict(
                {name: nn.Conv2d(width, size, 1) for name, size in OBJECT_MAPS.items()}
            )
            nn.init.constant_(cast("Tensor", self.maps["heat"].bias), _RARE)

    def freeze(self, stages: int, *, depthwise: bool = False) -> None:
        """Keep a part of the backbone as ImageNet left it.

        Args:
            stages: The stem and so many first stages.
            depthwise: All depthwise filters as well: what they would learn is little, and their
                gradient is most of a processor's work.
        """
        self.frozen = stages
        parts = self._still()
        if depthwise:
            parts += [m for m in self.backbone.modules()
                      if isinstance(m, nn.Conv2d) and m.groups == m.in_channels]  # fmt: skip
        for part in parts:
            for parameter in part.parameters():
                parameter.requires_grad_(False)

    def train(self, mode: bool = True) -> RoadNetwork:
        """As every module, except that frozen stages keep their statistics."""
        super().train(mode)
        for part in self._still():
            part.eval()
        return self

    def _still(self) -> list[nn.Module]:
        if not self.frozen:
            return []
        names = ("conv_stem", "bn1")
        return [
            *(getattr(self.backbone, n) for n in names),
            *list(self.backbone.blocks)[: self.frozen],
        ]

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Maps of a batch.

        Args:
            images: (n, h, w, 3) RGB, 0 to 255, uint8 or floats; h and w any multiples of 32 or not.

        Returns:
            `surfaces` (n, 11, h/2, w/2) logits; at h/4 and w/4: `heat` (n, 9, ..) logits of object
            centres, `extent` (n, 4, ..) pixels to the left, top, right and bottom, `distance`
            (n, 1, ..) log metres at a focal length of FOCAL pixels, `lights`, `signs` logits of
            what stands there, `lanes` (n, 4, ..) logits; and `embedding` (n, d).
        """
        pixels = images.permute(0, 3, 1, 2).to(self.precision()) / 127.5 - 1.0
        fine, *levels = self.backbone(pixels)
        top = self.context(levels[-1])
        merged = [top]
        for lateral, smooth, level in zip(
            reversed(self.laterals), reversed(self.smooth), reversed(levels[:-1]), strict=True
        ):
            top = smooth(lateral(level) + _to(top, level))
            merged.append(top)
        fused = self.fuse(sum(_to(one, levels[0]) for one in merged))
        found = {"embedding": levels[-1].float().mean(dim=(2, 3))}
        if hasattr(self, "ground"):
            ground = self.ground(fused)
            if hasattr(self, "lanes"):
                found["lanes"] = self.lanes(ground)
            if hasattr(self, "surfaces"):
                near = self.detail(_to(self.narrow(ground), fine) + self.fine(fine))
                found["surfaces"] = self.surfaces(near)
        if hasattr(self, "objects"):
            objects = self.objects(fused)
            found |= {name: head(objects) for name, head in self.maps.items()}
            found["extent"] = softplus(found["extent"]) * _EXTENT
        return found

    def precision(self) -> torch.dtype:
        """Of the weights, which is what pixels are brought to."""
        return next(self.parameters()).dtype


class Context(nn.Module):
    """What the whole image says, added at the coarsest level (PSPNet, Zhao et al., 2017)."""

    def __init__(self, entering: int, leaving: int) -> None:
        super().__init__()
        self.reduce = _block(entering, leaving, 1)
        # no normalisation: of a single image there is nothing to take statistics over
        self.pooled = nn.ModuleList(
            nn.Sequential(nn.Conv2d(leaving, leaving // 4, 1), nn.ReLU()) for _ in range(2)
        )
        self.join = _block(leaving + 2 * (leaving // 4), leaving)

    def forward(self, features: Tensor) -> Tensor:
        """(n, entering, h, w) to (n, leaving, h, w)."""
        reduced = self.reduce(features)
        whole = self.pooled[0](reduced.mean(dim=(2, 3), keepdim=True)).expand(
            -1, -1, *reduced.shape[-2:]
        )
        height, width = reduced.shape[-2:]
        quarters = avg_pool2d(reduced, (max(1, height // 2), max(1, width // 2)))
        return self.join(torch.cat([reduced, whole, _to(self.pooled[1](quarters), reduced)], dim=1))


def _block(entering: int, leaving: int, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(leaving),
        nn.ReLU(),
    )


def _to(features: Tensor, like: Tensor) -> Tensor:
    """Features at the size of others."""
    if features.shape[-2:] == like.shape[-2:]:
        return features
    return interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)


def load_imagenet(backbone: nn.Module, name: str, path: Path | None = None) -> None:
    """Fill a timm backbone with ImageNet weights, from the offline pack or the hub.

    Args:
        backbone: Made with `features_only`.
        name: timm's name of it.
        path: Of the offline pack's file, where it is not to be looked for.

    Raises:
        ModelError: The weights are neither packed, cached nor to be had from the hub.
    """
    import timm

    whole: Any
    if name == "tf_efficientnet_lite0":
        from core.models.resolver import resolve

        whole = timm.create_model(name)
        packed = torch.load(resolve("efficientnet_lite0", path=path), weights_only=True)
        # the pack names its tensors differently and holds them in the same order
        names = list(whole.state_dict())
        given: Mapping[str, Tensor] = dict(zip(names, packed.values(), strict=True))
    else:
        given = timm.create_model(name, pretrained=True).state_dict()
    wanted = backbone.state_dict()
    backbone.load_state_dict({key: given[key] for key in wanted})
