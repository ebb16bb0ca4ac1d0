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
MOST_ROWS = 60  # of one table in the report; the bundle and the run keep all


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
            texts["tables"][name][language]: tables[name].head(MOST_ROWS)
            for name in chapter.tables
            if name in tables and len(tables[name])
        }
        if shown or drawn:
            out.append(Section(words[language]["title"], words[language]["text"], shown, drawn))
    return out


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
    parts = pd.DataFrame(
        {
            "part": ["train", "public", "private (sealed)"],
            "rows": [len(split.train), len(split.public), len(split.private)],
            "bad rate": [
                float(split.checked.target[rows].mean())
                for rows in (split.train, split.public, split.private)
            ],
        }
    )
    personal = pd.DataFrame(
        [
            {"column": p.column, "kinds": ", ".join(p.kinds), "action": p.action}
            for p in split.checked.personal
        ]
    )
    return evaluated.tables | {
        "findings": found,
        "split": parts,
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
