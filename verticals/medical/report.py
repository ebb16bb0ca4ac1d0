"""The chapters of a literature run's report: what a medical director reads, in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from core.deployment.report import Section
from core.deployment.run import Run
from verticals.medical import figures
from verticals.medical.answer import DISCLAIMER, Answer, Evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from verticals.medical.patient.record import PatientSummary
    from verticals.medical.stages import Explained

TITLES = {"en": "Literature evidence report", "zh": "文献证据报告"}
_TEXTS = Path(__file__).with_name("report_texts.yaml")
_CHAPTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # tables, figures
    "corpus": (("facets", "findings"), ()),
    "search": (("bodies",), ("search",)),
    "abstention": (("abstention",), ("threshold",)),
    "answer": (("evidence", "leave_one_out"), ()),
    "limits": ((), ()),
}


def sections(explained: Explained, run: Run, language: str) -> list[Section]:
    """The report's chapters with their tables and figures.

    Args:
        explained: Everything that was found.
        run: Keeps the figures as files too.
        language: en or zh.
    """
    texts = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    tables, drawn = _tables(explained), _figures(explained)
    out = []
    for name, (shown, pictures) in _CHAPTERS.items():
        words = texts[name][language]
        text = words["text"]
        if name == "answer":
            text = f"{text}\n\n{in_words(explained.answer, explained.question)}"
        if name == "limits":
            text = f"**{DISCLAIMER}** {text}"
        captions = {texts["tables"][t][language]: tables[t] for t in shown if len(tables[t])}
        files = {texts["figures"][f][language]: run.figure(f, drawn[f]) for f in pictures}
        out.append(Section(words["title"], text, captions, files))
    return out


def facts(explained: Explained, language: str) -> dict[str, str]:
    """The headline values, shown large."""
    names = {"en": ("nDCG@10", "of BM25", "Documents", "Abstains below"),
             "zh": ("nDCG@10", "BM25", "文献数", "低于此置信度不作答")}[language]  # fmt: skip
    found = next(m for m in explained.evaluated.measurements if m.metric == "ndcg_at_10")
    fitted = explained.evaluated.fitted
    documents = int(fitted.split.checked.facets["documents"].sum())
    values = (f"{found.value:.3f}", f"{found.baseline:.3f}", f"{documents:,}",
              f"{fitted.engine.abstention.threshold:.2f}")  # fmt: skip
    return dict(zip(names, values, strict=True))


def in_words(answer: Answer, question: str) -> str:
    """An answer as Markdown, every quote with its source."""
    lines = [f"**{question}**", ""]
    if answer.facts_used:
        lines += [f"Asked for a patient with: {'; '.join(answer.facts_used)}.", ""]
    if answer.status == "abstained":
        lines += [f"*No answer.* {answer.reason}", ""]
    lines += [f"{n}. “{flat(e.quote)}” — {source(e)}" for n, e in enumerate(answer.evidence, 1)]
    return "\n".join([*lines, "", f"*{answer.disclaimer}*"])


def evidence_table(evidence: list[Evidence]) -> pd.DataFrame:
    """Citations as a table, in the order of the answer."""
    rows = [
        (flat(e.quote), e.grade, e.direction, e.support, source(e), f"{e.start}–{e.end}")
        for e in evidence
    ]
    columns = ["quote", "grade", "direction", "support", "source", "characters"]
    return pd.DataFrame(rows, columns=columns)


def source(evidence: Evidence) -> str:
    """Body or journal, year, title and link, in a line."""
    parts = (evidence.organisation or evidence.journal, str(evidence.year or ""), evidence.title,
             evidence.link or evidence.document)  # fmt: skip
    return ", ".join(p for p in parts if p)


def flat(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


def _tables(explained: Explained) -> dict[str, pd.DataFrame]:
    evaluated = explained.evaluated
    checked = evaluated.fitted.split.checked
    return {
        "facets": checked.facets, "findings": checked.findings,
        "bodies": evaluated.tables["bodies"], "abstention": evaluated.tables["abstention"],
        "evidence": evidence_table(explained.answer.evidence or explained.answer.nearest),
        "leave_one_out": explained.why.leave_one_out,
    }  # fmt: skip


def _figures(explained: Explained) -> dict[str, Figure]:
    evaluated = explained.evaluated
    fitted = evaluated.fitted
    threshold = fitted.engine.abstention.threshold
    return {
        "search": figures.search_figure(evaluated.tables["questions"]),
        "threshold": figures.threshold_figure(fitted.tuning, threshold),
    }


def patient_table(summary: PatientSummary | None) -> pd.DataFrame:
    """A record's conditions, medicines, allergies and latest labs, one row each."""
    if summary is None:
        return pd.DataFrame(columns=["part", "what", "value", "date"])
    rows: list[tuple[str, str, str, str]] = [
        ("condition", c.name, "", str(c.onset or "")) for c in summary.conditions
    ]
    rows += [("medicine", m.name, ", ".join(m.ingredients), "") for m in summary.medicines]
    rows += [("allergy", name, "", "") for name in summary.allergies]
    rows += [
        ("lab", lab.name, f"{lab.value:g} {lab.unit}", str(lab.taken.date()))
        for lab in summary.labs.values()
    ]
    rows += [("report", r.title, flat(r.text)[:120], "") for r in summary.reports]
    return pd.DataFrame(rows, columns=["part", "what", "value", "date"])


def card_table(summary: PatientSummary | None) -> pd.DataFrame:
    """What the prescriber should know of the record: CDS Hooks cards, the most urgent first."""
    from verticals.medical.decisions.cards import cards_for

    cards = [] if summary is None else cards_for(summary)
    rows = [(c.indicator, c.summary, c.source.label) for c in cards]
    return pd.DataFrame(rows, columns=["indicator", "summary", "source"])
