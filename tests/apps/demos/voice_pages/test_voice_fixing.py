"""Corrections: done at once, remembered for who said it, and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from apps.demos.voice_pages.acts import Acts
from apps.demos.voice_pages.desk import Desk
from apps.demos.voice_pages.fixing import Fixes, with_device

TOLD = -4  # place of what was remembered, from the end of what a correction writes


@pytest.fixture
def fixes(desk: Desk) -> Fixes:
    return Fixes(desk, Acts(desk))


def said(desk: Desk, key: str | None, text: str) -> Any:
    shown = Acts(desk).typed(key, "en", "", text)
    return shown[0], desk.visits.of(shown[0])[1]


def test_a_correction_is_done_remembered_used_and_taken_back(desk: Desk, fixes: Fixes) -> None:
    key, visit = said(desk, None, "turn on the lampy")
    assert visit.last.turn.understood.status != "understood"
    shown = fixes.corrected(key, "en", "", "turn on the porch light")
    assert visit.states["light.porch"]["state"] == "on"
    assert "“lampy” means “porch light”" in shown[TOLD]
    said(desk, key, "turn off the lampy")
    assert visit.states["light.porch"]["state"] == "off"
    assert visit.last.taken_as == "turn off the porch light"
    told, people = fixes.undone(key, "en", {"value": "0"})
    assert "no longer remembered" in told
    assert "lampy" not in people
    said(desk, key, "turn on the lampy")
    assert visit.states["light.porch"]["state"] == "off"


def test_what_one_person_taught_is_not_what_another_means(desk: Desk, fixes: Fixes) -> None:
    from .conftest import clip

    key, visit = said(desk, None, "turn on the lampy")
    for name, pitch in (("Ana", 3), ("Leo", 9)):
        visit.people.enrol(name, [clip(pitch, seed=n) for n in range(3)], "resident")
    fixes.corrected(key, "en", "Ana", "turn on the porch light")
    assert visit.exchange("turn off the lampy", way="typed", speaker="Leo").changes == ()
    theirs = visit.exchange("turn off the lampy", way="typed", speaker="Ana")
    assert [change.entity for change in theirs.changes] == ["light.porch"]


@pytest.mark.parametrize("text", ["", "the weather is what it is", "yes"])
def test_what_is_not_understood_either_is_not_remembered(
    desk: Desk, fixes: Fixes, text: str
) -> None:
    key, visit = said(desk, None, "turn on the lampy")
    shown = fixes.corrected(key, "en", "", text)
    assert visit.people.lessons == ()
    assert "role=" in shown[TOLD]
    assert shown[TOLD + 1]["visible"] is True  # the panel stays open


def test_a_correction_before_anything_was_said_is_refused(fixes: Fixes) -> None:
    assert "not understood" in fixes.corrected(None, "en", "", "turn on the porch light")[TOLD]


def test_choosing_a_device_puts_it_into_the_sentence(desk: Desk, fixes: Fixes) -> None:
    key, visit = said(desk, None, "set the reading lamp to 40 percent")
    suggested = fixes.suggested(key, "light.desk_lamp")
    assert suggested == "set the Desk lamp to 40 percent"
    assert fixes.suggested(key, "no.such_device") == ""
    said(desk, key, "zzz")
    assert with_device(visit.last.turn, "Desk lamp") == "turn on the Desk lamp"


def test_a_new_exchange_closes_the_panel_and_what_was_remembered(desk: Desk) -> None:
    shown = Acts(desk).said(None, "en", "", "turn on the porch light")
    assert shown[TOLD] == ""
    assert shown[TOLD + 1]["visible"] is False
