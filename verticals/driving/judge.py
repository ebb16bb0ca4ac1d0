"""Judges the chosen network once, on images that neither taught nor chose anything."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.deployment.results import Measurement
from verticals.driving.perception.judging.report import Judged, report
from verticals.driving.stages import Evaluated, Fitted


def evaluate(fitted: Fitted) -> Evaluated:
    """Measure on the test images, beside the network that was not chosen.

    Args:
        fitted: The networks.
    """
    frames = fitted.split.test
    views, names = [one.view for one in frames], [one.sequence for one in frames]
    weathers: Any = [one.weather for one in frames] if all(one.weather for one in frames) else None
    sights = fitted.eye.look(views)
    judged = report(sights, views, names, weathers)
    beside = None
    if fitted.other is not None:
        beside = report(fitted.other.look(views), views, names, weathers)
    name = "taught" if fitted.chosen == "shipped" else "shipped"
    tables = {"measures": judged.table(beside, name)}
    if judged.detections is not None:
        tables |= {"objects": judged.detections.classes, "slices": judged.detections.slices}
    if judged.surfaces is not None:
        tables["surfaces"] = judged.surfaces.classes
    found = tuple(_measurements(judged, tables["measures"], fitted.chosen))
    return Evaluated(fitted, tuple(sights), judged, beside, found, tables)


def _measurements(judged: Judged, table: pd.DataFrame, chosen: str) -> list[Measurement]:
    """The table's rows as the results' contract has them."""
    rows = []
    for row in table.to_dict("records"):
        baseline = None if pd.isna(row["baseline"]) else float(row["baseline"])
        if pd.isna(row["value"]):
            continue
        low, high = (None if pd.isna(row[k]) else float(row[k]) for k in ("low", "high"))
        rows.append(Measurement(
            metric=str(row["measure"]), value=float(row["value"]), low=low, high=high,
            n=int(row["n"]), split="test", model=chosen, baseline=baseline,
            baseline_model=str(row["baseline is"]) if baseline is not None else None,
        ))  # fmt: skip
    return rows
