"""How fast the traffic environment decides, beside highway-env, in one run on one core.

    python -m bench.driving.traffic

A step is one decision of one environment: 1 s on the highway and at the intersection, 0.5 s in the
street. highway-env drives highway-fast-v0, whose traffic ours copies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from verticals.driving.deciding.perception_error import DEFAULT
from verticals.driving.traffic.columns import SLOWER
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.motion import OFF, ON

MANY, ROUNDS, REPEATS = 256, 20, 5
ROADS = ("motorway", "highway", "merge", "street", "intersection")


def main() -> None:
    """Measure and write bench/results/driving_traffic.json."""
    result: dict[str, Any] = {"machine": machine("numba", "gymnasium", "highway-env")}
    outside = steps_a_second(_highway_env(), 20)
    headline: dict[str, Any] = {"highway-env steps/s": round(outside)}
    for road in ROADS:
        rates = {
            name: round(steps_a_second(_ours(road, **settings), ROUNDS) * MANY)
            for name, settings in (
                ("bare", {}), ("with perception errors", {"errors": DEFAULT}),
                ("with shield", {"shield": ON, "errors": DEFAULT}),
            )
        }  # fmt: skip
        result[road] = rates
        headline[f"{road} steps/s"] = rates["bare"]
        headline[f"{road}, errors and shield"] = rates["with shield"]
        print(road, rates, flush=True)
    headline["highway, times highway-env"] = round(headline["highway steps/s"] / outside)
    result["headline"] = headline
    print(json.dumps(headline, indent=2))
    print(write_result("driving_traffic", result))


def steps_a_second(step: Callable[[], None], rounds: int) -> float:
    """The best of some repeats, in seconds of processor time."""
    step()
    best = np.inf
    for _ in range(REPEATS):
        begun = time.process_time()
        for _ in range(rounds):
            step()
        best = min(best, (time.process_time() - begun) / rounds)
    return float(1 / best)


def _ours(road: str, **settings: Any) -> Callable[[], None]:
    traffic = Traffic(road, MANY, **{"shield": OFF, **settings})
    traffic.reset(seed=0)
    actions = np.full(MANY, SLOWER)
    return lambda: (traffic.step(actions), None)[1]


def _highway_env() -> Callable[[], None]:
    import gymnasium
    import highway_env  # noqa: F401 - registers its environments

    env: Any = gymnasium.make("highway-fast-v0")
    env.reset(seed=0)

    def step() -> None:
        _, _, ended, cut, _ = env.step(SLOWER)
        if ended or cut:
            env.reset()

    return step


if __name__ == "__main__":
    main()
