"""Homes as people write them: the embedded one, Home Assistant's form, and mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import DataError
from verticals.voice.home.model import Area, Entity, Home

GOOD = """
areas:
  - {id: kitchen, name: Kitchen}
entities:
  - {id: light.kitchen, name: Kitchen light, area: kitchen}
"""


def test_the_embedded_home_is_believable() -> None:
    home = Home.open()
    assert len(home.areas) >= 8
    assert len(home.entities) >= 35
    domains = {e.domain for e in home.entities}
    assert domains >= {
        "light", "climate", "cover", "lock", "media_player", "fan", "switch", "vacuum", "sensor",
        "weather", "todo", "scene",
    }  # fmt: skip
    places = [a.plan for a in home.areas]
    assert all(plan and plan[2] > 0 and plan[3] > 0 for plan in places)


def test_rooms_of_a_floor_do_not_overlap() -> None:
    home = Home.open()
    for floor in home.floors:
        plans = [a.plan for a in home.areas if a.floor == floor.id and a.plan]
        for n, (x, y, w, d) in enumerate(plans):
            for other in plans[n + 1 :]:
                apart = (x + w <= other[0] or other[0] + other[2] <= x
                         or y + d <= other[1] or other[1] + other[3] <= y)  # fmt: skip
                assert apart


def test_no_two_devices_share_a_name() -> None:
    names = [n.lower() for e in Home.open().entities for n in e.names]
    assert len(names) == len(set(names))


def test_home_assistants_fixtures_are_read(shared_voice: Path) -> None:
    home = Home.open(shared_voice / "nlu" / "ha_fixtures.yaml")
    lock = home.by_id["lock.front_door"]
    assert (lock.name, lock.area, lock.state) == ("Front Door", "entrance_id", "locked")
    assert (
        home.by_id["binary_sensor.washer_running"].state == "on"
    )  # what it is, not how it is said
    assert home.by_id["todo.trader_joes"].names == ("Trader Joe's", "Trader Joes")
    assert "Queen" in home.vocabulary().names


def test_risk_is_of_what_opens_the_house() -> None:
    home = Home.open()
    risky = {e.id for e in home.entities if e.risky}
    assert risky == {
        "lock.front_door", "lock.back_door", "cover.garage_door", "alarm_control_panel.alarm",
    }  # fmt: skip
    assert Entity(id="switch.saw", name="Saw", ask_first=True).risky
    assert not Entity(id="lock.diary", name="Diary", ask_first=False).risky


def test_the_vocabulary_names_what_people_say() -> None:
    words = Home.open().vocabulary()
    assert {"Kitchen light", "Movie night", "Kitchen", "upstairs", "Grandma"} <= set(words.names)
    assert len(words.names) == len(set(words.names))
    assert words.sentences


@pytest.mark.parametrize(
    ("text", "part", "remedy"),
    [
        ("entities: []", "entities", "List at least one"),
        ("- 1\n- 2", "entities", "List at least one"),
        ("entities: [", "line", "indentation"),
        (GOOD.replace("light.kitchen", "kitchen"), "entities.0.id (kitchen)", "light.kitchen"),
        (GOOD.replace("area: kitchen", "aera: kitchen"), "entities.0.aera", "'area'"),
        (GOOD.replace("area: kitchen", "area: kichen"), "light.kitchen, area", "'kitchen'"),
        (GOOD + "  - {id: light.kitchen, name: Second}\n", "entities", "own"),
        (GOOD.replace("areas:", "areas: 3\nrooms:"), "areas", "home.yaml"),
        (GOOD + "scenes: [{id: scene.dusk}]", "scenes", "light.kitchen"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    tmp_path: Path, text: str, part: str, remedy: str
) -> None:
    file = tmp_path / "home.yaml"
    file.write_text(text)
    with pytest.raises(DataError) as error:
        Home.open(file)
    assert part in error.value.where
    assert remedy in error.value.remedy


def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        Home.open(tmp_path / "nowhere.yaml")


def test_within_selects_by_place_and_kind() -> None:
    home = Home.open()
    upstairs = {e.id for e in home.within(floor="upper", domain="light")}
    assert upstairs == {
        "light.bedroom", "light.bedside_lamp", "light.night_light", "light.bathroom",
        "light.desk_lamp",
    }  # fmt: skip
    assert home.within(area="kitchen", device_class="window")[0].id == (
        "binary_sensor.kitchen_window"
    )
    assert Home(areas=(Area(id="a", name="A"),)).within(area="a") == ()
