"""The demo in a real browser: what somebody does on a first visit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAPTOP, PHONE = (1280, 860), (390, 844)
BOTH = pytest.mark.parametrize("page", [LAPTOP, PHONE], ids=["laptop", "phone"], indirect=True)


def open_tab(page: Any, name: str) -> None:
    tab = page.get_by_role("tab", name=name, exact=True)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
        return
    page.locator(".overflow-menu > button").first.click()
    page.locator(".overflow-dropdown").get_by_text(name, exact=True).click()


def upload(page: Any, path: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(str(path))


def narrow_enough(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@BOTH
def test_a_photograph_is_uploaded_looked_at_and_explained(page: Any, photo_file: Path) -> None:
    from gradio.utils import get_upload_folder

    page.get_by_text("the lens is known").wait_for()
    upload(page, photo_file)
    page.get_by_text("distances assume a lens of 60 degrees").wait_for()
    assert "1 pedestrian at" in page.get_by_test_id("headline").inner_text()
    assert list(Path(get_upload_folder()).rglob(photo_file.name)) == []
    before = page.locator("#stage svg image").count()
    page.get_by_label("Surfaces").check()
    page.wait_for_function(
        "n => document.querySelectorAll('#stage svg image').length > n", arg=before
    )
    page.get_by_role("button", name="Why?").first.click()
    page.get_by_test_id("why").wait_for()
    page.locator("#stage .ck-chosen").wait_for()
    assert page.locator("#why script").count() == 0
    assert narrow_enough(page)


def test_a_clip_is_followed_and_its_worst_moment_comes_first(page: Any, clip_file: Path) -> None:
    upload(page, clip_file)
    page.get_by_test_id("film").wait_for()
    assert "Brake: car #" in page.get_by_test_id("danger").inner_text()
    page.wait_for_function("document.querySelector('#film video').readyState >= 2")
    slider = page.locator("#moment input[type=range]")
    slider.fill("0")
    slider.dispatch_event("change")
    page.get_by_test_id("danger").wait_for(state="detached")


def test_a_broken_upload_is_told_and_the_picture_stays(page: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    upload(page, broken)
    page.get_by_role("alert").wait_for()
    page.get_by_text("The picture cannot be read.").wait_for()
    assert page.get_by_test_id("stage").is_visible()


def test_a_street_at_night_is_chosen_with_its_truth(page: Any) -> None:
    page.locator("#weather input").click()
    page.get_by_role("option", name="Night", exact=True).click()
    page.get_by_label("Truth (of streets)").check()
    before = page.locator("#stage svg image").first.get_attribute("href")
    page.get_by_role("button", name="Picture", exact=True).click()
    page.wait_for_function(
        "old => document.querySelector('#stage svg image').getAttribute('href') !== old",
        arg=before,
    )
    page.get_by_test_id("against").wait_for()
    page.locator("#stage .ck-true").first.wait_for(state="attached")


@BOTH
def test_a_scenario_is_played_with_and_without_the_shield(page: Any) -> None:
    open_tab(page, "Decide")
    page.locator("#scenario input").click()
    page.get_by_role("option", name="A car has broken down in the lane").click()
    page.locator("#driver input").click()
    page.get_by_role("option", name="Always faster (reckless)").click()
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator("[data-testid=verdict][data-bare=failed]").wait_for()
    assert page.locator("#films video").count() == 2
    page.wait_for_function(
        "[...document.querySelectorAll('#films video')].every((film) => film.currentTime > 0)"
    )
    page.get_by_test_id("reasons").get_by_text("Too close to the one in front").first.wait_for()
    assert narrow_enough(page)


@BOTH
def test_the_language_switch_turns_every_page_and_keeps_the_picture(page: Any) -> None:
    page.get_by_text("中文").click()
    page.get_by_role("heading", name="识别到的对象").wait_for()
    assert "没有未知物体" in page.get_by_test_id("headline").inner_text()
    page.get_by_role("heading", name="看清道路，安全决策").wait_for()
    open_tab(page, "速度与局限")
    page.get_by_role("button", name="开始测量").click()
    page.get_by_test_id("speeds").wait_for()
    page.get_by_role("heading", name="它不是什么").wait_for()
    assert narrow_enough(page)
