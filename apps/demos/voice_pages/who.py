"""Who spoke, by what that is known, and what they may do."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from apps.demos.voice_pages.icons import icon
from verticals.voice.people.voices import THRESHOLD

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Exchange
    from apps.demos.words import Words
    from verticals.voice.people.permissions import Permissions


def who_html(exchange: Exchange, desk: Desk, language: str) -> str:
    """The speaker of an exchange; nothing before anybody is enrolled."""
    if exchange.may is None:
        return ""
    words, name = desk.words, exchange.turn.speaker
    typed = exchange.way == "typed"
    stranger = words("who.typed" if typed else "who.stranger", language)
    by = ""
    if exchange.alike is not None:
        by = words("who.alike", language, alike=f"{exchange.alike:.2f}", enough=f"{THRESHOLD:g}")
    elif name:
        by = words("who.chosen", language)
    by = f'<span class="ck-note">{escape(by)}</span>' if by else ""
    may = escape(may_text(exchange.may, words, language))
    return (
        f'<p class="ck-who" data-testid="who">{icon("person")}<b>{escape(name or stranger)}</b>{by}'
        f'<span class="ck-may">{may}</span></p>'
    )


def may_text(permissions: Permissions, words: Words, language: str) -> str:
    """What somebody may do, in a few words."""
    if permissions.kinds is not None:
        kinds = ", ".join(words(f"domains.{kind}", language).lower() for kind in permissions.kinds)
        return words("who.may_only", language, kinds=kinds)
    return words("who.may_all" if permissions.risky else "who.may_not_open", language)
