"""What was seen in words: a headline, how sure it is, and a table of everything."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from apps.demos.finance_pages.tables import Markup, html_table
from verticals.driving.frame import OBJECTS
from verticals.driving.watching import WARN_S

if TYPE_CHECKING:
    from apps.demos.driving_pages.looking import Looked, Moment
    from apps.demos.words import Words
    from verticals.driving.frame import Boxes2D
    from verticals.driving.perception.second_opinion import Merged

_KINDS = {  # in the order in which they are said
    "people": ("pedestrian",), "riders": ("cyclist", "motorcycle"),
    "vehicles": ("car", "van", "truck", "bus"),
}  # fmt: skip
_SHORT_S = 2.0  # headway below which one is too close
_SAME = 0.5  # intersection over union of a found object and a true one
_HIDDEN, _TINY = 0.7, 12.0  # share hidden and pixels of height of what nobody could find


def headline(moment: Moment, words: Words, language: str) -> str:
    """The moment in one sentence: what is there, how near, what is not known."""
    boxes, rows = moment.seen.sight.boxes, moment.shown
    away = np.asarray(boxes.distance)
    unknown = moment.seen.sight.unknown
    known = [row for row in rows if not (len(unknown) and unknown[row])]
    said = []
    for key, names in _KINDS.items():
        mine = [row for row in known if OBJECTS[int(boxes.classes[row])] in names]
        if mine:
            count = "one" if len(mine) == 1 else "many"
            metres = f"{away[mine].min():.0f}"
            said.append(words(f"say.{key}_{count}", language, n=len(mine), metres=metres))
    said += [words("say.light", language, state=state) for state in _light(moment, words, language)]
    strange = int(unknown[rows].sum()) if len(unknown) else 0
    said.append(words("say.unknown" if strange else "say.all_known", language, n=strange))
    if len(said) == 1 and not strange:
        said.insert(0, words("say.nobody", language))
    text = words("say.between", language).join(said)
    return text[:1].upper() + text[1:] + words("say.end", language)


def _light(moment: Moment, words: Words, language: str) -> list[str]:
    """The state of the light that matters most: the largest."""
    boxes = moment.seen.sight.boxes
    lights = [row for row in moment.shown if OBJECTS[int(boxes.classes[row])] == "traffic_light"]
    if not lights or not boxes.details:
        return []
    size = (boxes.xyxy[lights, 2:] - boxes.xyxy[lights, :2]).prod(axis=1)
    state = boxes.details[lights[int(size.argmax())]]
    return [words(f"lights.{state}", language)] if state else []


def danger(moment: Moment, words: Words, language: str) -> str:
    """Whom the ego is about to meet, or follows too closely; empty if nobody."""
    seen = moment.seen
    rows = [row for row in moment.shown if seen.warned[row]]
    if rows:
        row = min(rows, key=lambda r: float(seen.time_to_collision_s[r]))
        return words(
            "say.brake", language, what=name_of(moment, row, words, language),
            seconds=f"{seen.time_to_collision_s[row]:.1f}",
        )  # fmt: skip
    close = [row for row in moment.shown if seen.headway_s[row] < _SHORT_S and seen.ego_speed > 2]
    if close:
        row = min(close, key=lambda r: float(seen.headway_s[r]))
        return words(
            "say.close", language, what=name_of(moment, row, words, language),
            seconds=f"{seen.headway_s[row]:.1f}",
        )  # fmt: skip
    return ""


def name_of(moment: Moment, row: int, words: Words, language: str) -> str:
    """An object by what it is and, in films, by its number."""
    boxes, unknown = moment.seen.sight.boxes, moment.seen.sight.unknown
    name = words(f"objects.{OBJECTS[int(boxes.classes[row])]}", language)
    if len(unknown) and unknown[row]:
        name = words("say.unknown_like", language, what=name)
    number = int(boxes.track_ids[row])
    return f"{name} #{number}" if number >= 0 and moment.followed else name


def headline_html(looked: Looked, at: int, words: Words, language: str) -> str:
    """The card above the picture."""
    moment = looked.moments[at]
    urgent = danger(moment, words, language)
    alarm = moment.seen.sight.alarm
    parts = []
    if alarm:
        parts.append(f'<p class="ck-alarm" role="alert">{escape(words("say.alarm", language))}</p>')
    if urgent:
        tone = "ck-now" if moment.seen.warned.any() else "ck-soon"
        parts.append(f'<p class="{tone}" data-testid="danger">{escape(urgent)}</p>')
    parts.append(
        f'<h3 data-testid="headline">{escape(headline(moment, words, language))}</h3>'
        f'<p class="ck-quiet">{escape(_how(looked, moment, words, language))}</p>'
    )
    parts += [
        f'<p class="ck-quiet ck-remark">{escape(words(f"remarks.{key}", language))}</p>'
        for key in looked.remarks
    ]
    tone = " ck-problem" if urgent or alarm else ""
    return f'<section class="ck-card ck-said{tone}">{"".join(parts)}</section>'


def _how(looked: Looked, moment: Moment, words: Words, language: str) -> str:
    """How strange the picture is, and how fast it was seen."""
    name, strange = words(f"runtimes.{looked.runtime}", language), moment.seen.sight.strangeness
    said = [words("say.rate", language, runtime=name, rate=f"{looked.rate:.1f}")]
    if strange:
        said.append(words("say.strange", language, strange=f"{strange:.2f}"))
    lens = "lens_known" if looked.camera is not None else "lens_assumed"
    said.append(words(f"say.{lens}", language))
    if looked.film and np.isfinite(moment.seen.ego_speed):
        said.append(words("say.speed", language, speed=f"{3.6 * moment.seen.ego_speed:.0f}"))
    return words("say.between", language).join(said)


def table_html(looked: Looked, at: int, words: Words, language: str, *, why: bool) -> str:
    """Every object of a moment, nearest first.

    Args:
        looked: Everything.
        at: The moment.
        words: Texts.
        language: Of the page.
        why: Whether an object can be explained.
    """
    moment = looked.moments[at]
    rows = [_row(looked, moment, int(row), words, language, why=why) for row in moment.shown]
    title = f"<h3>{escape(words('see.objects', language))}</h3>"
    if not rows:
        none = escape(words("see.none", language))
        return f'<section class="ck-card">{title}<p class="ck-quiet">{none}</p></section>'
    heads = ["what", "detail", "metres", "sure"] + (["meets", "headway"] if looked.film else [])
    names = [*(words(f"see.{head}", language) for head in heads), *([""] if why else [])]
    return (
        f'<section class="ck-card" data-testid="objects">{title}'
        f"{html_table(names, rows, numbers=(2, 4, 5) if looked.film else (2,))}</section>"
    )


def _row(
    looked: Looked, moment: Moment, row: int, words: Words, language: str, *, why: bool
) -> list[object]:
    seen, boxes = moment.seen, moment.seen.sight.boxes
    score = float(np.asarray(boxes.scores)[row])
    sure = Markup(
        f'<span class="ck-sureness"><span class="ck-sure-bar" aria-hidden="true">'
        f'<i style="width:{100 * score:.0f}%"></i></span> {score:.0%}</span>'
    )
    detail = detail_of(boxes, row, words, language)
    cells: list[object] = [
        name_of(moment, row, words, language), detail, f"{np.asarray(boxes.distance)[row]:.0f} m",
        sure,
    ]  # fmt: skip
    if looked.film:
        cells += [_meets(float(seen.time_to_collision_s[row])), _seconds(seen.headway_s[row])]
    if why:
        label = escape(words("see.why", language))
        cells.append(
            Markup(f'<button type="button" class="ck-act" data-row="{row}">{label}</button>')
        )
    return cells


def detail_of(boxes: Boxes2D, row: int, words: Words, language: str) -> str:
    """A light's state or a sign's name."""
    detail = boxes.details[row] if boxes.details else ""
    if not detail:
        return ""
    light = OBJECTS[int(boxes.classes[row])] == "traffic_light"
    key = f"lights.{detail}" if light else f"signs.{detail}"
    return words(key, language) if words.has(key) else detail.replace("_", " ")


def _meets(seconds: float) -> object:
    tone = "ck-decline" if seconds < WARN_S else ""
    return Markup(f'<b class="ck-tag {tone}">{_seconds(seconds)}</b>')


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 60 else "–"


@dataclass(frozen=True)
class Against:
    """A moment against the truth of the scene."""

    there: int  # objects that could be found
    found: int
    invented: int
    distance_error: float  # median, share; NaN if nothing was found


def against(moment: Moment) -> Against:
    """How much of what is there was found, whatever it was called."""
    from scipy.optimize import linear_sum_assignment

    from verticals.driving.perception.second_opinion import iou

    truth, boxes, rows = moment.truth, moment.seen.sight.boxes, moment.shown
    if truth is None:
        return Against(0, 0, 0, float("nan"))
    overlap = iou(boxes.xyxy[rows], truth.xyxy)
    mine, theirs = linear_sum_assignment(-overlap)
    good = overlap[mine, theirs] >= _SAME
    fair = truth.xyxy[:, 3] - truth.xyxy[:, 1] >= _TINY
    if truth.occlusion is not None:
        fair &= truth.occlusion < _HIDDEN
    if truth.ignore is not None:
        fair &= ~truth.ignore
    found = int(fair[theirs[good]].sum())
    real, said = np.asarray(truth.distance)[theirs[good]], np.asarray(boxes.distance)[rows][mine]
    error = float(np.median(np.abs(said[good] / real - 1))) if good.any() else float("nan")
    return Against(int(fair.sum()), found, len(rows) - int(good.sum()), error)


def against_html(moment: Moment, words: Words, language: str) -> str:
    """The comparison with the truth in a sentence; empty where none is known."""
    if moment.truth is None:
        return ""
    judged = against(moment)
    text = words(
        "say.against", language, found=judged.found, there=judged.there, invented=judged.invented
    )
    if np.isfinite(judged.distance_error):
        text += words("say.distances", language, error=f"{judged.distance_error:.0%}")
    return f'<p class="ck-quiet" data-testid="against">{escape(text)}</p>'


def second_html(merged: Merged, words: Words, language: str) -> str:
    """What another network says of people, next to ours."""
    kinds = {name: merged.seen_by.count(name) for name in ("both", "second")}
    people = (merged.boxes.classes == OBJECTS.index("pedestrian")).sum()
    text = words(
        "say.second", language, both=kinds["both"], second=kinds["second"],
        ours=int(people) - kinds["both"] - kinds["second"], disputed=int(merged.disputed.sum()),
    )  # fmt: skip
    return f'<p class="ck-quiet" data-testid="second">{escape(text)}</p>'
