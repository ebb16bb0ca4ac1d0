"""The page for one applicant: a form from the bundle's schema, and the answer beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.finance_pages.answer_card import answer_card, percent, reasons_card
from apps.demos.finance_pages.asking import ask, problem_card
from apps.demos.finance_pages.change import change_card
from apps.demos.finance_pages.fields import Field, applicant_of, form_values
from core.errors import CasekitError

if TYPE_CHECKING:
    from apps.demos.finance_pages.desk import Desk
    from apps.demos.words import Labels

# On a phone the answer lies below the form: bring it into view.
_TO_ANSWER = """() => { if (window.innerWidth < 900)
  document.getElementById('answer').scrollIntoView({behavior: 'smooth'}); }"""


def applicant_page(desk: Desk, labels: Labels, language: Any) -> None:
    """Build the page inside the current tab.

    Args:
        desk: The opened bundle.
        labels: Makes components that follow the language.
        language: The component that holds the language.
    """
    import gradio as gr

    fields = desk.fields
    start = form_values(fields, desk.examples[0] if desk.examples else {})
    with gr.Row(elem_classes="ck-split"):
        with gr.Column(scale=6, min_width=320):
            labels.make(gr.HTML, {"value": lambda lang: _lead(desk, lang)})
            example = labels.make(
                gr.Radio,
                {"label": "form.examples", "choices": lambda lang: _example_choices(desk, lang)},
                value=0 if desk.examples else None,
                visible=bool(desk.examples),
                elem_classes="ck-pills",
            )
            with gr.Column(elem_classes="ck-form"):
                controls = [
                    _control(field, value, desk, labels)
                    for field, value in zip(fields, start, strict=True)
                ]
            with gr.Row(elem_classes="ck-actions"):
                button = labels.make(gr.Button, {"value": "form.assess"}, variant="primary")
                clear = labels.make(gr.Button, {"value": "form.clear"})
        with gr.Column(scale=5, min_width=320, elem_classes="ck-sticky", elem_id="answer"):
            answer = gr.HTML(_answer_html(desk, labels.first, *start))
            change = gr.HTML(_change_html(desk, labels.first, *start))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    form = [language, *controls]

    def answer_after(trigger: Callable[..., Any]) -> None:
        shown = trigger(partial(_answer_html, desk), form, answer, **quiet)
        shown.then(partial(_change_html, desk), form, change, **quiet)

    typed = [control.input for control in controls]
    answer_after(
        partial(gr.on, [*typed, language.change, button.click], trigger_mode="always_last")
    )
    button.click(None, js=_TO_ANSWER, **quiet)
    chosen = example.input(
        lambda number: form_values(fields, desk.examples[number]), example, controls, **quiet
    )
    answer_after(chosen.then)
    emptied = clear.click(
        lambda: [None, *form_values(fields, {})], None, [example, *controls], **quiet
    )
    answer_after(emptied.then)


def _lead(desk: Desk, language: str) -> str:
    words = desk.words
    return (
        f'<h2 class="ck-title">{escape(words("form.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(words("form.lead", language))}</p>'
    )


def _example_choices(desk: Desk, language: str) -> list[tuple[str, int]]:
    """Golden inputs by number and estimate, so that one sees which are safe and which are not."""
    return [
        (desk.words("form.example", language, number=i + 1, pd=percent(pd_)), i)
        for i, pd_ in enumerate(desk.example_pds)
    ]


def _control(field: Field, value: Any, desk: Desk, labels: Labels) -> Any:
    """The component that asks for one field."""
    import gradio as gr

    words = desk.words
    texts: dict[str, Any] = {"label": lambda lang: field.label(words, lang)}
    if field.kind == "number":
        texts["placeholder"] = lambda lang: field.hint(words, lang)
        return labels.make(gr.Number, texts, value=value, precision=0 if field.whole else None)
    if field.kind == "date":
        texts["placeholder"] = "form.date"
        return labels.make(gr.Textbox, texts, value=value, max_lines=1, max_length=10)
    texts["choices"] = lambda lang: field.options(words, lang)
    return labels.make(gr.Dropdown, texts, value=value, allow_custom_value=field.open)


def _answer_html(desk: Desk, language: str, *form: Any) -> str:
    """The answer to what the form holds, or what is wrong with it."""
    words = desk.words
    if _blank(form):
        text = escape(words("form.empty", language))
        return f'<section class="ck-card"><p class="ck-quiet">{text}</p></section>'
    try:
        answer = ask(desk, applicant_of(desk.fields, form), language)
    except CasekitError as error:
        return problem_card(error, words, language)
    card = answer_card(answer, desk.cutoff, words, language, batch=desk.batch)
    return card + _unusual(desk, language, form) + reasons_card(answer.reasons, words, language)


def _unusual(desk: Desk, language: str, form: Sequence[Any]) -> str:
    """A warning where the form holds what the model has hardly seen."""
    told = [
        field.unusual(value, desk.words, language)
        for field, value in zip(desk.fields, form, strict=True)
    ]
    if not any(told):
        return ""
    text = desk.words("unusual.note", language, list="; ".join(filter(None, told)))
    return f'<section class="ck-card ck-caution" role="note"><p>{escape(text)}</p></section>'


def _change_html(desk: Desk, language: str, *form: Any) -> str:
    """What would change the answer; nothing where there is no answer."""
    if _blank(form):
        return ""
    try:
        return change_card(desk, applicant_of(desk.fields, form), language)
    except CasekitError:
        return ""  # the answer beside it already says what is wrong


def _blank(form: Sequence[Any]) -> bool:
    return all(value in (None, "") for value in form)
