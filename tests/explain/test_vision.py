"""Maps of what a score rests on, on scores whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import DataError, ParameterError
from explain.vision import (
    EXPLAINED,
    SHUFFLED,
    Removal,
    blurred,
    certificate,
    draw_heat,
    from_mask,
    grad_cam,
    holds,
    occlusion,
    patches_around,
    path_gradients,
    shuffled,
)

THING = np.zeros((24, 32), bool)
THING[8:16, 20:26] = True
IMAGE = np.where(THING[..., None], 200.0, 20.0) * np.ones(3)
FILL = np.full((24, 32, 3), 20.0)
REMOVAL = Removal(cell=2, counts=(4, 12))


def brightness(images: Tensor) -> Tensor:
    """How bright the thing's place is."""
    return (images.mean(dim=3) * torch.from_numpy(THING)).sum(dim=(1, 2)) / THING.sum()


class Small(nn.Module):
    """The brightness of a place, seen through layers."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, images: Tensor) -> Tensor:
        found = self.norm(self.seen(images.permute(0, 3, 1, 2) / 255))
        return found[:, :, 8:16, 20:26].relu().sum(dim=(1, 2, 3))


def test_gradients_of_a_linear_score_are_its_terms() -> None:
    heat, gap = path_gradients(brightness, IMAGE, FILL)
    np.testing.assert_allclose(heat, THING * 180 / THING.sum(), atol=1e-4)
    assert gap < 1e-3


def test_occlusion_loses_what_a_patch_holds() -> None:
    patches = patches_around(THING, inside=(2, 2), outside=(3, 4))
    heat = occlusion(brightness, IMAGE, FILL, patches)
    np.testing.assert_allclose(heat, THING * 180 / THING.sum(), atol=1e-4)


def test_small_patches_lie_over_the_thing_only() -> None:
    patches = patches_around(THING, inside=(4, 3), outside=(3, 4))
    assert len(np.unique(patches[THING])) == 12
    assert not set(patches[THING]) & set(patches[~THING])
    assert set(np.unique(patches)) == set(range(patches.max() + 1))
    with pytest.raises(DataError, match="mask"):
        patches_around(np.zeros((4, 4), bool), inside=(1, 1), outside=(1, 1))


@pytest.mark.parametrize("local", [False, True])
def test_an_activation_map_points_at_what_is_bright_and_leaves_padding_out(local: bool) -> None:
    """One filter that passes brightness on: its map is the picture."""
    layer = nn.AvgPool2d(2)

    def padded(images: Tensor) -> Tensor:
        whole = nn.functional.pad(images.permute(0, 3, 1, 2), (0, 8, 0, 8))
        return layer(whole)[:, :, 4:8, 10:13].sum(dim=(1, 2, 3))

    heat = grad_cam(padded, layer, IMAGE, size=(32, 40), local=local)
    assert heat.shape == THING.shape
    assert heat[9:15, 21:25].min() > heat[~THING].mean()
    assert (heat[:, :10] == 0).all() == local  # only the score's own place


def test_a_true_map_holds_and_a_wrong_one_does_not() -> None:
    flat = np.random.default_rng(0).normal(size=THING.shape)
    near = from_mask(THING) > -6
    right, wrong = (
        certificate(
            brightness, IMAGE, FILL, heat, others={SHUFFLED: flat}, near=near, removal=REMOVAL
        )
        for heat in (THING * 1.0, ~THING * 1.0)
    )
    assert holds(right)
    assert not holds(wrong)
    rows = right.set_index("removed first")
    assert rows.loc[EXPLAINED, "likeness"] == 1
    assert rows.loc[EXPLAINED, "score lost"] == pytest.approx(180 * (4 + 12) / 24, abs=0.01)
    nearby, far = rows.loc["at random nearby"], rows.loc["at random"]
    assert far["score lost"] < nearby["score lost"] < rows.loc[EXPLAINED, "score lost"]
    assert nearby["low"] <= nearby["score lost"] <= nearby["high"]
    assert not holds(
        certificate(
            brightness,
            IMAGE,
            FILL,
            THING * 1.0,
            others={SHUFFLED: THING * 1.0},
            near=near,
            removal=REMOVAL,
        )
    )


def test_a_certificate_is_the_same_again() -> None:
    near = np.ones_like(THING)
    one, other = (
        certificate(brightness, IMAGE, FILL, THING * 1.0, others={SHUFFLED: from_mask(THING)},
                    near=near, removal=REMOVAL) for _ in range(2)
    )  # fmt: skip
    assert one.equals(other)


def test_a_shuffled_network_has_the_same_weights_elsewhere_and_the_first_is_left_alone() -> None:
    torch.manual_seed(0)
    network = Small().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    other = shuffled(network, IMAGE)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    a, b = (one.seen.weight.flatten() for one in (network, other))
    assert not torch.equal(a, b)
    assert torch.equal(a.sort().values, b.sort().values)
    given = torch.from_numpy(IMAGE[None]).float()
    out = other.norm(other.seen(given.permute(0, 3, 1, 2) / 255))
    assert float(out.detach().mean().abs()) < 0.1  # normalised: neither vanished nor exploded
    assert torch.equal(other(given), shuffled(network, IMAGE)(given))


def test_blurring_takes_the_thing_away_and_keeps_the_light() -> None:
    found = blurred(IMAGE, 6)
    assert found.shape == IMAGE.shape
    assert found.max() < 120
    assert found.mean() == pytest.approx(IMAGE.mean(), rel=0.1)


def test_heat_is_red_for_and_blue_against() -> None:
    image = np.full((24, 32, 3), 100, np.uint8)
    drawn = draw_heat(image, np.where(THING, 1.0, 0.0) - np.eye(24, 32))
    red, _, blue = drawn[12, 22].astype(int)
    assert red > blue
    assert drawn[0, 0, 2] > drawn[0, 0, 0]
    assert (drawn[0, 10] == 100).all()
    with pytest.raises(ParameterError, match="heat"):
        draw_heat(image, np.zeros((3, 3)))
    assert (draw_heat(image, np.zeros((24, 32))) == 100).all()
