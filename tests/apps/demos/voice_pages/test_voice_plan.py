from __future__ import annotations

import re
from xml.etree import ElementTree

from apps.demos.voice_pages.desk import TEXTS
from apps.demos.voice_pages.placing import storeys
from apps.demos.voice_pages.plan import plan_html
from apps.demos.voice_pages.view import View
from apps.demos.words import Words
from verticals.voice.home.model import Area, Entity, Floor, Home
from verticals.voice.home.simulated import SimulatedHome

WORDS = Words.load(*TEXTS)
HOME = Home.open()


def drawn(home: Home = HOME, changed: tuple[str, ...] = (), language: str = "en", **states) -> str:
    present = SimulatedHome(home).states()
    for name, state in states.items():
        present[name.replace("__", ".")] = state
    return plan_html(View(home, present, WORDS, language, changed, "kitchen"))


def test_every_device_of_a_room_is_drawn_for_laptop_and_phone_with_its_name_and_state() -> None:
    html = drawn()
    for entity in HOME.entities:
        if entity.area is None:
            continue
        assert html.count(f'data-entity="{entity.id}"') == 2, entity.id
        assert f'aria-label="{entity.name}: ' in html
    assert 'aria-label="Reading lamp: on, 60%"' in html
    assert 'aria-label="Thermostat: heating, 21 °C"' in html
    assert 'aria-label="Thermostat: 制热, 21 °C"' in drawn(language="zh")


def test_devices_lie_inside_their_rooms_and_apart_from_each_other() -> None:
    html = drawn()
    for svg in re.findall(r'<svg viewBox="-2.*?</figure>', html, re.DOTALL):
        root = ElementTree.fromstring(svg.removesuffix("</figure>"))
        assert len(root) > 0
        for room in root:
            wall = next(r for r in room.findall("rect") if r.get("class") == "ck-wall")
            x, y, w, h = (float(wall.get(k, 0)) for k in ("x", "y", "width", "height"))
            discs = [
                (float(c.get("cx", 0)), float(c.get("cy", 0)), float(c.get("r", 0)))
                for g in room.findall("g") for c in g.findall("circle")
                if c.get("class") == "ck-disc"
            ]  # fmt: skip
            for n, (cx, cy, r) in enumerate(discs):
                assert x <= cx - r, room.get("data-room")
                assert cx + r <= x + w, room.get("data-room")
                assert y <= cy - r, room.get("data-room")
                assert cy + r <= y + h, room.get("data-room")
                for ox, oy, o in discs[:n]:
                    assert (cx - ox) ** 2 + (cy - oy) ** 2 > (r + o - 1) ** 2, room.get("data-room")


def test_a_lamp_lights_its_room_as_bright_as_it_is_and_a_made_up_colour_is_not_drawn() -> None:
    lamp = {"state": "on", "attributes": {"brightness": 40, "color": "blue"}}
    html = drawn(light__bedroom=lamp)
    bedroom = html[html.index('data-room="bedroom"') :][:80]
    assert "--lit:40%" in bedroom
    assert "--glow:#4c8dff" in bedroom
    evil = {"state": "on", "attributes": {"color": "red;background:url(//evil)"}}
    assert "evil" not in re.sub(r"aria-label=\"[^\"]*\"|<title>.*?</title>", "", drawn(
        light__bedroom=evil))  # fmt: skip


def test_what_changed_is_ringed_and_named() -> None:
    html = drawn(changed=("light.porch",))
    assert html.count("ck-ring") == 2
    assert re.search(r"ck-said-now[^>]*>Porch light: off<", html)


def test_a_home_without_a_plan_is_laid_out_and_its_names_stay_text(evil: str) -> None:
    home = Home(
        floors=(Floor(id="f", name="Floor"),),
        areas=tuple(Area(id=f"a{n}", name=f"Room {n} {evil}", floor="f") for n in range(5)),
        entities=(Entity(id="light.x", name=f"Lamp {evil}", area="a3", state="on"),),
    )
    html = drawn(home)
    assert "<script" not in html
    (floor,) = storeys(home)
    boxes = [(r.left, r.top, r.left + r.width, r.top + r.depth) for r in floor.rooms]
    for n, (left, top, right, bottom) in enumerate(boxes):
        for other in boxes[:n]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart
    assert drawn(Home()) != ""


def test_timers_are_counted_down_by_the_page() -> None:
    timer = {"name": "tea", "remaining_s": 61.4, "total_s": 90, "paused": False}
    html = drawn(timer__assistant={"state": "active", "attributes": {"timers": [timer]}})
    assert 'data-left="61">1:01<' in html
