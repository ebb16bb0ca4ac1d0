"""Labels follow the image through every change."""

from __future__ import annotations

import pytest
import torch

from verticals.driving.frame import UNLABELLED
from verticals.driving.perception.augment import Variety, vary

STILL = Variety(light=0, lens=0, surfaces=0)
HEIGHT, WIDTH = 96, 160


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    """Eight images with a white box on grey, and a white slanting lane line."""
    n = 16
    images = torch.full((n, HEIGHT, WIDTH, 3), 60, dtype=torch.uint8)
    surfaces = torch.zeros(n, HEIGHT, WIDTH, dtype=torch.uint8)
    boxes = torch.zeros(n, 4, 4)
    boxes[:, 0] = torch.tensor([40.0, 20, 90, 50])
    images[:, 20:50, 40:90] = 255
    surfaces[:, 20:50, 40:90] = 8
    kinds = torch.full((n, 4), -1, dtype=torch.int8)
    kinds[:, 0] = 0
    lanes = torch.full((n, 4, HEIGHT // 4), torch.nan)
    lanes[:, 1, 14:] = torch.linspace(60, 20, 10)
    return {
        "images": images, "surfaces": surfaces, "boxes": boxes, "kinds": kinds,
        "ignored": torch.zeros(n, 4, dtype=torch.bool), "distance": torch.full((n, 4), 20.0),
        "details": torch.full((n, 4), -1, dtype=torch.int8), "lanes": lanes,
    }  # fmt: skip


@pytest.mark.parametrize("size", [None, (96, 64)])
def test_boxes_surfaces_and_pixels_move_together(
    batch: dict[str, torch.Tensor], size: tuple[int, int] | None
) -> None:
    torch.manual_seed(1)
    varied = vary(batch, Variety(light=0, lens=0, surfaces=0, zoom=(0.6, 2.2), size=size))
    bright = varied["images"][..., 0] > 180
    assert varied["images"].shape[1:3] == ((HEIGHT, WIDTH) if size is None else size[::-1])
    checked = 0
    for i in range(len(bright)):
        if varied["kinds"][i, 0] < 0:
            assert bright[i].float().mean() < 0.02
            continue
        rows, columns = torch.nonzero(bright[i], as_tuple=True)
        left, top, right, bottom = varied["boxes"][i, 0].tolist()
        assert abs(columns.min() - left) < 2
        assert abs(columns.max() + 1 - right) < 2
        assert abs(rows.min() - top) < 2
        assert abs(rows.max() + 1 - bottom) < 2
        assert ((varied["surfaces"][i] == 8) ^ bright[i]).float().mean() < 0.02
        checked += 1
    assert checked > 6
    outside = varied["surfaces"] == UNLABELLED
    assert (varied["images"][outside] == 114).all()


def test_what_looks_larger_is_nearer(batch: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(0)
    varied = vary(batch, Variety(flip=0, zoom=(1.5, 1.5), light=0, lens=0, surfaces=0))
    whole = (varied["boxes"][:, 0, 0] > 1) & (varied["boxes"][:, 0, 2] < WIDTH - 1)
    wide = varied["boxes"][:, 0, 2] - varied["boxes"][:, 0, 0]
    assert whole.any()
    assert torch.allclose((wide * varied["distance"][:, 0])[whole], torch.tensor(50 * 20.0))


def test_a_mirrored_line_changes_sides(batch: dict[str, torch.Tensor]) -> None:
    mirrored = vary(batch, Variety(flip=1, zoom=(1, 1), light=0, lens=0, surfaces=0))["lanes"]
    torch.manual_seed(0)
    assert mirrored[:, 1].isnan().all()
    some = ~mirrored[:, 2].isnan().all(dim=1)
    assert some.all()
    assert mirrored[:, 2, -1].nanmean() > WIDTH / 2


def test_looks_change_and_labels_stay(batch: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(0)
    plain = Variety(flip=0, zoom=(1, 1))
    varied = vary(batch, plain)
    assert varied["images"].min() >= 0
    assert varied["images"].max() <= 255
    change = (varied["images"] - batch["images"].float()).abs().mean(dim=(1, 2, 3))
    assert (change > 1).all()
    torch.manual_seed(0)
    again = vary(batch, plain)
    assert torch.equal(varied["images"], again["images"])
    assert batch["images"].dtype == torch.uint8  # what was given is as it was
