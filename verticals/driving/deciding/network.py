"""The policy network: a set of road users in, chances of the five actions out.

Every road user passes the same small network and the largest response of each unit is kept, so
neither their order nor their number matters (Zaheer et al., 2017). What a state is worth is judged
by a second network of the same form. Runs on numpy from safetensors; torch is needed to train only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from verticals.driving.traffic.columns import ACTIONS
from verticals.driving.traffic.roads import Floats
from verticals.driving.traffic.seeing import EGO_FEATURES, FEATURES

if TYPE_CHECKING:
    import torch

WIDTH, HIDDEN = 64, 96
WEIGHTS = Path(__file__).parent / "weights"  # of the policies that come with the case


@dataclass(frozen=True)
class PolicyNetwork:
    """A trained policy; a plain function from what is seen to chances of actions."""

    weights: dict[str, NDArray[np.float32]]
    about: dict[str, str]

    def __call__(self, seen: Floats) -> Floats:
        """(n, actions) chances for (n, rows, features) observations."""
        logits = self._hidden(seen) @ self._matrix("act") + self.weights["act.bias"]
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: Floats = raised / raised.sum(axis=1, keepdims=True)
        return chances

    def value(self, seen: Floats) -> Floats:
        """(n,) the discounted reward that the critic expects."""
        hidden = self._hidden(seen, "critic_")
        found: Floats = (hidden @ self._matrix("value") + self.weights["value.bias"])[:, 0]
        return found

    def act(self, seen: Floats) -> NDArray[np.int64]:
        """(n,) the likeliest actions."""
        return self(seen).argmax(axis=1)

    def _matrix(self, layer: str) -> NDArray[np.float32]:
        return self.weights[f"{layer}.weight"].T

    def _layer(self, x: Floats, name: str) -> Floats:
        return np.maximum(x @ self._matrix(name) + self.weights[f"{name}.bias"], 0)

    def _hidden(self, seen: Floats, whose: str = "") -> Floats:
        seen = np.asarray(seen, np.float32)
        each = self._layer(self._layer(seen[:, 1:], f"{whose}each1"), f"{whose}each2")
        pooled = (each * seen[:, 1:, :1]).max(axis=1)
        own = self._layer(seen[:, 0], f"{whose}ego")
        return self._layer(np.concatenate([own, pooled], 1), f"{whose}join")

    def save(self, path: Path) -> None:
        """Write the weights and what they are as one safetensors file."""
        from safetensors.numpy import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: np.ascontiguousarray(v) for k, v in self.weights.items()}, path,
                  metadata={**self.about, "features": json.dumps([FEATURES, EGO_FEATURES]),
                            "actions": json.dumps(ACTIONS)})  # fmt: skip

    @staticmethod
    def open(path: Path) -> PolicyNetwork:
        """Read a policy.

        Raises:
            ModelError: No such file, or a policy of other observations or actions.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "numpy") as file:
                about = dict(file.metadata() or {})
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ModelError(f"not a policy: {error}", where=str(path),
                             remedy="Train one with fit_policy") from error  # fmt: skip
        if about.get("features") != json.dumps([FEATURES, EGO_FEATURES]):
            raise ModelError("the policy was trained on other observations", where=str(path),
                             remedy="Train it again with fit_policy")  # fmt: skip
        return PolicyNetwork(weights, about)

    def module(self) -> torch.nn.Module:
        """The same network in torch, observation to logits; for export and for gradients."""
        import torch

        net = torch_network()
        net.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in self.weights.items()})
        return net.eval()


def torch_network() -> Any:
    """The network in torch: `forward` gives logits, `worth` what the critic expects."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            features = len(FEATURES)
            for whose in ("", "critic_"):
                self.add_module(f"{whose}ego", nn.Linear(features, WIDTH))
                self.add_module(f"{whose}each1", nn.Linear(features, WIDTH))
                self.add_module(f"{whose}each2", nn.Linear(WIDTH, WIDTH))
                self.add_module(f"{whose}join", nn.Linear(2 * WIDTH, HIDDEN))
            self.act, self.value = nn.Linear(HIDDEN, len(ACTIONS)), nn.Linear(HIDDEN, 1)

        def _layer(self, x: torch.Tensor, name: str) -> torch.Tensor:
            return torch.relu(self.get_submodule(name)(x))

        def _hidden(self, seen: torch.Tensor, whose: str) -> torch.Tensor:
            each = self._layer(self._layer(seen[:, 1:], f"{whose}each1"), f"{whose}each2")
            pooled = (each * seen[:, 1:, :1]).amax(dim=1)
            own = self._layer(seen[:, 0], f"{whose}ego")
            return self._layer(torch.cat([own, pooled], 1), f"{whose}join")

        def forward(self, seen: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.act(self._hidden(seen, ""))
            return logits

        def worth(self, seen: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.value(self._hidden(seen, "critic_"))
            return found[:, 0]

    return Network()
