"""The page for many applicants: a CSV file in, a table of answers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from apps.demos.finance_pages.answer_card import badge, percent
from apps.demos.finance_pages.asking import problem_card, wording
from apps.demos.finance_pages.tables import Markup, html_table
from apps.demos.launching import LARGEST_UPLOAD
from core.errors import CasekitError, DataError

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels

MOST_ROWS = 10_000
ROWS_SHOWN = 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs cells that begin with these


def batch_page(desk: Desk, labels: Labels, language: Any) -> None:
    """Build the page inside the current tab; its upload is the endpoint /batch.

    Args:
        desk: The opened bundle.
        labels: Makes components that follow the language.
        language: The component that holds the language.
    """
    import gradio as gr

    labels.make(gr.HTML, {"value": lambda lang: _lead(desk, lang)})
    with gr.Row(elem_classes="ck-actions"):
        upload = labels.make(
            gr.UploadButton,
            {"label": "batch.upload"},
            file_types=[".csv"],
            variant="primary",
            elem_id="batch-upload",
        )
        labels.make(gr.DownloadButton, {"label": "batch.template"}, value=_template(desk))
        download = labels.make(
            gr.DownloadButton, {"label": "batch.download"}, visible=False, elem_id="batch-download"
        )
    shown = gr.HTML()

    def answer_file(file: str | None, language: str = "en") -> tuple[str, Any]:
        """Answers for every row of a CSV file: (page as HTML, CSV file of answers)."""
        if not file or not Path(file).exists():  # uploads are deleted after an hour
            return "", gr.update(visible=False, value=None)
        try:
            applicants = read_applicants(Path(file), desk, language)
            answers = desk.predictor.predict_table(applicants)
        except CasekitError as error:
            page = problem_card(error, desk.words, language)
            return page, gr.update(visible=False, value=None)
        content = answers_csv(applicants, answers, desk, language)
        path = _cached(content, "casekit_answers.csv")
        return _answers_html(answers, desk, language), gr.update(visible=True, value=path)

    upload.upload(
        answer_file, [upload, language], [shown, download], api_name="batch",
        api_description="Answers for every row of a CSV file with the model's columns.",
    )  # fmt: skip
    language.change(answer_file, [upload, language], [shown, download], api_visibility="private")


def read_applicants(path: Path, desk: Desk, language: str) -> pd.DataFrame:
    """The rows of an uploaded file.

    Raises:
        DataError: It is no CSV file, is empty, or has more than `MOST_ROWS` rows.
    """
    from core.data.sources import read_table

    words = desk.words
    if path.suffix.lower() != ".csv":
        raise DataError(
            words("batch.not_csv", language),
            where=path.name,
            remedy=words("batch.not_csv_remedy", language),
        )
    frame = read_table(path, rows=MOST_ROWS + 1)
    if len(frame) > MOST_ROWS:
        raise DataError(
            words("batch.too_many", language, rows=f"{MOST_ROWS:,}"),
            where=path.name,
            remedy=words("batch.too_many_remedy", language),
        )
    return frame


def answers_csv(
    applicants: pd.DataFrame, answers: pd.DataFrame, desk: Desk, language: str
) -> bytes:
    """Applicants with their answers as CSV that is safe to open in a spreadsheet."""
    table = applicants.copy()
    for name in ("pd", "pd_low", "pd_high", "points", "decision"):
        table[f"answer_{name}"] = answers[name].to_numpy()
    reasons = answers["reasons"].tolist()
    for i in range(4):
        table[f"reason_{i + 1}"] = [
            _text(desk, row[i], language) if i < len(row) else "" for row in reasons
        ]
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = [_unrun(value) for value in table[name]]
    table.columns = [_unrun(name) for name in table.columns]
    return table.to_csv(index=False).encode("utf-8-sig")  # the mark lets Excel read Chinese


def _unrun(value: Any) -> Any:
    """A cell that a spreadsheet shows and does not run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _text(desk: Desk, reason: Mapping[str, Any], language: str) -> str:
    return wording(desk, reason["code"], reason["text"], language)


def _lead(desk: Desk, language: str) -> str:
    words = desk.words
    size = f"{LARGEST_UPLOAD[:-2]} MB"
    lead = words("batch.lead", language, rows=f"{MOST_ROWS:,}", size=size)
    names = "".join(f"<code>{escape(field.name)}</code> " for field in desk.fields)
    return (
        f'<h2 class="ck-title">{escape(words("batch.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(lead)}</p>'
        f'<details class="ck-details"><summary>{escape(words("batch.columns", language))}'
        f"</summary><p>{names}</p></details>"
    )


def _answers_html(answers: pd.DataFrame, desk: Desk, language: str) -> str:
    """What the whole table says, then its first rows."""
    words, rows = desk.words, len(answers)
    mean = float(answers["pd"].mean())
    summary = words(
        "batch.summary", language, rows=f"{rows:,}", mean=percent(mean), bad=f"{rows * mean:,.0f}"
    )
    counts = Counter(answers["decision"])
    tally = "".join(
        f"<div>{badge(decision, words, language)}<b>{counts[decision]:,}</b>"
        f'<span class="ck-quiet">{percent(counts[decision] / rows)}</span></div>'
        for decision in ("approve", "refer", "decline")
    )
    columns = ("row", "pd", "interval", "points", "decision", "reason")
    table = html_table(
        [words(f"batch.{name}", language) for name in columns],
        [
            _row(i, answer, desk, language)
            for i, answer in enumerate(answers.head(ROWS_SHOWN).to_dict("records"), start=1)
        ],
        numbers=(0, 1, 2, 3),
    )
    shown = words("batch.shown", language, shown=min(rows, ROWS_SHOWN), rows=f"{rows:,}")
    return (
        f'<section class="ck-card" aria-live="polite"><p><strong>{escape(summary)}</strong></p>'
        f'<div class="ck-tally">{tally}</div>{table}<p class="ck-quiet">{escape(shown)}</p>'
        "</section>"
    )


def _row(number: int, answer: Mapping[str, Any], desk: Desk, language: str) -> list[object]:
    reasons = answer["reasons"]
    return [
        number,
        percent(answer["pd"]),
        f"{percent(answer['pd_low'])} – {percent(answer['pd_high'])}",
        f"{answer['points']:,.0f}",
        Markup(badge(answer["decision"], desk.words, language)),
        _text(desk, reasons[0], language) if len(reasons) else "",
    ]


def _template(desk: Desk) -> str:
    """The golden inputs as a CSV file, to see what a file looks like."""
    rows = desk.examples or [{field.name: None for field in desk.fields}]
    names = [field.name for field in desk.fields]
    content = pd.DataFrame(rows)[names].to_csv(index=False).encode("utf-8-sig")
    return _cached(content, "casekit_example.csv")


def _cached(content: bytes, name: str) -> str:
    """Put a file where Gradio serves and later deletes it; returns its path."""
    from gradio.processing_utils import save_bytes_to_cache
    from gradio.utils import get_upload_folder

    return str(save_bytes_to_cache(content, name, cache_dir=get_upload_folder()))
