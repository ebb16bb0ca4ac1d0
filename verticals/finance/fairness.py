"""Fairness of a cut-off: who is approved, who is wrongly declined, and could it be fairer.

Rates come from fairlearn's MetricFrame, with Wilson intervals. The four-fifths rule (US Uniform
Guidelines on Employee Selection, 1978, 29 CFR 1607.4 D) compares each group's approval rate with
the highest one; it is applied to groups large enough to say something.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.evaluation.bootstrap import delong, two_sided, wilson
from verticals.finance.slices import FEWEST, FEWEST_CASES, group_names

FOUR_FIFTHS = 0.8
NOISE = 0.05  # p-value above which a lower AUC counts as noise
SHARES = (0.2, 0.4, 0.6, 0.8)  # of all applicants approved, at the edges of the score bands


def fairness_table(
    y: np.ndarray, pd_: np.ndarray, groups: Mapping[str, pd.Series], *, cutoff: float
) -> pd.DataFrame:
    """Approvals and errors by protected group.

    Args:
        y: (n,) 1 where the loan went bad.
        pd_: (n,) probabilities.
        groups: Group names (n,) by protected column.
        cutoff: Approved below it.

    Returns:
        column, group, n, approval_rate with _low and _high, ratio to the highest group with its
        ratio_p_value (of equal rates), good_approved (equal opportunity: the true positive rate)
        and bad_approved (false positive rate) with their ends, mean_pd, bad_rate with its ends,
        calibrated (mean_pd inside them), and verdict: highest, meets, below, or "too few".
    """
    frames = [_by_group(y, pd_, name, column, cutoff) for name, column in groups.items()]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _by_group(
    y: np.ndarray, pd_: np.ndarray, name: str, groups: pd.Series, cutoff: float
) -> pd.DataFrame:
    from fairlearn.metrics import (
        MetricFrame,
        count,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )  # fmt: skip

    good, approved = (np.asarray(y) == 0).astype(int), (pd_ < cutoff).astype(int)
    found = MetricFrame(
        metrics={
            "n": count, "approval_rate": selection_rate, "good_approved": true_positive_rate,
            "bad_approved": false_positive_rate,
        },
        y_true=good, y_pred=approved, sensitive_features=groups.astype(str).to_numpy(),
    ).by_group  # fmt: skip
    lines = pd.DataFrame({"group": groups.astype(str).to_numpy(), "pd": pd_, "bad": y})
    means = lines.groupby("group").agg(mean_pd=("pd", "mean"), bads=("bad", "sum"))
    table = found.join(means).loc[group_names(groups)].rename_axis("group").reset_index()
    table["n"] = table["n"].astype(int)
    table["bad_rate"] = table["bads"] / table["n"]
    goods = table["n"] - table["bads"]
    for rate, sizes in (
        ("approval_rate", table["n"]), ("good_approved", goods), ("bad_approved", table["bads"]),
        ("bad_rate", table["n"]),
    ):  # fmt: skip
        # A rate over no case is unknown, where fairlearn says zero.
        table[rate] = table[rate].astype(float).where(sizes > 0)
        ends = [
            wilson(r, int(n)) if n else (0.0, 1.0) for r, n in zip(table[rate], sizes, strict=True)
        ]
        table[f"{rate}_low"], table[f"{rate}_high"] = zip(*ends, strict=True)
    table["calibrated"] = table["mean_pd"].between(table["bad_rate_low"], table["bad_rate_high"])
    table.insert(0, "column", name)
    enough = (table["n"] >= FEWEST) & (np.minimum(goods, table["bads"]) >= FEWEST_CASES)
    return _four_fifths(table.drop(columns="bads"), enough.to_numpy())


def _four_fifths(table: pd.DataFrame, enough: np.ndarray) -> pd.DataFrame:
    rate, n = table["approval_rate"].to_numpy(), table["n"].to_numpy()
    table["ratio"], table["ratio_p_value"] = np.nan, np.nan
    table["verdict"] = "too few"
    if not enough.any() or rate[enough].max() <= 0:
        return table
    best = int(np.flatnonzero(enough)[rate[enough].argmax()])
    pooled = (rate * n + rate[best] * n[best]) / (n + n[best])
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n[best]))
    table["ratio"] = rate / rate[best]
    table["ratio_p_value"] = [
        two_sided(float(r - rate[best]), float(e)) for r, e in zip(rate, error, strict=True)
    ]
    verdict = np.where(table["ratio"] >= FOUR_FIFTHS, "meets", "below").astype(object)
    verdict[~enough] = "too few"
    verdict[best] = "highest"
    table["verdict"] = verdict
    return table


def band_table(pd_: np.ndarray, groups: Mapping[str, pd.Series]) -> pd.DataFrame:
    """The four-fifths rule at the edge of every score band, for any cut-off one might choose.

    Args:
        pd_: (n,) probabilities.
        groups: Group names (n,) by protected column.

    Returns:
        column, group, approved (share of all applicants at that edge), cutoff, approval_rate
        of the group, ratio to the highest group, and verdict as in `fairness_table`.
    """
    rows = []
    for column, names in groups.items():
        for share in SHARES:
            cutoff = float(np.quantile(pd_, share))
            rates = _rates(pd_ < cutoff, names)
            judged = rates["n"] >= FEWEST
            best = rates.loc[judged, "rate"].max() if judged.any() else 0.0
            for group, line in rates.iterrows():
                ratio = line["rate"] / best if best > 0 else np.nan
                verdict = "meets" if ratio >= FOUR_FIFTHS else "below"
                rows.append(
                    {
                        "column": column, "group": group, "approved": share, "cutoff": cutoff,
                        "approval_rate": line["rate"], "ratio": ratio,
                        "verdict": verdict if line["n"] >= FEWEST and best > 0 else "too few",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def _rates(approved: np.ndarray, names: pd.Series) -> pd.DataFrame:
    lines = pd.DataFrame({"group": names.astype(str).to_numpy(), "approved": approved})
    return lines.groupby("group")["approved"].agg(n="size", rate="mean").loc[group_names(names)]


def worst_ratio(approved: np.ndarray, groups: Mapping[str, pd.Series]) -> tuple[float, str]:
    """Smallest approval ratio over all groups that are large enough, and whose it is.

    Args:
        approved: (n,) whether each is approved.
        groups: Group names (n,) by protected column.
    """
    worst, whose = 1.0, ""
    for column, names in groups.items():
        rates = _rates(approved, names)
        rates = rates[rates["n"] >= FEWEST]
        if len(rates) < 2 or rates["rate"].max() <= 0:
            continue
        ratio = float(rates["rate"].min() / rates["rate"].max())
        if ratio < worst:
            worst, whose = ratio, f"{column}: {rates['rate'].idxmin()}"
    return worst, whose


def alternatives_table(
    y: np.ndarray,
    scores: Mapping[str, np.ndarray],
    groups: Mapping[str, pd.Series],
    *,
    champion: str,
    approved: float,
    n_boot: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Less discriminatory alternatives: entrants as accurate as the champion, but fairer.

    All approve the same share of applicants, so that a model does not look fair by approving
    more. A model is an alternative if its AUC is within noise of the champion's (DeLong's paired
    test) and its worst approval ratio is higher in nearly all resamples of the applicants.

    Args:
        y: (n,) 1 where the loan went bad.
        scores: (n,) probabilities or log-odds by model.
        groups: Group names (n,) by protected column.
        champion: Which of the models is compared with.
        approved: Share of applicants approved.
        n_boot: Resamples behind the interval of the gain.
        seed: Of the resamples.

    Returns:
        model, roc_auc_difference with p_value, within_noise, worst_ratio and worst_group, gain
        over the champion with low and high (95%), meets_four_fifths, and alternative.
    """
    taken = {name: _safest(score, approved) for name, score in scores.items()}
    reference = worst_ratio(taken[champion], groups)[0]
    coded = _Coded(groups)
    rng = np.random.default_rng(seed)
    weights = np.array([np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y))
                        for _ in range(n_boot)])  # fmt: skip
    drawn = {name: coded.worst(take, weights) for name, take in taken.items()}
    rows = []
    for name, take in taken.items():
        test = delong(y, scores[name], scores[champion])
        ratio, whose = worst_ratio(take, groups)
        low, high = np.quantile(drawn[name] - drawn[champion], [0.025, 0.975])
        noise = test.difference >= 0 or test.p_value > NOISE
        rows.append(
            {
                "model": name, "roc_auc_difference": test.difference, "p_value": test.p_value,
                "within_noise": noise, "worst_ratio": ratio, "worst_group": whose,
                "gain": ratio - reference, "low": float(low), "high": float(high),
                "meets_four_fifths": ratio >= FOUR_FIFTHS,
                "alternative": bool(name != champion and noise and low > 0),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows).sort_values("worst_ratio", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def _safest(score: np.ndarray, share: float) -> np.ndarray:
    """The safest `share` of applicants, as a mask (n,)."""
    taken = np.zeros(len(score), dtype=bool)
    taken[np.argsort(score, kind="stable")[: round(share * len(score))]] = True
    return taken


class _Coded:
    """Protected columns as group numbers, for many resamples at once."""

    def __init__(self, groups: Mapping[str, pd.Series]) -> None:
        self.codes = []
        for names in groups.values():
            code, _ = pd.factorize(names.astype(str))
            size = np.bincount(code)
            one_hot = (code[:, None] == np.flatnonzero(size >= FEWEST)).astype(np.float32)
            if one_hot.shape[1] > 1:
                self.codes.append(one_hot)

    def worst(self, approved: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Worst approval ratio in each resample: weights (b, n) to (b,)."""
        worst = np.ones(len(weights))
        weights = weights.astype(np.float32)
        for one_hot in self.codes:
            rate = (weights @ (one_hot * approved[:, None])) / np.maximum(weights @ one_hot, 1)
            best = rate.max(axis=1)
            worst = np.minimum(worst, np.where(best > 0, rate.min(axis=1) / best, 1.0))
        return worst
