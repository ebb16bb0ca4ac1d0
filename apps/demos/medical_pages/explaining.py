"""The page that explains: passages, words and features that carried the last answer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.medical_pages.badges import percent
from apps.demos.medical_pages.quotes import plain, shaded

if TYPE_CHECKING:
    from apps.demos.medical_pages.asking import Asked
    from apps.demos.medical_pages.desk import Carried, Desk, Explanation
    from apps.demos.medical_pages.session import Session
    from apps.demos.words import Labels, Words
    from verticals.medical.answer import Answer, Evidence

MOST_FEATURES = 8


def why_page(desk: Desk, labels: Labels, language: Any, session: Session) -> None:
    """Build the page inside the current tab; the button on the page that asks fills it."""
    import gradio as gr

    del language  # the page that asks renders both again when the language changes
    labels.make(gr.HTML, {"value": lambda lang: _lead(desk, lang)})
    session.why.render()


def explain_asked(desk: Desk, asked: Asked | None) -> Explanation | None:
    """Why the answer is what it is; nothing where there is none."""
    if asked is None or asked.answer.status != "answered":
        return None
    return desk.reader.explain(asked.question, asked.answer)


def why_html(desk: Desk, asked: Asked, explanation: Explanation | None, language: str) -> str:
    """Passages by what the answer loses without them, then each passage's words and features."""
    if explanation is None:
        return ""
    words, answer = desk.words, asked.answer
    question = f'<p class="ck-asked">{escape(asked.question.question)}</p>'
    pieces = zip(answer.evidence, explanation.carried, strict=False)
    body = "".join(
        _carried(n, evidence, carried, desk, language)
        for n, (evidence, carried) in enumerate(pieces, 1)
    )
    return question + _without(answer, explanation, words, language) + body


def _lead(desk: Desk, language: str) -> str:
    words = desk.words
    return (
        f'<h2 class="ck-title">{escape(words("why.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(words("why.lead", language))}</p>'
    )


def _without(answer: Answer, explanation: Explanation, words: Words, language: str) -> str:
    """A bar per document: how far confidence moves once it is left out."""
    if not explanation.without:
        return ""
    numbers: dict[str, list[int]] = {}
    for n, piece in enumerate(answer.evidence, 1):
        numbers.setdefault(piece.document, []).append(n)
    kept = [(ns, explanation.without[ns[0] - 1]) for ns in numbers.values()]
    top = max(abs(answer.confidence - left) for _, left in kept) or 1.0
    rows = "".join(
        _bar(
            f"{', '.join(map(str, ns))}. {plain(answer.evidence[ns[0] - 1].title)}",
            words("why.left", language, p=percent(left)),
            (answer.confidence - left) / top,
        )
        for ns, left in kept
    )
    lead = words("why.without_lead", language, p=percent(answer.confidence))
    return (
        f'<section class="ck-card" data-testid="without"><h3>'
        f"{escape(words('why.without', language))}</h3>"
        f'<p class="ck-quiet">{escape(lead)}</p><ol class="ck-reasons">{rows}</ol></section>'
    )


def _bar(name: str, value: str, share: float) -> str:
    """A name, its value, and a bar from -1 to 1 whose sign shows in colour and in the value."""
    kind = "" if share >= 0 else "ck-against"
    return (
        f'<li><div class="ck-row"><span>{escape(name)}</span>'
        f'<span class="ck-num">{escape(value)}</span></div>'
        f'<div class="ck-effect {kind}"><div style="width:{100 * abs(share):.1f}%"></div>'
        "</div></li>"
    )


def _carried(number: int, evidence: Evidence, carried: Carried, desk: Desk, language: str) -> str:
    """One passage: its words shaded by weight, and the features that ranked it."""
    words = desk.words
    text = desk.reader.text(evidence.document)
    shade = ""
    if carried.words:
        first = min(evidence.start, *(w.start for w in carried.words))
        last = max(evidence.end, *(w.end for w in carried.words))
        shade = (
            f"<h4>{escape(words('why.words', language))}</h4>"
            f'<blockquote class="ck-passage" data-testid="weights">'
            f"{shaded(text, first, last, carried.words)}</blockquote>"
        )
    features = _features(carried, words, language)
    return (
        f'<section class="ck-card"><h3>{number}. {escape(evidence.title)}</h3>{shade}{features}'
        "</section>"
    )


def _features(carried: Carried, words: Words, language: str) -> str:
    """SHAP values of the ranker's features for this passage."""
    chosen = carried.features[:MOST_FEATURES]
    if not chosen:
        return ""
    top = max(abs(effect) for _, _, effect in chosen) or 1.0
    rows = "".join(
        _bar(_feature(name, words, language), f"{value:.3g}  ({effect:+.3f})", effect / top)
        for name, value, effect in chosen
    )
    return (
        f"<h4>{escape(words('why.features', language))}</h4>"
        f'<p class="ck-quiet">{escape(words("why.features_lead", language))}</p>'
        f'<ol class="ck-reasons" data-testid="features">{rows}</ol>'
    )


def _feature(name: str, words: Words, language: str) -> str:
    key = f"ranks.{name}"
    return words(key, language) if words.has(key) else name.replace("_", " ")
