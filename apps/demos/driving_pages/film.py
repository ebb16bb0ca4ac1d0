"""A clip as a film with everything drawn in, and how near danger came over its time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np

from apps.demos.driving_pages.desk import Image
from apps.demos.driving_pages.looking import Looked, Moment, thumbnail
from apps.demos.driving_pages.pictures import data_uri, filmed, unpacked
from apps.demos.driving_pages.stage import COLOURS, STRANGE, WARNED, colour_of
from verticals.driving.overlays import draw_lanes, draw_surfaces
from verticals.driving.watching import WARN_S

if TYPE_CHECKING:
    from apps.demos.words import Words

_LONGEST = 640  # pixels
_MOST_S = 6.0  # time to collision at the top of the strip
_WIDE, _HIGH = 640, 74  # of the strip, its own units
_GROUPS = {"vehicles": "car", "people": "pedestrian", "riders": "cyclist",
           "signs": "traffic_sign"}  # fmt: skip


def film_html(looked: Looked, layers: Collection[str], words: Words, language: str) -> str:
    """The film and the strip below it; empty for a single picture.

    Args:
        looked: The moments.
        layers: Of stage.LAYERS, those to draw.
        words: Texts.
        language: Of the page.
    """
    if not looked.film:
        return ""
    first, last = looked.moments[0].seen.time_s, looked.moments[-1].seen.time_s
    rate = max(1, round((len(looked.moments) - 1) / max(last - first, 1e-3)))
    key = frozenset(layers)
    if key not in looked.films:  # another language needs no other film
        made = filmed(drawn(looked, layers), rate)
        looked.films.clear()
        looked.films[key] = made
    data = data_uri(looked.films[key])
    marks = {words(f"film.{group}", language): COLOURS[kind] for group, kind in _GROUPS.items()}
    marks |= {words("film.warned", language, seconds=WARN_S): WARNED,
              words("film.unknown", language): STRANGE}  # fmt: skip
    legend = "".join(
        f'<li><span class="ck-mark ck-mark-bar" style="--c:{colour}"></span>{escape(text)}</li>'
        for text, colour in marks.items()
    )
    title = escape(words("film.title", language))
    return (
        f'<section class="ck-card" data-testid="film"><h3>{title}</h3>'
        f'<video class="ck-film" src="{data}" controls autoplay muted loop playsinline></video>'
        f'<ul class="ck-legend">{legend}</ul>{strip(looked, words, language)}</section>'
    )


def drawn(looked: Looked, layers: Collection[str]) -> Iterator[Image]:
    """The pictures of the film; their captions are numbers, which need no language."""
    for moment in looked.moments:
        image = thumbnail(moment, _LONGEST, hidden="private" in layers)
        scale = image.shape[1] / moment.size[0]
        if "surfaces" in layers:
            size = (image.shape[1], image.shape[0])
            maps = cv2.resize(unpacked(moment.surfaces), size, interpolation=cv2.INTER_NEAREST)
            image = draw_surfaces(image, np.asarray(maps, np.uint8), 0.4)
        if "lanes" in layers:
            lanes = moment.seen.sight.lanes
            image = draw_lanes(image, [replace(one, points=one.points * scale) for one in lanes])
        for row in reversed(moment.shown.tolist()):
            unknown = moment.seen.sight.unknown
            if ("unknown" if len(unknown) and unknown[row] else "boxes") in layers:
                _box(image, moment, row, scale)
        yield image


def _box(image: Image, moment: Moment, row: int, scale: float) -> None:
    seen, boxes = moment.seen, moment.seen.sight.boxes
    colour = colour_of(moment, row).lstrip("#")
    tone = tuple(int(colour[k : k + 2], 16) for k in (0, 2, 4))
    left, top, right, bottom = (round(float(v) * scale) for v in boxes.xyxy[row])
    warned = bool(seen.warned[row])
    cv2.rectangle(image, (left, top), (right, bottom), tone, 3 if warned else 1, cv2.LINE_AA)
    if bottom - top < 14 and not warned:
        return
    text = f"{np.asarray(boxes.distance)[row]:.0f}m"
    if boxes.track_ids[row] >= 0:
        text = f"#{int(boxes.track_ids[row])} {text}"
    if warned:
        text += f" {seen.time_to_collision_s[row]:.1f}s!"
    (wide, tall), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.38, 1)
    x = min(max(left, 0), max(image.shape[1] - wide, 0))
    y = top - 3 if top > tall + 6 else bottom + tall + 4
    cv2.rectangle(image, (x, y - tall - 2), (x + wide, y + base - 2), tone, -1)
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (10, 10, 10), 1, cv2.LINE_AA)


def strip(looked: Looked, words: Words, language: str) -> str:
    """The least time to collision over the clip: a bar for each picture, red when braking is due.

    The shorter the time that is left, the higher the bar.
    """
    wide = _WIDE / len(looked.moments)
    bars = []
    for k, moment in enumerate(looked.moments):
        nearest = moment.seen.nearest_s
        if nearest >= _MOST_S:
            continue
        high = (_HIGH - 14) * (1 - nearest / _MOST_S)
        tone = WARNED if nearest < WARN_S else "#8aa4b8"
        bars.append(
            f'<rect x="{k * wide:.1f}" y="{_HIGH - 14 - high:.1f}" width="{max(wide - 1, 1):.1f}" '
            f'height="{high:.1f}" fill="{tone}"/>'
        )
    times = [moment.seen.time_s for moment in looked.moments]
    lead = words("film.nobody", language)
    if bars:
        worst = looked.moments[looked.riskiest]
        lead = words(
            "film.nearest", language, seconds=f"{worst.seen.nearest_s:.1f}",
            at=f"{worst.seen.time_s - times[0]:.1f}",
        )  # fmt: skip
    return (
        f'<p class="ck-quiet">{escape(lead)}</p>'
        f'<svg class="ck-strip" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="{escape(lead)}"><line x1="0" x2="{_WIDE}" y1="{_HIGH - 14}" '
        f'y2="{_HIGH - 14}"/>{"".join(bars)}<text x="0" y="{_HIGH - 1}">0 s</text>'
        f'<text x="{_WIDE}" y="{_HIGH - 1}" text-anchor="end">{times[-1] - times[0]:.1f} s</text>'
        "</svg>"
    )
