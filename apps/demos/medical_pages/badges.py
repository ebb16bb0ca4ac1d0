"""What an answer, a grade or a direction looks like: a shape, a word and a colour."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from verticals.medical.answer import GRADES

if TYPE_CHECKING:
    from apps.demos.words import Words

_CIRCLE = '<circle cx="12" cy="12" r="10.5"/>'
_ICONS = {  # shapes differ, so that nothing hangs on a colour
    "answered": _CIRCLE + '<path d="M7 12.5l3.4 3.4L17 9"/>',
    "abstained": '<path d="M12 1.8 22.2 12 12 22.2 1.8 12Z"/><path d="M8 12h8"/>',
    "supports": _CIRCLE + '<path d="M7 12.5l3.4 3.4L17 9"/>',
    "contradicts": '<path d="M7.6 1.8h8.8l5.8 5.8v8.8l-5.8 5.8H7.6l-5.8-5.8V7.6Z"/>'
    '<path d="M8.3 8.3l7.4 7.4M15.7 8.3l-7.4 7.4"/>',
    "no difference": '<rect x="2" y="2" width="20" height="20" rx="4"/>'
    '<path d="M7 9.5h10M7 14.5h10"/>',
    "unclear": '<path d="M12 1.8 22.2 12 12 22.2 1.8 12Z"/><path d="M9.6 9.8a2.5 2.5 0 1 1 3.3 2.4'
    'c-.6.2-.9.6-.9 1.2v.4M12 16.4v.2"/>',
    "info": _CIRCLE + '<path d="M12 11v6M12 7v.2"/>',
    "warning": '<path d="M12 2.2 23 21.5H1Z"/><path d="M12 9v6M12 18v.2"/>',
    "critical": '<path d="M7.6 1.8h8.8l5.8 5.8v8.8l-5.8 5.8H7.6l-5.8-5.8V7.6Z"/>'
    '<path d="M12 6.5v7M12 17v.2"/>',
}
_COLOURS = {
    "answered": "approve", "supports": "approve", "abstained": "refer", "unclear": "refer",
    "no difference": "plain", "contradicts": "decline", "info": "plain", "warning": "refer",
    "critical": "decline",
}  # fmt: skip


def percent(probability: float) -> str:
    """A probability in whole percent; never 0% or 100%, which nobody knows."""
    if probability < 0.01:
        return "< 1%"
    return "> 99%" if probability > 0.99 else f"{100 * probability:.0f}%"


def badge(kind: str, text: str, extra: str = "") -> str:
    """A shape with its word, e.g. `badge("supports", "Supports")`."""
    colour = _COLOURS[kind]
    shape = f'<svg class="ck-icon" viewBox="0 0 24 24" aria-hidden="true">{_ICONS[kind]}</svg>'
    return f'<span class="ck-badge ck-{colour} {extra}">{shape}{escape(text)}</span>'


def direction_badge(
    direction: str, words: Words, language: str, chance: float | None = None
) -> str:
    """What a piece of evidence says of the question, and how sure the model is."""
    text = words(f"directions.{direction.replace(' ', '_')}", language)
    if chance is not None and direction != "unclear":
        text = f"{text} · {percent(chance)}"
    return badge(direction, text, "ck-small")


def grade_badge(grade: str, words: Words, language: str) -> str:
    """The kind of evidence: as many filled steps as kinds are weaker, so 5 of 5 is a guideline."""
    filled = len(GRADES) - 1 - list(GRADES).index(grade)  # type: ignore[arg-type]
    steps = "".join(
        f'<i class="{"ck-on" if i < filled else ""}"></i>' for i in range(len(GRADES) - 1)
    )
    text = escape(words(f"grades.{grade.replace(' ', '_')}", language))
    scale = f'<span class="ck-steps" aria-hidden="true">{steps}</span>'
    return f'<span class="ck-grade">{scale}{text}</span>'
