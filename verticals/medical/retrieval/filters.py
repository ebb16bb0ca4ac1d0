"""Which passages a question may be answered from: by year, kind of evidence and guideline body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import ParameterError
from verticals.medical.answer import GRADES, Filters

if TYPE_CHECKING:
    from verticals.medical.corpus.store import Corpus


def allowed(corpus: Corpus, filters: Filters | None) -> np.ndarray | None:
    """(passages,) whether each may answer; None if all may.

    A passage without a year is left out as soon as a year is asked for.

    Raises:
        ParameterError: A guideline body is not in the corpus, or the years are the wrong way round.
    """
    if filters is None or filters == Filters():
        return None
    columns = corpus.columns()
    mask = ~columns["retracted"]
    first, last = filters.year_from, filters.year_to
    if first is not None and last is not None and first > last:
        raise ParameterError(
            f"from {first} to {last} holds no year", where="filters", remedy="Swap the years"
        )
    if first is not None:
        mask &= columns["year"] >= first
    if last is not None:
        mask &= (columns["year"] <= last) & (columns["year"] > 0)
    if filters.grades:
        mask &= np.isin(columns["grade"], [GRADES.index(g) for g in filters.grades])
    if filters.organisations:
        mask &= np.isin(columns["organisation"], _codes(corpus, filters.organisations))
    return mask


def _codes(corpus: Corpus, names: tuple[str, ...]) -> list[int]:
    known = {name.casefold(): code for code, name in enumerate(corpus.organisations())}
    for name in names:
        if name.casefold() not in known:
            raise ParameterError(
                f"no guideline body is called {name!r} in this corpus", where="organisations",
                remedy=f"There are: {', '.join(n for n in corpus.organisations() if n)[:300]}",
            )  # fmt: skip
    return [known[name.casefold()] for name in names]
