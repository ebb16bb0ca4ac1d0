"""Whether an explanation holds, in words: without what counted most, and without random parts."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from apps.demos.voice_pages.icons import icon
from apps.demos.voice_pages.sentence import intent_name

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Exchange
    from verticals.voice.why import Why

_CHANCE = 0.25  # share of random removals that may hurt as much
_MOST_TIMES = 1000


def holds_card(exchange: Exchange, why: Why, desk: Desk, language: str) -> str:
    """One sentence and a verdict for every test; nothing where nothing was tested."""
    from verticals.voice.why import meant

    words = desk.words
    named = {f"words, {c.intent}": intent_name(c, words, language) for c in meant(
        exchange.turn.understood)}  # fmt: skip
    items = ""
    for row in why.certificate.to_dict("records"):
        test = str(row["test"])
        if test in named:
            items += _test(row, named[test], desk, language)
        elif test.startswith("sound"):
            items += _test(row, None, desk, language)
    if not items:
        return ""
    return (
        f'<section class="ck-card"><h3>{escape(words("why.holds", language))}</h3>'
        f'<p class="ck-quiet">{escape(words("why.holds_lead", language))}</p>'
        f'<ul class="ck-tests" data-testid="holds">{items}</ul></section>'
    )


def _test(row: dict[str, Any], command: str | None, desk: Desk, language: str) -> str:
    """What is left without the heaviest quarter, and without a random one.

    Args:
        row: Of the certificate.
        command: That words carried; None where sound carried words.
        desk: Opened parts.
        language: Of the page.
    """
    words = desk.words
    whole, heaviest, random, as_bad = (
        float(row[name])
        for name in ("whole", "without the heaviest", "without as many at random", "random as bad")
    )
    if command is None:
        text = words("why.test_sound", language, heaviest=_times(whole - heaviest),
                     random=_times(whole - random))  # fmt: skip
    else:
        text = words("why.test_words", language, command=command, heaviest=_share(heaviest),
                     random=_share(random))  # fmt: skip
    if as_bad <= _CHANCE:
        verdict, look, shape = "holds", "approve", "yes"
    elif heaviest < random:
        verdict, look, shape = "alike", "plain", "yes"
    else:
        verdict, look, shape = "chance", "refer", "ask"
    return (
        f'<li><span class="ck-grow">{escape(text)}</span><span class="ck-badge ck-{look}">'
        f"{icon(shape)}{escape(words(f'verdicts.{verdict}', language))}</span></li>"
    )


def _share(part: float) -> str:
    return f"{100 * part:.0f}%"


def _times(loss: float) -> str:
    """How many times less likely, from a loss in natural log-probability."""
    times = math.exp(min(max(loss, 0.0), 50.0))
    if times > _MOST_TIMES:
        return f"> {_MOST_TIMES:,}"
    return f"{times:.0f}" if times >= 10 else f"{times:.1f}"
