"""Integrated gradients against functions whose attributions are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import ModelError
from explain.networks import integrated_gradients


class Product(torch.nn.Module):
    """x0 · x1 + 3 x2: from a zero baseline each factor gets half of the product."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0] * x[:, 1] + 3 * x[:, 2]


class Step(torch.nn.Module):
    """A cliff: its gradient is almost nowhere, so no path integral finds the difference."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(1e6 * (x[:, 0] - 0.37)) + 0 * x[:, 1]


def test_attributions_are_those_of_the_formula() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    found = integrated_gradients(Product(), x, np.zeros(3))
    half = x[:, 0] * x[:, 1] / 2
    np.testing.assert_allclose(found, np.column_stack([half, half, 3 * x[:, 2]]), atol=1e-4)


def test_they_add_up_to_the_difference_from_the_baseline() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 16), torch.nn.SiLU(), torch.nn.Linear(16, 1), torch.nn.Flatten(0)
    )
    x, baseline = np.random.default_rng(1).normal(size=(30, 4)), np.array([0.1, -0.2, 0.3, 0.0])
    found = integrated_gradients(network, x, baseline)
    with torch.no_grad():
        rows = network(torch.from_numpy(x.astype(np.float32)))
        start = network(torch.from_numpy(baseline.astype(np.float32))[None])
    np.testing.assert_allclose(found.sum(axis=1), (rows - start).numpy(), atol=5e-3)


def test_a_missing_value_counts_as_the_baselines() -> None:
    x = np.array([[np.nan, 2.0, 1.0], [1.0, 1.0, 1.0]])
    assert integrated_gradients(Product(), x, np.zeros(3))[0, 0] == 0


def test_the_module_is_left_as_it_was() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Dropout(0.5), torch.nn.Flatten(0))
    network.train()
    integrated_gradients(network, np.ones((4, 3)) * np.arange(4)[:, None], np.zeros(3))
    assert network.training
    assert all(p.grad is None for p in network.parameters())


def test_attributions_that_do_not_add_up_are_refused() -> None:
    x = np.linspace(0.2, 1, 20)[:, None] * np.ones(2)
    with pytest.raises(ModelError, match="miss the score"):
        integrated_gradients(Step(), x, np.zeros(2))
