"""The page that says why: which words carried a command, and where in the sound they were heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from apps.demos.voice_pages.holding import holds_card
from apps.demos.voice_pages.sentence import intent_name, percent

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Exchange, Visit
    from explain.text import WordAttribution
    from verticals.voice.command import Command
    from verticals.voice.why import Why

_LITTLE = 0.005  # of a command: less is nothing


def explained(visit: Visit) -> tuple[Exchange, Why] | None:
    """The last exchange and why it went so; None before anything was said. Takes seconds.

    Raises:
        CasekitError: It cannot be explained.
    """
    from verticals.voice.why import explain_turn

    with visit.lock:
        last = visit.last
    if last is None or not last.turn.transcript.text:
        return None
    return timed(last, visit), explain_turn(visit.assistant, last.turn, last.sound)


def timed(exchange: Exchange, visit: Visit) -> Exchange:
    """The exchange with the time of every word, which takes a second look at the sound."""
    from verticals.voice.recognition.whisper import Recogniser

    recogniser, turn = visit.assistant.parts.recogniser, exchange.turn
    if exchange.sound is None or turn.transcript.words or not isinstance(recogniser, Recogniser):
        return exchange
    words = recogniser.transcribe(exchange.sound, times=True).words
    transcript = turn.transcript.model_copy(update={"words": words})
    return replace(exchange, turn=turn.model_copy(update={"transcript": transcript}))


def empty_html(desk: Desk, language: str, *, busy: bool = False) -> str:
    """What the page shows before there is an explanation, or while one is made."""
    key, look = ("why.busy", "ck-busy") if busy else ("why.empty", "")
    return (
        f'<h2 class="ck-title">{escape(desk.words("why.title", language))}</h2>'
        f'<p class="ck-quiet {look}" role="status">{escape(desk.words(key, language))}</p>'
    )


def why_html(found: tuple[Exchange, Why] | None, desk: Desk, language: str) -> str:
    """The explanation of an exchange.

    Args:
        found: Of `explained`.
        desk: Opened parts.
        language: Of the page.
    """
    from verticals.voice.why import meant

    if found is None:
        return empty_html(desk, language)
    exchange, why = found
    words, turn = desk.words, exchange.turn
    cards = [
        _words_card(command, weights, desk, language)
        for command, weights in zip(meant(turn.understood), why.words, strict=False)
    ]
    if not cards:
        cards = [f'<p class="ck-card">{escape(words("why.no_command", language))}</p>']
    if why.regions is not None:
        from apps.demos.voice_pages.hearing import sound_card

        cards.append(sound_card(exchange, why, desk, language))
    cards.append(holds_card(exchange, why, desk, language))
    return (
        f'<h2 class="ck-title">{escape(words("why.title", language))}</h2>'
        f'<p class="ck-said"><q>{escape(turn.transcript.text)}</q></p>'
        f'<p class="ck-quiet ck-why-lead">{escape(words("why.lead", language))}</p>'
        f'<div data-testid="why">{"".join(cards)}</div>'
    )


def _words_card(
    command: Command, weights: Sequence[WordAttribution], desk: Desk, language: str
) -> str:
    """A command, and the words it rests on: darker ones carry more."""
    words = desk.words
    most = max((abs(w.weight) for w in weights), default=0.0)
    devices = ", ".join(
        desk.parts.home.by_id[e].name for e in command.entities if e in desk.parts.home.by_id
    )
    source = words(f"sources.{command.source}", language)
    sure = words("turn.sure", language, percent=percent(command.confidence))
    head = (
        f'<section class="ck-card"><h3>{escape(intent_name(command, words, language))}'
        f"{': ' * bool(devices)}{escape(devices)}</h3>"
        f'<p class="ck-note">{escape(source)} · {escape(sure)}</p>'
    )
    if most < _LITTLE:  # "and the kitchen too" alone asks for nothing
        return f"{head}<p>{escape(words('why.from_before', language))}</p></section>"
    shaded = " ".join(
        f'<span class="ck-w ck-{"for" if w.weight >= 0 else "against"}" '
        f'style="--w:{abs(w.weight) / most:.2f}" title="{_points(w.weight)}">'
        f"{escape(w.word)}</span>"
        for w in weights
    )
    best = max(weights, key=lambda w: w.weight)
    most_of_all = words("why.most", language, word=best.word, points=f"{100 * best.weight:.0f}")
    heaviest = [w for w in sorted(weights, key=lambda w: -w.weight) if abs(w.weight) >= _LITTLE]
    bars = "".join(_bar(w, most) for w in heaviest[:6])
    return (
        f'{head}<p class="ck-why-words">{shaded}</p>'
        f'<p class="ck-why-most">{escape(most_of_all)}</p>'
        f'<ul class="ck-reasons ck-why-bars">{bars}</ul></section>'
    )


def _bar(word: WordAttribution, most: float) -> str:
    look = "" if word.weight >= 0 else " ck-against"
    return (
        f'<li><div class="ck-row"><span>{escape(word.word)}</span>'
        f'<span class="ck-num">{_points(word.weight)}</span></div><div class="ck-effect{look}">'
        f'<div style="width:{100 * abs(word.weight) / most:.0f}%"></div></div></li>'
    )


def _points(weight: float) -> str:
    """A share of the command, in points of a hundred."""
    return f"{100 * weight:+.0f}"
