"""One exchange on the page: heard, understood, done, said; how sure each is, and what changed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from apps.demos.voice_pages.icons import icon, shape_of
from apps.demos.voice_pages.sentence import (
    hard_to_hear,
    heard_html,
    intent_name,
    percent,
    slots_html,
    unsaid_html,
)
from apps.demos.voice_pages.states import Change, name_of, state_text
from apps.demos.voice_pages.who import who_html

if TYPE_CHECKING:
    from apps.demos.voice_pages.desk import Desk
    from apps.demos.voice_pages.visits import Exchange
    from core.errors import CasekitError
    from verticals.voice.command import Command, Turn

_LOOKS = {
    "done": ("yes", "approve"), "unchanged": ("yes", "plain"), "answered": ("yes", "approve"),
    "waiting": ("ask", "refer"), "refused": ("no", "decline"), "failed": ("no", "decline"),
}  # fmt: skip
_CERTAIN = 0.995
_ORDER = ("first", "second", "third")


def welcome_html(desk: Desk, language: str) -> str:
    """What stands in place of an exchange before there is one."""
    words = desk.words
    return (
        f'<section class="ck-card ck-welcome"><h3>{escape(words("turn.welcome_title", language))}'
        f'</h3><p class="ck-quiet">{escape(words("turn.welcome", language))}</p></section>'
    )


def problem_html(error: CasekitError, desk: Desk, language: str) -> str:
    """What was wrong and what to do, in place of an exchange."""
    title = escape(desk.words("site.problem", language))
    what = escape(error.what[:1].upper() + error.what[1:])
    remedy = f"<p>{escape(error.remedy)}</p>" if error.remedy else ""
    return (
        f'<section class="ck-card ck-problem" role="alert"><h3>{title}</h3>'
        f"<p><strong>{what}</strong></p>{remedy}</section>"
    )


def reply_html(exchange: Exchange, desk: Desk, language: str) -> str:
    """The steps of one exchange, top to bottom as they happened."""
    turn = exchange.turn
    steps = [_heard(exchange, desk, language)]
    if turn.transcript.text:
        steps += [_understood(turn, desk, language), _done(exchange, desk, language)]
    status = turn.understood.status
    return (
        f'<section class="ck-card ck-turn" data-testid="turn" data-status="{status}" '
        f'data-number="{exchange.number}"><ol class="ck-flow">{"".join(steps)}</ol>'
        f"{_actions(exchange, desk, language)}{_seconds(exchange, desk, language)}</section>"
    )


def meter(sure: float, text: str) -> str:
    """How sure something is, as a bar and in words."""
    look = "approve" if sure >= 0.75 else "refer" if sure >= 0.5 else "decline"
    return (
        f'<span class="ck-meter ck-{look}"><span class="ck-bar"><i style="width:'
        f'{100 * min(max(sure, 0.0), 1.0):.0f}%"></i></span>{escape(text)}</span>'
    )


def _step(name: str, head: str, body: str) -> str:
    return f'<li class="ck-flow-{name}"><div class="ck-flow-head">{head}</div>{body}</li>'


def _heard(exchange: Exchange, desk: Desk, language: str) -> str:
    words, turn = desk.words, exchange.turn
    spoken = exchange.way != "typed"
    title = f"<h4>{escape(words('turn.heard' if spoken else 'turn.typed', language))}</h4>"
    if not turn.transcript.text:
        return _step("heard", title, f"<p class='ck-quiet'>{escape(turn.reply)}</p>")
    head = title
    if spoken:
        sure = turn.transcript.confidence
        head += meter(sure, words("turn.sure", language, percent=percent(sure)))
    body = f'<p class="ck-said" data-testid="heard">{heard_html(turn.transcript)}</p>'
    body += who_html(exchange, desk, language)
    if exchange.taken_as:
        taught = words("turn.taught", language, text=exchange.taken_as)
        body += f'<p class="ck-note" data-testid="taught">{escape(taught)}</p>'
    if hard_to_hear(turn.transcript):
        body += f'<p class="ck-note ck-line">{escape(words("turn.unsure_words", language))}</p>'
    return _step("heard", head, body)


def _understood(turn: Turn, desk: Desk, language: str) -> str:
    words, found = desk.words, turn.understood
    key = "turn.perhaps" if found.status == "unsure" else "turn.understood"
    title = f"<h4>{escape(words(key, language))}</h4>"
    commands = found.commands or found.alternatives
    if not commands:
        unsure = found.status == "unsure"
        text = words("turn.unclear" if unsure else "turn.rejected", language)
        return _step("understood", title, f'<p class="ck-badge ck-refer ck-small">{icon("ask")}'
                     f"{escape(text)}</p>")  # fmt: skip
    shown = found.commands or found.alternatives[:1]
    sure = min(c.confidence for c in shown)
    told = words("turn.sure", language, percent=percent(sure))
    told = words("turn.certain", language) if sure >= _CERTAIN else told
    body = "".join(_command(c, desk, language) for c in shown)
    return _step("understood", title + meter(sure, told), body)


def _command(command: Command, desk: Desk, language: str) -> str:
    words = desk.words
    source = escape(words(f"sources.{command.source}", language))
    return (
        f'<div class="ck-command"><p><span class="ck-intent" data-testid="intent" '
        f'title="{escape(command.intent)}">{escape(intent_name(command, words, language))}</span>'
        f'<span class="ck-note">{source}</span></p>{slots_html(command, words, language)}'
        f"{_devices(command, desk)}{unsaid_html(command, words, language)}</div>"
    )


def _devices(command: Command, desk: Desk) -> str:
    """The devices meant, by icon and name; many are counted."""
    there = [desk.parts.home.by_id[e] for e in command.entities if e in desk.parts.home.by_id]
    items = "".join(f"<li>{icon(shape_of(e, e.state))}{escape(e.name)}</li>" for e in there[:6])
    more = f"<li>+ {len(there) - 6}</li>" if len(there) > 6 else ""
    return f'<ul class="ck-chips ck-devices">{items}{more}</ul>' if items else ""


def _done(exchange: Exchange, desk: Desk, language: str) -> str:
    words, turn = desk.words, exchange.turn
    asks = turn.understood.status in ("confirm", "unsure")
    title = f"<h4>{escape(words('turn.done' if turn.outcomes else 'turn.answer', language))}</h4>"
    badges = "".join(
        _badge(status, words(f"outcomes.{status}", language))
        for status in dict.fromkeys(outcome.status for outcome in turn.outcomes)
    )
    if asks:
        key = "turn.waits" if turn.understood.status == "confirm" else "turn.asks"
        badges = _badge("waiting", words(key, language))
    bubble = f'<p class="ck-bubble" data-testid="reply" aria-live="polite">{escape(turn.reply)}</p>'
    body = bubble + _choices(turn, language, desk) + _changed(exchange.changes, desk, language)
    return _step("done", title + badges, body)


def _badge(status: str, text: str) -> str:
    shape, colour = _LOOKS[status]
    return f'<span class="ck-badge ck-small ck-{colour}">{icon(shape)}{escape(text)}</span>'


def _choices(turn: Turn, language: str, desk: Desk) -> str:
    """Buttons that answer what the assistant asks."""
    from verticals.voice.understanding.confirm import described

    words, found = desk.words, turn.understood
    waits = found.status == "confirm" or any(o.status == "waiting" for o in turn.outcomes)
    if waits:
        buttons = _button("yes", words("turn.confirm_yes", language), primary=True) + _button(
            "no", words("turn.confirm_no", language)
        )
    elif found.status == "unsure" and found.alternatives:
        home = desk.parts.home
        buttons = "".join(
            _button(_ORDER[n] if n < 2 else described(c, home), described(c, home).capitalize(),
                    extra=percent(c.confidence) if c.confidence < _CERTAIN else "")
            for n, c in enumerate(found.alternatives)
        )  # fmt: skip
    else:
        return ""
    return f'<p class="ck-choices-row" data-testid="choices">{buttons}</p>'


def _button(say: str, text: str, *, primary: bool = False, extra: str = "") -> str:
    look = "ck-act ck-primary" if primary else "ck-act"
    small = f"<small>{escape(extra)}</small>" if extra else ""
    return (
        f'<button type="button" class="{look}" data-say="{escape(say)}">{escape(text)}{small}'
        f"</button>"
    )


def _changed(changes: tuple[Change, ...], desk: Desk, language: str) -> str:
    """What changed in the home, device by device."""
    home, words = desk.parts.home, desk.words
    rows = []
    for change in changes[:8]:
        entity = home.by_id.get(change.entity)
        before, after = (
            state_text(entity, s, words, language) for s in (change.before, change.after)
        )
        shape = shape_of(entity, str(change.after["state"])) if entity else "timer"
        rows.append(
            f'<li data-testid="change" data-entity="{escape(change.entity)}">{icon(shape)}'
            f"<span>{escape(name_of(home, change.entity, words, language))}</span>"
            f"<span class='ck-was'>{escape(before)}</span><span aria-hidden='true'>→</span>"
            f"<b>{escape(after)}</b></li>"
        )
    more = f"<li>+ {len(changes) - 8}</li>" if len(changes) > 8 else ""
    return f'<ul class="ck-changes">{"".join(rows)}{more}</ul>' if rows else ""


def _actions(exchange: Exchange, desk: Desk, language: str) -> str:
    if not exchange.turn.transcript.text:
        return ""
    words = desk.words
    return (
        '<p class="ck-turn-actions">'
        f'<button type="button" class="ck-act" data-act="why">{escape(words("turn.why", language))}'
        f'</button><button type="button" class="ck-act" data-act="wrong">'
        f"{escape(words('turn.wrong', language))}</button></p>"
    )


def _seconds(exchange: Exchange, desk: Desk, language: str) -> str:
    """How long every stage took."""
    words, seconds = desk.words, exchange.turn.seconds
    hidden = {"recognition"} if exchange.way == "typed" else set()
    hidden |= set() if exchange.may else {"speaker"}  # nobody to tell apart
    parts = [
        f"{words(f'stages.{name}', language)} {_time(took)}"
        for name, took in seconds.items()
        if name not in hidden and words.has(f"stages.{name}")
    ]
    return f'<p class="ck-note ck-took">{escape(" · ".join(parts))}</p>'


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"
