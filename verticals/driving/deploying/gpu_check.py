"""What the road network does on this machine's GPU: speed by route, parity by map, memory.

    python -m verticals.driving.deploying.gpu_check --out FILE [--weights FILE]

Needs torch, timm and, for ONNX, onnx and onnxscript; no network, no data: images are drawn at
random, and without weights the network is drawn too and its normalisations are fitted to them.
Half precision is compared with float32 whose matrix products are not rounded (no TF32).
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.deployment.onnx_export import quiet
from verticals.driving.deploying.torch_runtime import (
    mark_step,
    on_gpu,
    on_processor,
    prepared,
    torch_runtime,
)
from verticals.driving.frame import Floats
from verticals.driving.perception.eye import Runtime
from verticals.driving.perception.network import RoadNetwork
from verticals.driving.perception.settings import PerceptionSettings

BATCHES = (1, 8, 32)
_ROUTES: tuple[tuple[str, Any, bool, bool], ...] = (  # precision, compiled, rounded to TF32
    ("eager float32", "float32", False, False), ("eager tf32", "float32", False, True),
    ("eager bfloat16", "bfloat16", False, False), ("eager float16", "float16", False, False),
    ("compiled float16", "float16", True, False), ("onnx", "float32", False, False),
    # the last may run out of time
    ("compiled float32", "float32", True, False), ("compiled bfloat16", "bfloat16", True, False),
)  # fmt: skip
_PACKAGES = ("torch", "timm", "onnx", "onnxruntime", "onnxruntime-gpu", "numpy")


@dataclass(frozen=True)
class Clock:
    """How long the check may take."""

    end: float  # monotonic seconds

    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()


def drawn_images(n: int, settings: PerceptionSettings, seed: int = 0) -> NDArray[np.uint8]:
    """(n, h, w, 3) random images with structure at every scale, as photos have."""
    random = np.random.default_rng(seed)
    size = (settings.width, settings.height)
    out = np.zeros((n, settings.height, settings.width, 3), np.float32)
    for i in range(n):
        for cells in (4, 16, 64):
            coarse = random.normal(size=(cells, 2 * cells, 3)).astype(np.float32)
            out[i] += 40 * cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.clip(out + 128, 0, 255).astype(np.uint8)


def drawn_network(settings: PerceptionSettings, images: NDArray[np.uint8]) -> RoadNetwork:
    """A random network whose normalisations fit the images: its maps are of a usual size."""
    import torch

    torch.manual_seed(0)
    network = RoadNetwork(settings, pretrained=False)
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # the plain mean of all that comes
    network.train()
    with torch.no_grad():
        for start in range(0, len(images), 8):
            network(torch.from_numpy(images[start : start + 8]))
    return network.eval()


def check(network: RoadNetwork, *, device: str = "cuda", seconds: float = 60.0) -> dict[str, Any]:
    """Run every route that this machine has.

    Args:
        network: On the processor; stays there.
        device: "cuda", or "cpu" to try the check itself.
        seconds: After which no further route begins; the ones left out are named.

    Returns:
        What is written to the results file.
    """
    clock = Clock(time.monotonic() + seconds)
    images = drawn_images(max(BATCHES), network.settings)
    found: dict[str, Any] = {"machine": machine(device), "routes": {}, "left_out": {}}
    with _rounding(allowed=False):
        truth = torch_runtime(_copy(network), device=device)(images[:8])
    for name, precision, compiled, tf32 in _ROUTES:
        if clock.left() < (20 if compiled else 3):
            found["left_out"][name] = "no time left"
            continue
        try:
            if name == "onnx":
                found["routes"][name] = _onnx(network, images, truth, device)
                continue
            with _rounding(allowed=tf32):
                run = prepared(_copy(network), device, precision, compiled=compiled)
                found["routes"][name] = _route(run, images, truth, device, compiled=compiled)
            sys.stdout.write(f"{name} {json.dumps(found['routes'][name]['batches'])}\n")
        # a compiler or a package that is missing, memory that is full
        except (RuntimeError, ImportError) as error:
            found["left_out"][name] = f"{type(error).__name__}: {error}"[:300]
    found["seconds"] = round(seconds - clock.left(), 1)
    return found


@contextmanager
def _rounding(*, allowed: bool) -> Iterator[None]:
    """Whether the GPU may round float32 products to TF32."""
    import torch

    backends: Any = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [one.allow_tf32 for one in backends]
    for one in backends:
        one.allow_tf32 = allowed
    try:
        yield
    finally:
        for one, was in zip(backends, before, strict=True):
            one.allow_tf32 = was


def parity(truth: dict[str, Floats], found: dict[str, Floats]) -> dict[str, dict[str, float]]:
    """Differences by map: largest and mean, also in standard deviations of the map.

    For maps of classes also the share of places where the likeliest class is the same.
    """
    out: dict[str, dict[str, float]] = {}
    for name, one in truth.items():
        apart = np.abs(one - found[name])
        spread = max(float(one.std()), 1e-9)
        out[name] = {
            "largest": float(apart.max()), "mean": float(apart.mean()),
            "largest_in_spreads": float(apart.max()) / spread,
            "mean_in_spreads": float(apart.mean()) / spread,
        }  # fmt: skip
        if name in ("surfaces", "heat", "lights", "signs"):
            out[name]["same_class"] = float((one.argmax(1) == found[name].argmax(1)).mean())
    return out


def machine(device: str) -> dict[str, Any]:
    """Card, driver's CUDA and versions."""
    import torch

    versions: dict[str, str] = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    card: dict[str, Any] = {"device": device, "versions": versions}
    if device.startswith("cuda"):
        about = torch.cuda.get_device_properties(device)
        card |= {"card": about.name, "memory_gib": round(about.total_memory / 2**30, 1),
                 "cuda": torch.version.cuda}  # fmt: skip
    return card


def _copy(network: RoadNetwork) -> RoadNetwork:
    twin = RoadNetwork(network.settings, pretrained=False)
    twin.load_state_dict(network.state_dict())
    return twin.eval()


def _route(
    run: Any, images: NDArray[np.uint8], truth: dict[str, Floats], device: str, *,
    compiled: bool,
) -> dict[str, Any]:  # fmt: skip
    """Parity, memory, and speed by batch: of whole calls, and of the GPU's share alone."""
    import torch

    gpu = device.startswith("cuda")
    if gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    call = on_gpu(run, device) if gpu else on_processor(run, None)
    begun = time.perf_counter()
    found = call(images[:8])
    out: dict[str, Any] = {"first_call_s": round(time.perf_counter() - begun, 2), "batches": {}}
    for size in (8, 1) if compiled else BATCHES:  # every batch size is compiled anew
        out["batches"][size] = _speed(call, images[:size])
        if gpu:
            out["batches"][size]["device_ms_a_frame"] = _device_ms(run, images[:size], device)
    out["parity"] = parity(truth, found)
    if gpu:
        out["peak_memory_mib"] = round(torch.cuda.max_memory_allocated(device) / 2**20)
        out["reserved_memory_mib"] = round(torch.cuda.max_memory_reserved(device) / 2**20)
    return out


def _speed(run: Runtime, batch: NDArray[np.uint8]) -> dict[str, float]:
    """Frames per second of whole calls: the median of half a second, and the slowest."""
    for _ in range(2):
        run(batch)
    times: list[float] = []
    end = time.perf_counter() + 0.5
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 500):
        begun = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - begun)
    return {"frames_a_second": round(len(batch) / float(np.median(times)), 1),
            "slowest_call_ms": round(1e3 * max(times), 2)}  # fmt: skip


def _device_ms(run: Any, batch: NDArray[np.uint8], device: str) -> float:
    """Milliseconds per frame between two marks on the GPU, images and maps staying there."""
    import torch

    given = torch.from_numpy(batch).to(device)
    make: Any = torch.cuda.Event
    start, stop = make(enable_timing=True), make(enable_timing=True)
    times = []
    with torch.no_grad():
        for _ in range(20):
            mark_step()
            start.record()
            run(given)
            stop.record()
            torch.cuda.synchronize(device)
            times.append(start.elapsed_time(stop) / len(batch))
    return round(float(np.median(times)), 4)


def _onnx(
    network: RoadNetwork, images: NDArray[np.uint8], truth: dict[str, Floats],
    device: str,
) -> dict[str, Any]:  # fmt: skip
    """ONNX Runtime: on the GPU where its provider is installed, else parity on the processor."""
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    gpu = "CUDAExecutionProvider" in providers and device.startswith("cuda")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        begun = time.perf_counter()
        _write(network, images[:8], path)
        out: dict[str, Any] = {
            "export_s": round(time.perf_counter() - begun, 1), "providers": providers,
            "bytes": path.stat().st_size,
        }  # fmt: skip
        wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if gpu else providers[-1:]
        session = onnxruntime.InferenceSession(str(path), providers=wanted)
        out["provider"] = session.get_providers()[0]
        names = [one.name for one in session.get_outputs()]

        def run(batch: NDArray[np.uint8]) -> dict[str, Floats]:
            return dict(zip(names, session.run(None, {"images": batch}), strict=True))

        out["parity"] = parity(truth, run(images[:8]))
        out["batches"] = {8: _speed(run, images[:8])}
    return out


def _write(network: RoadNetwork, example: NDArray[np.uint8], path: Path) -> None:
    """One ONNX file for batches of this size."""
    import torch

    given = torch.from_numpy(example)
    with torch.no_grad():
        names = list(network(given))
    with quiet():
        program: Any = torch.onnx.export(
            network, (given,), dynamo=True, input_names=["images"], output_names=names,
            verbose=False,
        )  # fmt: skip
        program.save(str(path), external_data=False)


def main() -> None:
    """Check and write."""
    parser = argparse.ArgumentParser(description="The road network on this machine's GPU")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    parser.add_argument("--weights", type=Path, help="safetensors of save_network; random if none")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu")
    parser.add_argument("--seconds", type=float, default=60.0, help="after which nothing begins")
    given = parser.parse_args()
    if given.weights:
        from verticals.driving.perception.training import load_network

        network = load_network(given.weights)
    else:
        settings = PerceptionSettings()
        network = drawn_network(settings, drawn_images(16, settings))
    result = check(network, device=given.device, seconds=given.seconds)
    result["weights"] = given.weights.name if given.weights else "random"
    result["headline"] = {
        f"{name}, frames a second in batches of {max(found['batches'], key=int)}":
            found["batches"][max(found["batches"], key=int)]["frames_a_second"]
        for name, found in result["routes"].items() if found.get("batches")
    }  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{given.out}\n")


if __name__ == "__main__":
    main()
