"""The chapters of a credit run's report: what a risk committee reads, in order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from core.deployment.report import Section
from core.deployment.run import Run
from verticals.finance import figures
from verticals.finance.stages import Split

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from verticals.finance.explanation import Explained

TITLES = {"en": "Credit risk report", "zh": "信用风险报告"}
_TEXTS = Path(__file__).with_name("report_texts.yaml")


@dataclass(frozen=True)
class _Chapter:
    """Which tables and figures stand under one heading of report_texts.yaml."""

    name: str
    tables: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


CHAPTERS = (
    _Chapter("data", ("findings", "personal", "split")),
    _Chapter("competition", ("leaderboard",), ("leaderboard",)),
    _Chapter("calibration", ("uncertainty", "time_gap"), ("calibration",)),
    _Chapter("fairness", ("fairness", "fairness_bands", "alternatives", "slices")),
    _Chapter("stability", ("stability", "drift")),
    _Chapter("decisions", ("cutoffs", "assumptions", "pricing", "warnings"), ("profit",)),
    _Chapter("losses", ("expected_loss", "loss", "staging", "stress"), ("stress",)),
    _Chapter("reasons", ("applicants", "changes", "importance"), ("importance",)),
    _Chapter("scorecard", ("scorecard",)),
)
MOST_ROWS = 60  # of one table in the report
# Of the wide tables, what a reader needs first.
SHOWN = {
    "leaderboard": ["rank", "model", "roc_auc", "low", "high", "p_value", "within_noise", "public"],
    "fairness": ["column", "group", "n", "approval_rate", "ratio", "bad_rate", "mean_pd",
                 "verdict"],
    "slices": ["column", "slice", "n", "bad_rate", "mean_pd", "roc_auc", "low", "high",
               "p_adjusted"],
    "alternatives": ["model", "roc_auc_difference", "within_noise", "worst_ratio", "worst_group",
                     "gain", "alternative"],
    "drift": ["column", "kind", "psi", "noise", "light", "ks_p_value"],
}  # fmt: skip
FEW_ROWS = {"slices": 12, "drift": 12}


def sections(explained: Explained, run: Run, language: str) -> list[Section]:
    """The report's chapters with their tables and figures.

    Args:
        explained: Everything that was found.
        run: Keeps the figures as files too.
        language: en or zh.
    """
    texts = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    tables = all_tables(explained)
    out = []
    for chapter in CHAPTERS:
        words = texts[chapter.name]
        drawn = {}
        for name in chapter.figures:
            drawn[texts["figures"][name][language]] = run.figure(name, draw(name, explained))
        shown = {
            texts["tables"][name][language]: shown_part(name, tables[name])
            for name in chapter.tables
            if name in tables and len(tables[name])
        }
        if shown or drawn:
            out.append(Section(words[language]["title"], words[language]["text"], shown, drawn))
    return out


def shown_part(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The part of a table that a reader needs first, with column names as words."""
    wanted = [c for c in SHOWN.get(name, list(table.columns)) if c in table]
    part = table[wanted].head(FEW_ROWS.get(name, MOST_ROWS))
    return part.rename(columns=lambda c: str(c).replace("_", " "))


def draw(name: str, explained: Explained) -> Figure:
    """One figure of the report: leaderboard, calibration, profit, stress or importance."""
    tables = explained.evaluated.tables
    if name == "profit":
        return figures.profit_figure(tables["profit_curve"], explained.policy.cutoff)
    if name == "importance":
        return figures.importance_figure(explained.importance)
    drawing = {
        "leaderboard": figures.leaderboard_figure,
        "calibration": figures.calibration_figure,
        "stress": figures.stress_figure,
    }[name]
    return drawing(tables[name])


def split_table(split: Split) -> pd.DataFrame:
    """Rows and bad rate of each part."""
    parts = {"train": split.train, "public": split.public, "private (sealed)": split.private}
    return pd.DataFrame(
        [
            {"part": name, "rows": len(rows), "bad_rate": float(split.checked.target[rows].mean())}
            for name, rows in parts.items()
        ]
    )


def all_tables(explained: Explained) -> dict[str, pd.DataFrame]:
    """Every table of the run, by name."""
    evaluated = explained.evaluated
    fitted = evaluated.fitted
    split = fitted.split
    found = pd.DataFrame(
        [
            {"finding": f.kind, "column": f.column, "severity": f.severity, "detail": f.detail,
             "what to do": f.remedy}
            for f in split.checked.findings
        ]
    )  # fmt: skip
    personal = pd.DataFrame(
        [
            {"column": p.column, "kinds": ", ".join(p.kinds), "action": p.action}
            for p in split.checked.personal
        ]
    )
    return evaluated.tables | {
        "findings": found,
        "split": split_table(split),
        "personal": personal,
        "leaderboard": evaluated.leaderboard,
        "importance": explained.importance,
        "applicants": explained.applicants,
        "changes": explained.changes,
        "scorecard": fitted.scorecard.table(),
    }


def facts(explained: Explained, language: str) -> dict[str, str]:
    """The headline values, shown large."""
    fitted = explained.evaluated.fitted
    names = {"en": ("AUC on sealed loans", "95% interval", "Loans", "Decline from PD"),
             "zh": ("封存样本 AUC", "95% 区间", "贷款数", "拒绝阈值 PD")}[language]  # fmt: skip
    auc = next(
        m for m in explained.evaluated.measurements
        if m.metric == "roc_auc" and m.model == fitted.champion_name and m.split == "private"
    )  # fmt: skip
    return dict(
        zip(
            names,
            (
                f"{auc.value:.3f}",
                f"{auc.low:.3f} – {auc.high:.3f}",
                f"{len(fitted.split.checked.frame):,}",
                f"{explained.policy.cutoff:.1%}",
            ),
            strict=True,
        )
    )
