"""An exported network computes what the module computes, for every size of its free axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from core.deployment.onnx_export import export_onnx, quantise_dynamic, quantise_static


class Scorer(torch.nn.Module):
    """Like a cross-encoder: three inputs, one number for each text."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(50, 32)
        self.kinds = torch.nn.Embedding(2, 32)
        self.hidden = torch.nn.Linear(32, 64)
        self.last = torch.nn.Linear(64, 1)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        states = self.words(input_ids) + self.kinds(token_type_ids)
        weight = attention_mask.unsqueeze(-1).float()
        mean = (states * weight).sum(1) / weight.sum(1)
        return self.last(torch.relu(self.hidden(mean))).squeeze(-1)


NAMES = ("input_ids", "attention_mask", "token_type_ids")


def inputs(texts: int, tokens: int) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(texts * 100 + tokens)
    return {
        "input_ids": torch.randint(0, 50, (texts, tokens), generator=draw),
        "attention_mask": torch.ones((texts, tokens), dtype=torch.int64),
        "token_type_ids": torch.randint(0, 2, (texts, tokens), generator=draw),
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scorer, Path]:
    torch.manual_seed(0)
    module = Scorer().eval()
    axes = {0: "texts", 1: "tokens"}
    target = tmp_path_factory.mktemp("onnx") / "scorer.onnx"
    path = export_onnx(
        module, inputs(2, 5), target, outputs=["score"], dynamic=dict.fromkeys(NAMES, axes)
    )
    return module, path


def run(path: Path, given: dict[str, torch.Tensor]) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(["score"], {k: v.numpy() for k, v in given.items()})[0]
    return result


@pytest.mark.parametrize(("texts", "tokens"), [(1, 1), (2, 5), (7, 33)])
def test_every_size_gives_the_modules_numbers(
    exported: tuple[Scorer, Path], texts: int, tokens: int
) -> None:
    module, path = exported
    given = inputs(texts, tokens)
    with torch.no_grad():
        expected = module(*given.values()).numpy()
    assert np.abs(run(path, given) - expected).max() < 1e-5


def test_it_is_one_file(exported: tuple[Scorer, Path]) -> None:
    assert [p.name for p in exported[1].parent.iterdir()] == ["scorer.onnx"]


def test_int8_stays_near_and_leaves_nothing_else(
    exported: tuple[Scorer, Path], tmp_path: Path
) -> None:
    module, path = exported
    small = quantise_dynamic(path, tmp_path / "small.onnx")
    given = inputs(40, 12)
    with torch.no_grad():
        expected = module(*given.values()).numpy()
    assert np.corrcoef(run(small, given), expected)[0, 1] > 0.99
    assert small.stat().st_size < path.stat().st_size
    assert [p.name for p in tmp_path.glob("*.onnx*")] == ["small.onnx"]


def test_convolutions_in_int8_say_nearly_the_same_in_half_the_bytes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.Conv2d(32, 32, 3), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 4),
    ).eval()  # fmt: skip
    random = np.random.default_rng(0)
    given = random.normal(size=(64, 1, 12, 12)).astype(np.float32)
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    export_onnx(module, {"input": torch.zeros(2, 1, 12, 12)}, whole, outputs=["score"],
                dynamic={"input": {0: "clips"}})  # fmt: skip
    quantise_static(whole, small, [{"input": given[i : i + 8]} for i in range(0, 32, 8)])
    exact, near = (run(path, {"input": torch.from_numpy(given[32:])}) for path in (whole, small))
    assert small.stat().st_size < 0.6 * whole.stat().st_size
    assert 0 < np.abs(near - exact).max() < 0.1 * np.ptp(exact)
    assert set(tmp_path.iterdir()) == {whole, small}
