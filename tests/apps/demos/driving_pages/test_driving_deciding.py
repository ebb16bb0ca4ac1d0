"""What the page that decides says, without a browser."""

from __future__ import annotations

from itertools import pairwise

import pytest

from apps.demos.driving_pages.decide import play_case
from apps.demos.driving_pages.desk import Desk
from apps.demos.driving_pages.runtimes import Speed
from apps.demos.driving_pages.speed import card_html, speeds_html
from apps.demos.driving_pages.verdicts import (
    films_html,
    films_of,
    reasons_html,
    spells,
    verdict_html,
)
from core.errors import ModelError, ParameterError
from verticals.driving.scenarios.running import Trace

from .conftest import EVIL, picture


@pytest.fixture(scope="module")
def both(desk: Desk) -> tuple[Trace, Trace]:
    return play_case(desk, "stopped_car", 0, "faster")


def test_the_reckless_one_crashes_and_the_shield_saves_it(
    desk: Desk, both: tuple[Trace, Trace]
) -> None:
    bare, guarded = both
    assert "collisions" in bare.failed
    assert not guarded.measured["collisions"]
    shown = verdict_html(bare, guarded, desk.words, "en")
    assert 'data-bare="failed"' in shown
    assert "Least time to collision" in shown
    assert "最短碰撞时间" in verdict_html(bare, guarded, desk.words, "zh")


def test_reasons_are_told_by_spells_in_both_languages(
    desk: Desk, both: tuple[Trace, Trace]
) -> None:
    found = spells(both[1])
    assert 0 < len(found) < len(both[1].overrides)
    assert all(one.begin_s < one.end_s for one in found)
    assert all(a.end_s <= b.end_s for a, b in pairwise(found))
    assert "Too close to the one in front" in reasons_html(both[1], desk.words, "en")
    assert "与前方过近" in reasons_html(both[1], desk.words, "zh")
    assert "did not have to" in reasons_html(both[0], desk.words, "en")


def test_films_stand_side_by_side(desk: Desk, both: tuple[Trace, Trace]) -> None:
    shown = films_html(films_of(*both), desk.words, "en")
    assert shown.count("data:video/mp4;base64,") == 2
    assert "✕ failed" in shown


def test_what_does_not_exist_is_told(desk: Desk) -> None:
    for name, number, who in (("none", 0, "rule"), ("stopped_car", 99, "rule"),
                              ("stopped_car", 0, "nobody")):  # fmt: skip
        with pytest.raises(ParameterError, match="there is no case"):
            play_case(desk, name, number, who)


def test_runtimes_are_timed_and_missing_ones_told(desk: Desk) -> None:
    assert desk.runtimes.kinds == ("torch",)
    assert not desk.runtimes.can_make
    with pytest.raises(ModelError, match="no runtime"):
        desk.runtimes.eye("onnx")
    with pytest.raises(ModelError, match="only exports"):
        desk.runtimes.make()
    speed = desk.runtimes.time("torch", picture())
    assert speed.rate > 0
    assert speed.pictures > 0
    shown = speeds_html([speed, Speed("onnx", 2 * speed.rate, 9.0, 4)], desk.words, "en")
    assert "ONNX Runtime" in shown


def test_the_card_stays_text(desk: Desk) -> None:
    shown = card_html(desk, "en")
    assert EVIL not in shown
    assert "learned from rendered streets only" in shown


def test_the_page_is_built_with_endpoints_that_have_names(desk: Desk) -> None:
    from apps.demos.driving import compose

    demo = compose(desk)
    named = {fn.api_name for fn in demo.fns.values() if fn.api_visibility == "public"}
    assert named == {"see", "play"}
