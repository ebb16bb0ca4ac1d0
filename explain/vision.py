"""Which pixels a network's score of an image rests on, and whether such a map can be believed.

Three ways by Captum: the class activation map of a layer, gradients along a path from a picture
that shows nothing, and occlusion. Maps are tested by taking away what they say matters most (Samek
et al., 2017), and against a network that has learned nothing (Adebayo et al., 2018). Images are
(h, w, 3) arrays of 0 to 255; it knows nothing of what they show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError, ParameterError
from core.evaluation.bootstrap import mean_interval

if TYPE_CHECKING:
    from torch import Tensor, nn

Score = Callable[["Tensor"], "Tensor"]  # (n, h, w, 3) float images to (n,) scores
Floats = NDArray[np.floating[Any]]
Network = TypeVar("Network", bound="nn.Module")
CERTIFICATE = (
    "removed first", "score lost", "low", "high", "as good", "likeness", "sum misses by",
)  # fmt: skip
EXPLAINED, SHUFFLED = "what the explanation says", "what a shuffled network's says"
_BATCH = 4  # images scored at once: more is no faster on a processor
_ALIKE = 0.5  # rank correlation from which a map of a shuffled network says too much the same
_RED, _BLUE = np.array([215, 25, 28]), np.array([44, 123, 182])


def blurred(image: Floats, sigma: float) -> Floats:
    """The image without what is smaller than some pixels: what stands for "nothing to see".

    Args:
        image: (h, w, 3).
        sigma: Of the Gaussian, in pixels.
    """
    from scipy.ndimage import gaussian_filter

    out: Floats = gaussian_filter(np.asarray(image, np.float32), (sigma, sigma, 0), mode="nearest")
    return out


def grad_cam(
    score: Score, layer: nn.Module, image: Floats, *, size: tuple[int, int] | None = None,
    local: bool = False,
) -> Floats:  # fmt: skip
    """Class activation map of a layer by its gradients (Selvaraju et al., 2017), with its sign.

    Args:
        score: To explain; it must run the layer.
        layer: Gives (n, channels, rows, columns).
        image: (h, w, 3).
        size: Height and width of the picture that the layer sees, where the score pads what it is
            given on the right and below.
        local: Weigh every place by its own gradient, not by their mean over the layer (HiResCAM,
            Draelos and Carin, 2020). The mean also lights up places that the score never reads,
            such as another object of the same kind: wrong for scores of one place.

    Returns:
        (h, w); positive where the layer's features speak for the score.
    """
    import torch
    from captum.attr import LayerAttribution, LayerGradCam, LayerGradientXActivation

    given = _tensor(image[None]).requires_grad_()
    if local:
        found = LayerGradientXActivation(score, layer).attribute(given).sum(dim=1, keepdim=True)
    else:
        found = LayerGradCam(score, layer).attribute(given)
    high, wide = image.shape[:2]
    with torch.no_grad():
        whole = LayerAttribution.interpolate(found, size or (high, wide), "bilinear")
    return np.asarray(whole[0, 0, :high, :wide].numpy(), np.float32)


def path_gradients(
    score: Score, image: Floats, fill: Floats, *, steps: int = 16
) -> tuple[Floats, float]:
    """Integrated gradients (Sundararajan et al., 2017), summed over colours.

    Args:
        score: To explain.
        image: (h, w, 3).
        fill: (h, w, 3) where the path begins, such as the blurred image.
        steps: Of the path.

    Returns:
        (h, w) what each pixel adds to the score of `fill`, and by how much the sum misses the
        difference in score.
    """
    from captum.attr import IntegratedGradients

    found, gap = IntegratedGradients(score).attribute(
        _tensor(image[None]), _tensor(fill[None]), n_steps=steps, internal_batch_size=_BATCH,
        return_convergence_delta=True,
    )  # fmt: skip
    return np.asarray(found[0].sum(dim=2).detach().numpy(), np.float32), abs(float(gap[0]))


def occlusion(score: Score, image: Floats, fill: Floats, patches: NDArray[np.int64]) -> Floats:
    """What the score loses without each patch (Zeiler and Fergus, 2014), per pixel of the patch.

    Args:
        score: To explain.
        image: (h, w, 3).
        fill: (h, w, 3) what is put in a patch's place.
        patches: (h, w) number of the patch that a pixel belongs to, from 0.

    Returns:
        (h, w); a patch's values sum to the score that is lost without it.
    """
    import torch
    from captum.attr import FeatureAblation

    with torch.no_grad():
        found = FeatureAblation(score).attribute(
            _tensor(image[None]), _tensor(fill[None]),
            feature_mask=torch.from_numpy(patches)[None, :, :, None], perturbations_per_eval=_BATCH,
        )  # fmt: skip
    return np.asarray(found[0, :, :, 0].numpy() / np.bincount(patches.ravel())[patches], np.float32)


def patches_around(
    mask: NDArray[np.bool_], *, inside: tuple[int, int], outside: tuple[int, int]
) -> NDArray[np.int64]:
    """Patches for occlusion: small ones over a thing, large ones elsewhere.

    Args:
        mask: (h, w) where the thing is; small patches cover the box around it.
        inside: Rows and columns of the small patches.
        outside: Rows and columns of the grid over the whole image.

    Raises:
        DataError: The mask is empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise DataError("there is nothing in it", where="mask", remedy="Mark a pixel at least")
    numbers = _grid(mask.shape, outside)
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    numbers[part] = numbers.max() + 1 + _grid(numbers[part].shape, inside)
    _, dense = np.unique(numbers, return_inverse=True)  # patches that vanish leave no gaps
    return dense.reshape(mask.shape).astype(np.int64)


def shuffled(module: Network, example: NDArray[Any], seed: int = 0) -> Network:
    """A copy of a network that has learned nothing: every tensor's weights in another order.

    Its normalisation is fitted to an image, so that signals neither vanish nor explode.

    Args:
        module: Takes (n, h, w, 3).
        example: (h, w, 3).
        seed: Of the order.
    """
    import copy

    import torch
    from torch.nn.modules.batchnorm import _BatchNorm

    other, random = copy.deepcopy(module).eval(), np.random.default_rng(seed)
    with torch.no_grad():
        for weights in other.parameters():
            order = torch.from_numpy(random.permutation(weights.numel()))
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
        norms = [part for part in other.modules() if isinstance(part, _BatchNorm)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # an average over what is seen, here one image
            norm.train()
        other(_tensor(example[None]))
    return other.eval()


@dataclass(frozen=True)
class Removal:
    """How maps are tested by taking cells away.

    Attributes:
        cell: Pixels along a side of the squares that are taken away.
        counts: How many of them, each in turn; what is lost is averaged.
        draws: Times that as many are taken at random.
        seed: Of the draws.
    """

    cell: int
    counts: tuple[int, ...]
    draws: int = 6
    seed: int = 0


def certificate(
    score: Score, image: Floats, fill: Floats, heat: Floats, *, others: Mapping[str, Floats],
    near: NDArray[np.bool_], removal: Removal, gap: float = float("nan"),
) -> pd.DataFrame:  # fmt: skip
    """What the score loses when pixels go in the order of a map, of other maps, and at random.

    Args:
        score: That was explained.
        image: (h, w, 3).
        fill: (h, w, 3) what takes the place of pixels.
        heat: (h, w) the map to test.
        others: (h, w) maps to compare it with, by name; `SHUFFLED` is the network's that has
            learned nothing.
        near: (h, w) a part of the image for draws that know where to look.
        removal: How much goes.
        gap: By how much the map's sum misses the score that it explains.

    Returns:
        CERTIFICATE, a row for each order: the score lost, averaged over the counts; for random
        orders its mean, 95% interval (bootstrap over draws) and the share of draws that lose as
        much as the map's order; for maps the rank correlation with it over cells nearby. Two
        decimals.
    """
    numbers = _cells(heat.shape, removal.cell)
    close = np.unique(numbers[near])
    whole, random = float(_scores(score, [image])[0]), np.random.default_rng(removal.seed)

    def lost(order: NDArray[np.int64]) -> float:
        gone = [np.isin(numbers, order[:count])[..., None] for count in removal.counts]
        return whole - float(_scores(score, [np.where(g, fill, image) for g in gone]).mean())

    per_cell = {name: np.bincount(numbers.ravel(), one.ravel()).astype(float)
                for name, one in {EXPLAINED: heat, **others}.items()}  # fmt: skip
    blank = float("nan")
    rows: list[tuple[str | float, ...]] = []
    for name, values in per_cell.items():
        rows.append((
            name, lost(np.argsort(-values, kind="stable")), blank, blank, blank,
            _rank_correlation(per_cell[EXPLAINED][close], values[close]),
            gap if name == EXPLAINED else blank,
        ))  # fmt: skip
    for name, pool in (("at random nearby", close), ("at random", np.unique(numbers))):
        drawn = np.array([lost(random.permutation(pool)) for _ in range(removal.draws)])
        found = mean_interval(drawn, seed=removal.seed)
        as_good = float((drawn >= float(rows[0][1])).mean())
        rows.append((name, found.value, found.low, found.high, as_good, blank, blank))
    return pd.DataFrame(rows, columns=list(CERTIFICATE)).round(2)


def holds(table: pd.DataFrame) -> bool:
    """Whether a certificate speaks for its explanation.

    It must cost more than every random order and than the map of a network that has learned
    nothing, and that map must not look the same.
    """
    rows = table.set_index("removed first")
    best = rows.loc[EXPLAINED, "score lost"]
    against = rows.loc[SHUFFLED]
    return bool(
        best > against["score lost"] and not against["likeness"] >= _ALIKE
        and (rows["as good"].dropna() == 0).all()
    )  # fmt: skip


def from_mask(mask: NDArray[np.bool_]) -> Floats:
    """The map of one who only points: highest amid a mask, lower the farther from it; (h, w)."""
    from scipy.ndimage import distance_transform_edt

    out: Floats = distance_transform_edt(mask) - distance_transform_edt(~mask)
    return out


def draw_heat(image: NDArray[np.uint8], heat: Floats, *, share: float = 0.75) -> NDArray[np.uint8]:
    """The image in grey; red over what speaks for the score, blue over what speaks against it.

    Args:
        image: (h, w, 3) RGB.
        heat: (h, w).
        share: Of the colour where the heat is greatest, 0 to 1.

    Raises:
        ParameterError: They differ in size.
    """
    if image.shape[:2] != heat.shape:
        raise ParameterError(
            f"the heat is {heat.shape} and the image {image.shape[:2]}", where="heat",
            remedy="Give the image that was explained",
        )  # fmt: skip
    largest = float(np.quantile(np.abs(heat), 0.999)) or float(np.abs(heat).max()) or 1.0
    part = share * np.clip(np.abs(heat) / largest, 0, 1)[..., None]
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    colour = np.where(heat[..., None] > 0, _RED, _BLUE)
    return np.asarray((1 - part) * grey + part * colour, np.uint8)


def _scores(score: Score, images: Sequence[Floats]) -> Floats:
    """(n,) of images, a few at a time."""
    import torch

    with torch.no_grad():
        found = [score(_tensor(np.stack(images[i : i + _BATCH]))).numpy()
                 for i in range(0, len(images), _BATCH)]  # fmt: skip
    return np.concatenate(found)


def _tensor(images: NDArray[Any]) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(images, np.float32))


def _grid(shape: tuple[int, ...], parts: tuple[int, int]) -> NDArray[np.int64]:
    """(h, w) number of the part of a grid that a pixel lies in."""
    high, wide = shape
    rows = np.arange(high) * min(parts[0], high) // high
    columns = np.arange(wide) * min(parts[1], wide) // wide
    return rows[:, None] * parts[1] + columns


def _cells(shape: tuple[int, ...], cell: int) -> NDArray[np.int64]:
    """(h, w) number of the square that a pixel lies in."""
    high, wide = shape
    return np.arange(high)[:, None] // cell * -(-wide // cell) + np.arange(wide) // cell


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's; 0 where one of them is the same everywhere."""
    from scipy.stats import spearmanr

    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(spearmanr(a, b).statistic)
