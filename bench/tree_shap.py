"""How fast exact Shapley values of the kit's trees are, beside shap and the libraries themselves.

    python -m bench.tree_shap [--rows 20000]

Every way gives the same numbers to 1e-6, or the bench stops. All use one thread; times are the
best of a few runs, interleaved, so that a busy machine is equally busy for all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.machine import machine, write_result

COLUMNS, TREES, REPEATS = 20, 400, 3
SLOW_ROWS = 500  # rows given to the slow ways; times are per row

_FIRST_CALL = """
import sys, time
import numpy as np, lightgbm
from explain.trees import tree_contributions
x = np.random.default_rng(0).normal(size=(1000, 5)); y = (x[:, 0] > 0).astype(int)
given = {"objective": "binary", "verbosity": -1, "num_threads": 1}
booster = lightgbm.train(given, lightgbm.Dataset(x, y), 20)
started = time.perf_counter(); tree_contributions(booster, x[:1])
print(time.perf_counter() - started)
"""


def main() -> None:
    """Measure the three tree entrants' shapes; write bench/results/tree_shap.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args().rows
    os.environ["OMP_NUM_THREADS"] = "1"
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, COLUMNS))
    x[rng.random(x.shape) < 0.1] = np.nan
    z = np.nan_to_num(x[:, 0]) + np.nan_to_num(x[:, 1] * x[:, 2]) + 0.5 * np.isnan(x[:, 3])
    y = (z + rng.normal(size=rows) > 0.5).astype(int)
    before = machine("numba", "lightgbm", "catboost", "shap")
    result: dict[str, Any] = {"machine": before, "rows": rows, "columns": COLUMNS, "models": {}}
    for name, (model, ways) in models(x[:5_000], y[:5_000]).items():
        result["models"][name] = compare(model, ways, x)
        print(name, result["models"][name], flush=True)
    result["first_call_s"] = first_calls()
    print(result["first_call_s"])
    result["headline"] = headline(result)
    print(write_result("tree_shap", result))


def headline(result: dict[str, Any]) -> dict[str, float]:
    """What a reader wants first: how many times faster, on one thread, for the same values."""
    return {
        f"{model}: exact reasons, times faster than {way}": times
        for model, found in result["models"].items()
        for way, times in found["times_faster_than"].items()
    }


Ways = dict[str, Callable[[np.ndarray], np.ndarray]]


def models(x: np.ndarray, y: np.ndarray) -> dict[str, tuple[Any, Ways]]:
    """The tree entrants as the kit trains them, with the other ways to explain each."""
    import lightgbm
    import pandas as pd
    import shap
    from catboost import CatBoostClassifier, Pool

    from verticals.finance.entrants.members import Rows, Training
    from verticals.finance.entrants.trees import catboost, extra_trees
    from verticals.finance.entrants.trees import lightgbm as small_trees

    training = Training(Rows(pd.DataFrame(x), x), y, 0, 1)
    found: dict[str, tuple[Any, Ways]] = {}
    for name, fit in (("lightgbm", small_trees), ("extra trees", extra_trees)):
        booster: lightgbm.Booster = fit(training, rounds=TREES).booster
        explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
        explainer.model.model_type = "internal"  # its own algorithm, not a call of LightGBM

        def by_shap(rows: np.ndarray, explainer: Any = explainer) -> np.ndarray:
            values = np.asarray(explainer.shap_values(rows, check_additivity=False))
            return values.reshape(len(rows), -1)

        def by_library(rows: np.ndarray, booster: Any = booster) -> np.ndarray:
            return booster.predict(rows, pred_contrib=True, num_threads=1)[:, :-1]

        found[name] = booster, {"shap": by_shap, "library": by_library}
    model: CatBoostClassifier = catboost(training, rounds=TREES).model

    def by_catboost(rows: np.ndarray) -> np.ndarray:
        values = model.get_feature_importance(Pool(rows), type="ShapValues", thread_count=1)
        return np.asarray(values)[:, :-1]

    # shap asks CatBoost itself, so there is no third way.
    found["catboost"] = model, {"library": by_catboost}
    return found


def compare(model: Any, ways: Ways, x: np.ndarray) -> dict[str, Any]:
    """Microseconds a row of every way, ratios to ours, and the largest difference."""
    from explain.trees import tree_tables

    started = time.perf_counter()
    tables = tree_tables(model)
    built = time.perf_counter() - started
    if tables is None:
        raise SystemExit("these trees have no tables")
    few = x[:SLOW_ROWS]
    ours = tables.contributions(few)
    gap = {name: float(np.abs(way(few) - ours).max()) for name, way in ways.items()}
    if max(gap.values()) > 1e-6:
        raise SystemExit(f"the ways disagree: {gap}")
    best: dict[str, float] = {}
    for _ in range(REPEATS):
        best["casekit"] = min(best.get("casekit", np.inf), seconds(tables.contributions, x))
        best["score"] = min(best.get("score", np.inf), seconds(tables.scores, x))
        for name, way in ways.items():
            # CatBoost prepares tables for a whole batch: few rows would be unfair to it.
            rows = x if len(ways) == 1 else few
            best[name] = min(best.get(name, np.inf), seconds(way, rows))
    return {
        "trees": TREES,
        "build_s": round(built, 3),
        "microseconds_a_row": {name: round(1e6 * s, 3) for name, s in best.items()},
        "times_faster_than": {name: round(best[name] / best["casekit"], 1) for name in ways},
        "largest_difference": gap,
    }


def seconds(way: Callable[[np.ndarray], Any], rows: np.ndarray) -> float:
    """Seconds a row."""
    started = time.perf_counter()
    way(rows)
    return (time.perf_counter() - started) / len(rows)


def first_calls() -> dict[str, float]:
    """Seconds of a process's first explanation: on a new machine, and on one that compiled once."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        runs = [
            subprocess.run(
                [sys.executable, "-c", _FIRST_CALL],
                check=True, capture_output=True, text=True, env=environment,
            )
            for _ in range(2)
        ]  # fmt: skip
    ever, later = (round(float(run.stdout.split()[-1]), 2) for run in runs)
    return {"ever": ever, "later": later}


if __name__ == "__main__":
    main()
