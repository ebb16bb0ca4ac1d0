"""From a torch module to ExecuTorch, for small devices: XNNPACK kernels, float32 or int8.

The program runs on a device without Python; `ExecutorchSession` runs it here, to compare it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.deployment.onnx_export import quiet
from core.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import torch


def export_executorch(
    module: torch.nn.Module,
    example: Mapping[str, torch.Tensor],
    target: Path,
    *,
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
    most: Mapping[str, int] | None = None,
    int8: bool = False,
) -> Path:
    """Write a module as one ExecuTorch program (.pte).

    Args:
        module: In evaluation mode; its forward takes the inputs by these names, in this order.
        example: Inputs of a typical shape; a dynamic axis must be longer than one.
        target: The file to write.
        dynamic: By input, the axes that vary and what they are called.
        most: By name of an axis, how long it can be: memory is planned for that.
        int8: Weights of linear layers in int8 per channel, activations at run time.

    Raises:
        ModelError: ExecuTorch is not installed.
    """
    import torch

    try:
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower
    except ImportError as error:
        raise _not_installed() from error

    longest, given = most or {}, tuple(example.values())
    names = sorted({name for axes in (dynamic or {}).values() for name in axes.values()})
    axes = {name: torch.export.Dim(name, max=longest.get(name)) for name in names}
    varying = dynamic or {}
    shapes = tuple({i: axes[n] for i, n in varying.get(k, {}).items()} for k in example)
    with quiet():
        program: Any = torch.export.export(module, given, dynamic_shapes=shapes)
        if int8:
            quantised = _linear_int8(program.module(), given)
            program = torch.export.export(quantised, given, dynamic_shapes=shapes)
        lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
        target.write_bytes(lowered.to_executorch().buffer)
    return target


class ExecutorchSession:
    """Runs a program with the call of onnxruntime's session, so that either can be put in."""

    def __init__(self, path: Path, inputs: Sequence[str]) -> None:
        """Open a program.

        Args:
            path: What `export_executorch` wrote.
            inputs: Names of its inputs, in order.

        Raises:
            ModelError: ExecuTorch is not installed, or this is no program.
        """
        try:
            from executorch.runtime import Runtime
        except ImportError as error:
            raise _not_installed() from error
        try:
            self._program: Any = Runtime.get().load_program(path)
            self._method: Any = self._program.load_method("forward")
        except RuntimeError as error:
            raise ModelError(
                "this is no ExecuTorch program of this version", where=str(path),
                remedy="Export it again",
            ) from error  # fmt: skip
        self._inputs = tuple(inputs)

    def run(self, outputs: None, given: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """All outputs for inputs by name; `outputs` is there as onnxruntime has it."""
        del outputs
        import torch

        tensors = tuple(torch.from_numpy(given[name]) for name in self._inputs)
        # The runtime writes into its own memory: the next call would change what was given back.
        return [tensor.numpy().copy() for tensor in self._method.execute(tensors)]


def _linear_int8(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> torch.nn.Module:
    """The exported module with its linear layers quantised."""
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    class Linear8(XNNPACKQuantizer):
        """Leaves the rest alone: XNNPACK's makes floats of the numbers that index masks."""

        def transform_for_annotation(self, model: torch.fx.GraphModule) -> torch.fx.GraphModule:
            return model

    config = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=True)
    prepared = prepare_pt2e(module, Linear8().set_module_type(torch.nn.Linear, config))
    prepared(*given)
    quantised: torch.nn.Module = convert_pt2e(prepared)
    return quantised


def _not_installed() -> ModelError:
    return ModelError(
        "ExecuTorch is not installed", where="executorch", remedy="pip install 'casekit[edge]'"
    )
