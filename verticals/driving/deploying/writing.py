"""Writes the road network for each runtime, its preprocessing inside."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.deployment.onnx_export import export_onnx, quiet
from core.errors import ModelError
from verticals.driving.deploying.routes import ROUTES, route

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

INT8 = ("onnx_int8", "openvino_int8")


def write(
    network: RoadNetwork,
    folder: Path,
    kind: str,
    *,
    calibration: NDArray[np.uint8] | None = None,
    keep: Collection[str] = (),
    batch: int = 1,
) -> tuple[Path, ...]:
    """Write what a runtime needs; what others of its family wrote into the folder is used again.

    Args:
        network: On the processor.
        folder: Is made.
        kind: A name of `routes.ROUTES`.
        calibration: (n, h, w, 3) uint8 of the network's size; int8 takes its ranges from them.
        keep: Maps whose head stays float32 in int8.
        batch: Images at a time; one is best on processors.

    Raises:
        ParameterError: There is no such kind.
        ModelError: The runtime is not installed, or int8 has no images to be fitted to.
    """
    chosen = route(kind)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / chosen.file
    network.eval()
    if kind in ("torch", "compiled"):
        from verticals.driving.perception.training import save_network

        return (save_network(network, path),)
    if kind in INT8 and (calibration is None or len(calibration) < batch):
        raise ModelError("int8 needs images to be fitted to", where=kind,
                         remedy="Give some tens of typical ones as calibration")  # fmt: skip
    if kind == "executorch":
        _executorch(network, path, batch)
    elif kind.startswith("openvino"):
        _openvino(network, folder, kind, calibration, keep=keep, batch=batch)
    else:
        source = _onnx(network, folder, batch)
        if kind == "onnx_int8" and calibration is not None:
            from verticals.driving.deploying.quantising import quantise_onnx

            quantise_onnx(source, path, calibration, map_names(network), keep)
    return (path, *([folder / chosen.beside] if chosen.beside else ()))


def map_names(network: RoadNetwork) -> list[str]:
    """Names of the network's outputs, in order."""
    import torch

    with torch.no_grad():
        return list(network.eval()(torch.zeros(1, 64, 64, 3, dtype=torch.uint8)))


def _example(network: RoadNetwork, batch: int) -> Any:
    import torch

    size = network.settings
    return torch.zeros(batch, size.height, size.width, 3, dtype=torch.uint8)


def _onnx(network: RoadNetwork, folder: Path, batch: int) -> Path:
    path = folder / ROUTES["onnx"].file
    if not path.exists():
        export_onnx(network, {"images": _example(network, batch)}, path,
                    outputs=map_names(network), dynamic={})  # fmt: skip
    return path


def _openvino(
    network: RoadNetwork, folder: Path, kind: str, calibration: NDArray[np.uint8] | None,
    *, keep: Collection[str], batch: int,
) -> None:  # fmt: skip
    try:
        import openvino
    except ImportError as error:
        raise ModelError("OpenVINO is not installed", where=kind,
                         remedy="pip install 'casekit[edge]'") from error  # fmt: skip
    plain = folder / ROUTES["openvino"].file
    if not plain.exists():
        with quiet():
            # reading the ONNX file, not torch: then both routes hold the same graph
            model = openvino.Core().read_model(_onnx(network, folder, batch))
            openvino.save_model(model, plain, compress_to_fp16=False)
    if kind == "openvino_int8" and calibration is not None:
        try:
            from verticals.driving.deploying.quantising import quantise_openvino

            quantise_openvino(plain, folder / ROUTES[kind].file, calibration, map_names(network),
                              keep)  # fmt: skip
        except ImportError as error:
            raise ModelError("nncf is not installed", where=kind,
                             remedy="pip install 'casekit[edge]'") from error  # fmt: skip


def _executorch(network: RoadNetwork, path: Path, batch: int) -> None:
    import torch

    from core.deployment.executorch_export import export_executorch

    # training leaves weights channels last, which XNNPACK's lowering refuses
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    export_executorch(plain, {"images": _example(network, batch)}, path)
    size = network.settings
    about = {"outputs": map_names(network), "width": size.width, "height": size.height,
             "batch": batch}  # fmt: skip
    path.with_name(ROUTES["executorch"].beside).write_text(json.dumps(about), encoding="utf-8")
