"""Tables: what was said in this conversation, and what the home has."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from apps.demos.voice_pages.icons import icon, shape_of
from apps.demos.voice_pages.sentence import intent_name, percent
from apps.demos.voice_pages.states import States, state_text

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Exchange
    from apps.demos.words import Words
    from verticals.voice.home.model import Entity, Home


_HISTORY = ("time", "who", "said", "meant", "outcome", "took")


def history_html(exchanges: Sequence[Exchange], desk: Desk, language: str) -> str:
    """Every exchange, the newest first."""
    words = desk.words
    head = _head("history", words, language)
    if not exchanges:
        return f'{head}<p class="ck-quiet">{escape(words("history.empty", language))}</p>'
    columns = "".join(
        f'<th scope="col">{escape(words(f"history.{n}", language))}</th>' for n in _HISTORY
    )
    rows = "".join(_row(exchange, desk, language) for exchange in reversed(exchanges))
    return (
        f'{head}<div class="ck-card ck-scroll"><table class="ck-table ck-stacked" '
        f'data-testid="history"><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(exchange: Exchange, desk: Desk, language: str) -> str:
    words, turn = desk.words, exchange.turn
    who = turn.speaker or words("history.nobody", language)
    way = words(f"ways.{exchange.way}", language)
    commands = turn.understood.commands
    meant = "; ".join(
        f"{intent_name(c, words, language)} · {percent(c.confidence)}" for c in commands
    ) or words(f"statuses.{turn.understood.status}", language)
    status = words(f"statuses.{turn.understood.status}", language)
    outcomes = dict.fromkeys(words(f"outcomes.{o.status}", language) for o in turn.outcomes)
    took = sum(turn.seconds.values())
    cells = (
        f"{exchange.at:%H:%M:%S}", f"{who}, {way}", turn.transcript.text or "–", meant,
        f"{', '.join(outcomes) or status}: {turn.reply}", f"{took:.2f} s",
    )  # fmt: skip
    named = zip(_HISTORY, cells, strict=True)
    return f"<tr>{''.join(_cell('history', name, c, words, language) for name, c in named)}</tr>"


def devices_html(home: Home, states: States, words: Words, language: str) -> str:
    """Every device with its names, room by room."""
    there = [e for e in home.entities if e.domain not in ("person",)]
    head = _head("devices", words, language, devices=str(len(there)), rooms=str(len(home.areas)))
    columns = "".join(
        f'<th scope="col">{escape(words(f"devices.{n}", language))}</th>'
        for n in ("device", "room", "state", "aliases")
    )
    rooms = {area.id: area.name for area in home.areas}
    order = {name: place for place, name in enumerate((*rooms, None))}
    there.sort(key=lambda e: order.get(e.area, len(order)))
    rows = "".join(_device(e, rooms.get(e.area or "", "–"), states, words, language) for e in there)
    return (
        f'{head}<div class="ck-card ck-scroll"><table class="ck-table ck-stacked ck-device-table">'
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _device(entity: Entity, room: str, states: States, words: Words, language: str) -> str:
    state = states[entity.id]
    kind = f"domains.{entity.domain}"
    kind_name = words(kind, language) if words.has(kind) else entity.domain
    asks = f" · {words('devices.asks', language)}" if entity.risky else ""
    text = state_text(entity, state, words, language)
    return (
        f'<tr><td><span class="ck-thing">{icon(shape_of(entity, str(state["state"])))}<span>'
        f"{escape(entity.name)}<small>{escape(kind_name + asks)}</small></span></span></td>"
        + _cell("devices", "room", room, words, language)
        + _cell("devices", "state", text, words, language)
        + _cell("devices", "aliases", ", ".join(entity.aliases) or "–", words, language)
        + "</tr>"
    )


def _cell(page: str, name: str, text: str, words: Words, language: str) -> str:
    """A cell that knows its column's name, which a phone shows in place of a head."""
    label = escape(words(f"{page}.{name}", language))
    return f'<td data-label="{label}">{escape(text)}</td>'


def _head(page: str, words: Words, language: str, **values: str) -> str:
    return (
        f'<h2 class="ck-title">{escape(words(f"{page}.title", language))}</h2>'
        f'<p class="ck-quiet">{escape(words(f"{page}.lead", language, **values))}</p>'
    )
