"""The road network in torch as a runtime: as it stands or compiled, on a processor or a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from verticals.driving.frame import Floats
from verticals.driving.perception.eye import Runtime

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "float16", "bfloat16"]


def prepared(network: torch.nn.Module, device: str, precision: Precision, *, compiled: bool) -> Any:
    """The network where and as it shall run: tensors in, a dict of tensors out.

    Raises:
        ModelError: There is no such device.
    """
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            "torch sees no GPU here", where=device, remedy="Use the device cpu, or check the driver"
        )
    module = network.eval().to(device, getattr(torch, precision))
    if not compiled:
        return module
    mode = "reduce-overhead" if device.startswith("cuda") else None
    return torch.compile(module, dynamic=False, mode=mode)


def torch_runtime(
    network: torch.nn.Module,
    *,
    device: str = "cpu",
    precision: Precision = "float32",
    compiled: bool = False,
    threads: int | None = None,
) -> Runtime:
    """Images to maps by torch.

    Args:
        network: Gives a dict of maps; is moved to the device, and on it to the precision.
        device: "cpu", "cuda" or "cuda:N".
        precision: Of weights and arithmetic; halves on GPUs only.
        compiled: By torch.compile: the first call of every shape takes up to a minute, and needs a
            C++ compiler on processors. On GPUs the kernels are replayed as one graph.
        threads: On processors; None leaves torch's setting.

    Returns:
        Takes (n, h, w, 3) uint8 RGB, gives float32 arrays by map.

    Raises:
        ModelError: There is no such device.
    """
    run = prepared(network, device, precision, compiled=compiled)
    return on_gpu(run, device) if device.startswith("cuda") else on_processor(run, threads)


def on_processor(run: Any, threads: int | None) -> Runtime:
    """A prepared network behind arrays, on so many threads."""
    import torch

    def call(images: NDArray[np.uint8]) -> dict[str, Floats]:
        before = torch.get_num_threads()
        torch.set_num_threads(threads or before)
        try:
            with torch.no_grad():
                found = run(torch.from_numpy(images))
                return {name: value.float().numpy() for name, value in found.items()}
        finally:
            torch.set_num_threads(before)

    return call


def on_gpu(run: Any, device: str) -> Runtime:
    """A prepared network behind arrays, with its uploads and downloads."""
    import torch

    def call(images: NDArray[np.uint8]) -> dict[str, Floats]:
        mark_step()
        arrays = {}
        with torch.no_grad():
            found = run(torch.from_numpy(images).pin_memory().to(device, non_blocking=True))
            # into page-locked memory, all on their way at once: waiting for each map costs more
            for name, value in found.items():
                there = torch.empty(value.shape, dtype=torch.float32, pin_memory=True)
                arrays[name] = there.copy_(value.float(), non_blocking=True).numpy()
            torch.cuda.synchronize(device)
        return arrays

    return call


def mark_step() -> None:
    """Tell compiled graphs that their last answer has been read and may be overwritten."""
    import torch

    compiler: Any = torch.compiler
    compiler.cudagraph_mark_step_begin()
