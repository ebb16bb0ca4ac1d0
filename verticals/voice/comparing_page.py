"""The page of `casekit regress`: a bundle on a home's recordings, for looking at."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from core.deployment.report import Section, render_report
from core.deployment.results import Results
from core.deployment.run import versions
from core.evaluation.figures import png
from verticals.voice import figures
from verticals.voice.measures import by_speaker
from verticals.voice.report import mistake_table

if TYPE_CHECKING:
    from verticals.voice.comparing import Regression

_TITLE = "A bundle on this home's recordings"
_PRIVATE = (
    "This page tells what people said at home. Keep it there, and delete it when it has served."
)


def page(report: Regression) -> str:
    """The report as one HTML page that loads nothing from elsewhere."""
    results = Results(
        case="voice", run_id=f"regression-{report.fingerprint[:10]}", parameters={}, seed=0,
        versions=versions(), results=list(report.measurements), timings={}, bundle=None,
        data={"fingerprint": report.fingerprint, "rows": len(report.recordings),
              "source": report.source},
    )  # fmt: skip
    command = shlex.join(["casekit", "regress", "BUNDLE", report.source, "-o", "OUT"])
    return render_report(results, _chapters(report), title=_TITLE, facts=_facts(report),
                         command=command)  # fmt: skip


def _chapters(report: Regression) -> list[Section]:
    table = report.recordings
    mistakes = mistake_table(table)
    done = [
        Section(
            "From hearing to doing", _PRIVATE, {"By speaker": by_speaker(table)},
            {"Shares of recordings": png(figures.shares_figure(report.measurements))},
        ),
        Section(
            "What went wrong",
            "" if len(mistakes) else "Nothing that was labelled.",
            {"Said, heard and done": mistakes} if len(mistakes) else {},
        ),
        Section(
            "How fast is it?", "Seconds from the end of speech, on the machine that wrote this.",
            {"Seconds by stage": report.latency},
            {"Where the time goes": png(figures.latency_figure(report.latency))},
        ),
    ]  # fmt: skip
    return [*_compared(report), *done]


def _compared(report: Regression) -> list[Section]:
    if not len(report.changes):
        return []
    worse = [name.replace("_", " ") for name in report.worse()]
    text = f"**Worse than before:** {', '.join(worse)}." if worse else "Nothing became worse."
    text += " A change counts if chance would bring it in fewer than one case of twenty."
    return [Section("Against the bundle in use", text, {"Before and after": report.changes})]


def _facts(report: Regression) -> dict[str, str]:
    found = {m.metric: m for m in report.measurements}
    shown = {"Done rightly": "done_right", "Whole request right": "frame_right",
             "Word error rate": "word_error_rate"}  # fmt: skip
    facts = {
        name: f"{found[key].value:.0%} ({found[key].low:.0%} – {found[key].high:.0%})"
        for name, key in shown.items()
        if key in found
    }
    whole = report.latency.set_index("stage")["95th percentile s"].get("whole")
    return facts | {"95th percentile": f"{whole:.2f} s", "Recordings": str(len(report.recordings))}
