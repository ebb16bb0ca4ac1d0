"""An answer at a glance: the probability, how sure it is, what is suggested and why, as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.demos.words import Words
    from verticals.finance.answer import CreditAnswer, Reason

MOST_DOTS = 200

_ICONS = {  # three shapes, so that the suggestion never hangs on a colour
    "approve": '<circle cx="12" cy="12" r="10.5"/><path d="M7 12.5l3.4 3.4L17 9"/>',
    "refer": '<path d="M12 1.8 22.2 12 12 22.2 1.8 12Z"/><path d="M9.6 9.8a2.5 2.5 0 1 1 3.3 2.4'
    'c-.6.2-.9.6-.9 1.2v.4M12 16.4v.2"/>',
    "decline": '<path d="M7.6 1.8h8.8l5.8 5.8v8.8l-5.8 5.8H7.6l-5.8-5.8V7.6Z"/>'
    '<path d="M8.3 8.3l7.4 7.4M15.7 8.3l-7.4 7.4"/>',
}


def percent(value: float) -> str:
    """A probability as the page shows it: 7.4%."""
    return f"{100 * value:.1f}%"


def icon(decision: str) -> str:
    """The decision's shape, silent for screen readers because the word stands beside it."""
    return f'<svg class="ck-icon" viewBox="0 0 24 24" aria-hidden="true">{_ICONS[decision]}</svg>'


def badge(decision: str, words: Words, language: str) -> str:
    """The decision in shape, word and colour."""
    word = escape(words(f"decision.{decision}", language))
    return f'<span class="ck-badge ck-{decision}">{icon(decision)}{word}</span>'


def answer_card(
    answer: CreditAnswer, cutoff: float, words: Words, language: str, *, batch: int = 100
) -> str:
    """The whole answer but its reasons.

    Args:
        answer: What the model says of one applicant.
        cutoff: PD from which the policy declines.
        words: The demo's texts.
        language: Which of them.
        batch: How many applicants' default rate the interval speaks of.
    """
    sides = {
        "pd": percent(answer.pd),
        "low": percent(answer.pd_low),
        "high": percent(answer.pd_high),
        "cutoff": percent(cutoff),
        "points": f"{answer.points:,.0f}",
    }
    why = words(f"decision.{answer.decision}_why", language, **sides)
    return f"""
<section class="ck-card" aria-live="polite" aria-label="{escape(words("answer.title", language))}">
  <div class="ck-head">{badge(answer.decision, words, language)}
    <span class="ck-quiet">{escape(words("answer.suggestion", language))}</span></div>
  <div class="ck-figures">
    <div><div class="ck-big" data-testid="pd">{sides["pd"]}</div>
      <div class="ck-unit">{escape(words("answer.pd", language))}</div></div>
    <div class="ck-side"><div class="ck-mid">{sides["points"]}</div>
      <div class="ck-unit">{escape(words("answer.points", language))}</div></div>
  </div>
  {_interval_bar(answer, cutoff, words, language)}
  <p class="ck-why">{escape(why)}</p>
  {_how_sure(answer, batch, words, language)}
</section>"""


def _interval_bar(answer: CreditAnswer, cutoff: float, words: Words, language: str) -> str:
    """The interval on a scale from zero, with the cut-off in place."""
    top = _round_up(min(1.0, 1.15 * max(answer.pd_high, 1.5 * cutoff)))
    low, high, at, cut = (
        100 * v / top for v in (answer.pd_low, answer.pd_high, answer.pd, min(cutoff, top))
    )
    spoken = words(
        "answer.bar",
        language,
        pd=percent(answer.pd),
        low=percent(answer.pd_low),
        high=percent(answer.pd_high),
        cutoff=percent(cutoff),
    )
    ticks = "".join(
        f'<span style="left:{100 * i / 4:.0f}%">{100 * top * i / 4:g}%</span>' for i in range(5)
    )
    label = escape(words("answer.cutoff", language, cutoff=percent(cutoff)))
    side = "ck-left" if cut > 55 else ""
    return f"""
  <div class="ck-interval" role="img" aria-label="{escape(spoken)}">
    <div class="ck-cut {side}" style="left:{cut:.2f}%"><span>{label}</span></div>
    <div class="ck-track"><div class="ck-band ck-{answer.decision}"
      style="left:{low:.2f}%;width:{max(high - low, 0.6):.2f}%"></div>
      <div class="ck-dot" style="left:{at:.2f}%"></div></div>
    <div class="ck-ticks">{ticks}</div>
  </div>"""


def _round_up(value: float) -> float:
    """The next scale end that quarters evenly, as a share."""
    steps = (0.004, 0.008, 0.02, 0.04, 0.08, 0.12, 0.2, 0.4, 0.6, 0.8, 1.0)
    return next(step for step in steps if value <= step + 1e-12)


def _how_sure(answer: CreditAnswer, batch: int, words: Words, language: str) -> str:
    """The interval in people: of 100 applicants like this, 5 to 9 default."""
    low, high = (round(batch * v) for v in (answer.pd_low, answer.pd_high))
    key = "answer.people" if low != high else "answer.people_same"
    text = escape(words(key, language, base=f"{batch:,}", low=low, high=high))
    note = escape(words("answer.interval_note", language, base=f"{batch:,}"))
    return (
        f'<div class="ck-sure"><h3>{escape(words("answer.sure", language))}</h3>'
        f"{_people(low, high, batch)}<p>{text}</p>"
        f'<p class="ck-quiet">{note}</p></div>'
    )


def _people(low: int, high: int, batch: int) -> str:
    """A dot each: filled for those who default in any case, ringed for those who may."""
    if batch > MOST_DOTS:
        return ""
    dots = []
    for i in range(batch):
        kind = "ck-yes" if i < low else "ck-may" if i < high else "ck-no"
        x, y = 6 + 11 * (i % 20), 6 + 11 * (i // 20)
        dots.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="4"/>')
    height = 1 + 11 * math.ceil(batch / 20)
    box = f'viewBox="0 0 221 {height}"'
    return f'<svg class="ck-people" {box} aria-hidden="true">{"".join(dots)}</svg>'


def reasons_card(reasons: Sequence[Reason], words: Words, language: str) -> str:
    """Up to four principal reasons, each with how far it moves the odds."""
    title = escape(words("reasons.title", language))
    if not reasons:
        body = f'<p class="ck-quiet">{escape(words("reasons.none", language))}</p>'
    else:
        top = max(abs(r.effect) for r in reasons) or 1.0
        body = "".join(_reason(r, top, words, language) for r in reasons[:4])
        note = escape(words("reasons.note", language))
        body = f'<ol class="ck-reasons">{body}</ol><p class="ck-quiet">{note}</p>'
    return f'<section class="ck-card"><h3>{title}</h3>{body}</section>'


def _reason(reason: Reason, top: float, words: Words, language: str) -> str:
    times = f"{math.exp(abs(reason.effect)):.2f}"
    effect = words("reasons.raises" if reason.effect >= 0 else "reasons.lowers", language, x=times)
    width = 100 * abs(reason.effect) / top
    return (
        f'<li><div class="ck-row"><span>{escape(reason.text)}</span>'
        f'<span class="ck-num">{escape(effect)}</span></div>'
        f'<div class="ck-effect"><div style="width:{width:.1f}%"></div></div></li>'
    )
