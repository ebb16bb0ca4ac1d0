"""The literature report's figures, each from a table of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.deployment.results import Measurement
from core.evaluation.bootstrap import mean_interval
from core.evaluation.figures import BLUE, GREY, ORANGE, RED, interval_plot, new_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from verticals.medical.answering import Engine
    from verticals.medical.stages import Explained


def search_figure(questions: pd.DataFrame) -> Figure:
    """nDCG@10 of the hybrid search beside BM25, with intervals over the questions."""
    known = questions[questions["answerable"]]
    names = {"hybrid search with reranking": "ndcg", "BM25": "ndcg_words"}
    found = [mean_interval(known[column].to_numpy(float)) for column in names.values()]
    return interval_plot(
        list(names), *np.array([(f.value, f.low, f.high) for f in found]).T,
        label="nDCG@10 on the test questions, 95% interval",
        title="Finding the document that answers", highlight=next(iter(names)),
    )  # fmt: skip


def threshold_figure(tuning: pd.DataFrame, chosen: float) -> Figure:
    """Unfounded answers and withheld ones by threshold, on the dev questions."""
    with new_figure(height=3.4) as (figure, axes):
        axes.plot(tuning["threshold"], tuning["unfounded"], color=RED, label="unfounded answers")
        axes.plot(tuning["threshold"], tuning["withheld"], color=ORANGE, label="withheld answers")
        axes.plot(tuning["threshold"], tuning["cost"], color=BLUE, label="cost")
        axes.axvline(chosen, color=GREY, linestyle="--", linewidth=1.2, label="chosen")
        axes.set(xlabel="abstain below this confidence", ylabel="dev questions",
                 title="When to be silent", ylim=(0, None))  # fmt: skip
        axes.legend()
    return figure


def measurement_table(measurements: Sequence[Measurement]) -> pd.DataFrame:
    """The measurements as a table for reading."""
    rows = [
        (
            m.metric.replace("_", " "),
            m.value,
            m.low,
            m.high,
            m.n,
            _or_empty(m.baseline),
            m.baseline_model or "",
        )
        for m in measurements
    ]
    columns = ["metric", "value", "low", "high", "n", "baseline", "baseline is"]
    return pd.DataFrame(rows, columns=columns)


def _or_empty(value: float | None) -> float | str:
    return "" if value is None else value


def ranking_figure(explained: Explained, engine: Engine) -> Figure:
    """What moved the candidates of the run's question up or down, feature by feature."""
    from explain.features import beeswarm, shap_of_ranker
    from verticals.medical.retrieval.features import FEATURE_NAMES

    hits = engine.index.candidates(explained.question)
    seen = engine.reranker.features(explained.question, hits, engine.index)
    effects = shap_of_ranker(engine.reranker.boosters, seen)
    return beeswarm(effects.values, seen, FEATURE_NAMES)
