"""The road network: its maps, its ImageNet start, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError
from verticals.driving.frame import SURFACES
from verticals.driving.perception.network import OBJECT_MAPS, RoadNetwork
from verticals.driving.perception.settings import LANES, PerceptionSettings
from verticals.driving.perception.training import load_network, save_network

SMALL = PerceptionSettings(width=128, height=96, channels=16)


@pytest.fixture(scope="module")
def network() -> RoadNetwork:
    torch.manual_seed(0)
    return RoadNetwork(SMALL).eval()


@pytest.mark.parametrize(("height", "width"), [(96, 128), (90, 120), (61, 99)])
def test_maps_have_a_quarter_and_a_half_of_the_images_size(
    network: RoadNetwork, height: int, width: int
) -> None:
    images = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    with torch.inference_mode():
        maps = network(images)
    quarter, half = ((-(-height // s), -(-width // s)) for s in (4, 2))
    assert maps["surfaces"].shape == (2, len(SURFACES), *half)
    assert maps["lanes"].shape == (2, len(LANES), *quarter)
    for name, size in OBJECT_MAPS.items():
        assert maps[name].shape == (2, size, *quarter)
    assert maps["embedding"].shape[0] == 2
    assert (maps["extent"] > 0).all()


def test_bytes_and_floats_say_the_same(network: RoadNetwork) -> None:
    images = torch.randint(0, 256, (1, 96, 128, 3), dtype=torch.uint8)
    with torch.inference_mode():
        one, other = network(images), network(images.float())
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_imagenet_start_knows_what_a_picture_shows() -> None:
    """The whole classifier, filled in the same way, knows a photograph of a temple."""
    import timm
    from sklearn.datasets import load_sample_image

    from core.models.resolver import resolve

    whole = timm.create_model("tf_efficientnet_lite0").eval()
    packed = torch.load(resolve("efficientnet_lite0"), weights_only=True)
    whole.load_state_dict(dict(zip(whole.state_dict(), packed.values(), strict=True)))
    photograph = np.ascontiguousarray(load_sample_image("china.jpg")[:, 100:527])
    pixels = torch.from_numpy(photograph).permute(2, 0, 1)[None].float() / 127.5 - 1
    pixels = torch.nn.functional.interpolate(pixels, (224, 224), mode="area")
    with torch.inference_mode():
        best = whole(pixels)[0].topk(5).indices.tolist()
    palace, monastery, stupa = 698, 663, 832
    assert {palace, monastery, stupa} & set(best)
    backbone = RoadNetwork(SMALL).backbone.state_dict()
    given = whole.state_dict()
    assert all(torch.equal(value, given[name]) for name, value in backbone.items())


def test_only_the_heads_asked_for_are_built() -> None:
    network = RoadNetwork(
        PerceptionSettings(128, 96, channels=16, heads=("surfaces",)), pretrained=False
    )
    with torch.inference_mode():
        maps = network(torch.zeros(1, 96, 128, 3, dtype=torch.uint8))
    assert set(maps) == {"embedding", "surfaces"}


def test_frozen_stages_neither_learn_nor_drift() -> None:
    network = RoadNetwork(SMALL, pretrained=False)
    network.freeze(2)
    network.train()
    before = {k: v.clone() for k, v in network.backbone.state_dict().items()}
    maps = network(torch.randint(0, 256, (2, 96, 128, 3), dtype=torch.uint8))
    sum(value.float().mean() for value in maps.values()).backward()
    torch.optim.SGD([p for p in network.parameters() if p.grad is not None], lr=0.1).step()
    after = network.backbone.state_dict()
    still = [k for k in before if k.startswith(("conv_stem", "bn1", "blocks.0", "blocks.1"))]
    assert still
    assert all(torch.equal(before[k], after[k]) for k in still)
    assert not torch.equal(before["blocks.3.0.conv_pw.weight"], after["blocks.3.0.conv_pw.weight"])


def test_a_kept_network_comes_back(network: RoadNetwork, tmp_path: Path) -> None:
    again = load_network(save_network(network, tmp_path / "road.safetensors"))
    assert again.settings == network.settings
    images = torch.randint(0, 256, (1, 96, 128, 3), dtype=torch.uint8)
    with torch.inference_mode():
        one, other = network(images), again(images)
    # weights are kept in half precision
    for name, value in one.items():
        assert torch.allclose(value, other[name], rtol=0.05, atol=0.05), name


@pytest.mark.parametrize("damage", ["cut", "text", "other"])
def test_what_is_no_network_is_refused(network: RoadNetwork, tmp_path: Path, damage: str) -> None:
    path = save_network(network, tmp_path / "road.safetensors")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "text":
        path.write_text("weights")
    else:
        from safetensors.torch import save_file

        save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match=r"road\.safetensors"):
        load_network(path)
