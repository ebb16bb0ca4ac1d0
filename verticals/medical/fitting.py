"""Opens the engine over the corpus and sets when it abstains, on the dev questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from verticals.medical.answer import Question
from verticals.medical.answering import Engine, Findings, find, open_engine, quotes
from verticals.medical.labelled import LabelledQuestion
from verticals.medical.stages import Fitted, Split

_GRID = np.round(np.arange(0.0, 1.001, 0.02), 2)


@dataclass(frozen=True)
class Asked:
    """A labelled question, and what the engine found for it."""

    labelled: LabelledQuestion
    found: Findings

    @property
    def right(self) -> bool:
        """Whether a document that answers is among those it would quote."""
        quoted = {s.document.id for s in quotes(self.found.sentences, 5)}
        return bool(quoted & set(self.labelled.documents))


def fit(split: Split, cache: Path | None = None) -> Fitted:
    """Open the engine and choose its threshold on the dev questions.

    Args:
        split: The questions.
        cache: Keeps the indexes; by default beside the corpus, so that every run shares them.
    """
    loaded = split.checked.loaded
    parameters = loaded.parameters
    engine = open_engine(
        loaded.corpus, cache or loaded.corpus.folder / "index",
        encoder=parameters.encoder, generator=parameters.generator,
    )  # fmt: skip
    asked = ask(split.dev, engine)
    tuning = threshold_table(asked, parameters.error_cost)
    best = float(tuning.loc[tuning["cost"].idxmin(), "threshold"])
    abstention = replace(engine.abstention, threshold=best)
    return Fitted(split, replace(engine, abstention=abstention), tuning)


def ask(questions: Sequence[LabelledQuestion], engine: Engine) -> list[Asked]:
    """What the engine finds for every question."""
    return [Asked(q, find(Question.model_construct(question=q.question, patient=None,
                                                   filters=None, limit=5), engine))
            for q in questions]  # fmt: skip


def threshold_table(asked: Sequence[Asked], error_cost: float) -> pd.DataFrame:
    """What every threshold would cost: an unfounded answer costs `error_cost`, silence 1.

    Silence costs nothing where the corpus has no answer. (Chow, 1970: the reject option.)
    """
    confidence = np.array([a.found.confidence for a in asked])
    right = np.array([a.right for a in asked])
    answerable = np.array([a.labelled.answerable for a in asked])
    rows = []
    for threshold in _GRID:
        answered = confidence >= threshold
        wrong = int((answered & ~right).sum())
        withheld = int((~answered & answerable).sum())
        rows.append((float(threshold), int(answered.sum()), wrong, withheld,
                     error_cost * wrong + withheld))  # fmt: skip
    return pd.DataFrame(rows, columns=["threshold", "answered", "unfounded", "withheld", "cost"])
