"""A scenario's two runs next to each other: criteria, films, and why the shield stepped in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from apps.demos.driving_pages.pictures import data_uri, filmed
from apps.demos.finance_pages.tables import Markup, html_table
from verticals.driving.deciding.shield import REASONS
from verticals.driving.scenarios.running import TICK

if TYPE_CHECKING:
    from apps.demos.driving_pages.desk import Image
    from apps.demos.words import Words
    from verticals.driving.scenarios.running import Trace

_AT_LEAST = ("min_time_to_collision", "min_progress_m")
_UNITS = {"min_time_to_collision": "s", "max_unsafe_s": "s", "max_braking": "m/s²",
          "max_jerk": "m/s³", "min_progress_m": "m"}  # fmt: skip
_FREE = 90.0  # a cap from here on caps nothing
_SIGNS = {True: ("ck-approve", "✓"), False: ("ck-decline", "✕")}


@dataclass(frozen=True)
class Played:
    """A case without and with the shield, and both films."""

    bare: Trace
    guarded: Trace
    films: tuple[bytes, bytes]


@dataclass(frozen=True)
class Spell:
    """Some time during which the shield stepped in for one reason."""

    reason: int  # in REASONS
    begin_s: float
    end_s: float
    hardest: float  # the least acceleration it allowed, m/s²; infinite if it forbade a lane only


def spells(trace: Trace) -> list[Spell]:
    """What the shield did, steps in a row for one reason taken together."""
    found: list[Spell] = []
    for one in trace.overrides:
        number = REASONS.index(one.reason)
        cap = one.cap if one.cap < _FREE else float("inf")
        last = found[-1] if found else None
        if last and last.reason == number and one.time_s - last.end_s < 2.5 * TICK:
            found[-1] = Spell(number, last.begin_s, one.time_s, min(last.hardest, cap))
        else:
            found.append(Spell(number, one.time_s - TICK, one.time_s, cap))
    return found


def verdict_html(bare: Trace, guarded: Trace, words: Words, language: str) -> str:
    """Both runs criterion by criterion.

    Args:
        bare: Without the shield.
        guarded: With it.
        words: Texts.
        language: Of the page.
    """
    key = {(True, True): "both", (False, True): "saved", (True, False): "worse",
           (False, False): "neither"}[bare.passed, guarded.passed]  # fmt: skip
    limits = bare.case.scenario.criteria.model_dump()
    rows = [
        [words(f"criteria.{name}", language), _limit(name, limit),
         *(_cell(trace, name) for trace in (bare, guarded))]
        for name, limit in limits.items()
    ]  # fmt: skip
    heads = [words(f"decide.{h}", language) for h in ("criterion", "limit", "bare", "guarded")]
    return (
        f'<section class="ck-card" data-testid="verdict" data-bare="{_word(bare)}" '
        f'data-guarded="{_word(guarded)}"><h3>{escape(words(f"decide.{key}", language))}</h3>'
        f"{html_table(heads, rows, numbers=(1, 2, 3))}</section>"
    )


def _word(trace: Trace) -> str:
    return "passed" if trace.passed else "failed"


def _limit(name: str, limit: float) -> str:
    sign = "≥" if name in _AT_LEAST else "≤"
    return f"{sign} {limit:g} {_UNITS.get(name, '')}".strip()


def _cell(trace: Trace, name: str) -> Markup:
    tone, sign = _SIGNS[name not in trace.failed]
    value = trace.measured[name]
    text = f"{value:.1f}" if value < 99 else "–" if name == "min_time_to_collision" else "> 99"
    if name in ("collisions", "red_lights"):
        text = f"{value:.0f}"
    if name == "min_progress_m" and value >= 99:
        text = f"{value:.0f}"
    return Markup(f'<span class="ck-tag {tone}">{escape(text)} {sign}</span>')


def reasons_html(guarded: Trace, words: Words, language: str) -> str:
    """When and why the shield stepped in."""
    found = spells(guarded)
    title = f"<h3>{escape(words('decide.reasons', language))}</h3>"
    if not found:
        none = escape(words("decide.no_reasons", language))
        return f'<section class="ck-card">{title}<p class="ck-quiet">{none}</p></section>'
    items = "".join(f"<li>{_spell(one, words, language)}</li>" for one in found)
    return (
        f'<section class="ck-card" data-testid="reasons">{title}'
        f'<ol class="ck-spells">{items}</ol></section>'
    )


def _spell(one: Spell, words: Words, language: str) -> str:
    when = words("decide.from_to", language, begin=f"{one.begin_s:.1f}", end=f"{one.end_s:.1f}")
    if one.hardest == float("inf"):
        what = words("decide.kept_lane", language)
    elif one.hardest < 0:
        what = words("decide.braked", language, cap=f"{-one.hardest:.1f}")
    else:
        what = words("decide.held_back", language)
    reason = escape(words(f"shield.{one.reason}", language))
    return f'<span class="ck-num">{escape(when)}</span> {reason}<br><small>{escape(what)}</small>'


def films_of(bare: Trace, guarded: Trace) -> Played:
    """Both runs, filmed."""
    rate = round(1 / TICK)
    return Played(bare, guarded, (filmed(_pictures(bare), rate), filmed(_pictures(guarded), rate)))


def films_html(played: Played, words: Words, language: str) -> str:
    """Both films, side by side; the page starts them together."""
    films = ""
    for trace, key, film in (
        (played.bare, "bare", played.films[0]), (played.guarded, "guarded", played.films[1]),
    ):  # fmt: skip
        tone, sign = _SIGNS[trace.passed]
        told = words("decide.passed" if trace.passed else "decide.failed", language)
        films += (
            f"<figure><figcaption><b>{escape(words(f'decide.{key}', language))}</b> "
            f'<span class="ck-tag {tone}">{sign} {escape(told)}</span></figcaption>'
            f'<video src="{data_uri(film)}" muted playsinline preload="auto"></video></figure>'
        )
    again = escape(words("decide.again", language))
    lead = escape(words("decide.lead", language))
    return (
        f'<section class="ck-card ck-films" data-testid="films"><div>{films}</div>'
        f'<button type="button" class="ck-act" data-act="again">{again}</button>'
        f'<p class="ck-quiet">{lead}</p></section>'
    )


def _pictures(trace: Trace) -> Iterator[Image]:
    """The film from above, in RGB; what the shield said stands on the page, in its language."""
    from verticals.driving.scenarios.showing import frames

    for picture in frames(trace, words=False):
        yield picture[..., ::-1]
