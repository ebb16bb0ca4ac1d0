"""A small road network whose maps are of a usual size, and images for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from verticals.driving.deploying.gpu_check import drawn_images, drawn_network
from verticals.driving.perception.settings import PerceptionSettings

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

SMALL = PerceptionSettings(width=128, height=64, backbone="mobilenetv3_small_050", channels=16)


@pytest.fixture(scope="session")
def images() -> np.ndarray[Any, Any]:
    """(5, 64, 128, 3)."""
    return drawn_images(5, SMALL, seed=1)


@pytest.fixture(scope="session")
def network() -> RoadNetwork:
    """Random, its normalisations fitted."""
    return drawn_network(SMALL, drawn_images(16, SMALL))


@pytest.fixture(scope="session")
def exported(network: RoadNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the ONNX and OpenVINO networks."""
    from verticals.driving.deploying.writing import write

    folder = tmp_path_factory.mktemp("exported")
    write(network, folder, "onnx")
    pytest.importorskip("openvino")
    write(network, folder, "openvino")
    return folder
