"""Explanations of the road network: that they are of what was asked, and can be tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import DataError, ParameterError
from explain.vision import CERTIFICATE, EXPLAINED, SHUFFLED
from verticals.driving.perception.dataset import fitted
from verticals.driving.perception.network import RoadNetwork
from verticals.driving.perception.settings import PerceptionSettings
from verticals.driving.perception.why import (
    METHODS,
    Method,
    Why,
    explain_object,
    explain_surface,
)

SMALL = PerceptionSettings(width=128, height=96, channels=16)
BOX = np.array([70.0, 30.0, 90.0, 60.0])


@pytest.fixture(scope="module")
def network() -> RoadNetwork:
    torch.manual_seed(0)
    return RoadNetwork(SMALL, pretrained=False).eval()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    random = np.random.default_rng(0)
    out = random.integers(0, 80, (80, 120, 3), dtype=np.uint8)  # leaves padding below
    out[30:60, 70:90] += 120
    return out


@pytest.mark.parametrize("method", METHODS)
def test_an_object_is_explained_in_the_images_own_pixels(
    network: RoadNetwork, image: np.ndarray, method: Method
) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    why = explain_object(network, image, BOX, "pedestrian", method=method)
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    assert why.heat.shape == why.mask.shape == image.shape[:2]
    assert np.isfinite(why.heat).all()
    assert np.ptp(why.heat) > 0
    assert why.mask.sum() == 20 * 30
    given, scale = fitted(image, 128, 96)
    with torch.no_grad():
        heat = network(torch.from_numpy(given)[None])["heat"][0, 4]
    row, column = (int((BOX[i] + BOX[i + 2] + 1) / 2 * scale[i] / 4) for i in (1, 0))
    near = heat[row - 2 : row + 3, column - 1 : column + 2]
    assert heat[row, column] <= why.score + 1e-4
    assert float((near - why.score).abs().min()) < 1e-3
    assert tuple(why.certificate.columns) == CERTIFICATE
    names = set(why.certificate["removed first"])
    assert {EXPLAINED, SHUFFLED, "at random", "at random nearby"} < names


def test_a_surface_is_explained_where_it_is_seen(network: RoadNetwork, image: np.ndarray) -> None:
    from verticals.driving.frame import SURFACES
    from verticals.driving.perception.decoding import find_surfaces

    given, scale = fitted(image, 128, 96)
    with torch.no_grad():
        logits = network(torch.from_numpy(given)[None])["surfaces"][0].numpy()
    seen, _ = find_surfaces(logits, scale, image.shape[:2])
    place = int(np.bincount(seen.ravel()).argmax())
    why = explain_surface(network, image, SURFACES[place])
    assert (why.mask == (seen == place)).all()
    part = np.zeros(image.shape[:2], bool)
    part[50:, :40] = True
    assert (explain_surface(network, image, "road", part, method="gradients").mask == part).all()


def test_the_same_is_said_again(network: RoadNetwork, image: np.ndarray) -> None:
    one, other = (explain_object(network, image, BOX, "car") for _ in range(2))
    assert (one.heat == other.heat).all()
    assert one.certificate.equals(other.certificate)
    assert one.sentence() == other.sentence()


def test_the_sentence_says_where_the_evidence_lies(network: RoadNetwork, image: np.ndarray) -> None:
    found = explain_object(network, image, BOX, "traffic_light", method="activations")
    heat = np.zeros(image.shape[:2])
    heat[32:36, 75:85] = 3.0  # upper half
    heat[56:60, 75:85] = 1.0
    heat[0:4, 0:10] = 1.0  # elsewhere
    why: Why = replace(found, heat=heat, score=0.0)
    assert why.inside == pytest.approx(4 / 5)
    assert why.upper == pytest.approx(3 / 4)
    assert why.sentence().startswith(
        "traffic light (50%): 80% of the evidence for it lies where it is said to be, 6.2% of the "
        "image; 75% of that in its upper half"
    )
    assert why.sentence("zh").startswith("红绿灯（50%）：支持这一判断的依据有 80%")
    nothing = replace(found, heat=np.zeros_like(heat))
    assert "–" in nothing.sentence()


def test_what_cannot_be_explained_is_refused(network: RoadNetwork, image: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="pedestrian"):
        explain_object(network, image, BOX, "unicorn")
    with pytest.raises(ParameterError, match="occlusion"):
        explain_object(network, image, BOX, "car", method="guessing")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="box"):
        explain_object(network, image, BOX + 500, "car")
    with pytest.raises(DataError, match="road"):
        explain_surface(network, image, "road", np.zeros(image.shape[:2], bool))
    with pytest.raises(ParameterError, match="region"):
        explain_surface(network, image, "road", np.ones((3, 3), bool))
    only = RoadNetwork(replace(SMALL, heads=("surfaces",)), pretrained=False)
    with pytest.raises(ParameterError, match="head"):
        explain_object(only, image, BOX, "car")
