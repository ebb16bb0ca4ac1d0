"""Our default competition against AutoGluon on four credit books, in one run.

    python -m bench.finance_compete --data FOLDER [--peer-python PATH] [--budget quick]

The folder holds NAME.csv.gz and NAME_split.csv.gz (columns row, fold; -1 is test). AutoGluon 1.6
runs in its own environment, one thread, `best_quality`; without one only ours is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bench.machine import machine, write_result
from core.evaluation.bootstrap import bootstrap_intervals, delong
from core.evaluation.conformal import interval_coverage
from core.evaluation.metrics import measure
from core.models.resolver import resolve
from verticals.finance.compete import fit
from verticals.finance.data import check, load, split
from verticals.finance.parameters import CreditParameters

BOOKS = ("german_credit", "taiwan_default", "lending_club_2016q1", "give_me_some_credit")

PEER = """
import sys, numpy as np, pandas as pd
from autogluon.tabular import TabularPredictor
book, seconds, models, out = sys.argv[1:]
frame = pd.read_parquet(book)
train, test = frame[frame.fold >= 0].drop(columns="fold"), frame[frame.fold < 0]
model = TabularPredictor(label="target", eval_metric="roc_auc", path=models, verbosity=0).fit(
    train, presets="best_quality", time_limit=float(seconds), num_cpus=1, num_gpus=0,
    dynamic_stacking=False)
np.save(out, model.predict_proba(test)[1].to_numpy())
"""


def book(name: str, folder: Path) -> pd.DataFrame:
    """One book with its agreed split in column `fold`."""
    if name == "give_me_some_credit":
        frame = pd.read_csv(resolve(name)).drop(columns="id", errors="ignore")
        frame = frame.rename(columns={"SeriousDlqin2yrs": "target"})
        frame = frame.loc[:, ~frame.columns.str.startswith("Unnamed")]
    else:
        frame = pd.read_csv(folder / f"{name}.csv.gz")
    agreed = pd.read_csv(folder / f"{name}_split.csv.gz").sort_values("row")
    return frame.assign(fold=agreed["fold"].to_numpy())


def ours(path: Path, budget: str) -> dict:
    """Our default run; the test part is touched here, once."""
    begun = time.perf_counter()
    parameters = CreditParameters(
        data=str(path), target="target", positive=1, fold="fold", budget=budget
    )
    stage = split(check(load(parameters)))
    fitted = fit(stage)
    seconds = time.perf_counter() - begun
    frame, y = stage.checked.frame.iloc[stage.test], stage.checked.target[stage.test]
    p = fitted.champion.pd(frame)
    ends = fitted.champion.interval_of(p)
    cover = interval_coverage(p, y, ends[:, 0], ends[:, 1], batch=fitted.champion.pd_interval.batch)
    auc = {name: measure("roc_auc", y, m.pd(frame)) for name, m in fitted.entrants.items()}
    return {
        "y": y, "p": p, "seconds": seconds, "auc": auc, "ece": measure("ece", y, p),
        "coverage": vars(cover), "interval": vars(
            bootstrap_intervals(y, p, metrics=["roc_auc"], n_boot=300)["roc_auc"]),
    }  # fmt: skip


def peer(python: str, path: Path, seconds: float, folder: Path) -> np.ndarray:
    """AutoGluon's probabilities of the test rows."""
    out = folder / "peer.npy"
    subprocess.run(
        [python, "-c", PEER, str(path), str(seconds), str(folder / "models"), str(out)],
        check=True, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return np.load(out)


def main() -> None:
    """Measure every book and write bench/results/finance_compete.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/finance"))
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--peer-python")
    parser.add_argument("--peer-seconds", type=float, default=90.0)
    parser.add_argument("--books", nargs="+", default=list(BOOKS))
    arguments = parser.parse_args()
    rows = []
    for name in arguments.books:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "book.parquet"
            book(name, arguments.data).to_parquet(path, index=False)
            found = ours(path, arguments.budget)
            y, p = found.pop("y"), found.pop("p")
            row = {"book": name, "rows_test": len(y), **found}
            row["scorecard_gap"] = max(found["auc"].values()) - found["auc"]["scorecard"]
            if arguments.peer_python:
                theirs = peer(arguments.peer_python, path, arguments.peer_seconds, Path(place))
                test = delong(y, p, theirs)
                row["peer_auc"] = measure("roc_auc", y, theirs)
                row["difference"] = test.difference
                row["standard_error"] = test.standard_error
        rows.append(row)
        print(json.dumps(row, indent=1), flush=True)
    summary = {"machine": machine("lightgbm", "catboost", "torch"), "budget": arguments.budget,
               "books": rows}  # fmt: skip
    summary["mean_auc"] = float(np.mean([r["auc"]["blend"] for r in rows]))
    if arguments.peer_python:
        summary["peer"] = f"AutoGluon best_quality, {arguments.peer_seconds:g} s, one thread"
        summary["peer_mean_auc"] = float(np.mean([r["peer_auc"] for r in rows]))
    summary["headline"] = _headline(summary)
    write_result("finance_compete", summary)


def _headline(summary: dict) -> dict:
    """What a reader wants first."""
    out = {}
    for row in summary["books"]:
        name = row["book"]
        out[f"{name}: AUC of the champion on the agreed test"] = row["auc"]["blend"]
        if "peer_auc" in row:
            out[f"{name}: AUC of the peer in the same run"] = row["peer_auc"]
        out[f"{name}: ECE"] = row["ece"]
        out[f"{name}: coverage of the 90% PD interval"] = row["coverage"]["value"]
        out[f"{name}: scorecard behind the best entrant, AUC"] = row["scorecard_gap"]
    out["mean AUC"] = summary["mean_auc"]
    if "peer_mean_auc" in summary:
        out["mean AUC of the peer"] = summary["peer_mean_auc"]
    return out


if __name__ == "__main__":
    main()
