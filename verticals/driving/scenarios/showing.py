"""Scenario runs to look at: a top-down film, and the surface of passes and failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from verticals.driving.scenarios.running import Trace
from verticals.driving.traffic.columns import (
    CRASHED,
    CYCLIST,
    HEADING,
    KIND,
    LENGTH,
    NOBODY,
    OBSTACLE,
    PEDESTRIAN,
    PHANTOM,
    SEEN_X,
    SEEN_Y,
    TRACKED,
    WIDTH,
    V,
    X,
    Y,
)  # fmt: skip
from verticals.driving.traffic.drivers import lamp
from verticals.driving.traffic.geometry import place
from verticals.driving.traffic.layouts import layout
from verticals.driving.traffic.roads import LANE, Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCALE = 6.0  # pixels a metre
SIZE = (960, 360)
_GRASS, _ROAD, _LINE = (214, 222, 214), (98, 98, 98), (235, 235, 235)  # BGR
_COLOURS = {PEDESTRIAN: (60, 60, 220), CYCLIST: (40, 140, 240), OBSTACLE: (70, 90, 110),
            PHANTOM: (200, 80, 200)}  # fmt: skip
_LAMPS = ((80, 200, 80), (40, 190, 240), (60, 60, 230))


def frames(trace: Trace, *, every: int = 1, words: bool = True) -> Iterator[NDArray[np.uint8]]:
    """The run from above, following the ego; images are (height, width, 3) BGR.

    Crosses mark where the perception holds a road user; a ring marks a collision. Without words,
    a red bar stands where the shield's reason would.
    """
    import cv2

    road = layout(trace.case.scenario.layout)
    overrides = {round(o.time_s, 3): o for o in trace.overrides}
    for k in range(0, len(trace.states), every):
        actors, time = trace.states[k], float(trace.times[k])
        image = np.full((SIZE[1], SIZE[0], 3), _GRASS, np.uint8)
        centre = actors[0, [X, Y]] + 25 * np.array(
            [np.cos(actors[0, HEADING]), np.sin(actors[0, HEADING])]
        )
        _draw_road(image, road, centre, float(trace.case.scenario.light_s) + time)
        for j in range(len(actors) - 1, -1, -1):
            if actors[j, KIND] == NOBODY:
                continue
            colour = (
                (180, 120, 30) if j == 0 else _COLOURS.get(int(actors[j, KIND]), (150, 150, 200))
            )
            cv2.fillPoly(image, [_pixels(_corners(actors[j]), centre)], colour, cv2.LINE_AA)
            if j and actors[j, TRACKED]:
                x, y = _pixels(actors[j, [SEEN_X, SEEN_Y]][None], centre)[0]
                cv2.drawMarker(image, (int(x), int(y)), (0, 0, 0), cv2.MARKER_CROSS, 9, 1)
        if actors[0, CRASHED]:
            x, y = _pixels(actors[0, [X, Y]][None], centre)[0]
            cv2.circle(image, (int(x), int(y)), 34, (0, 0, 220), 3, cv2.LINE_AA)
        shield = overrides.get(round(time, 3))
        name = f"{trace.case.name}   " if words else ""
        lines = [f"{name}{time:4.1f} s   {actors[0, V]:4.1f} m/s"]
        if shield and not words:
            cv2.rectangle(image, (0, 0), (SIZE[0], 6), (40, 40, 220), -1)
        elif shield:
            lines.append(f"shield: {shield.reason}, at most {shield.cap:.1f} m/s2"
                         if shield.cap < 90 else f"shield: {shield.reason}")  # fmt: skip
        for i, line in enumerate(lines):
            cv2.putText(image, line, (10, 22 + 22 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.55,
                        (30, 30, 30) if i == 0 else (20, 20, 190), 1, cv2.LINE_AA)  # fmt: skip
        yield image


def film(trace: Trace, path: Path, *, rate: int = 10) -> Path:
    """Write the film of a run as MP4 (H.264)."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = SIZE[0], SIZE[1], "yuv420p"
        for image in frames(trace):
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    return path


def pass_table(traces: Sequence[Trace]) -> list[dict[str, Any]]:
    """One row a scenario: cases, passes, collisions, what failed most."""
    grouped: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        grouped[trace.case.scenario.name].append(trace)
    rows = []
    for name, some in grouped.items():
        failed = [criterion for trace in some for criterion in trace.failed]
        rows.append({
            "scenario": name, "cases": len(some), "passed": sum(t.passed for t in some),
            "collisions": int(sum(t.measured["collisions"] for t in some)),
            "fails_most": max(set(failed), key=failed.count) if failed else "",
        })  # fmt: skip
    return rows


def surface(traces: dict[str, Sequence[Trace]]) -> Figure:
    """A heat map: scenarios down, drivers across, the share of cases passed in colour.

    Args:
        traces: The runs of every driver over the same cases.
    """
    from matplotlib.figure import Figure

    tables = {driver: pass_table(some) for driver, some in traces.items()}
    names = [row["scenario"] for row in next(iter(tables.values()))]
    shares = np.array(
        [[row["passed"] / row["cases"] for row in table] for table in tables.values()]
    ).T
    figure = Figure(
        figsize=(1.6 + 1.5 * len(tables), 0.8 + 0.26 * len(names)), layout="constrained"
    )
    axes = figure.subplots()
    axes.imshow(shares, cmap="RdYlGn", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(tables)), list(tables), rotation=20)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=8)
    for i, table in enumerate(tables.values()):
        for j, row in enumerate(table):
            crash = f" {row['collisions']}✕" if row["collisions"] else ""
            share = row["passed"] / row["cases"]
            axes.text(
                i, j, f"{row['passed']}/{row['cases']}{crash}", ha="center", va="center",
                fontsize=7, color="black" if 0.2 < share < 0.9 else "white",
            )  # fmt: skip
    axes.set_title("cases passed; ✕ collisions", fontsize=9)
    return figure


def _corners(actor: Floats) -> Floats:
    """(4, 2) corners of a body in the world."""
    c, s = np.cos(actor[HEADING]), np.sin(actor[HEADING])
    size = np.maximum(actor[[LENGTH, WIDTH]], 1.0)  # people would be three pixels wide
    half = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * size / 2
    return half @ np.array([[c, s], [-s, c]]) + actor[[X, Y]]


def _pixels(points: Floats, centre: Floats) -> NDArray[np.int32]:
    """World points in the image, whose middle is `centre`."""
    moved = (np.asarray(points) - centre) * SCALE * np.array([1, -1]) + np.array(SIZE) / 2
    return np.round(moved).astype(np.int32)


def _draw_road(image: NDArray[np.uint8], road: Any, centre: Floats, time: float) -> None:
    """Lanes, lines, crossings, hedges and the light."""
    import cv2

    roads = road.roads
    for p in range(roads.paths):
        line = roads.table[p]
        end = line[-1, :2] + 2000 * np.array([np.cos(line[-1, 2]), np.sin(line[-1, 2])])
        points = np.vstack([line[:, :2], end[None]])
        if np.isfinite(roads.closes[p]):
            points = line[: int(roads.closes[p]) + 1, :2] if roads.closes[p] < len(line) else points
        cv2.polylines(image, [_pixels(points, centre)], False, _ROAD, int(LANE * SCALE))
    for p in range(roads.paths):
        if roads.left[p] >= 0:
            for start in range(0, 1000 if roads.straight[p] else len(roads.table[p]) - 4, 9):
                dash = [place(roads.table, p, float(s), LANE / 2)[:2] for s in (start, start + 3)]
                cv2.polylines(image, [_pixels(np.array(dash), centre)], False, _LINE, 2)
    for cross in roads.crossings:
        x, y = roads.table[int(cross[0]), 0, :2] + np.array([cross[1], 0.0])
        for k in range(-8, 9):
            stripe = np.array([[x - cross[2], y + 2 + k], [x + cross[2], y + 2 + k]])
            if abs(stripe[0, 1]) < 8:
                cv2.polylines(image, [_pixels(stripe, centre)], False, _LINE, 3)
        if cross[3]:
            spot = _pixels(np.array([[x - 8, y - 9]]), centre)[0]
            colour = _LAMPS[int(lamp(_record(roads), time))]
            cv2.circle(image, (int(spot[0]), int(spot[1])), 9, colour, -1, cv2.LINE_AA)
    for hedge in roads.hedges:
        cv2.polylines(image, [_pixels(hedge.reshape(2, 2), centre)], False, (70, 120, 60), 8)


def _record(roads: Any) -> Any:
    from verticals.driving.traffic.records import packed
    from verticals.driving.traffic.roads import SHAPES

    return packed(roads, SHAPES)
