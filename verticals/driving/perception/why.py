"""Why the road network says what it says of an object or a surface: where its evidence lies."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from core.errors import DataError, ParameterError
from explain.vision import (
    EXPLAINED,
    SHUFFLED,
    Removal,
    Score,
    blurred,
    certificate,
    from_mask,
    grad_cam,
    holds,
    occlusion,
    patches_around,
    path_gradients,
    shuffled,
)
from verticals.driving.frame import SURFACES, Floats
from verticals.driving.perception.dataset import fitted
from verticals.driving.perception.decoding import find_surfaces
from verticals.driving.perception.settings import DETECTED, FINE, PADDING, STRIDE

if TYPE_CHECKING:
    from torch import Tensor

    from verticals.driving.perception.network import RoadNetwork

Method = Literal["occlusion", "gradients", "activations", "local_activations"]
METHODS = get_args(Method)
POINTING = "its middle"  # what one takes away first who only knows where the thing is
_INSIDE, _OUTSIDE = (5, 4), (4, 6)  # rows and columns of patches over the thing and elsewhere
_ACROSS = 6  # cells along a side of the thing when pixels are taken away
_TAKEN = (0.5, 1.0, 2.0)  # so many times the thing's area
_MOST = 0.5  # of the image that is taken away
_MIDDLE = 0.5  # share of a box's sides within which its centre may lie
_CHINESE = dict(zip((*DETECTED, *SURFACES), (
    "汽车", "厢式车", "卡车", "公交车", "行人", "骑行者", "摩托车", "红绿灯", "交通标志",
    "天空", "建筑", "杆", "道路", "人行道", "树木", "标志", "围栏", "汽车", "行人", "骑行者",
), strict=True))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Why:
    """Where the evidence for a statement of the network lies.

    Attributes:
        what: The class, from DETECTED or SURFACES.
        method: One of METHODS.
        score: Log-odds that were explained.
        heat: (h, w) in the pixels of the image given: what each adds to the log-odds (for
            both kinds of activations without a unit).
        mask: (h, w) where the thing is said to be.
        certificate: `explain.vision.certificate`: log-odds lost when pixels go in this order.
    """

    what: str
    method: Method
    score: float
    heat: Floats
    mask: NDArray[np.bool_]
    certificate: pd.DataFrame

    @property
    def holds(self) -> bool:
        """Whether the certificate speaks for the explanation."""
        return holds(self.certificate)

    @property
    def inside(self) -> float:
        """Share of the evidence for it that lies where it is said to be; NaN without any."""
        return _share(self.heat, self.mask)

    @property
    def upper(self) -> float:
        """Share of the evidence inside that lies in its upper half; NaN without any."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        above = np.arange(len(self.mask)) <= (rows[0] + rows[-1]) / 2
        return _share(self.heat * self.mask, above[:, None] & self.mask)

    def sentence(self, language: Literal["en", "zh"] = "en") -> str:
        """Where the evidence lies and whether that can be believed, in words."""
        lost = self.certificate.set_index("removed first")["score lost"]
        numbers = {
            "what": _CHINESE[self.what] if language == "zh" else self.what.replace("_", " "),
            "sure": f"{expit(self.score):.0%}", "inside": _percent(self.inside),
            "area": f"{self.mask.mean():.1%}", "upper": _percent(self.upper),
            "best": f"{lost[EXPLAINED]:.2f}", "random": f"{lost['at random nearby']:.2f}",
        }  # fmt: skip
        return _SENTENCES[language][0].format(**numbers) + _SENTENCES[language][1 + self.holds]


_SENTENCES = {
    "en": (
        ("{what} ({sure}): {inside} of the evidence for it lies where it is said to be, {area} of "
        "the image; {upper} of that in its upper half. Without the pixels that matter most the "
        "log-odds fall by {best}, without as many nearby at random by {random}"),
        ": do not rely on this explanation.",
        ": the explanation holds.",
    ),
    "zh": (
        ("{what}（{sure}）：支持这一判断的依据有 {inside} 落在其所在位置（占图像的 {area}），"
        "其中 {upper} 在上半部。去掉最重要的像素，对数几率下降 {best}；"
        "在附近随机去掉同样多的像素，下降 {random}"),
        "：此解释不可信赖。",
        "：此解释成立。",
    ),
}  # fmt: skip


def explain_object(
    network: RoadNetwork, image: NDArray[np.uint8], box: Floats, kind: str, *,
    method: Method = "occlusion", seed: int = 0,
) -> Why:  # fmt: skip
    """Why the network sees an object of this kind in this box; some seconds on one core.

    What is explained is the kind's log-odds at the box's centre cell: the best one in the box's
    middle, since boxes need not be symmetric about their centre.

    Args:
        network: With the head "objects". It is copied, not touched.
        image: (h, w, 3) RGB of any size.
        box: (4,) left, top, right, bottom in the image's pixels.
        kind: One of DETECTED.
        method: "occlusion" (patches blurred away), "gradients" (integrated, from the blurred
            image; its 16 steps are few, so see the certificate's last column), "activations"
            (Grad-CAM at the pyramid's level of stride 8, which is blind to where the box is) or
            "local_activations" (HiResCAM there).
        seed: Of random deletions and of the shuffled network.

    Raises:
        ParameterError: Kind or method is unknown, or the network has no such head.
        DataError: The box lies outside the image.
    """
    place = _named(kind, DETECTED, "kind")
    x0, y0, x1, y1 = (float(value) for value in box)
    mask = np.zeros(image.shape[:2], np.bool_)
    mask[max(0, round(y0 + 0.5)) : max(0, round(y1 + 0.5)),
         max(0, round(x0 + 0.5)) : max(0, round(x1 + 0.5))] = True  # fmt: skip
    if not mask.any():
        raise DataError(f"no pixel of the image lies in {[x0, y0, x1, y1]}", where="box",
                        remedy="Give left, top, right, bottom in the image's pixels")  # fmt: skip

    def at(maps: dict[str, Tensor], scale: tuple[float, float]) -> Tensor:
        heat = maps["heat"][:, place]
        parts = []
        for low, high, factor, size in (
            (y0, y1, scale[1], heat.shape[1]), (x0, x1, scale[0], heat.shape[2]),
        ):  # fmt: skip
            middle, reach = (low + high + 1) / 2, (high - low) * _MIDDLE / 2
            first = int((middle - reach) * factor / STRIDE)
            last = int((middle + reach) * factor / STRIDE)
            first = min(max(first, 0), size - 1)
            parts.append(slice(first, min(max(last, first), size - 1) + 1))
        return heat[:, parts[0], parts[1]].flatten(1)

    return _explain(network, image, mask, at, what=kind, head="objects", method=method, seed=seed)


def explain_surface(
    network: RoadNetwork, image: NDArray[np.uint8], surface: str,
    region: NDArray[np.bool_] | None = None, *, method: Method = "occlusion", seed: int = 0,
) -> Why:  # fmt: skip
    """Why the network sees a surface in a region; some seconds on one core.

    What is explained is the mean over the region of the surface's log-odds against all others.

    Args:
        network: With the head "surfaces". It is copied, not touched.
        image: (h, w, 3) RGB of any size.
        surface: One of SURFACES.
        region: (h, w) of the image's pixels; by default wherever the network sees that surface.
        method: As for `explain_object`.
        seed: Of random deletions and of the shuffled network.

    Raises:
        ParameterError: Surface or method is unknown, the network has no such head, or the region
            is of another size than the image.
        DataError: The region is empty.
    """
    import torch

    place = _named(surface, SURFACES, "surface")
    if region is None:
        region = _seen(network, image) == place
    if region.shape != image.shape[:2]:
        raise ParameterError(
            f"the region is {region.shape} and the image {image.shape[:2]}", where="region",
            remedy="Give a mask of the image's pixels",
        )  # fmt: skip
    if not region.any():
        raise DataError(f"there is no pixel of {surface} to explain", where="region",
                        remedy="Mark one, or ask for a surface that is seen")  # fmt: skip
    chosen = region

    def at(maps: dict[str, Tensor], scale: tuple[float, float]) -> Tensor:
        logits = maps["surfaces"]
        high, wide = (max(1, round(s * f)) for s, f in
                      zip(chosen.shape, scale[::-1], strict=True))  # fmt: skip
        weights = np.zeros(tuple(FINE * s for s in logits.shape[2:]), np.float32)
        weights[:high, :wide] = cv2.resize(
            chosen.astype(np.float32), (wide, high), interpolation=cv2.INTER_AREA
        )
        small = cv2.resize(weights, logits.shape[:1:-1], interpolation=cv2.INTER_AREA)
        share = torch.from_numpy(small / small.sum())
        rest = torch.cat([logits[:, :place], logits[:, place + 1 :]], dim=1).logsumexp(dim=1)
        return ((logits[:, place] - rest) * share).sum(dim=(1, 2))[:, None]

    return _explain(
        network, image, region, at, what=surface, head="surfaces", method=method, seed=seed
    )


At = Callable[["dict[str, Tensor]", tuple[float, float]], "Tensor"]  # maps to (n, candidates)


def _explain(
    network: RoadNetwork, image: NDArray[np.uint8], mask: NDArray[np.bool_], at: At, *,
    what: str, head: str, method: Method, seed: int,
) -> Why:  # fmt: skip
    import torch

    if method not in METHODS:
        raise ParameterError(f'unknown method "{method}"', where="method",
                             remedy=f"Choose one of {', '.join(METHODS)}")  # fmt: skip
    asked = _only(network, head)
    whole, scale = fitted(image, network.settings.width, network.settings.height)
    high, wide = round(image.shape[0] * scale[1]), round(image.shape[1] * scale[0])
    seen = whole[:high, :wide].astype(np.float32)  # without what was added to fill the frame
    small = cv2.resize(mask.astype(np.uint8), (wide, high), interpolation=cv2.INTER_AREA) > 0
    if not small.any():  # a thing of less than a pixel
        row, column = (int(v) for v in np.argwhere(mask)[0] * np.array(scale[::-1]))
        small[min(row, high - 1), min(column, wide - 1)] = True
    candidates = _padded(asked, at, scale, whole.shape[:2])
    with torch.no_grad():
        found = candidates(torch.from_numpy(seen)[None])[0]
    best = int(found.argmax())  # stays the same while pixels are taken away
    sides = [int(np.ptp(np.flatnonzero(small.any(axis=a)))) + 1 for a in (0, 1)]
    fill = blurred(seen, max(max(high, wide) / 16, max(sides) / 2))

    def heat_of(one: RoadNetwork) -> tuple[Floats, float]:
        each = _padded(one, at, scale, whole.shape[:2])
        score: Score = lambda images: each(images)[:, best]  # noqa: E731
        if method == "gradients":
            return path_gradients(score, seen, fill)
        if method in ("activations", "local_activations"):
            local, layer = method == "local_activations", one.laterals[1]
            return grad_cam(score, layer, seen, size=whole.shape[:2], local=local), float("nan")
        patches = patches_around(small, inside=_INSIDE, outside=_OUTSIDE)
        return occlusion(score, seen, fill, patches), float("nan")

    heat, gap = heat_of(asked)
    others = {SHUFFLED: heat_of(shuffled(asked, whole, seed))[0], POINTING: from_mask(small)}
    cell = max(2, round(float(np.sqrt(small.sum())) / _ACROSS))
    counts = [max(1, round(min(t * small.sum(), _MOST * small.size) / cell**2)) for t in _TAKEN]
    table = certificate(
        lambda images: candidates(images)[:, best], seen, fill, heat, others=others,
        near=from_mask(small) > -max(sides),
        removal=Removal(cell, tuple(dict.fromkeys(counts)), seed=seed), gap=gap,
    )  # fmt: skip
    size = (image.shape[1], image.shape[0])
    large = np.asarray(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return Why(what, method, float(found[best]), large, mask, table)


def _only(network: RoadNetwork, head: str) -> RoadNetwork:
    """A copy on the processor that computes one head: the others cost half of the time.

    Raises:
        ParameterError: The network lacks it.
    """
    if head not in network.settings.heads:
        raise ParameterError(f'the network has no head "{head}"', where="network",
                             remedy="Train it with that head")  # fmt: skip
    one = copy.deepcopy(network).cpu().float().eval().requires_grad_(False)
    unused = ("objects", "maps") if head == "surfaces" else ("ground", "surfaces", "fine",
                                                             "narrow", "detail")  # fmt: skip
    for name in (*unused, "lanes"):
        if hasattr(one, name):
            delattr(one, name)
    return one


def _seen(network: RoadNetwork, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w) index into SURFACES of the image's pixels."""
    import torch

    given, scale = fitted(image, network.settings.width, network.settings.height)
    with torch.no_grad():
        logits = _only(network, "surfaces")(torch.from_numpy(given)[None])["surfaces"][0]
    return find_surfaces(logits.numpy(), scale, image.shape[:2])[0]


def _padded(
    network: RoadNetwork, at: At, scale: tuple[float, float], size: tuple[int, ...]
) -> Callable[[Tensor], Tensor]:
    """Scores of images that are brought to the network's size as `fitted` does."""
    from torch.nn.functional import pad

    def scores(images: Tensor) -> Tensor:
        below, right = size[0] - images.shape[1], size[1] - images.shape[2]
        return at(network(pad(images, (0, 0, 0, right, 0, below), value=PADDING)), scale)

    return scores


def _named(name: str, known: tuple[str, ...], field: str) -> int:
    if name not in known:
        raise ParameterError(f'unknown {field} "{name}"', where=field,
                             remedy=f"Choose one of {', '.join(known)}")  # fmt: skip
    return known.index(name)


def _share(heat: Floats, part: NDArray[Any]) -> float:
    """Of the positive values, how much lies in a part."""
    speaks = np.maximum(heat, 0)
    return float((speaks * part).sum() / total) if (total := speaks.sum()) > 0 else float("nan")


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.0%}"
