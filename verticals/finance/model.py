"""A credit model: features, weighted members in log-odds, calibration and PD intervals, in one.

Knows nothing of decisions, reasons or files beyond its own folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pandas import DataFrame

from core.errors import ModelError
from core.evaluation.calibration import Calibrator
from core.evaluation.conformal import PdInterval
from explain.trees import Contributions
from verticals.finance.entrants.linear import ScorecardMember
from verticals.finance.entrants.members import Member, Rows
from verticals.finance.features import FeaturePipeline

MANY_ROWS = 20_000  # from here on, scoring uses every processor
BLOCK = 50_000  # rows explained at once


@dataclass(frozen=True)
class Weighted:
    """A member of a blend."""

    name: str
    member: Member
    weight: float


@dataclass(frozen=True)
class CreditModel:
    """Scores typed rows. The score is a weighted sum of log-odds; calibration keeps its order."""

    columns: tuple[str, ...]  # raw columns a row must have
    pipeline: FeaturePipeline
    members: tuple[Weighted, ...]
    calibrator: Calibrator
    pd_interval: PdInterval

    def score(self, frame: DataFrame) -> np.ndarray:
        """Log-odds of default before calibration, (n,)."""
        rows = self._rows(frame)
        threads = (os.cpu_count() or 1) if len(rows) >= MANY_ROWS else 1
        return np.sum([m.weight * m.member.log_odds(rows, threads) for m in self.members], axis=0)

    def calibrate(self, score: np.ndarray) -> np.ndarray:
        """Probability of default of scores, (n,) → (n,)."""
        return self.calibrator.transform(score)

    def pd(self, frame: DataFrame) -> np.ndarray:
        """Calibrated probability of default, (n,)."""
        return self.calibrate(self.score(frame))

    def interval_of(self, probability: np.ndarray) -> np.ndarray:
        """90% interval of probabilities of default, (n,) → (n, 2)."""
        return self.pd_interval.interval(probability)

    @property
    def explainable(self) -> bool:
        """Whether every member has exact Shapley values."""
        return all(m.member.family != "network" for m in self.members)

    def contributions(self, frame: DataFrame) -> Contributions:
        """Exact path-dependent Shapley values over `columns`, (n, columns), in log-odds.

        With their base they sum to `score`.

        Raises:
            ModelError: A member is a network, which has no exact ones.
        """
        rows = self._rows(frame)
        threads = (os.cpu_count() or 1) if len(rows) >= MANY_ROWS else 1
        values, base = np.zeros((len(rows), len(self.columns))), 0.0
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            block = Rows(rows.frame.iloc[part], rows.matrix[part])
            base = self._explain(block, values[part], threads)
        return Contributions(values, base)

    def _explain(self, rows: Rows, values: np.ndarray, threads: int) -> float:
        """Adds the weighted contributions of all members to `values`; returns the base."""
        base, of_matrix = 0.0, np.zeros(rows.matrix.shape)
        for m in self.members:
            if isinstance(m.member, ScorecardMember):
                found = m.member.raw_contributions(rows, self.columns)
                values += m.weight * found[0]
            else:
                found = self._contributions_of(m.member, rows, threads)
                of_matrix += m.weight * found[0]
            base += m.weight * found[1]
        place = {name: j for j, name in enumerate(self.columns)}
        values[:, [place[c] for c in self.pipeline.columns]] += self.pipeline.by_raw(of_matrix)
        return base

    def _contributions_of(
        self, member: Member, rows: Rows, threads: int
    ) -> tuple[np.ndarray, float]:
        found = member.contributions(rows, threads)
        if found is None:
            raise ModelError(
                f"a {member.family} has no exact reasons",
                remedy="Explain the champion, or use explain.networks for the network",
            )
        return found

    def _rows(self, frame: DataFrame) -> Rows:
        return Rows(frame, self.pipeline.transform(frame))

    def save(self, folder: Path) -> None:
        """Write native files: LightGBM text, CatBoost binary, ONNX, and JSON for the rest."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {"columns": self.columns, "members": save_members(self.members, folder)}
        (folder / "model.json").write_bytes(orjson.dumps(state, option=orjson.OPT_INDENT_2))
        for name, part in (
            ("features", self.pipeline),
            ("calibration", self.calibrator),
            ("interval", self.pd_interval),
        ):
            (folder / f"{name}.json").write_text(part.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> CreditModel:
        """The model written by `save`."""
        state = orjson.loads((folder / "model.json").read_bytes())

        def text(name: str) -> str:
            return (folder / f"{name}.json").read_text(encoding="utf-8")

        return cls(
            tuple(state["columns"]),
            FeaturePipeline.from_json(text("features")),
            load_members(state["members"], folder),
            Calibrator.from_json(text("calibration")),
            PdInterval.from_json(text("interval")),
        )


def save_members(members: Iterable[Weighted], folder: Path) -> list[dict[str, Any]]:
    """Write each member's native file into a folder; returns what `load_members` needs."""
    return [
        {
            "name": m.name,
            "family": m.member.family,
            "weight": m.weight,
            "file": m.member.save(folder / f"member_{i}"),
        }
        for i, m in enumerate(members)
    ]


def load_members(records: Iterable[Mapping[str, Any]], folder: Path) -> tuple[Weighted, ...]:
    """The members written by `save_members`."""
    return tuple(
        Weighted(m["name"], LOADERS[m["family"]](folder / m["file"]), m["weight"]) for m in records
    )


def _load_lightgbm(path: Path) -> Member:
    import lightgbm

    from verticals.finance.entrants.trees import LightGBMMember

    return LightGBMMember(lightgbm.Booster(model_file=str(path)))


def _load_catboost(path: Path) -> Member:
    from catboost import CatBoostClassifier

    from verticals.finance.entrants.trees import CatBoostMember

    return CatBoostMember(CatBoostClassifier().load_model(str(path)))


def _load_network(path: Path) -> Member:
    import onnxruntime

    from verticals.finance.entrants.network import NetworkMember

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # its warnings are about itself, not about the model
    return NetworkMember(
        session=onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    )


def _load_scorecard(path: Path) -> Member:
    from verticals.finance.scorecard import Scorecard

    return ScorecardMember(Scorecard.from_json(path.read_text(encoding="utf-8")))


LOADERS: dict[str, Callable[[Path], Member]] = {
    "lightgbm": _load_lightgbm,
    "catboost": _load_catboost,
    "network": _load_network,
    "scorecard": _load_scorecard,
}
