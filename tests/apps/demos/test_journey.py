"""The demo in a real browser: what a risk committee does on its first visit."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

LAPTOP, PHONE = (1280, 860), (390, 844)


def open_tab(page, name: str) -> None:
    tab = page.get_by_role("tab", name=name, exact=True)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
        return
    page.locator(".overflow-menu > button").first.click()
    page.locator(".overflow-dropdown").get_by_text(name, exact=True).click()


def shows(page, test_id: str, text: str) -> None:
    page.wait_for_function(
        "([id, text]) => [...document.querySelectorAll(`[data-testid='${id}']`)]"
        ".some(e => e.innerText.includes(text))",
        arg=[test_id, text],
    )


@pytest.mark.parametrize("page", [LAPTOP, PHONE], ids=["laptop", "phone"], indirect=True)
def test_an_applicant_is_assessed_as_the_form_is_filled(page, desk):
    from apps.demos.finance_pages.asking import ask

    applicant = desk.examples[0] | {"duration_in_month": 40.0, "purpose": "furniture"}
    page.get_by_label("Duration (months)").fill("40")
    page.get_by_label("Purpose").click()
    page.get_by_role("option", name="furniture").click()
    page.get_by_role("button", name="Show the answer").click()
    shows(page, "pd", f"{100 * ask(desk, applicant, 'en').pd:.1f}%")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_example_that_carries_a_script_stays_text(page, desk):
    page.get_by_text("No. 3", exact=False).click()
    shows(page, "pd", f"{100 * desk.manifest.golden.outputs[2]['pd']:.1f}%")
    page.get_by_text("Purpose <script>alert(1)</script>").wait_for()


def test_the_cutoff_moves_approval_and_profit(page):
    open_tab(page, "Portfolio")
    approved = page.get_by_test_id("approved")
    approved.wait_for()
    before = approved.inner_text()
    slider = page.locator("#cutoff input[type=range]")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector(\"[data-testid='approved']\").innerText !== before",
        arg=before,
    )
    page.get_by_role("button", name="Go to the most profitable cut-off").click()
    best = page.get_by_text("Most profitable on these loans", exact=False).inner_text()
    value = best.split(": ")[1].split("%")[0]
    page.wait_for_function(
        "v => Math.abs(document.querySelector('#cutoff input[type=range]').value - v) < 0.3",
        arg=float(value),
    )


@pytest.mark.parametrize("page", [LAPTOP, PHONE], ids=["laptop", "phone"], indirect=True)
def test_the_language_switch_turns_every_page(page):
    duration = page.get_by_label("Duration (months)")
    duration.fill("33")
    page.get_by_text("中文").click()
    page.get_by_role("heading", name="申请人信息").wait_for()
    assert page.get_by_label("贷款期限（月）").input_value() == "33"
    page.get_by_text("违约概率", exact=True).first.wait_for()
    open_tab(page, "关于本模型")
    page.get_by_role("heading", name="不适用之处").wait_for()


def test_a_table_of_applicants_is_answered(page, desk, tmp_path: Path):
    import pandas as pd

    path = tmp_path / "applicants.csv"
    pd.DataFrame(desk.examples).to_csv(path, index=False)
    open_tab(page, "Many applicants")
    page.locator("input[type=file]").first.set_input_files(str(path))
    page.get_by_text("3 applicants", exact=False).wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the answers").or_(
            page.get_by_role("button", name="Download the answers")
        ).first.click()
    assert len(pd.read_csv(download.value.path())) == 3
