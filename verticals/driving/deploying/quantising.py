"""Which parts of the network stay float32 when the rest goes to int8: heads, from their ends.

Metres, pixels and probabilities in 256 steps would cost more than their last layers save, so those
always stay. Everything that leads to one map only can be kept as well, where that map suffers.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.deployment.onnx_export import quantise_static, quiet

NUMBERS = ("embedding", "heat", "extent", "distance")  # maps that are not just compared


@dataclass(frozen=True)
class Node:
    """A step of a network's graph."""

    name: str
    kind: str
    inputs: tuple[str, ...]  # names of tensors
    outputs: tuple[str, ...]


def float_nodes(nodes: Sequence[Node], maps: Sequence[str], keep: Collection[str]) -> list[str]:
    """Names of the nodes that stay float32.

    Args:
        nodes: In the order in which they run.
        maps: Names of the network's outputs.
        keep: Maps of which everything is kept that leads to no map but these. Of `NUMBERS` the
            last convolution and what comes after it always is.
    """
    leads: dict[str, set[str]] = {name: {name} for name in maps}  # from tensors to maps
    # whether no convolution lies between a tensor and a map of numbers
    ends: dict[str, bool] = {name: name in NUMBERS for name in maps}
    chosen: list[str] = []
    for node in reversed(nodes):
        reached = set().union(*(leads.get(one, set()) for one in node.outputs))
        last = all(ends.get(one, False) for one in node.outputs) and bool(reached)
        for one in node.inputs:
            leads.setdefault(one, set()).update(reached)
            ends[one] = ends.get(one, True) and last and "Conv" not in node.kind
        if reached and (last or reached <= set(keep)):
            chosen.append(node.name)
    return chosen[::-1]


def onnx_nodes(model: Any) -> list[Node]:
    """Of an onnx.ModelProto."""
    return [Node(n.name, n.op_type, tuple(n.input), tuple(n.output)) for n in model.graph.node]


def openvino_nodes(model: Any) -> list[Node]:
    """Of an openvino.Model; its maps are the results' names."""
    nodes = []
    for op in model.get_ordered_ops():
        inputs = tuple(
            f"{port.get_source_output().get_node().get_friendly_name()}:"
            f"{port.get_source_output().get_index()}" for port in op.inputs()
        )  # fmt: skip
        name = op.get_friendly_name()
        outputs = tuple(f"{name}:{i}" for i in range(op.get_output_size()))
        if op.get_type_name() == "Result":
            outputs = tuple(op.output(0).get_names()) or outputs
        nodes.append(Node(name, op.get_type_name(), inputs, outputs))
    return nodes


def quantise_onnx(
    source: Path, target: Path, images: NDArray[np.uint8], maps: Sequence[str],
    keep: Collection[str] = (),
) -> Path:  # fmt: skip
    """Int8 for ONNX Runtime, ranges taken from images.

    Args:
        source: A float32 network of a fixed batch.
        target: The file to write.
        images: (n, h, w, 3) uint8.
        maps: Names of its outputs.
        keep: Maps whose whole head stays float32.
    """
    import onnx

    batch = onnx.load(source).graph.input[0].type.tensor_type.shape.dim[0].dim_value
    samples = [{"images": part} for part in _batches(images, batch)]
    return quantise_static(
        source, target, samples, leave=lambda model: float_nodes(onnx_nodes(model), maps, keep)
    )


def quantise_openvino(
    source: Path, target: Path, images: NDArray[np.uint8], maps: Sequence[str],
    keep: Collection[str] = (),
) -> Path:  # fmt: skip
    """Int8 for OpenVINO by nncf; arguments as of `quantise_onnx`, source and target .xml."""
    os.environ.setdefault("NNCF_CI", "1")  # else it reports to its makers; read at import
    import nncf
    import openvino

    with quiet(), redirect_stdout(StringIO()):  # its progress bars have no switch
        model = openvino.Core().read_model(source)
        batch = int(model.inputs[0].shape[0])
        nodes = openvino_nodes(model)
        # constants and results are no operations to nncf
        left = set(float_nodes(nodes, maps, keep))
        names = [n.name for n in nodes if n.name in left
                 and n.kind not in ("Constant", "Result", "Convert", "Parameter")]  # fmt: skip
        samples: Any = nncf.Dataset(list(_batches(images, batch)))
        quantised = nncf.quantize(
            model, samples, subset_size=len(images), preset=nncf.QuantizationPreset.MIXED,
            ignored_scope=nncf.IgnoredScope(names=names, validate=False),
        )  # fmt: skip
        openvino.save_model(quantised, target, compress_to_fp16=False)
    return target


def _batches(images: NDArray[np.uint8], batch: int) -> Iterable[NDArray[np.uint8]]:
    whole = len(images) - len(images) % batch
    return (images[i : i + batch] for i in range(0, whole, batch))
