"""How sure a reading is, and whether the sentence is anything the model knows.

Temperature scaling (Guo et al., 2017) makes the probability of the best intent honest; the energy
of the intent logits (Liu et al., 2020) tells sentences about something else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KEPT = 0.97  # of the sentences that the model should know stay accepted


@dataclass(frozen=True)
class Confidence:
    """Turns logits into probabilities and a verdict."""

    temperature: float = 1.0
    least_energy: float = -np.inf  # below it, the sentence is about something else
    least_probability: float = 0.0  # below it, ask back

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(n, intents) calibrated probabilities of (n, intents) logits."""
        scaled = logits / self.temperature
        grown = np.exp(scaled - scaled.max(1, keepdims=True))
        out: np.ndarray = grown / grown.sum(1, keepdims=True)
        return out

    def known(self, logits: np.ndarray) -> np.ndarray:
        """(n,) False where the sentence is about something else."""
        sure = self.probabilities(logits).max(1) >= self.least_probability
        known: np.ndarray = sure & (energy(logits) >= self.least_energy)
        return known


def energy(logits: np.ndarray) -> np.ndarray:
    """(n,) log of the summed exponentials of the logits: high for what was seen in training."""
    top = logits.max(1)
    out: np.ndarray = top + np.log(np.exp(logits - top[:, None]).sum(1))
    return out


def fit_confidence(logits: np.ndarray, right: np.ndarray, *, kept: float = KEPT) -> Confidence:
    """Learn temperature and thresholds from sentences that the network did not train on.

    Args:
        logits: (n, intents).
        right: (n,) number of the right intent.
        kept: Share of these sentences that must stay accepted.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float((energy(scaled) - scaled[np.arange(len(right)), right]).mean())

    found = minimize_scalar(loss, bounds=(-2.0, 3.0), method="bounded")
    temperature = float(np.exp(found.x))
    lowest = float(np.quantile(energy(logits), 1 - kept))
    return Confidence(temperature, lowest)
