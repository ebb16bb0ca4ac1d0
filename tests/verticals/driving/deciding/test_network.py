"""The policy network: numpy, torch and ONNX agree; order is nothing; other files are refused."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import ModelError
from verticals.driving.deciding.network import PolicyNetwork, torch_network
from verticals.driving.traffic.environment import Traffic


@pytest.fixture(scope="module")
def policy() -> PolicyNetwork:
    import torch

    torch.manual_seed(0)
    weights = {k: v.numpy().copy() for k, v in torch_network().state_dict().items()}
    return PolicyNetwork(weights, {"road": "highway"})


@pytest.fixture(scope="module")
def seen() -> np.ndarray:
    traffic = Traffic("highway", 6)
    return traffic.reset(seed=0)[0]


def test_chances_sum_to_one_and_the_likeliest_is_taken(
    policy: PolicyNetwork, seen: np.ndarray
) -> None:
    chances = policy(seen)
    assert chances.sum(axis=1) == pytest.approx(np.ones(6))
    assert (policy.act(seen) == chances.argmax(axis=1)).all()


def test_the_order_of_road_users_does_not_matter(policy: PolicyNetwork, seen: np.ndarray) -> None:
    turned = seen.copy()
    turned[:, 1:] = turned[:, :0:-1]
    assert policy(turned) == pytest.approx(policy(seen), abs=1e-6)


def test_absent_rows_do_not_count(policy: PolicyNetwork, seen: np.ndarray) -> None:
    fewer = seen[:, :10].copy()
    padded = np.concatenate([fewer, np.zeros((6, 6, seen.shape[2]), np.float32)], axis=1)
    assert policy(padded) == pytest.approx(policy(fewer), abs=1e-6)


def test_torch_says_the_same(policy: PolicyNetwork, seen: np.ndarray) -> None:
    import torch

    with torch.inference_mode():
        logits = policy.module()(torch.from_numpy(seen)).softmax(1).numpy()
        worth = policy.module().worth(torch.from_numpy(seen)).numpy()
    assert worth == pytest.approx(policy.value(seen), abs=1e-5)
    assert logits == pytest.approx(policy(seen), abs=1e-5)


def test_it_comes_back_as_saved(policy: PolicyNetwork, seen: np.ndarray, tmp_path: Path) -> None:
    policy.save(tmp_path / "deep" / "one.safetensors")
    again = PolicyNetwork.open(tmp_path / "deep" / "one.safetensors")
    assert np.array_equal(again(seen), policy(seen))
    assert again.about["road"] == "highway"


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a policy"):
        PolicyNetwork.open(tmp_path / "none.safetensors")
    save_file({"a": np.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="other observations"):
        PolicyNetwork.open(tmp_path / "other.safetensors")
