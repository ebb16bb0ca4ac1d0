"""What stands in no room, as chips above the plan: weather, lists, timers, alarms, people."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from apps.demos.voice_pages.icons import icon, shape_of
from apps.demos.voice_pages.placing import elsewhere
from apps.demos.voice_pages.states import timers_of
from apps.demos.voice_pages.view import View
from verticals.voice.home.model import Entity
from verticals.voice.home.timers import CLOCK, ENTITY


def strip_html(view: View) -> str:
    """The chips of a home."""
    chips = [_entity(view, entity) for entity in elsewhere(view.home)]
    chips += [_timer(view, timer) for timer in timers_of(view.states)]
    times = view.states.get(CLOCK, {}).get("attributes", {}).get("alarms") or []
    named = view.say("home.alarm")
    chips += [_chip("alarm_clock", str(t), f"{named} {t}", CLOCK, changed=True) for t in times]
    label = escape(view.say("home.also"))
    return f'<ul class="ck-strip" aria-label="{label}">{"".join(chips)}</ul>'


def _entity(view: View, entity: Entity) -> str:
    """A chip; nothing for a scene that was not just started, or a person who is away."""
    state, changed = str(view.states[entity.id]["state"]), entity.id in view.changed
    if entity.domain in ("scene", "script", "button") and not changed:
        return ""
    if entity.domain == "person" and state != "home":
        return ""
    text = view.text(entity)
    label = f"{entity.name}: {text}"
    shown = {"person": entity.name, "weather": text}.get(entity.domain, label)
    return _chip(shape_of(entity, state), shown, label, entity.id, changed=changed)


def _chip(shape: str, text: str, label: str, entity: str, *, changed: bool) -> str:
    look = ' class="ck-changed"' if changed else ""
    return (
        f'<li{look} title="{escape(label)}" data-entity="{escape(entity)}">{icon(shape)}'
        f"<span>{escape(text)}</span></li>"
    )


def _timer(view: View, timer: Mapping[str, Any]) -> str:
    """A timer; the page counts it down by its `data-left`."""
    left = max(0, round(float(timer["remaining_s"])))
    name = str(timer.get("name") or view.say("home.timer"))
    paused = f" ({view.say('states.paused')})" if timer["paused"] else ""
    runs = "" if timer["paused"] else f' data-left="{left}"'
    hours, rest = divmod(left, 3600)
    clock = f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
    return (
        f'<li class="ck-changed" data-entity="{ENTITY}">{icon("timer")}<span>{escape(name)} '
        f"<b{runs}>{clock}</b>{escape(paused)}</span></li>"
    )
