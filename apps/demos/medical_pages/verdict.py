"""A reader's verdict on an answer: useful, wrong or unsafe, kept for the next renewal."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.medical_pages.asking import Asked, problem_html
from core.errors import CasekitError

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk
    from apps.demos.medical_pages.records import Record
    from apps.demos.medical_pages.session import Session
    from apps.demos.words import Labels

VERDICTS = ("useful", "wrong", "unsafe")


def verdict_panel(
    desk: Desk, labels: Labels, language: Any, session: Session
) -> tuple[Callable[[], list[Any]], None, list[Any]]:
    """Build the panel; returns what empties it: function, inputs and outputs."""
    import gradio as gr

    words = desk.words
    session.verdict.render()
    with session.verdict:
        labels.make(
            gr.HTML, {"value": lambda lang: f"<h3>{escape(words('verdict.title', lang))}</h3>"}
        )
        verdict = labels.make(
            gr.Radio,
            {"choices": lambda lang: [(words(f"verdict.{v}", lang), v) for v in VERDICTS]},
            show_label=False,
            container=False,
            elem_classes="ck-pills",
        )
        comment = labels.make(
            gr.Textbox, {"label": "verdict.comment", "placeholder": "verdict.hint"}, lines=2,
            max_length=2000,
        )  # fmt: skip
        with gr.Row(elem_classes="ck-actions"):
            send = labels.make(gr.Button, {"value": "verdict.send"})
        told = gr.HTML()

    def keep(
        lang: str, choice: str | None, text: str, asked: Asked | None, record: Record | None
    ) -> list[Any]:
        """Keep the verdict; says so, or says what is missing."""
        if asked is None or not choice:
            note = words("verdict.choose", lang)
            return [f'<p class="ck-quiet" role="status">{escape(note)}</p>', choice, text]
        from verticals.medical.feedback import give_feedback
        from verticals.medical.patient.privacy import identifiers

        try:
            kept = give_feedback(
                choice, asked.question.question, asked.answer, text,  # type: ignore[arg-type]
                bundle=desk.manifest.data.fingerprint,
                known=identifiers(record.bundle) if record else (),
            )  # fmt: skip
        except CasekitError as error:
            return [problem_html(error, words, lang), choice, text]
        thanks = words("verdict.kept", lang, id=kept.id[:6])
        return [f'<p class="ck-quiet" role="status">{escape(thanks)}</p>', None, ""]

    send.click(
        keep, [language, verdict, comment, session.asked, session.record], [told, verdict, comment],
        api_visibility="private",
    )  # fmt: skip
    return (lambda: ["", None, ""]), None, [told, verdict, comment]
