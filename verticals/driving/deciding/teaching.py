"""The live training of the decision case: a policy taught while one watches."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from verticals.driving.deciding.evaluation import evaluate
from verticals.driving.deciding.parameters import Budget
from verticals.driving.deciding.perception_error import DEFAULT
from verticals.driving.deciding.policies import Decide, always, network_driver, rule_driver
from verticals.driving.deciding.stages import Loaded, Taught
from verticals.driving.deciding.training import CHOOSING_SEEDS, PolicySettings, train_policy
from verticals.driving.traffic.columns import SLOWER
from verticals.driving.traffic.layouts import layout

# Decisions, not seconds: a busy machine learns the same, only later.
_BUDGETS: dict[Budget, dict[str, Any]] = {
    "quick": {"steps": 64_000, "environments": 128, "batch": 1024, "comparisons": 5,
              "episodes": 100, "imitation": 0.35},
    "standard": {"steps": 1_500_000, "environments": 256, "batch": 2048, "comparisons": 10,
                 "episodes": 200, "imitation": 0.15},
    "thorough": {"steps": 8_000_000, "environments": 512, "comparisons": 20, "imitation": 0.1},
}  # fmt: skip
_KEPT = ("rewards", "discount", "entropy", "teacher")  # of the policy beside it, where told


def teach(loaded: Loaded) -> Taught:
    """Teach a policy on the road and within the budget that the parameters name.

    Rewards and teacher are those of the policy that is judged, so that the two differ in nothing
    but the time they learned.
    """
    parameters = loaded.parameters
    settings = settings_of(loaded)
    learned = train_policy(settings)
    road = layout(parameters.road).changed(**settings.rewards)
    seeds = range(CHOOSING_SEEDS, CHOOSING_SEEDS + settings.episodes)
    others: dict[str, Decide] = {
        "its teacher" if settings.teacher == "rule driver" else "rule driver": rule_driver,
        "always slower": always(SLOWER),
        "judged policy": network_driver(loaded.policies[parameters.road]),
    }
    beside = {name: float(evaluate(road, decide, seeds, errors=DEFAULT).reward.mean())
              for name, decide in others.items()}  # fmt: skip
    return Taught(learned, settings, beside)


def settings_of(loaded: Loaded) -> PolicySettings:
    """How the live training learns."""
    parameters = loaded.parameters
    told = loaded.folder / f"{parameters.road}.json"
    before: dict[str, Any] = json.loads(told.read_text())["settings"] if told.exists() else {}
    return PolicySettings(
        parameters.road, errors=DEFAULT, seed=parameters.seed, deadline_s=1e9,
        **{name: before[name] for name in _KEPT if name in before}, **_BUDGETS[parameters.budget],
    )  # fmt: skip


def curve_table(taught: Taught) -> pd.DataFrame:
    """The networks compared on the way, one row each; no seconds, which differ by machine."""
    table = pd.DataFrame(taught.learned.curve)
    kept = ["decisions", "return", "crash_rate", "pace"]
    return table[kept].astype({"decisions": int}).round(3)
