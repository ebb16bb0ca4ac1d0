"""Whether a file of predictions can be scored, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.sources import read_table
from core.errors import DataError
from core.evaluation.bootstrap import delong_interval
from core.evaluation.metrics import measure

ID, PREDICTION = "row_id", "prediction"
TWIN = 0.9999  # rank correlation above which two entries are one
JUMP = 0.08  # AUC above the best so far that no honest model of the same data gains
SURE = 0.02  # ... if the lower end of its interval is that far above too


def read_entry(source: Path | pd.DataFrame, rows: int) -> pd.Series:
    """Predictions by row identifier 1..rows, in that order.

    Args:
        source: A file or a frame with the columns row_id and prediction.
        rows: Rows of the test part.

    Raises:
        DataError: A column lacks, a row lacks, repeats or is unknown, or a value is missing, no
            number or outside 0 to 1; names file, row and column.
    """
    file = "submission" if isinstance(source, pd.DataFrame) else Path(source).name
    frame = source if isinstance(source, pd.DataFrame) else read_table(source)
    frame = frame.set_axis([str(c).strip() for c in frame.columns], axis=1).reset_index(drop=True)
    for column in (ID, PREDICTION):
        if column not in frame:
            raise DataError(
                f"the column {column!r} is missing", where=file,
                remedy=f"Write the columns {ID},{PREDICTION} as in sample_submission.csv",
            )  # fmt: skip
    ids = pd.to_numeric(frame[ID], errors="coerce")
    unknown = ~ids.isin(np.arange(1, rows + 1))
    _refuse(unknown, frame, file, ID, what="is not a row of test.csv", remedy="Remove the row")
    _refuse(
        ids.duplicated(),
        frame,
        file,
        ID,
        what="stands there twice",
        remedy="Keep one prediction a row",
    )
    if len(ids) < rows:
        lacking = np.setdiff1d(np.arange(1, rows + 1), ids.to_numpy(int))
        raise DataError(
            f"{len(lacking)} rows of test.csv have no prediction, first row_id {lacking[0]}",
            where=f"{file}, column {ID!r}", remedy="Predict every row of test.csv",
        )  # fmt: skip
    values = pd.to_numeric(frame[PREDICTION], errors="coerce").astype(float)
    finite = pd.Series(np.isfinite(values.to_numpy()))
    _refuse(
        ~finite, frame, file, PREDICTION, what="is no number", remedy="Give every row a probability"
    )
    outside = (values < 0) | (values > 1)
    _refuse(
        outside, frame, file, PREDICTION, what="is outside 0 to 1",
        remedy="Give probabilities of the bad outcome, neither scores nor percent",
    )  # fmt: skip
    score = pd.Series(values.to_numpy(), index=pd.Index(ids.to_numpy(int), name=ID))
    return score.sort_index()


def suspicions(
    y: np.ndarray,
    p: np.ndarray,
    score: pd.Series,
    earlier: Mapping[str, pd.Series],
    earlier_public: Mapping[str, np.ndarray],
    *,
    baseline: float,
) -> tuple[str, ...]:
    """What makes an entry hard to believe: shown on the board beside it, empty for most.

    Args:
        y: (n,) outcomes of the public part.
        p: (n,) the entry's predictions of them.
        score: All of its predictions by row.
        earlier: Those of earlier entries, by name.
        earlier_public: (n,) those of earlier entries on the public part, by name.
        baseline: AUC of plain trees on the public part.

    Raises:
        DataError: The predictions are the outcomes themselves, or an earlier entry's again.
    """
    auc = measure("roc_auc", y, p)
    if auc == 1.0 and len(y) > 20:
        exact = "equal the hidden outcomes" if np.isin(p, (0, 1)).all() else "rank them perfectly"
        raise DataError(
            f"these predictions {exact}: the outcomes have leaked into them", where=PREDICTION,
            remedy="Train on train.csv alone, and look for a column that knows the outcome",
        )  # fmt: skip
    found = []
    honest = [measure("roc_auc", y, other) for other in earlier_public.values()]
    best = max([baseline, *(a for a in honest if a < baseline + JUMP)])
    if auc > best + JUMP and delong_interval(y, p).low > best + SURE:
        found.append(f"too good: AUC {auc - best:.3f} above the best before it")
    for name, other in earlier.items():
        if np.array_equal(other.to_numpy(), score.to_numpy()):
            raise DataError(
                f"these are the predictions of {name!r} again", where=PREDICTION,
                remedy="Submit something new",
            )  # fmt: skip
        constant = score.nunique() == 1 or other.nunique() == 1
        correlation = 0.0 if constant else score.corr(other, method="spearman")
        if correlation > TWIN:
            found.append(f"duplicate of {name}: rank correlation {correlation:.5f}")
    return tuple(found)


def _refuse(
    wrong: pd.Series, frame: pd.DataFrame, file: str, column: str, *, what: str, remedy: str
) -> None:
    """Stop at the first wrong row, and say how many there are."""
    if not wrong.any():
        return
    row = int(np.flatnonzero(wrong)[0])
    value = frame[column].iloc[row]
    more = f" (and {int(wrong.sum()) - 1} more rows)" if wrong.sum() > 1 else ""
    shown = "an empty cell" if pd.isna(value) else repr(str(value)[:40])
    raise DataError(
        f"{shown} {what}{more}", where=f"{file}, row {row + 1}, column {column!r}", remedy=remedy
    )
