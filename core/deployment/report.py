"""One self-contained HTML page per run: what was found, and everything an auditor asks for.

The metric table and the audit part come from the run's results and from nothing else.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from core.deployment.results import Results

Figures = Mapping[str, Path | bytes]

WORDS = {
    "en": {
        "contents": "Contents", "run": "Run", "metrics": "All metrics",
        "metrics_text": "Every metric with its 95% confidence interval, beside its baseline.",
        "audit": "Audit", "audit_text": "To run it again on the same data:",
        "data": "Data", "parameters": "Parameters", "versions": "Versions",
        "timings": "Seconds by step",
        "heads": "metric|model|split|value|95% interval|n|baseline|baseline model",
    },
    "zh": {
        "contents": "目录", "run": "运行", "metrics": "全部指标",
        "metrics_text": "每项指标附 95% 置信区间，并与基准并列。",
        "audit": "审计", "audit_text": "在相同数据上重新运行：",
        "data": "数据", "parameters": "参数", "versions": "版本", "timings": "各步骤用时（秒）",
        "heads": "指标|模型|数据|数值|95% 区间|n|基准|基准模型",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """One chapter of a report.

    Attributes:
        title: Heading.
        text: Markdown; raw HTML in it is shown as text, never run.
        tables: By caption.
        figures: PNG files or bytes, by caption.
    """

    title: str
    text: str = ""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)


def render_report(
    results: Results,
    sections: Sequence[Section],
    *,
    title: str,
    language: str = "en",
    facts: Mapping[str, str] | None = None,
    command: str | None = None,
) -> str:
    """The report as HTML without links, scripts or fonts from elsewhere.

    Args:
        results: The run's results.
        sections: Chapters, in order.
        title: Heading of the page.
        language: en or zh, for the fixed words.
        facts: Few headline values by name, shown large.
        command: What repeats it; by default the run of the case's notebook.
    """
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
    )
    words = WORDS[language]
    shown = [
        {
            "title": s.title,
            "text": _markdown(s.text),
            "figures": [(name, _data_url(source)) for name, source in s.figures.items()],
            "tables": list(s.tables.items()),
        }
        for s in sections
    ]
    pairs = {"data": results.data, "parameters": results.parameters,
             "versions": results.versions, "timings": results.timings}  # fmt: skip
    return environment.get_template("report.html.jinja").render(
        results=results, sections=shown, title=title, language=language, words=words,
        facts=list((facts or {}).items()), metrics=metric_table(results, language), table_of=_table,
        replay=command or replay_command(results),
        audit=[(words[name], _pairs(values)) for name, values in pairs.items()],
    )  # fmt: skip


def metric_table(results: Results, language: str = "en") -> pd.DataFrame:
    """The measurements of a run as a table for reading."""
    rows = [
        (m.metric, m.model, m.split, m.value, _interval(m.low, m.high), m.n, m.baseline,
         m.baseline_model or "")
        for m in results.results
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=WORDS[language]["heads"].split("|"))


def metric_markdown(results: Results) -> str:
    """The same table in Markdown, for a model card."""
    frame = metric_table(results)
    head = "| " + " | ".join(frame.columns) + " |\n|" + "---|" * len(frame.columns)
    rows = [
        "| " + " | ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row) + " |"
        for row in frame.itertuples(index=False)
    ]
    return "\n".join([head, *rows])


def replay_command(results: Results) -> str:
    """The command that repeats the run."""
    name = results.run_id.rsplit("-", 1)[0]
    words = ["casekit", "run", results.case, name]
    for key, value in results.parameters.items():
        if key != "out" and value not in (None, [], {}, ""):
            text = value if isinstance(value, str) else orjson.dumps(value).decode()
            words += ["-p", f"{key}={text}"]
    return shlex.join(words)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_number(low)} – {_number(high)}"


def _pairs(values: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        (k, v if isinstance(v, str | int | float) else _json(v))
        for k, v in values.items()
        if v not in (None, [], {})
    ]
    return pd.DataFrame(rows, columns=["", " "])


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _table(name: str, frame: pd.DataFrame) -> Any:
    """An HTML table; every cell is escaped."""
    from markupsafe import Markup, escape

    head = "".join(f"<th scope='col'>{escape(str(c))}</th>" for c in frame.columns)
    body = []
    for row in frame.itertuples(index=False):
        cells = []
        for value in row:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            text = _number(value) if number else "" if value is None else str(value)
            cells.append(
                f"<td class='number'>{text}</td>" if number else f"<td>{escape(text)}</td>"
            )
        body.append("<tr>" + "".join(cells) + "</tr>")
    caption = f"<caption>{escape(name)}</caption>" if name else ""
    return Markup(  # noqa: S704 - every part above is escaped
        f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _number(value: float) -> str:
    """Three decimals, thousands apart; blank for a missing one."""
    if value != value:  # noqa: PLR0124 - not a number
        return ""
    if float(value).is_integer():
        return f"{int(value):,}" if abs(value) < 1e7 else f"{int(value)}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.01 else f"{value:.2g}"


def _markdown(text: str) -> Any:
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable(["image", "link", "autolink"])  # nothing on the page leads or loads elsewhere
    return Markup(reader.render(text))  # noqa: S704 - it escapes


def _data_url(source: Path | bytes) -> str:
    content = source if isinstance(source, bytes) else source.read_bytes()
    return "data:image/png;base64," + base64.b64encode(content).decode()
