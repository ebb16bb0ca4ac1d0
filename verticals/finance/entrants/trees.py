"""Tree ensembles: LightGBM in two shapes and CatBoost, all on the numeric matrix.

Trees are kept small (8 to 24 leaves, or depth 5): on credit data that costs little rank, it scores
fast, and it keeps the exact Shapley values cheap. Some read categories as rates and some as
indicators: a blend gains from what they see differently.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verticals.finance.entrants.members import Rows, Training

if TYPE_CHECKING:
    from catboost import CatBoostClassifier
    from lightgbm import Booster
    from lightgbm.callback import CallbackEnv

    from explain.tree_tables import TreeTables

MANY_ROWS = 10_000  # training rows from which trees of 24 leaves beat trees of 8
WORTH_TABLES = 5_000  # rows from which scoring by tables repays making them


@dataclass(frozen=True)
class LightGBMMember:
    """A LightGBM booster; its text is its file."""

    booster: Booster
    family: str = "lightgbm"

    @cached_property
    def tables(self) -> TreeTables | None:
        """The trees as look-ups, made when first needed; None where they are too deep."""
        from explain.trees import tree_tables

        return tree_tables(self.booster)

    def log_odds(self, rows: Rows, threads: int = 1) -> np.ndarray:
        """Log-odds of default, (n,) float64."""
        known = "tables" in self.__dict__  # few rows are not worth making them
        if (known or len(rows) >= WORTH_TABLES) and self.tables is not None:
            return self.tables.scores(rows.matrix, threads)
        return np.asarray(
            self.booster.predict(rows.matrix, raw_score=True, num_threads=threads), dtype=float
        )

    def staged(self, rows: Rows, rounds: tuple[int, ...]) -> np.ndarray:
        """Log-odds after each number of rounds, (len(rounds), n)."""
        return np.array(
            [
                self.booster.predict(rows.matrix, raw_score=True, num_iteration=r, num_threads=1)
                for r in rounds
            ]
        )

    def contributions(self, rows: Rows, threads: int = 1) -> tuple[np.ndarray, float] | None:
        """Exact path-dependent Shapley values, (n, features), and their base."""
        from explain.trees import tree_contributions

        found = tree_contributions(self.booster, rows.matrix, tables=self.tables, threads=threads)
        return found.values, found.base

    def save(self, path: Path) -> str:
        """Write the booster's text."""
        target = path.with_suffix(".txt")
        self.booster.save_model(str(target))
        return target.name


@dataclass(frozen=True)
class CatBoostMember:
    """A CatBoost model; its own binary format holds numbers and no code."""

    model: CatBoostClassifier
    family: str = "catboost"

    @cached_property
    def tables(self) -> TreeTables | None:
        """The trees as look-ups, made when first needed; None where they are too deep."""
        from explain.trees import tree_tables

        return tree_tables(self.model)

    def log_odds(self, rows: Rows, threads: int = 1) -> np.ndarray:
        """Log-odds of default, (n,) float64."""
        return np.asarray(
            self.model.predict(rows.matrix, prediction_type="RawFormulaVal", thread_count=threads),
            dtype=float,
        )

    def staged(self, rows: Rows, rounds: tuple[int, ...]) -> np.ndarray:
        """Log-odds after each number of rounds, (len(rounds), n)."""
        return np.array(
            [
                self.model.predict(
                    rows.matrix,
                    prediction_type="RawFormulaVal",
                    thread_count=1,
                    ntree_end=min(r, self.model.tree_count_),
                )
                for r in rounds
            ]
        )

    def contributions(self, rows: Rows, threads: int = 1) -> tuple[np.ndarray, float] | None:
        """Exact path-dependent Shapley values, (n, features), and their base."""
        from explain.trees import tree_contributions

        found = tree_contributions(self.model, rows.matrix, tables=self.tables, threads=threads)
        return found.values, found.base

    def save(self, path: Path) -> str:
        """Write the native model."""
        target = path.with_suffix(".cbm")
        self.model.save_model(str(target))
        return target.name


def lightgbm(training: Training, *, rounds: int = 400) -> LightGBMMember:
    """Gradient-boosted trees on indicators of categories, strongly regularised."""
    leaves = 8 if len(training.target) < MANY_ROWS else 24
    return _boost(training.hiding("rate"), rounds, num_leaves=leaves)


def extra_trees(training: Training, *, rounds: int = 400) -> LightGBMMember:
    """Boosted extremely randomised trees (Geurts et al., 2006) on rates: random cut points."""
    return _boost(
        training.hiding("level"), rounds, extra_trees=True, min_data_in_leaf=20, lambda_l2=5.0,
        learning_rate=0.05 if len(training.target) < MANY_ROWS else 0.08,
    )  # fmt: skip


def _boost(training: Training, rounds: int, **settings: Any) -> LightGBMMember:
    import lightgbm as lgb

    parameters: dict[str, Any] = {
        "objective": "binary", "learning_rate": 0.04, "num_leaves": 8, "min_data_in_leaf": 30,
        "lambda_l2": 30.0, "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1,
        "seed": training.seed, "deterministic": True, "force_row_wise": True,
        "num_threads": training.threads, "verbosity": -1,
    } | settings  # fmt: skip
    data = lgb.Dataset(training.rows.matrix, training.target, params=parameters)

    def stop_in_time(env: CallbackEnv) -> None:
        if training.deadline is not None and time.monotonic() > training.deadline:
            raise lgb.callback.EarlyStopException(env.iteration, [("", "", 0.0, False)])

    booster = lgb.train(parameters, data, rounds, callbacks=[stop_in_time])
    # What a booster remembers of its training data must not travel with it.
    return LightGBMMember(lgb.Booster(model_str=booster.model_to_string(num_iteration=-1)))


def catboost(training: Training, *, rounds: int = 400, **settings: Any) -> CatBoostMember:
    """Oblivious trees of depth 5 (Prokhorenkova et al., 2018), on indicators of categories."""
    from catboost import CatBoostClassifier

    training = training.hiding("rate")
    deadline = training.deadline

    class StopInTime:
        def after_iteration(self, info: Any) -> bool:
            return deadline is None or time.monotonic() < deadline

    parameters: dict[str, Any] = {
        "iterations": rounds, "learning_rate": 0.06, "depth": 5, "l2_leaf_reg": 10.0,
        "random_strength": 2.0, "bagging_temperature": 1.0, "rsm": 0.6,
        "random_seed": training.seed, "thread_count": training.threads,
        "allow_writing_files": False, "verbose": False,
    } | settings  # fmt: skip
    model = CatBoostClassifier(**parameters)
    callbacks = None if deadline is None else [StopInTime()]
    model.fit(training.rows.matrix, training.target, callbacks=callbacks)
    return CatBoostMember(model)
