"""The training loop: it learns, resumes to the bit after a kill, and stops when told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from core.training.loop import FitSettings, fit


class Killed(Exception):
    """Stands for a process that ended in the middle of an epoch."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def _data(rows: int = 512) -> TensorDataset:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32))
    truth = torch.tensor([1.5, -1.0, 0.5, 0.0])
    y = torch.from_numpy(np.random.default_rng(1).random(rows).astype(np.float32))
    return TensorDataset(x, (y < torch.sigmoid(x @ truth)).float())


def _model() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1)
    )


def _loss(model: torch.nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
    rows, truth = batch
    return functional.binary_cross_entropy_with_logits(model(rows).squeeze(-1), truth)


def _weights(model: torch.nn.Module) -> np.ndarray:
    return torch.cat([p.detach().flatten() for p in model.parameters()]).numpy()


def test_reaches_the_maximum_likelihood_solution() -> None:
    data = _data()
    model = torch.nn.Linear(4, 1)
    settings = FitSettings(epochs=60, learning_rate=0.05, weight_decay=0.0)
    history = fit(model, DataLoader(data, 64, shuffle=True), _loss, settings)
    x, y = (part.numpy() for part in data.tensors)
    reference = LogisticRegression(C=np.inf).fit(x, y)
    np.testing.assert_allclose(model.weight.detach().numpy(), reference.coef_, atol=0.05)
    assert len(history.losses) == 60
    assert history.losses[-1] < history.losses[0]
    assert not model.training


def test_same_seed_same_weights_other_seed_other_weights() -> None:
    found = []
    for seed in (1, 1, 2):
        model = _model()
        fit(model, DataLoader(_data(), 64, shuffle=True), _loss, FitSettings(epochs=2, seed=seed))
        found.append(_weights(model))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


@pytest.mark.parametrize("patience", [0, 5])
def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path, patience: int) -> None:
    settings = FitSettings(epochs=5, seed=4, patience=patience)

    def score(model: torch.nn.Module) -> float:
        with torch.no_grad():
            return -float(_loss(model, list(_data().tensors)))

    whole = _model()
    expected = fit(whole, DataLoader(_data(), 64, shuffle=True), _loss, settings, validate=score)

    calls = 0

    def dying(model: torch.nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls > 8 * 2 + 3:  # in the middle of the third epoch
            raise Killed
        return _loss(model, batch)

    settings = replace(settings, checkpoint=tmp_path / "state")
    batches = DataLoader(_data(), 64, shuffle=True)
    with pytest.raises(Killed):
        fit(_model(), batches, dying, settings, validate=score)
    torch.manual_seed(99)  # a new process has another random state
    resumed = _model()
    history = fit(resumed, DataLoader(_data(), 64, shuffle=True), _loss, settings, validate=score)
    assert history.resumed_from == 2
    np.testing.assert_array_equal(_weights(resumed), _weights(whole))
    assert history.losses == expected.losses
    assert history.scores == expected.scores


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path) -> None:
    settings = FitSettings(epochs=2, checkpoint=tmp_path / "state")
    model = _model()
    fit(model, DataLoader(_data(), 64, shuffle=True), _loss, settings)
    (tmp_path / "state").rename(tmp_path / "state.old")
    again = _model()
    history = fit(again, DataLoader(_data(), 64, shuffle=True), _loss, settings)
    assert history.resumed_from == 2
    np.testing.assert_array_equal(_weights(again), _weights(model))


def test_early_stopping_keeps_the_best_weights() -> None:
    scores = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    seen = []

    def score(model: torch.nn.Module) -> float:
        seen.append(_weights(model).copy())
        return next(scores)

    model = _model()
    history = fit(
        model, DataLoader(_data(), 64, shuffle=True), _loss,
        FitSettings(epochs=5, patience=2), validate=score,
    )  # fmt: skip
    assert history.scores == [0.1, 0.5, 0.4, 0.3]
    assert history.best_epoch == 1
    np.testing.assert_array_equal(_weights(model), seen[1])


def test_accumulated_batches_equal_one_large_batch() -> None:
    found = []
    for size, accumulation in ((128, 1), (32, 4)):
        torch.manual_seed(5)
        model = torch.nn.Linear(4, 1)
        settings = FitSettings(epochs=3, accumulation=accumulation, learning_rate=0.01)
        fit(model, DataLoader(_data(), size), _loss, settings)
        found.append(_weights(model))
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_half_precision_learns_too() -> None:
    model = _model()
    settings = FitSettings(epochs=20, precision="bf16", learning_rate=0.02)
    history = fit(model, DataLoader(_data(), 64, shuffle=True), _loss, settings)
    assert history.losses[-1] < 0.9 * history.losses[0]
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_a_deadline_in_the_past_still_trains_one_epoch() -> None:
    settings = FitSettings(epochs=9, deadline=time.monotonic() - 1)
    assert len(fit(_model(), DataLoader(_data(), 64), _loss, settings).losses) == 1


def test_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="validate"):
        fit(_model(), DataLoader(_data(), 64), _loss, FitSettings(patience=1))

    def infinite(model: torch.nn.Module, batch: list[torch.Tensor]) -> torch.Tensor:
        return _loss(model, batch) * torch.inf

    with pytest.raises(ValueError, match="not finite in epoch 0"):
        fit(_model(), DataLoader(_data(), 64), infinite, FitSettings(epochs=1))


_SCRIPT = """
import sys, time, torch
from pathlib import Path
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from core.training.loop import FitSettings, fit
torch.set_num_threads(1)
torch.manual_seed(0)
data = TensorDataset(torch.randn(512, 4), torch.rand(512).round())
torch.manual_seed(1)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 1))
def loss(model, batch):
    time.sleep(float(sys.argv[2]))
    return functional.binary_cross_entropy_with_logits(model(batch[0]).squeeze(-1), batch[1])
place = None if sys.argv[1] == "-" else Path(sys.argv[1])
history = fit(model, DataLoader(data, 128, shuffle=True), loss,
              FitSettings(epochs=6, checkpoint=place))
print(history.resumed_from, sum(float(p.double().sum()) for p in model.parameters()))
"""


@pytest.mark.slow
def test_a_process_killed_at_any_moment_resumes(tmp_path: Path, repo: Path) -> None:
    def start(place: str, pause: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _SCRIPT, place, str(pause)]
        return subprocess.Popen(command, cwd=repo, stdout=subprocess.PIPE, text=True)

    whole = start("-", 0.0).communicate(timeout=120)[0].split()
    state = tmp_path / "state"
    victim = start(str(state), 0.05)
    while not (state / "history.json").exists():
        assert victim.poll() is None
        time.sleep(0.01)
    time.sleep(0.13)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    resumed = start(str(state), 0.0).communicate(timeout=120)[0].split()
    assert int(resumed[0]) >= 1
    assert resumed[1] == whole[1]
