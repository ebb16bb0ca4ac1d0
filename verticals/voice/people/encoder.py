"""Resemblyzer's voice encoder (Wan et al., 2018; Jemine, 2019) as an ONNX file.

Its weights come as a file of torch: they are read once on a machine, without unpickling anything
but numbers, and the ONNX file made of them is kept in the cache; then torch is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ModelError
from core.models.resolver import asset, cache_folder, resolve

if TYPE_CHECKING:
    import onnx

FRAMES, BANDS = 160, 40  # of a partial: 1.6 s of mel spectra every 10 ms
_LAYERS, _HIDDEN = 3, 256
_LAYOUT = "1"  # of the exported file; raise it when the export changes


def encoder_file() -> Path:
    """The encoder as ONNX: mels (partials, 160, 40) to voices (partials, 256) of length 1.

    Raises:
        ModelError: The weights are not on this machine, or the cache cannot be written.
    """
    place = cache_folder() / "voices" / f"{asset('resemblyzer').sha256[:20]}-{_LAYOUT}.onnx"
    if place.is_file():
        return place
    model = as_onnx(_weights(resolve("resemblyzer")))
    partial = place.with_name(f"{place.name}.{os.getpid()}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(model.SerializeToString())
        partial.replace(place)
    except OSError as error:
        raise ModelError(
            f"the voice encoder cannot be written: {error}", where=str(place),
            remedy="Free some space, or set CASEKIT_HOME to a folder that can be written",
        ) from error  # fmt: skip
    finally:
        partial.unlink(missing_ok=True)
    return place


def as_onnx(weights: Mapping[str, np.ndarray]) -> onnx.ModelProto:
    """Three LSTM layers, a dense layer, ReLU and division by the length.

    Args:
        weights: By torch's names: lstm.weight_ih_l0 (1024, 40), …, linear.bias (256,).
    """
    from onnx import TensorProto, helper, numpy_helper

    held = {"zero": np.array([0], np.int64), "one": np.array([1], np.int64)}
    nodes = [helper.make_node("Transpose", ["mels"], ["x0"], perm=[1, 0, 2])]
    for layer in range(_LAYERS):
        gates = {
            name: _reordered(weights[f"lstm.{name}_l{layer}"])
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        held[f"w{layer}"], held[f"r{layer}"] = gates["weight_ih"][None], gates["weight_hh"][None]
        held[f"b{layer}"] = np.concatenate([gates["bias_ih"], gates["bias_hh"]])[None]
        given = [f"x{layer}", f"w{layer}", f"r{layer}", f"b{layer}"]
        nodes += [
            helper.make_node("LSTM", given, [f"y{layer}", f"h{layer}"], hidden_size=_HIDDEN),
            helper.make_node("Squeeze", [f"y{layer}", "one"], [f"x{layer + 1}"]),  # directions
        ]
    held["dense"], held["bias"] = weights["linear.weight"], weights["linear.bias"]
    nodes += [
        helper.make_node("Squeeze", [f"h{_LAYERS - 1}", "zero"], ["state"]),
        helper.make_node("Gemm", ["state", "dense", "bias"], ["dense_out"], transB=1),
        helper.make_node("Relu", ["dense_out"], ["positive"]),
        helper.make_node("LpNormalization", ["positive"], ["voices"], axis=1, p=2),
    ]
    mels = helper.make_tensor_value_info("mels", TensorProto.FLOAT, ["n", FRAMES, BANDS])
    voices = helper.make_tensor_value_info("voices", TensorProto.FLOAT, ["n", _HIDDEN])
    tensors = [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in held.items()]
    graph = helper.make_graph(nodes, "voice_encoder", [mels], [voices], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _reordered(gates: np.ndarray) -> np.ndarray:
    """Torch stacks the gates in, forget, cell, out; ONNX in, out, forget, cell."""
    first, forget, cell, out = np.split(gates, 4)
    return np.concatenate([first, out, forget, cell])


def _weights(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the file by name; it may hold nothing but tensors and numbers."""
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    return {name: value.numpy() for name, value in state.items()}
