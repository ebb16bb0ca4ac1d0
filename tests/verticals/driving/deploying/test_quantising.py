"""Which parts of a network stay in float32, and that int8 is near and small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.errors import ModelError
from verticals.driving.deploying.quantising import Node, float_nodes, onnx_nodes
from verticals.driving.deploying.runtimes import open_runtime
from verticals.driving.deploying.writing import map_names, write

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

GRAPH = (
    Node("stem", "Conv", ("images", "w0"), ("a",)),
    Node("body", "Conv", ("a", "w1"), ("b",)),
    Node("far", "Conv", ("b", "w2"), ("distance",)),
    Node("long", "Conv", ("b", "w3"), ("c",)),
    Node("soft", "Softplus", ("c",), ("extent",)),
    Node("narrow", "Conv", ("a", "w4"), ("d",)),
    Node("ground", "Conv", ("d", "w5"), ("surfaces",)),
)
MAPS = ("distance", "extent", "surfaces")


def test_the_ends_of_numbers_stay_and_heads_on_request() -> None:
    assert float_nodes(GRAPH, MAPS, ()) == ["far", "long", "soft"]
    kept = float_nodes(GRAPH, MAPS, ("surfaces",))
    assert kept == ["far", "long", "soft", "narrow", "ground"]
    objects = float_nodes(GRAPH, MAPS, ("distance", "extent"))
    assert objects == ["body", "far", "long", "soft"]  # shared by the two, and by no other
    assert float_nodes(GRAPH, MAPS, MAPS) == [node.name for node in GRAPH]


def test_real_graphs_keep_the_last_layers(exported: Path, network: RoadNetwork) -> None:
    import onnx

    nodes = onnx_nodes(onnx.load(exported / "network.onnx"))
    left = set(float_nodes(nodes, map_names(network), ()))
    weights = {n.inputs[1] for n in nodes if n.name in left and n.kind == "Conv"}
    assert weights == {f"maps.{name}.weight" for name in ("heat", "extent", "distance")}
    import openvino

    from verticals.driving.deploying.quantising import openvino_nodes

    model = openvino.Core().read_model(exported / "network.xml")
    nodes = openvino_nodes(model)
    left = set(float_nodes(nodes, map_names(network), ()))
    assert sum(n.kind == "Convolution" for n in nodes if n.name in left) == 3


@pytest.mark.slow  # nncf's import alone takes seconds
@pytest.mark.parametrize("kind", ["onnx_int8", "openvino_int8"])
def test_int8_is_near_and_small(
    network: RoadNetwork, tmp_path: Path, images: np.ndarray[Any, Any], kind: str
) -> None:
    plain = "onnx" if kind.startswith("onnx") else "openvino"
    before = max(path.stat().st_size for path in write(network, tmp_path, plain))
    files = write(network, tmp_path, kind, calibration=images)
    assert max(path.stat().st_size for path in files) < 0.75 * before
    expected = open_runtime(tmp_path, plain, threads=1)(images)
    found = open_runtime(tmp_path, kind, threads=1)(images)
    for name, one in expected.items():
        alike = np.corrcoef(one.ravel(), found[name].ravel())[0, 1]
        assert alike > 0.8, name  # random weights: trained ones come nearer


def test_int8_needs_images(network: RoadNetwork, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="int8 needs images"):
        write(network, tmp_path, "onnx_int8")
