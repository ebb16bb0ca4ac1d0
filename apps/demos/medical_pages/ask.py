"""The page that asks: a question in, evidence out, and a word on how good it was."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.medical_pages.asking import Asked, ask, filters_of, problem_html
from apps.demos.medical_pages.explaining import explain_asked, why_html
from apps.demos.medical_pages.reply import reply_html, welcome_html
from apps.demos.medical_pages.session import answered
from apps.demos.medical_pages.verdict import verdict_panel
from core.errors import CasekitError

if TYPE_CHECKING:
    from apps.demos.medical_pages.desk import Desk, Explanation
    from apps.demos.medical_pages.records import Record
    from apps.demos.medical_pages.session import Session
    from apps.demos.words import Labels

EXAMPLES = (
    "Which anticoagulant is preferred for atrial fibrillation?",
    "What is the first-day colchicine dose for an acute gout flare?",
    "Should antibiotics be withheld in pneumonia when procalcitonin is low?",
    "Should phenytoin be used to prevent seizures after subarachnoid haemorrhage?",
    "What is the first-line treatment of plaque psoriasis?",
)
# On a phone the answer lies below the form: bring it into view.
_TO_REPLY = """() => { if (window.innerWidth < 900)
  document.getElementById('reply').scrollIntoView({behavior: 'smooth'}); }"""


def ask_page(desk: Desk, labels: Labels, language: Any, session: Session) -> None:
    """Build the page inside the current tab.

    Args:
        desk: The opened bundle.
        labels: Makes components that follow the language.
        language: The component that holds the language.
        session: What the visitor has on screen.
    """
    import gradio as gr

    with gr.Row(elem_classes="ck-split"):
        with gr.Column(scale=4, min_width=300):
            labels.make(gr.HTML, {"value": lambda lang: _lead(desk, lang)})
            question = labels.make(
                gr.Textbox,
                {"label": "ask.question", "placeholder": "ask.placeholder"},
                lines=3,
                max_length=2000,
                elem_id="question",
            )
            with gr.Row(elem_classes="ck-actions"):
                button = labels.make(gr.Button, {"value": "ask.find"}, variant="primary")
                session.explain.render()
            example = labels.make(
                gr.Radio, {"label": "ask.examples"}, choices=list(EXAMPLES), elem_classes="ck-lines"
            )
            filters = _filters(desk, labels)
        with gr.Column(scale=7, min_width=320):
            session.reply.value = welcome_html(desk.words, labels.first)
            session.reply.render()
            clear_verdict = verdict_panel(desk, labels, language, session)

    def show(lang: str, text: str, record: Record | None, *filters: Any) -> list[Any]:
        """The answer on the page; what it replaces is cleared."""
        asked: Asked | None = None
        try:
            asked = ask(desk, text, record, filters_of(*filters))
            html = reply_html(asked.answer, desk, lang)
        except CasekitError as error:
            html = problem_html(error, desk.words, lang)
        explainable = asked is not None and asked.answer.status == "answered"
        return answered(html, asked, explainable=explainable)

    quiet: dict[str, Any] = {"api_visibility": "private"}
    form = [language, question, session.record, *filters]
    for trigger in (button.click, question.submit):
        trigger(show, form, session.shown, **quiet).then(*clear_verdict, **quiet)
        trigger(None, js=_TO_REPLY, **quiet)
    chosen = example.input(lambda text: text, example, question, show_progress="hidden", **quiet)
    chosen.then(show, form, session.shown, **quiet).then(*clear_verdict, **quiet)

    def explain(asked: Asked | None, lang: str) -> list[Any]:
        """Why the answer is what it is, here as shaded words and at length on its own page."""
        try:
            explanation = explain_asked(desk, asked)
        except CasekitError as error:
            reply, _ = _rendered(desk, asked, None, lang)
            return [None, reply, problem_html(error, desk.words, lang)]
        return [explanation, *_rendered(desk, asked, explanation, lang)]

    session.explain.click(
        explain, [session.asked, language], [session.explained, session.reply, session.why], **quiet
    )
    language.change(
        lambda asked, found, lang: _rendered(desk, asked, found, lang),
        [session.asked, session.explained, language],
        [session.reply, session.why],
        show_progress="hidden",
        **quiet,
    )


def _rendered(
    desk: Desk, asked: Asked | None, explanation: Explanation | None, language: str
) -> list[str]:
    """The answer and its explanation in a language, as far as there are any."""
    if asked is None:
        return [welcome_html(desk.words, language), ""]
    weights = [carried.words for carried in explanation.carried] if explanation else ()
    reply = reply_html(asked.answer, desk, language, weights)
    return [reply, why_html(desk, asked, explanation, language)]


def _lead(desk: Desk, language: str) -> str:
    words, facets = desk.words, desk.reader.facets()
    lead = words("ask.lead", language, documents=f"{facets.documents:,}")
    return (
        f'<h2 class="ck-title">{escape(words("ask.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(lead)}</p>'
    )


def _filters(desk: Desk, labels: Labels) -> list[Any]:
    """Year from and to, kinds of evidence and guideline bodies, as the corpus has them."""
    import gradio as gr

    facets, words = desk.reader.facets(), desk.words
    first, last = facets.years or (1900, 2100)
    with labels.make(gr.Accordion, {"label": "ask.filters"}, open=False):
        with gr.Row(elem_classes="ck-pair"):
            years = [
                labels.make(
                    gr.Dropdown,
                    {
                        "label": key,
                        "choices": lambda lang: [
                            (words("ask.any", lang), 0),
                            *((str(year), year) for year in range(last, first - 1, -1)),
                        ],
                    },
                    value=0,
                    min_width=90,
                )
                for key in ("ask.year_from", "ask.year_to")
            ]
        grades = labels.make(
            gr.Dropdown,
            {
                "label": "ask.grades",
                "choices": lambda lang: [
                    (words(f"grades.{g.replace(' ', '_')}", lang), g) for g in facets.grades
                ],
            },
            multiselect=True,
            value=[],
        )
        bodies = labels.make(
            gr.Dropdown, {"label": "ask.bodies"}, choices=list(facets.organisations),
            multiselect=True, value=[], visible=bool(facets.organisations),
        )  # fmt: skip
    return [*years, grades, bodies]
