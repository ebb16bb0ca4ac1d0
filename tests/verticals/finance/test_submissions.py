"""The local competition: what it gives away, what it takes in, and what it opens once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from core.errors import DataError
from verticals.finance import submissions
from verticals.finance.data import check, load, split
from verticals.finance.parameters import CreditParameters
from verticals.finance.seal import key_path
from verticals.finance.stages import Split
from verticals.finance.submissions import (
    board,
    close_competition,
    entries,
    open_competition,
    read_competition,
    submit,
    submit_models,
)

ROWS = 1500


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Split:
    """A book whose outcome follows from two of its columns and luck."""
    rng = np.random.default_rng(1)
    income, debt = rng.normal(50, 10, ROWS), rng.normal(20, 6, ROWS)
    bad = rng.random(ROWS) < 1 / (1 + np.exp(0.12 * (income - 45) - 0.2 * (debt - 15)))
    purpose = rng.choice(["car", "home", "other"], ROWS)
    book = pd.DataFrame({"income": income.round(3), "debt": debt.round(3), "purpose": purpose,
                         "bad": bad.astype(int)})  # fmt: skip
    path = tmp_path_factory.mktemp("book") / "loans.csv"
    book.to_csv(path, index=False)
    return split(check(load(CreditParameters(data=str(path), target="bad"))))


@pytest.fixture
def contest(parts: Split, tmp_path: Path) -> Path:
    """An open competition."""
    open_competition(tmp_path / "contest", parts)
    return tmp_path / "contest"


def honest(contest: Path, columns: tuple[str, ...] = ("income", "debt")) -> pd.DataFrame:
    """What anyone can do with the files that are handed out."""
    train, test = pd.read_csv(contest / "train.csv"), pd.read_csv(contest / "test.csv")
    names = list(columns)
    model = LogisticRegression(max_iter=500).fit(train[names], train["bad"])
    p = model.predict_proba(test[names])[:, 1]
    return pd.DataFrame({"row_id": test["row_id"], "prediction": p})


def truth(parts: Split, contest: Path) -> pd.Series:
    """Outcomes by row_id, found by looking test rows up in the book: what nobody has."""
    names = ["income", "debt", "purpose"]
    known = parts.checked.frame.assign(y=parts.checked.target)[[*names, "y"]]
    test = pd.read_csv(contest / "test.csv")
    return test.merge(known, on=names, how="left").set_index("row_id")["y"]


def test_the_folder_gives_no_outcome_away(parts: Split, contest: Path) -> None:
    test = pd.read_csv(contest / "test.csv")
    assert len(test) == len(parts.test)
    assert list(test) == ["row_id", "income", "debt", "purpose"]
    order = test["income"].tolist()
    assert order != parts.checked.frame["income"].iloc[parts.test].tolist(), "rows are shuffled"
    y = truth(parts, contest)
    everything = b"".join(p.read_bytes() for p in contest.glob("*.sealed"))
    assert f"1,{y.loc[1]}\n".encode() not in everything
    files = {p.name for p in contest.iterdir() if p.is_file()}
    assert files == {"train.csv", "test.csv", "sample_submission.csv", "competition.json",
                     "public.sealed", "private.sealed", "order.sealed"}  # fmt: skip
    keys = [key_path(read_competition(contest).id, part) for part in ("public", "private")]
    assert all(contest not in key.parents and key.stat().st_mode & 0o077 == 0 for key in keys)


def test_the_sample_can_be_submitted(contest: Path) -> None:
    entry = submit(contest, contest / "sample_submission.csv", "sample")
    assert entry.public == 0.5


def test_an_entry_is_scored_on_the_public_part_only(parts: Split, contest: Path) -> None:
    entry, mine = submit(contest, honest(contest), "logit"), honest(contest).set_index("row_id")
    assert entry.n == len(parts.public)
    assert entry.low < entry.public < entry.high
    frame = parts.checked.frame.assign(y=parts.checked.target)
    public = set(frame["income"].iloc[parts.public])
    test = pd.read_csv(contest / "test.csv").set_index("row_id")
    rows = test.index[test["income"].isin(public)]
    y = truth(parts, contest)
    expected = roc_auc_score(y.loc[rows], mine.loc[rows, "prediction"])
    assert entry.public == pytest.approx(expected, abs=1e-12)
    assert entry.suspicions == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.rename(columns={"prediction": "score"}), "column 'prediction' is missing"),
        (lambda f: f.assign(prediction=f["prediction"].where(f.index != 3)), r"empty.*row 4"),
        (lambda f: f.assign(prediction=f["prediction"] * 100), "outside 0 to 1.*column 'predict"),
        (lambda f: f.assign(prediction=f["prediction"].where(f.index != 5, np.inf)), "row 6"),
        (lambda f: f.assign(prediction="high"), "'high' is no number.*row 1"),
        (lambda f: f.assign(row_id=f["row_id"].where(f.index != 2, f["row_id"][1])), "twice"),
        (lambda f: f.assign(row_id=f["row_id"] + 1), "not a row of test.csv"),
        (lambda f: f.assign(row_id=f["row_id"] + 0.5), r"not a row of test.csv.*row 1"),
        (lambda f: f.iloc[3:], "3 rows of test.csv have no prediction, first row_id"),
        (lambda f: f.iloc[:0], "no prediction|empty|no rows"),
    ],
)
def test_a_wrong_file_is_refused_with_row_and_column(
    contest: Path, tmp_path: Path, change: object, message: str
) -> None:
    place = tmp_path / "mine.csv"
    change(honest(contest)).to_csv(place, index=False)  # type: ignore[operator]
    with pytest.raises(DataError, match=message) as caught:
        submit(contest, place, "wrong")
    assert "mine.csv" in str(caught.value)
    assert entries(contest) == []


def test_leaked_outcomes_are_refused_or_shown(parts: Split, contest: Path) -> None:
    mine, y = honest(contest), truth(parts, contest)
    with pytest.raises(DataError, match="equal the hidden outcomes"):
        submit(contest, mine.assign(prediction=y.loc[mine["row_id"]].to_numpy(float)), "thief")
    known = y.loc[mine["row_id"]].to_numpy(float) * 0.5 + mine["prediction"] * 0.4
    with pytest.raises(DataError, match="rank them perfectly"):
        submit(contest, mine.assign(prediction=known), "masked")
    some = np.random.default_rng(0).random(len(mine)) < 0.8
    mixed = np.where(some, y.loc[mine["row_id"]].to_numpy(float), mine["prediction"])
    entry = submit(contest, mine.assign(prediction=mixed), "clever")
    assert any("too good" in s for s in entry.suspicions)
    after = submit(contest, mine, "honest")
    assert after.suspicions == ()


def test_a_second_thief_is_not_covered_by_the_first(parts: Split, contest: Path) -> None:
    mine, y = honest(contest), truth(parts, contest)
    for name, seed in (("one", 0), ("two", 1)):
        some = np.random.default_rng(seed).random(len(mine)) < 0.8
        mixed = np.where(some, y.loc[mine["row_id"]].to_numpy(float), mine["prediction"])
        entry = submit(contest, mine.assign(prediction=mixed), name)
        assert any("too good" in s for s in entry.suspicions)


def test_the_same_again_is_found(contest: Path) -> None:
    mine = honest(contest)
    submit(contest, mine, "first")
    with pytest.raises(DataError, match="'first' has been submitted already"):
        submit(contest, mine.assign(prediction=0.5), "first")
    with pytest.raises(DataError, match="predictions of 'first' again"):
        submit(contest, mine.iloc[::-1], "reversed")
    twin = submit(contest, mine.assign(prediction=mine["prediction"] ** 2), "squared")
    assert any("duplicate of first" in s for s in twin.suspicions)
    other = submit(contest, honest(contest, ("debt",)), "other")
    assert other.suspicions == ()


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "x" * 61])
def test_a_name_stays_a_name(contest: Path, name: str) -> None:
    with pytest.raises(DataError, match="is no name"):
        submit(contest, honest(contest), name)


def test_the_private_part_opens_once(parts: Split, contest: Path) -> None:
    submit(contest, honest(contest), "logit")
    submit(contest, honest(contest, ("debt",)), "debt")
    seen = board(contest)
    assert list(seen["model"]) == ["logit", "debt"]
    table = close_competition(contest)
    y, p = truth(parts, contest), honest(contest).set_index("row_id")["prediction"]
    labels = pd.read_csv(contest / "private_labels.csv").set_index("row_id")["target"]
    assert len(labels) == len(parts.private)
    assert (labels == y.loc[labels.index]).all()
    expected = roc_auc_score(labels, p.loc[labels.index])
    assert table.set_index("model").loc["logit", "roc_auc"] == pytest.approx(expected, abs=1e-12)
    assert {"low", "high", "p_value", "public", "public_rank"} <= set(table)
    with pytest.raises(DataError, match="opened already"):
        close_competition(contest)
    with pytest.raises(DataError, match="is closed"):
        submit(contest, honest(contest, ("income",)), "late")
    pd.testing.assert_frame_equal(board(contest), table, check_dtype=False)
    (contest / "final.json").unlink()
    with pytest.raises(DataError, match="key of the private labels is not here"):
        close_competition(contest)


def test_anyone_can_check_the_promise_afterwards(contest: Path) -> None:
    submit(contest, honest(contest), "logit")
    promised = read_competition(contest).commitments["private"]
    close_competition(contest)
    salt = bytes.fromhex(json.loads((contest / "final.json").read_text())["salt"])
    labels = (contest / "private_labels.csv").read_bytes()
    assert hashlib.sha256(salt + labels).hexdigest() == promised


def test_what_was_changed_is_refused(contest: Path) -> None:
    submit(contest, honest(contest), "logit")
    stored = contest / "submissions" / "logit.csv"
    good = stored.read_bytes()
    stored.write_bytes(good.replace(b"0.", b"0.1", 1))
    with pytest.raises(DataError, match="changed after they were scored"):
        close_competition(contest)
    stored.write_bytes(good)
    sealed = contest / "private.sealed"
    content = bytearray(sealed.read_bytes())
    sealed.write_bytes((contest / "public.sealed").read_bytes())
    with pytest.raises(DataError, match="sealed labels were changed"):
        close_competition(contest)
    content[50] ^= 1
    sealed.write_bytes(bytes(content))
    with pytest.raises(DataError, match="sealed labels were changed"):
        close_competition(contest)
    content[50] ^= 1
    sealed.write_bytes(bytes(content))
    assert len(close_competition(contest)) == 1


def test_a_kill_while_closing_leaves_it_open(
    contest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(contest, honest(contest), "logit")
    write = submissions.write_atomically

    def killed(path: Path, content: bytes) -> None:
        if path.name == "final.json":
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(submissions, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            close_competition(contest)
    assert len(close_competition(contest)) == 1


def test_our_own_models_enter_like_anyone_else(parts: Split, contest: Path) -> None:
    class Model:
        def pd(self, frame: pd.DataFrame) -> np.ndarray:
            score = 0.12 * (frame["income"] - 45) - 0.2 * (frame["debt"] - 15)
            return (1 / (1 + np.exp(score))).to_numpy()

    (entry,) = submit_models(contest, parts, {"ours": Model()})  # type: ignore[dict-item]
    frame, y = parts.checked.frame.iloc[parts.public], parts.checked.target[parts.public]
    assert entry.public == pytest.approx(roc_auc_score(y, Model().pd(frame)), abs=1e-9)


def test_a_competition_needs_a_folder_of_its_own(parts: Split, contest: Path) -> None:
    with pytest.raises(DataError, match="not empty"):
        open_competition(contest, parts)
    with pytest.raises(DataError, match="no competition here"):
        board(contest.parent)
