"""Opens the sealed part of the book once, and says what every entrant is worth there.

`evaluate` returns all metrics as measurements and these tables, by name:

- leaderboard: rank (by private AUC), model, champion, roc_auc with low and high (private),
  difference to the best with p_value and within_noise, public and public_rank, oof, seconds
- metrics: model, split, metric, value, low, high, n, baseline, baseline_model
- calibration: model, bin, n, predicted, observed, low, high (champion and scorecard, test part)
- uncertainty: what, value, low, high, target, note: coverage of PD intervals and label sets,
  width of Venn-Abers intervals, and the ECE that noise alone would show
- slices, fairness, fairness_bands, alternatives: see `slices` and `fairness`; empty without
  protected columns (all but slices)
- stability, time_gap: see `stability`; time_gap is empty without a time column
- drift: features of the test part against the training part, see `core.monitoring.drift`
- and those of `decide.gather`: assumptions, cutoffs, profit_curve, expected_loss, loss,
  loss_curve, staging, stress, pricing, warnings

Numbers of the test part are public and private rows together. Cut-offs come from out-of-fold
scores of the training part, never from the test part.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.deployment.results import Measurement, Split
from core.evaluation.bootstrap import Interval, bootstrap_intervals, wilson
from core.evaluation.calibration import fit_venn_abers
from core.evaluation.conformal import interval_coverage, label_set_coverage
from core.evaluation.leaderboard import leaderboard
from core.evaluation.metrics import Groups, ece_of_noise, measure
from core.monitoring.drift import drift_table
from verticals.finance.decide import Assumptions, decision_tables, read_assumptions
from verticals.finance.decide.gather import held_out_book, past_book
from verticals.finance.fairness import alternatives_table, band_table, fairness_table
from verticals.finance.scoring import SINGLE, Scores, score_entrants
from verticals.finance.slices import bands, slice_table
from verticals.finance.stability import stability_table, time_gap_table
from verticals.finance.stages import Evaluated, Fitted

CURVE_BINS = 10
MOST_SLICED = 6  # most informative columns that are sliced, beside the protected ones


def evaluate(fitted: Fitted, assumptions: Assumptions | None = None) -> Evaluated:
    """Judge every entrant on the held-out rows, and decide with the champion.

    Args:
        fitted: The end of the competition.
        assumptions: What data cannot tell; by default the shipped ones.

    Raises:
        DataError: The held-out rows hold one outcome only.
    """
    assumptions = assumptions or read_assumptions()
    split, champion = fitted.split, fitted.champion_name
    checked, seed = split.checked, split.checked.loaded.parameters.seed
    test, frame = split.test, checked.frame.iloc[split.test]
    y = checked.target[test]
    scores = score_entrants(fitted, frame)
    coverage = _coverage(fitted, y, scores.pd[champion])
    ranked = _leaderboard(fitted, scores)
    gap = time_gap_table(checked, seed=seed)
    measurements = _measurements(fitted, scores)
    decisions = decision_tables(
        past_book(fitted, assumptions), held_out_book(fitted, scores.pd[champion], assumptions),
        assumptions, seed=seed,
    )  # fmt: skip
    cutoff = float(decisions["cutoffs"].set_index("rule").loc["profit", "cutoff"])
    features = list(checked.roles.features)
    tables = {
        "leaderboard": ranked,
        "metrics": _metric_table(measurements),
        "calibration": pd.concat(
            [_curve(name, y, scores.pd[name]) for name in dict.fromkeys([champion, "scorecard"])],
            ignore_index=True,
        ),
        "uncertainty": _uncertainty(fitted, y, scores, coverage),
        "slices": slice_table(y, scores.pd[champion], _sliced(fitted)),
        **_fairness(fitted, y, scores, cutoff),
        "stability": stability_table(fitted, scores.log_odds[champion]),
        "time_gap": gap,
        "drift": drift_table(checked.frame.iloc[split.train][features], frame[features]),
        **decisions,
    }
    measurements += _more_measurements(fitted, coverage, gap)
    return Evaluated(fitted, tuple(measurements), ranked, tables)


def _parts(fitted: Fitted) -> dict[Split, np.ndarray]:
    """Positions among the test rows of each part that holds both outcomes."""
    split = fitted.split
    test = split.test
    parts: dict[Split, np.ndarray] = {
        "test": np.arange(len(test)),
        "private": np.flatnonzero(np.isin(test, split.private)),
        "public": np.flatnonzero(np.isin(test, split.public)),
    }
    y = split.checked.target[test]
    return {name: at for name, at in parts.items() if len(np.unique(y[at])) == 2}


def _measurements(fitted: Fitted, scores: Scores) -> list[Measurement]:
    """Every metric of every model on the test part, of the main ones on private and public too.

    The baseline is the scorecard; the scorecard's own is its single most informative column.
    """
    y = fitted.split.checked.target[fitted.split.test]
    seed = fitted.split.checked.loaded.parameters.seed
    main = list(dict.fromkeys([fitted.champion_name, "scorecard", SINGLE]))
    found = []
    for split, at in _parts(fitted).items():
        names = list(scores.pd) if split == "test" else main
        intervals = {n: bootstrap_intervals(y[at], scores.pd[n][at], seed=seed) for n in names}
        for name in names:
            against = {"scorecard": SINGLE, SINGLE: None}.get(name, "scorecard")
            for metric, i in intervals[name].items():
                base = intervals[against][metric].value if against else None
                found.append(_measurement(metric, i, split, name, baseline=(base, against)))
    return found


def _measurement(
    metric: str, i: Interval, split: Split, model: str,
    *, baseline: tuple[float | None, str | None] = (None, None),
) -> Measurement:  # fmt: skip
    return Measurement(
        metric=metric, value=i.value, low=i.low, high=i.high, n=i.n, split=split, model=model,
        baseline=baseline[0], baseline_model=baseline[1],
    )  # fmt: skip


def _more_measurements(fitted: Fitted, coverage: Interval, gap: pd.DataFrame) -> list[Measurement]:
    name = fitted.champion_name
    level = fitted.champion.pd_interval.level
    found = [
        _measurement(
            "pd_interval_coverage", coverage, "test", name, baseline=(level, "nominal level")
        )
    ]
    if len(gap):
        row = gap.set_index("split").loc["gap"]
        value = Interval(
            float(row["roc_auc"]), float(row["low"]), float(row["high"]), int(row["test_rows"])
        )
        found.append(_measurement("random_minus_time_roc_auc", value, "time", "plain trees"))
    return found


def _metric_table(measurements: list[Measurement]) -> pd.DataFrame:
    columns = ["model", "split", "metric", "value", "low", "high", "n"]
    columns += ["baseline", "baseline_model"]
    return pd.DataFrame([m.model_dump() for m in measurements])[columns]


def _leaderboard(fitted: Fitted, scores: Scores) -> pd.DataFrame:
    """Private ranks with intervals and paired tests, beside public and out-of-fold ones."""
    parts, checked = _parts(fitted), fitted.split.checked
    y = checked.target[fitted.split.test]
    private = parts.get("private", parts["test"])
    entered = {name: score for name, score in scores.log_odds.items() if name != SINGLE}
    table = leaderboard(
        y[private], {n: s[private] for n, s in entered.items()},
        seed=checked.loaded.parameters.seed,
    )  # fmt: skip
    public = parts.get("public", parts["test"])
    seen = {n: measure("roc_auc", y[public], s[public]) for n, s in entered.items()}
    table["public"] = table["model"].map(seen)
    table["public_rank"] = table["public"].rank(ascending=False, method="min").astype(int)
    table["oof"] = table["model"].map({n: _oof_auc(fitted, n) for n in fitted.oof.columns})
    table["seconds"] = table["model"].map(fitted.seconds)
    table.insert(2, "champion", table["model"] == fitted.champion_name)
    return table


def _oof_auc(fitted: Fitted, name: str) -> float:
    score = fitted.oof[name].to_numpy(float)
    known = ~np.isnan(score)
    return measure("roc_auc", fitted.split.checked.target[fitted.split.train[known]], score[known])


def _curve(name: str, y: np.ndarray, p: np.ndarray) -> pd.DataFrame:
    """Predicted and observed rate by equal-mass bin, with Wilson intervals."""
    groups = Groups.of(y, p, bins=CURVE_BINS)
    bad, good = (count[0] for count in groups.counts())
    size = np.bincount(groups.bin, bad + good)
    used = size > 0
    predicted = np.bincount(groups.bin, (bad + good) * groups.score)[used] / size[used]
    observed = np.bincount(groups.bin, bad)[used] / size[used]
    ends = [wilson(o, int(n)) for o, n in zip(observed, size[used], strict=True)]
    return pd.DataFrame(
        {
            "model": name, "bin": np.arange(1, used.sum() + 1), "n": size[used].astype(int),
            "predicted": predicted, "observed": observed,
            "low": [low for low, _ in ends], "high": [high for _, high in ends],
        }
    )  # fmt: skip


def _coverage(fitted: Fitted, y: np.ndarray, p: np.ndarray) -> Interval:
    low, high = fitted.champion.interval_of(p).T
    seed = fitted.split.checked.loaded.parameters.seed
    return interval_coverage(p, y, low, high, batch=fitted.champion.pd_interval.batch, seed=seed)


def _uncertainty(fitted: Fitted, y: np.ndarray, scores: Scores, coverage: Interval) -> pd.DataFrame:
    """How well the champion knows what it does not know."""
    model, name = fitted.champion, fitted.champion_name
    oof = fitted.oof[name].to_numpy(float)
    known = ~np.isnan(oof)
    y_oof = fitted.split.checked.target[fitted.split.train[known]]
    p, p_oof = scores.pd[name], model.calibrate(oof[known])
    sets = label_set_coverage(p_oof, y_oof, p, y, level=model.pd_interval.level)
    venn = fit_venn_abers(oof[known], y_oof)
    ends = venn.interval(scores.log_odds[name])
    width = model.interval_of(p)
    batch, level = model.pd_interval.batch, model.pd_interval.level
    rows = [
        ("PD interval: coverage", coverage.value, coverage.low, coverage.high, level,
         f"default rate of {batch} applicants of like PD inside the interval"),
        ("PD interval: mean width", float((width[:, 1] - width[:, 0]).mean()), *_BLANK, ""),
    ]  # fmt: skip
    for label, count in (("good", int((y == 0).sum())), ("bad", int(y.sum()))):
        value = sets[f"coverage_{label}"]
        note = f"sets of {label} applicants that hold the truth, class-conditional conformal"
        rows.append((f"label set: coverage of {label}", value, *wilson(value, count), level, note))
    rows += [
        ("label set: says both", sets["both"], *_BLANK, "applicants the model cannot place"),
        ("Venn-Abers: mean width", float((ends[:, 1] - ends[:, 0]).mean()), *_BLANK,
         "distance of the two probabilities, one of which is calibrated"),
        ("Venn-Abers: log-loss", measure("log_loss", y, venn.transform(scores.log_odds[name])),
         *_BLANK, "of the single probability that the two make"),
        ("ECE", measure("ece", y, p), *_BLANK[:2], ece_of_noise(p),
         "target: what a perfectly calibrated model would show on so few rows"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["what", "value", "low", "high", "target", "note"])


_BLANK = (np.nan, np.nan, np.nan)


def _sliced(fitted: Fitted) -> dict[str, pd.Series]:
    """Groups of test rows by protected column and by the scorecard's most informative ones."""
    by_value = sorted(
        fitted.scorecard.characteristics, key=lambda c: c.information_value, reverse=True
    )
    names = [*fitted.split.checked.roles.protected, *(c.name for c in by_value[:MOST_SLICED])]
    return _groups(fitted, list(dict.fromkeys(names)))


def _groups(fitted: Fitted, names: list[str]) -> dict[str, pd.Series]:
    split, frame = fitted.split, fitted.split.checked.frame
    return {
        name: bands(frame[name].iloc[split.test], frame[name].iloc[split.train])
        for name in names
        if name in frame and frame[name].iloc[split.train].notna().any()
    }


def _fairness(
    fitted: Fitted, y: np.ndarray, scores: Scores, cutoff: float
) -> dict[str, pd.DataFrame]:
    groups = _groups(fitted, list(fitted.split.checked.roles.protected))
    names = ("fairness", "fairness_bands", "alternatives")
    if not groups:
        return {name: pd.DataFrame() for name in names}
    champion = fitted.champion_name
    p = scores.pd[champion]
    entered = {name: score for name, score in scores.log_odds.items() if name != SINGLE}
    return {
        "fairness": fairness_table(y, p, groups, cutoff=cutoff),
        "fairness_bands": band_table(p, groups),
        "alternatives": alternatives_table(
            y, entered, groups, champion=champion, approved=float((p < cutoff).mean()),
            seed=fitted.split.checked.loaded.parameters.seed,
        ),
    }  # fmt: skip
