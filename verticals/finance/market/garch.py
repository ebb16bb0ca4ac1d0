"""Volatility models by arch: fitted every few days on the past, filtered forward in between.

Between two fits the parameters stand still and only the variance recursion runs on, so a forecast
for day t knows returns up to day t - 1 and nothing later.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.errors import ModelError

if TYPE_CHECKING:
    from arch.univariate.base import ARCHModel

Volatility = Literal["garch_normal", "garch_t", "gjr_t"]

FLAT = np.array([1e-12, 1e12])  # variance bounds that never bind: no look-ahead through them


@dataclass(frozen=True)
class VolatilityFit:
    """A fitted GJR-GARCH(1,1) in percent returns; gamma = 0 makes it a GARCH(1,1).

    variance[t] = omega + (alpha + gamma * [e[t-1] < 0]) * e[t-1]**2 + beta * variance[t-1]
    (Glosten, Jagannathan and Runkle, 1993).
    """

    mean: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    nu: float  # degrees of freedom of Student's t; infinite means normal

    def next_variance(self, shock: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Tomorrow's variance from today's shock (return less mean) and variance, any shape."""
        slope = self.alpha + self.gamma * (shock < 0)
        return self.omega + slope * shock**2 + self.beta * variance


def fit_volatility(
    returns: np.ndarray, model: Volatility, *, start: VolatilityFit | None = None
) -> VolatilityFit:
    """Maximum-likelihood fit with a constant mean.

    Args:
        returns: (n,) percent.
        model: garch_normal, garch_t or gjr_t.
        start: An earlier fit to start from.

    Raises:
        ModelError: The returns do not vary.
    """
    scale = float(returns.std())
    if not scale > 0:
        raise ModelError("returns that never change have no volatility to model")
    arch_model = _model(returns / scale, model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence is checked below
        result = arch_model.fit(
            disp="off", show_warning=False, starting_values=_start(start, model, scale)
        )
        if result.convergence_flag != 0 and start is not None:
            result = arch_model.fit(disp="off", show_warning=False)
    values = [float(v) for v in result.params.to_numpy()]
    gamma = values.pop(3) if model == "gjr_t" else 0.0
    nu = values[4] if len(values) > 4 else float("inf")
    mean, omega, alpha, beta = values[:4]
    return VolatilityFit(mean * scale, omega * scale**2, alpha, gamma, beta, nu)


def filter_variance(returns: np.ndarray, fit: VolatilityFit, learned: int) -> np.ndarray:
    """(n + 1,) conditional variances: one for each return, and one for the day after.

    Args:
        returns: (n,) percent.
        fit: Parameters, held fixed.
        learned: How many of the first returns the fit has seen; only these start the recursion.
    """
    from arch.univariate.volatility import GARCH

    process = GARCH(p=1, o=1, q=1)
    shocks = returns - fit.mean
    variance = np.empty(len(returns))
    process.compute_variance(
        np.array([fit.omega, fit.alpha, fit.gamma, fit.beta]),
        shocks,
        variance,
        process.backcast(shocks[:learned]),
        np.tile(FLAT, (len(returns), 1)),
    )
    following = fit.next_variance(shocks[-1:], variance[-1:])
    return np.concatenate([variance, following])


def _model(returns: np.ndarray, model: Volatility) -> ARCHModel:
    from arch import arch_model

    return arch_model(
        returns,
        mean="Constant",
        vol="GARCH",
        p=1,
        o=1 if model == "gjr_t" else 0,
        q=1,
        dist="normal" if model == "garch_normal" else "t",
        rescale=False,
    )


def _start(start: VolatilityFit | None, model: Volatility, scale: float) -> Any:
    if start is None:
        return None
    values = [start.mean / scale, start.omega / scale**2, start.alpha, start.beta]
    if model == "gjr_t":
        values.insert(3, start.gamma)
    if model != "garch_normal":
        values.append(start.nu)
    return np.array(values)
