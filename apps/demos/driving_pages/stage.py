"""A moment as a picture with everything drawn over it, in the language of the page.

Drawn as SVG, so that text stays sharp, boxes can be pressed, and every language has its letters.
"""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from apps.demos.driving_pages.looking import Moment, private
from apps.demos.driving_pages.pictures import data_uri, heated, packed, tinted, unpacked
from apps.demos.driving_pages.saying import detail_of, name_of
from verticals.driving.frame import OBJECTS, SURFACES
from verticals.driving.overlays import SURFACE_COLOURS

if TYPE_CHECKING:
    from apps.demos.driving_pages.desk import Reason
    from apps.demos.words import Words
    from verticals.driving.frame import Boxes2D

LAYERS = ("boxes", "surfaces", "lanes", "unknown", "truth", "private", "second")
FIRST_LAYERS = ("boxes", "lanes", "unknown")
# By kind of object; also the legend of films. Light enough for black letters.
COLOURS = {
    "car": "#5ab4ff", "van": "#5ab4ff", "truck": "#5ab4ff", "bus": "#5ab4ff",
    "pedestrian": "#ffb000", "cyclist": "#ffd84d", "motorcycle": "#ffd84d",
    "traffic_light": "#7be07b", "traffic_sign": "#c9b6ff", "other": "#cccccc",
}  # fmt: skip
WARNED, STRANGE, TRUE, OTHER = "#ff3b30", "#ff4fd8", "#ffffff", "#00e5c0"
_LINES = {True: "#46dc6e", False: "#5a96ff"}  # lane lines left and right of the camera
_LAMPS = {"red": "#ff4d42", "red_amber": "#ff8a1f", "amber": "#ffc021", "green": "#38d65b"}
_TALL = 0.035  # share of the picture's height from which a box is named


def stage_html(
    moment: Moment,
    layers: Collection[str],
    words: Words,
    language: str,
    *,
    others: Boxes2D | None = None,
    reason: tuple[int, Reason] | None = None,
) -> str:
    """The picture and its layers.

    Args:
        moment: What was seen.
        layers: Of LAYERS, those to draw.
        words: Texts.
        language: Of the page.
        others: Pedestrians as a second network sees them.
        reason: An object's row, and why it is seen.
    """
    width, height = moment.size
    picture = packed(private(moment)) if "private" in layers else moment.picture
    if "private" not in layers and not picture.startswith(b"\xff\xd8"):
        picture = packed(unpacked(picture))  # a tenth of the bytes, and the eye sees no difference
    parts = [_layer(data_uri(picture), moment)]
    if reason is not None:
        parts.append(_layer(data_uri(heated(reason[1].heat)), moment))
    elif "surfaces" in layers:
        parts.append(_layer(data_uri(tinted(unpacked(moment.surfaces))), moment))
    if "lanes" in layers:
        parts += [
            f'<polyline points="{_points(line.points)}" fill="none" class="ck-lane" '
            f'stroke="{_LINES[line.offset > 0]}"/>'
            for line in moment.seen.sight.lanes
        ]
    if "truth" in layers and moment.truth is not None:
        parts += [_rectangle(box, TRUE, "ck-true") for box in moment.truth.xyxy]
    if "second" in layers and others is not None:
        parts += [_rectangle(box, OTHER, "ck-other") for box in others.xyxy]
    if "boxes" in layers or "unknown" in layers:
        parts.append(_objects(moment, layers, words, language, reason[0] if reason else None))
    title = escape(words("see.picture", language))
    return (
        f'<figure class="ck-stage" data-testid="stage"><svg viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{title}" style="--u:{width / 68:.2f}px">{"".join(parts)}</svg>'
        f"{_legend(moment, layers, words, language, heat=reason is not None)}</figure>"
    )


def _layer(uri: str, moment: Moment) -> str:
    width, height = moment.size
    return f'<image href="{uri}" width="{width}" height="{height}" preserveAspectRatio="none"/>'


def _objects(
    moment: Moment, layers: Collection[str], words: Words, language: str, chosen: int | None
) -> str:
    """Boxes, far ones first, then their names, none over another."""
    boxes, unknown = moment.seen.sight.boxes, moment.seen.sight.unknown
    drawn, named, taken = [], [], list[tuple[float, float, float, float]]()
    for row in reversed(moment.shown.tolist()):
        strange = bool(len(unknown) and unknown[row])
        if ("unknown" if strange else "boxes") not in layers:
            continue
        colour = colour_of(moment, row)
        tone = "ck-strange" if strange else "ck-warned" if moment.seen.warned[row] else ""
        tone += " ck-chosen" if row == chosen else ""
        text = caption(moment, row, words, language)
        drawn.append(
            f'<g data-row="{row}" tabindex="0"><title>{escape(_told(moment, row, words, language))}'
            f"</title>{_rectangle(boxes.xyxy[row], colour, tone)}</g>"
        )
        if boxes.xyxy[row, 3] - boxes.xyxy[row, 1] >= _TALL * moment.size[1] or tone.strip():
            named.append((row, text, colour))
    # near objects are named first: what is far must make room
    labels = [_label(moment, row, text, colour, taken) for row, text, colour in reversed(named)]
    return "".join(drawn) + "".join(reversed(labels))


def colour_of(moment: Moment, row: int) -> str:
    """Red if it is about to be met, else by its kind; lights by their state."""
    boxes, unknown = moment.seen.sight.boxes, moment.seen.sight.unknown
    if moment.seen.warned[row]:
        return WARNED
    if len(unknown) and unknown[row]:
        return STRANGE
    kind = OBJECTS[int(boxes.classes[row])]
    if kind == "traffic_light" and boxes.details:
        return _LAMPS.get(boxes.details[row], COLOURS[kind])
    return COLOURS[kind]


def caption(moment: Moment, row: int, words: Words, language: str) -> str:
    """A few words beside a box: what, how far, when."""
    boxes, seen = moment.seen.sight.boxes, moment.seen
    name = detail_of(boxes, row, words, language) or name_of(moment, row, words, language)
    said = [name, f"{np.asarray(boxes.distance)[row]:.0f} m"]
    if seen.warned[row]:
        said.append(f"! {seen.time_to_collision_s[row]:.1f} s")
    return " ".join(said)


def _told(moment: Moment, row: int, words: Words, language: str) -> str:
    """All of it, for whoever points at a box."""
    score = float(np.asarray(moment.seen.sight.boxes.scores)[row])
    return f"{caption(moment, row, words, language)} · {score:.0%}"


def _label(
    moment: Moment, row: int, text: str, colour: str,
    taken: list[tuple[float, float, float, float]],
) -> str:  # fmt: skip
    """A name on a plate, above its box or wherever there is room; none where there is not."""
    width, height = moment.size
    unit = width / 68
    left, top, _, bottom = (float(v) for v in moment.seen.sight.boxes.xyxy[row])
    # Chinese letters are as wide as high, Latin ones about half
    wide = unit * (0.9 + sum(1.0 if ord(c) > 0x2E7F else 0.58 for c in text))
    tall = 1.45 * unit
    x = min(max(left, 0.0), max(width - wide, 0.0))
    for y in (top - tall, bottom, top - 2 * tall, top):
        place = (x, y, x + wide, y + tall)
        free = all(
            place[2] <= a or place[0] >= c or place[3] <= b or place[1] >= d
            for a, b, c, d in taken
        )  # fmt: skip
        if free and y >= 0 and y + tall <= height:
            taken.append(place)
            return (
                f'<g class="ck-plate" data-row="{row}"><rect x="{x:.1f}" y="{y:.1f}" '
                f'width="{wide:.1f}" height="{tall:.1f}" rx="{0.3 * unit:.1f}" fill="{colour}"/>'
                f'<text x="{x + 0.45 * unit:.1f}" y="{y + 1.07 * unit:.1f}">{escape(text)}</text>'
                "</g>"
            )
    return ""


def _rectangle(box: np.ndarray, colour: str, tone: str = "") -> str:
    left, top, right, bottom = (float(v) for v in box)
    return (
        f'<rect class="ck-box {tone}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}" stroke="{colour}"/>'
    )


def _points(points: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _legend(
    moment: Moment, layers: Collection[str], words: Words, language: str, *, heat: bool
) -> str:
    """What the colours mean, of those that are on the picture."""
    marks = []
    if heat:
        marks.append(("#f98e09", words("see.heat", language)))
    elif "surfaces" in layers:
        numbers, counts = np.unique(unpacked(moment.surfaces), return_counts=True)
        order = numbers[np.argsort(-counts)]
        marks += [
            (_hex(SURFACE_COLOURS[k]), words(f"surfaces.{SURFACES[k]}", language))
            for k in order
            if k < len(SURFACES)
        ]
    if "truth" in layers and moment.truth is not None:
        marks.append((TRUE, words("see.truth_mark", language)))
    if "second" in layers:
        marks.append((OTHER, words("see.second_mark", language)))
    items = "".join(
        f'<li><span class="ck-mark ck-mark-bar" style="--c:{colour}"></span>{escape(text)}</li>'
        for colour, text in marks
    )
    return f'<ul class="ck-legend">{items}</ul>' if items else ""


def _hex(colour: np.ndarray) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour)
