"""The demo in a real browser: what somebody does on a first visit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LAPTOP, PHONE = (1280, 900), (390, 844)
BOTH = pytest.mark.parametrize("page", [LAPTOP, PHONE], ids=["laptop", "phone"], indirect=True)


def say(page: Any, text: str) -> Any:
    number = page.locator("[data-testid=turn]").count() and page.locator(
        "[data-testid=turn]"
    ).get_attribute("data-number")
    page.get_by_label("Or type").fill(text)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "n => { const t = document.querySelector('[data-testid=turn]');"
        " return t && t.dataset.number !== String(n); }",
        arg=number,
    )
    return page.get_by_test_id("turn")


def stands(page: Any, entity: str, state: str) -> None:
    page.wait_for_function(
        "([id, state]) => [...document.querySelectorAll(`#plan g[data-entity='${id}']`)]"
        ".every(e => e.dataset.state === state)",
        arg=[entity, state],
    )


@BOTH
def test_a_sentence_switches_a_light_on_the_plan(page: Any) -> None:
    stands(page, "light.kitchen", "off")
    say(page, "what time is it")  # the first request of a visit opens its home
    begun = time.monotonic()
    say(page, "turn on the kitchen light")
    stands(page, "light.kitchen", "on")
    assert time.monotonic() - begun < 2.5  # 0.1 s on an idle machine
    page.get_by_role("img", name="Kitchen light: on, 100%").first.wait_for()
    assert page.get_by_test_id("heard").inner_text().strip('“”"') == "turn on the kitchen light"
    page.get_by_test_id("player").wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_risky_request_waits_for_the_button(page: Any) -> None:
    say(page, "unlock the front door")
    stands(page, "lock.front_door", "locked")
    page.get_by_role("button", name="Yes, do it").click()
    stands(page, "lock.front_door", "unlocked")
    page.get_by_role("button", name="Reset").click()
    stands(page, "lock.front_door", "locked")


def test_an_example_is_pressed_and_an_uploaded_recording_is_heard_and_deleted(
    page: Any, recording: Path
) -> None:
    from gradio.utils import get_upload_folder

    page.get_by_role("button", name="make the bedside lamp blue").click()
    stands(page, "light.bedside_lamp", "on")
    page.locator("input[type=file]").first.set_input_files(str(recording))
    stands(page, "light.porch", "on")
    assert list(Path(get_upload_folder()).rglob(recording.name)) == []


def test_what_is_no_recording_is_told(page: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_text("this is text")
    page.locator("input[type=file]").first.set_input_files(str(broken))
    page.locator("#reply [role=alert]").wait_for()


@BOTH
def test_the_language_switch_turns_the_page_and_keeps_the_exchange(page: Any) -> None:
    say(page, "turn on the porch light")
    page.get_by_text("中文").click()
    page.get_by_text("点击后说话").first.wait_for()
    page.get_by_role("img", name="Porch light: 开, 100%").first.wait_for()
    assert page.get_by_test_id("turn").get_attribute("data-number") == "1"
    page.get_by_role("tab", name="记录").click()
    page.get_by_role("cell", name="turn on the porch light").wait_for()


def test_a_script_that_was_said_stays_text(page: Any) -> None:
    turn = say(page, "turn on the <script>alert(1)</script>")
    assert "<script>" in turn.inner_text()
    assert turn.locator("script").count() == 0
