"""Exported networks answer as torch does, say clearly why they do not open, and need no torch."""

from __future__ import annotations

import copy
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from core.errors import ModelError, ParameterError
from verticals.driving.deploying import runtimes
from verticals.driving.deploying.routes import ROUTES
from verticals.driving.deploying.runtimes import Opened, fastest_threads, open_runtime
from verticals.driving.deploying.torch_runtime import torch_runtime
from verticals.driving.deploying.writing import write

if TYPE_CHECKING:
    from verticals.driving.perception.network import RoadNetwork

Images = np.ndarray[Any, Any]


def _same(network: RoadNetwork, run: Opened, images: Images, within: float = 1e-3) -> None:
    expected, found = torch_runtime(network)(images), run(images)
    assert list(found)
    assert set(found) == set(expected)
    for name, one in expected.items():
        assert found[name].dtype == np.float32
        assert found[name].shape == one.shape
        assert np.abs(found[name] - one).max() < within * max(one.std(), 1e-3), name


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_float_routes_answer_as_torch(
    network: RoadNetwork, exported: Path, images: Images, kind: str
) -> None:
    run = open_runtime(exported, kind, threads=1)
    assert run.size == (128, 64)
    assert run.batch == 1
    _same(network, run, images)


def test_the_file_itself_opens_too(exported: Path, images: Images) -> None:
    one = open_runtime(exported / "network.onnx", "onnx", threads=1)(images[:1])
    other = open_runtime(exported, "onnx", threads=1)(images[:1])
    np.testing.assert_array_equal(one["heat"], other["heat"])


def test_a_folder_says_what_it_can_run(exported: Path, tmp_path: Path) -> None:
    assert runtimes.available(exported) == ("onnx", "openvino", "openvino_bf16")
    assert runtimes.available(tmp_path) == ()


def test_safetensors_are_the_network_in_halves(
    network: RoadNetwork, tmp_path: Path, images: Images
) -> None:
    write(network, tmp_path, "torch")
    run = open_runtime(tmp_path, "torch", threads=1, device="cpu")
    apart = np.abs(run(images)["embedding"] - torch_runtime(network)(images)["embedding"])
    assert 0 < apart.max() < 0.1


@pytest.mark.slow  # exports again
def test_a_batch_is_filled_up(network: RoadNetwork, tmp_path: Path, images: Images) -> None:
    write(network, tmp_path, "onnx", batch=2)
    run = open_runtime(tmp_path, "onnx", threads=1)
    assert run.batch == 2
    _same(network, run, images)  # five images in parts of two


def test_answers_stay_when_the_runtime_is_called_again(exported: Path, images: Images) -> None:
    run = open_runtime(exported, "openvino", threads=1)
    first = run(images[:1])["heat"]
    kept = first.copy()
    run(images[1:2])
    np.testing.assert_array_equal(first, kept)


def test_errors_name_what_is_wrong(
    exported: Path, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ParameterError, match=r"no runtime .onxx..*Choose from torch"):
        open_runtime(exported, "onxx")
    with pytest.raises(ParameterError, match="no device"):
        open_runtime(exported, "onnx", device="tpu")
    with pytest.raises(ParameterError, match="fewer than one"):
        open_runtime(exported, "onnx", threads=0)
    with pytest.raises(ModelError, match=r"not there.*network_int8\.onnx"):
        open_runtime(exported, "onnx_int8", threads=1)
    with pytest.raises(ModelError, match="images have shape"):
        open_runtime(exported, "onnx", threads=1)(images[:, :32])
    with pytest.raises(ModelError, match="does not run on a GPU"):
        open_runtime(exported, "openvino", threads=1, device="cuda")
    for kind in ("onnx", "openvino"):
        broken = tmp_path / ROUTES[kind].file
        broken.write_bytes(b"<not a network>")
        (tmp_path / "network.bin").write_bytes(b"")
        with pytest.raises(ModelError, match=r"no .* network that opens"):
            open_runtime(tmp_path, kind, threads=1)
    monkeypatch.setattr(runtimes.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"openvino is not installed.*casekit\[edge\]"):
        open_runtime(exported, "openvino")
    with pytest.raises(ModelError, match="onnxruntime is not installed"):
        open_runtime(exported, "onnx")


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_it_sees_without_torch(exported: Path, kind: str) -> None:
    code = (
        "import sys, pathlib, numpy as np\n"
        "from verticals.driving.deploying.runtimes import open_runtime\n"
        "from verticals.driving.perception.eye import Eye\n"
        "from verticals.driving.perception.settings import PerceptionSettings\n"
        f"run = open_runtime(pathlib.Path({str(exported)!r}), {kind!r}, threads=1)\n"
        "eye = Eye(run, PerceptionSettings(width=128, height=64))\n"
        "print(eye.see([np.zeros((50, 90, 3), np.uint8)])[0].surfaces.shape)\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[4],
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["(50, 90)", "False"]


@pytest.mark.parametrize(("slowdown", "best"), [(1.5, 1), (0.97, 1), (0.5, 2)])
def test_more_threads_only_where_they_pay(
    monkeypatch: pytest.MonkeyPatch, slowdown: float, best: int
) -> None:
    def opened(path: Path, chosen: Any, threads: int, device: str) -> Opened:
        def run(given: Images) -> dict[str, Any]:
            time.sleep(0.02 * (slowdown if threads == 2 else 1))
            return {}

        return Opened("onnx", "cpu", threads, (128, 64), 1, run)

    monkeypatch.setattr(runtimes, "_open", opened)
    monkeypatch.setattr(runtimes, "usable_cores", lambda: 2)
    assert fastest_threads(Path("x"), ROUTES["onnx"]) == best


@pytest.mark.slow  # XNNPACK's lowering takes some 10 s
def test_executorch_answers_as_torch(network: RoadNetwork, tmp_path: Path, images: Images) -> None:
    pytest.importorskip("executorch")
    trained = copy.deepcopy(network).to(memory_format=torch.channels_last)
    write(trained, tmp_path, "executorch")
    _same(network, open_runtime(tmp_path, "executorch"), images)


@pytest.mark.slow  # a C++ compiler at work
def test_compiled_answers_as_torch(network: RoadNetwork, tmp_path: Path, images: Images) -> None:
    write(network, tmp_path, "compiled")
    plain = open_runtime(tmp_path, "torch", threads=1, device="cpu")(images[:1])
    run = open_runtime(tmp_path, "compiled", threads=1, device="cpu")
    for name, one in run(images[:1]).items():
        np.testing.assert_allclose(one, plain[name], atol=1e-3 * max(plain[name].std(), 1e-3))
