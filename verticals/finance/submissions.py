"""A local Kaggle around a split: anyone's CSV of predictions is scored, the private part once.

The folder may be handed to competitors: it holds train.csv, test.csv without outcomes,
sample_submission.csv, competition.json and labels that only this machine can open.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.deployment.run import write_atomically
from core.errors import DataError
from core.evaluation.bootstrap import Interval, bootstrap_intervals
from core.evaluation.leaderboard import leaderboard
from verticals.finance.entry_checks import ID, PREDICTION, read_entry, suspicions
from verticals.finance.seal import forget_key, seal, unseal
from verticals.finance.stages import Split

if TYPE_CHECKING:
    from verticals.finance.model import CreditModel

METRIC = "roc_auc"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,59}")


class Competition(BaseModel):
    """What competition.json says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    created: str
    metric: str = METRIC
    target: str
    train_rows: int
    test_rows: int
    fingerprint: str = Field(description="SHA-256 of the data the competition was made from.")
    baseline_auc: float = Field(description="Plain boosted trees on the public part.")
    commitments: dict[str, str] = Field(description="Salted SHA-256 of each part's labels.")


class Entry(BaseModel):
    """One submission, as submissions/NAME.json records it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    submitted: str
    sha256: str = Field(description="Of the stored predictions, submissions/NAME.csv.")
    public: float = Field(description="AUC on the public part.")
    low: float
    high: float
    n: int
    suspicions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A part's labels: row identifiers and outcomes, both (n,)."""

    rows: pd.Index
    y: np.ndarray
    salt: str


def open_competition(folder: Path, split: Split) -> Competition:
    """Write a competition into a new or empty folder; competition.json comes last.

    Test rows are shuffled and numbered anew, so neither order nor number tells anything, not even
    which of them are public.

    Raises:
        DataError: The folder holds something already, or the split has no public or private part.
    """
    if folder.exists() and any(folder.iterdir()):
        raise DataError("the folder is not empty", where=str(folder), remedy="Name a new one")
    if not len(split.public) or not len(split.private):
        raise DataError("the split has no public or no private rows", remedy="Give it more rows")
    checked, target = split.checked, split.checked.roles.target
    hidden = [checked.roles.fold] if checked.roles.fold else []
    shown = checked.frame.drop(columns=hidden)
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(secrets.randbits(64)).permutation(split.test)
    ids = pd.Index(np.arange(1, len(order) + 1), name=ID)
    _write_csv(folder / "train.csv", shown.iloc[split.train].assign(**{target: _train_y(split)}))
    test = shown.iloc[order].set_axis(ids).reset_index()
    _write_csv(folder / "test.csv", test)
    rate = round(float(_train_y(split).mean()), 6)
    _write_csv(folder / "sample_submission.csv", test[[ID]].assign(**{PREDICTION: rate}))
    identifier = secrets.token_hex(8)
    promised = {}
    for part, rows in (("public", split.public), ("private", split.private)):
        inside = np.isin(order, rows)
        solution = pd.DataFrame({ID: ids[inside], "target": checked.target[order[inside]]})
        promised[part] = seal(folder, identifier, part, solution.to_csv(index=False).encode())
    promised["order"] = seal(folder, identifier, "order", orjson.dumps(order.tolist()))
    competition = Competition(
        id=identifier, created=_now(), target=target, train_rows=len(split.train),
        test_rows=len(order), fingerprint=checked.loaded.fingerprint,
        baseline_auc=_baseline(split), commitments=promised,
    )  # fmt: skip
    (folder / "submissions").mkdir()
    _write_json(folder / "competition.json", competition)
    return competition


def read_competition(folder: Path) -> Competition:
    """The competition in a folder.

    Raises:
        DataError: There is none.
    """
    try:
        return Competition.model_validate_json((folder / "competition.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            "there is no competition here", where=str(folder),
            remedy="Open one with: casekit compete start DATA --into FOLDER",
        ) from error  # fmt: skip


def submit(folder: Path, source: Path | pd.DataFrame, name: str) -> Entry:
    """Score predictions on the public part and put them on the board.

    Args:
        folder: The competition.
        source: CSV with the columns row_id and prediction, a probability of the bad outcome, for
            every row of test.csv; or a frame like it.
        name: What the board calls it; each name enters once.

    Raises:
        DataError: The competition is closed, the name is taken, rows or values are wrong, or the
            predictions are the hidden outcomes themselves.
    """
    competition = read_competition(folder)
    if (folder / "final.json").exists():
        raise DataError("the competition is closed", where=str(folder), remedy="Open a new one")
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} is no name for a submission", where="name",
            remedy="Use up to 60 letters, digits, dots, dashes and underscores",
        )  # fmt: skip
    if (folder / "submissions" / f"{name}.json").exists():
        raise DataError(
            f"{name!r} has been submitted already", where="name", remedy="Choose another name"
        )
    score = read_entry(source, competition.test_rows)
    opened = _open(folder, competition, "public")
    p = score.loc[opened.rows].to_numpy(float)
    interval = bootstrap_intervals(opened.y, p, metrics=[METRIC])[METRIC]
    earlier = {entry.name: _predictions(folder, entry) for entry in entries(folder)}
    found = suspicions(
        opened.y, p, score, earlier, {n: s.loc[opened.rows].to_numpy() for n, s in earlier.items()},
        baseline=competition.baseline_auc,
    )  # fmt: skip
    return _record(folder, name, score, interval, found)


def submit_models(folder: Path, split: Split, models: Mapping[str, CreditModel]) -> list[Entry]:
    """Enter models that were trained on the split the competition was made from.

    Raises:
        DataError: It was made from other data, or as `submit` says.
    """
    competition = read_competition(folder)
    if competition.fingerprint != split.checked.loaded.fingerprint:
        raise DataError("the competition was made from other data", where=str(folder))
    _, payload = unseal(folder, competition.id, "order", competition.commitments["order"])
    order = np.array(orjson.loads(payload))
    test = split.checked.frame.iloc[order]
    ids = np.arange(1, len(order) + 1)
    return [
        submit(folder, pd.DataFrame({ID: ids, PREDICTION: model.pd(test)}), name)
        for name, model in models.items()
    ]


def entries(folder: Path) -> list[Entry]:
    """Every recorded submission, in the order of arrival."""
    found = [
        Entry.model_validate_json(path.read_bytes())
        for path in (folder / "submissions").glob("*.json")
    ]
    return sorted(found, key=lambda entry: (entry.submitted, entry.name))


def board(folder: Path) -> pd.DataFrame:
    """The leaderboard: on the public part while the competition is open, then the final one."""
    read_competition(folder)
    final = folder / "final.json"
    if final.exists():
        return pd.DataFrame(orjson.loads(final.read_bytes())["leaderboard"])
    rows = [
        {
            "model": e.name, "public": e.public, "low": e.low, "high": e.high, "n": e.n,
            "submitted": e.submitted, "suspicions": "; ".join(e.suspicions),
        }
        for e in entries(folder)
    ]  # fmt: skip
    columns = ["model", "public", "low", "high", "n", "submitted", "suspicions"]
    table = pd.DataFrame(rows, columns=columns).sort_values("public", ascending=False)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table.reset_index(drop=True)


def close_competition(folder: Path) -> pd.DataFrame:
    """Open the private part, once, and rank everyone on it with intervals and paired tests.

    Writes final.json, with the salt that lets anyone check the commitment, and private_labels.csv.
    The key is then thrown away. A kill before final.json leaves the competition open.

    Raises:
        DataError: Closed already, nothing was submitted, or something was changed.
    """
    competition = read_competition(folder)
    final = folder / "final.json"
    if final.exists():
        forget_key(competition.id, "private")  # a kill may have come between the two
        raise DataError(
            "the private part was opened already", where=str(final),
            remedy="See the result with: casekit compete board",
        )  # fmt: skip
    entered = entries(folder)
    if not entered:
        raise DataError("nobody has submitted anything", where=str(folder), remedy="Submit first")
    opened = _open(folder, competition, "private")
    scores = {e.name: _predictions(folder, e).loc[opened.rows].to_numpy() for e in entered}
    table = leaderboard(opened.y, scores, metric=METRIC)
    public = {e.name: e for e in entered}
    table["public"] = [public[name].public for name in table["model"]]
    table["public_rank"] = table["public"].rank(ascending=False, method="min").astype(int)
    table["suspicions"] = ["; ".join(public[name].suspicions) for name in table["model"]]
    labels = pd.DataFrame({ID: opened.rows, "target": opened.y})
    _write_csv(folder / "private_labels.csv", labels)
    record = {"closed": _now(), "n": len(opened.y), "salt": opened.salt,
              "leaderboard": table.to_dict("records")}  # fmt: skip
    write_atomically(final, orjson.dumps(record, option=orjson.OPT_INDENT_2))
    forget_key(competition.id, "private")
    return table


def _open(folder: Path, competition: Competition, part: str) -> Opened:
    salt, payload = unseal(folder, competition.id, part, competition.commitments[part])
    solution = pd.read_csv(io.BytesIO(payload))
    return Opened(pd.Index(solution[ID], name=ID), solution["target"].to_numpy(int), salt.hex())


def _record(
    folder: Path, name: str, score: pd.Series, interval: Interval, found: tuple[str, ...]
) -> Entry:
    """Store the predictions, then the entry that counts."""
    place = folder / "submissions" / f"{name}.csv"
    _write_csv(place, score.rename(PREDICTION).rename_axis(ID).reset_index())
    entry = Entry(
        name=name, submitted=_now(), sha256=hashlib.sha256(place.read_bytes()).hexdigest(),
        public=interval.value, low=interval.low, high=interval.high, n=interval.n,
        suspicions=found,
    )  # fmt: skip
    _write_json(place.with_suffix(".json"), entry)
    return entry


def _predictions(folder: Path, entry: Entry) -> pd.Series:
    """Stored predictions by row identifier, refused if they changed since they were scored."""
    place = folder / "submissions" / f"{entry.name}.csv"
    content = place.read_bytes() if place.is_file() else b""
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise DataError(
            "stored predictions were changed after they were scored", where=str(place),
            remedy="Restore the file, or remove the entry's .csv and .json",
        )  # fmt: skip
    return pd.read_csv(io.BytesIO(content)).set_index(ID)[PREDICTION]


def _baseline(split: Split) -> float:
    """AUC of plain boosted trees on the public part: what no honest entry beats by miles."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    checked = split.checked
    matrix = pd.DataFrame(index=checked.frame.index)
    for name in checked.roles.features:
        values = checked.frame[name]
        number = pd.api.types.is_numeric_dtype(values.dtype)
        matrix[name] = values.astype(float) if number else pd.factorize(values)[0].astype(float)
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=8, learning_rate=0.1, random_state=0
    )
    model.fit(matrix.iloc[split.train], checked.target[split.train])
    score = model.predict_proba(matrix.iloc[split.public])[:, 1]
    return float(roc_auc_score(checked.target[split.public], score))


def _train_y(split: Split) -> np.ndarray:
    return split.checked.target[split.train]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    write_atomically(path, frame.to_csv(index=False).encode())


def _write_json(path: Path, value: Any) -> None:
    payload = value.model_dump(mode="json")
    write_atomically(path, orjson.dumps(payload, option=orjson.OPT_INDENT_2))
