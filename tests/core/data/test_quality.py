"""Faults that were put into clean tables are found, and clean tables stay without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import TargetEncoder

from core.data.leaks import column_aucs
from core.data.quality import Finding, profile, quality_findings
from core.data.schema import apply_schema, infer_schema
from core.data.sources import read_table


@pytest.fixture
def book() -> tuple[pd.DataFrame, np.ndarray]:
    """2,000 loans: two honest columns of AUC 0.6 to 0.8, one of noise."""
    rng = np.random.default_rng(7)
    n = 2000
    risk = rng.normal(size=n)
    target = (risk + rng.normal(size=n) > 1.2).astype(np.int8)
    frame = pd.DataFrame(
        {
            "income": np.exp(-risk + rng.normal(0, 1, n)),
            "grade": pd.Series(list("ABCDE"))[np.clip((risk * 1.2 + 2.5).astype(int), 0, 4)].array,
            "noise": rng.normal(size=n),
        }
    )
    return frame, target


def kinds(findings: tuple[Finding, ...], kind: str) -> set[str]:
    return {f.column for f in findings if f.kind == kind}


def test_a_clean_table_has_nothing_grave(book: tuple[pd.DataFrame, np.ndarray]) -> None:
    assert {f.severity for f in quality_findings(*book)} <= {"info"}


def test_leaks_of_every_kind_are_found(book: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, target = book
    rng = np.random.default_rng(1)
    bad = target == 1
    leaking = frame.assign(
        copy=np.where(bad, "charged off", "paid"),
        scaled=target * 3.0 + rng.normal(0, 0.1, len(target)),
        recovered=np.where(
            bad & (rng.random(len(target)) < 0.5), rng.gamma(2, 100, len(target)), 0
        ),
        collector=np.where(bad & (rng.random(len(target)) < 0.9), 1.0, np.nan),
        paid_off=np.where(~bad & (rng.random(len(target)) < 0.7), 2020.0, np.nan),
        almost=np.where(rng.random(len(target)) < 0.97, target, 1 - target).astype(float),
        closed=pd.Series(pd.to_datetime("2020-01-01")).repeat(len(target)).where(bad).array,
    )
    found = quality_findings(leaking, target)
    assert kinds(found, "leak") == set(leaking) - set(frame)
    assert all(f.severity == "error" and "keep" in f.remedy for f in found if f.kind == "leak")


def test_strong_honest_columns_are_no_leaks(shared_finance: Path) -> None:
    for name in ("german_credit", "taiwan_default", "lending_club_2016q1"):
        frame = read_table(shared_finance / f"{name}.csv.gz")
        target = frame.pop("target").to_numpy()
        typed = apply_schema(frame, infer_schema(frame))
        assert not any(leak.why for leak in column_aucs(typed, target))


def test_column_auc_agrees_with_scikit_learns_target_encoder(
    book: tuple[pd.DataFrame, np.ndarray],
) -> None:
    frame, target = book
    ours = {leak.column: leak.auc for leak in column_aucs(frame, target)}

    class Encoded(TargetEncoder):
        def predict(self, X):  # type: ignore[no-untyped-def]
            return self.transform(X)[:, 0]

    for name in ("grade",):
        scores = cross_val_predict(Encoded(target_type="binary"), frame[[name]], target, cv=5)
        assert ours[name] == pytest.approx(roc_auc_score(target, scores), abs=0.02)
    assert ours["noise"] == pytest.approx(0.5, abs=0.05)
    assert ours["income"] == pytest.approx(roc_auc_score(target, -frame["income"]), abs=0.04)


def test_duplicates_conflicts_and_near_duplicates(
    book: tuple[pd.DataFrame, np.ndarray],
) -> None:
    frame, target = book
    again = pd.concat([frame, frame.iloc[:30], frame.iloc[100:110]], ignore_index=True)
    again.loc[len(frame) + 30 :, ["income", "noise"]] *= 1 + 1e-9
    again["other"] = np.arange(len(again)) // 10_000 + 0.5
    outcome = np.concatenate([target, target[:30], target[100:110]])
    outcome[len(frame)] = 1 - outcome[0]
    found = {f.kind: f for f in quality_findings(again, outcome)}
    assert found["duplicates"].detail.startswith("29 rows")
    assert found["duplicates"].rows[0] == len(frame) + 1
    assert found["conflicts"].detail.startswith("1 groups")
    assert found["near-duplicates"].detail.startswith("10 rows")


def test_missing_constant_outliers(book: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, target = book
    frame = frame.assign(one="x", half=np.where(np.arange(2000) % 4 == 0, 1.0, np.nan))
    frame.loc[5, "noise"] = 1e6
    found = quality_findings(frame, target)
    assert kinds(found, "constant") == {"one"}
    assert kinds(found, "outliers") >= {"noise"}
    assert next(f for f in found if f.column == "noise").rows == (5,)
    half = next(f for f in found if f.column == "half" and f.kind == "missing")
    assert (half.severity, "1500 cells" in half.detail) == ("warning", True)


def test_drift_compares_the_last_part_with_the_first(
    book: tuple[pd.DataFrame, np.ndarray],
) -> None:
    pytest.importorskip("core.monitoring.drift")
    frame, target = book
    when = pd.Series(pd.date_range("2020-01-01", periods=2000))
    moved = frame.assign(noise=frame["noise"] + np.where(np.arange(2000) > 1400, 3, 0))
    found = quality_findings(moved, target, time=when)
    assert kinds(found, "drift") == {"noise"}


def test_profile_has_a_row_a_column(book: tuple[pd.DataFrame, np.ndarray]) -> None:
    table = profile(book[0]).set_index("column")
    assert list(table.index) == ["income", "grade", "noise"]
    assert table.loc["income", "median"] == book[0]["income"].median()
    assert table.loc["grade", "its share"] == pytest.approx(
        book[0]["grade"].value_counts(normalize=True).iloc[0]
    )
