"""The chapters of a home's regression report: what an installer and a client read, in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

from core.deployment.report import Section
from core.deployment.run import Run
from verticals.voice import figures
from verticals.voice.command import Turn
from verticals.voice.why import meant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from verticals.voice.home.model import Home
    from verticals.voice.stages import Explained
    from verticals.voice.wake.training import WakeReport
    from verticals.voice.why import Why

TITLES = {"en": "Home regression report", "zh": "家庭语音回归报告"}
_TEXTS = Path(__file__).with_name("report_texts.yaml")
_CHAPTERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # tables, figures
    "recordings": (("findings",), ()),
    "wake": (("wake",), ()),
    "doing": (("speakers", "mistakes"), ("shares",)),
    "asking": ((), ("threshold",)),
    "latency": (("latency",), ("latency",)),
    "request": (("commands", "read", "certificate"), ("words", "sound")),
    "limits": ((), ()),
}
_SHOWN = 12  # mistakes


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
        if name == "request":
            text = f"{text}\n\n{in_words(explained.turn)}"
        captions = {texts["tables"][t][language]: tables[t] for t in shown if len(tables[t])}
        files = {texts["figures"][f][language]: run.figure(f, drawn[f]) for f in pictures}
        out.append(Section(words["title"], text, captions, files))
    return out


def facts(explained: Explained, language: str) -> dict[str, str]:
    """The headline values, shown large."""
    names = {"en": ("Done rightly", "Word error rate", "Asks back below", "Wake phrase"),
             "zh": ("正确执行", "词错误率", "低于此置信度则反问", "唤醒词")}[language]  # fmt: skip
    found = {m.metric: m.value for m in explained.evaluated.measurements}
    fitted = explained.evaluated.fitted
    values = (
        f"{found['done_right']:.0%}" if "done_right" in found else "–",
        f"{found['word_error_rate']:.1%}" if "word_error_rate" in found else "–",
        f"{fitted.threshold:.2f}", fitted.wake.phrase,
    )  # fmt: skip
    return dict(zip(names, values, strict=True))


def in_words(turn: Turn) -> str:
    """An exchange as Markdown."""
    lines = [f"**Heard:** “{turn.transcript.text}” ({turn.transcript.confidence:.0%} sure)"]
    lines += [f"- {c.intent}: {', '.join(c.entities) or '–'} ({c.source}, {c.confidence:.0%})"
              for c in turn.understood.commands]  # fmt: skip
    return "\n".join([*lines, "", f"**Says:** “{turn.reply}”"])


def command_table(turn: Turn) -> pd.DataFrame:
    """What was understood and what came of it, one row a command."""
    came = {o.intent: o.status for o in turn.outcomes}
    rows = [
        (c.text or turn.transcript.text, c.intent, ", ".join(c.entities),
         ", ".join(f"{s.name} = {s.value}" for s in c.slots), c.confidence, c.source,
         came.get(c.intent, turn.understood.status))
        for c in meant(turn.understood)
    ]  # fmt: skip
    columns = ["words", "command", "devices", "values", "confidence", "read by", "outcome"]
    return pd.DataFrame(rows, columns=columns)


def mistake_table(recordings: pd.DataFrame) -> pd.DataFrame:
    """Recordings after which the home did not stand as it should: what was said, heard, done."""
    wrong = recordings[recordings["done_right"].eq(False)]
    columns = ["speaker", "said", "heard", "understood", "reply"]
    return wrong[columns].head(_SHOWN).reset_index(drop=True)


def wake_table(report: WakeReport) -> pd.DataFrame:
    """How the wake word was made and what it did on made-up people who trained nothing."""
    rows = [
        ("phrase", report.phrase),
        ("spellings that count", ", ".join(report.spellings)),
        ("threshold (log-probability)", f"{report.threshold:.2f}"),
        ("missed", f"{report.missed} of {report.clips}"),
        ("near misses accepted", f"{report.near_accepted} of {report.near}"),
    ]
    return pd.DataFrame(rows, columns=["wake word", "value"])


def read_table(why: Why) -> pd.DataFrame:
    """The learned model's own reading of every command, and its three heaviest words."""
    rows = []
    for read in why.read:
        heaviest = sorted(read.words, key=lambda w: -w.weight)[:3]
        words = ", ".join(f"{w.word} {w.weight:+.1f}" for w in heaviest)
        rows.append((" ".join(w.word for w in read.words), read.intent, read.score, words))
    columns = ["words", "the model reads", "logit above the mean", "heaviest words"]
    return pd.DataFrame(rows, columns=columns)


def home_table(home: Home) -> pd.DataFrame:
    """The home's rooms, and what is in them."""
    rows = []
    for area in home.areas:
        names = [e.name for e in home.entities if e.area == area.id]
        rows.append((area.name, len(names), ", ".join(names)))
    elsewhere = [e.name for e in home.entities if e.area not in home.area_by_id]
    rows.append(("everywhere", len(elsewhere), ", ".join(elsewhere)))
    return pd.DataFrame(rows, columns=["room", "devices", "names"])


def _tables(explained: Explained) -> dict[str, pd.DataFrame]:
    evaluated = explained.evaluated
    fitted = evaluated.fitted
    return {
        "findings": fitted.split.checked.findings, "wake": wake_table(fitted.wake),
        "speakers": evaluated.tables["speakers"], "latency": evaluated.tables["latency"],
        "mistakes": mistake_table(evaluated.tables["recordings"]),
        "commands": command_table(explained.turn), "read": read_table(explained.why),
        "certificate": explained.why.certificate,
    }  # fmt: skip


def _figures(explained: Explained) -> dict[str, Figure]:
    evaluated = explained.evaluated
    intents = [c.intent for c in meant(explained.turn.understood)]
    return {
        "shares": figures.shares_figure(evaluated.measurements),
        "threshold": figures.threshold_figure(evaluated.fitted.tuning, evaluated.fitted.threshold),
        "latency": figures.latency_figure(evaluated.tables["latency"]),
        "words": figures.words_figure(explained.why, intents),
        "sound": figures.sound_figure(explained.why),
    }
