"""The demo in a real browser: what a clinician does on a first visit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from verticals.medical.feedback import read_feedback

pytestmark = pytest.mark.browser

LAPTOP, PHONE = (1280, 860), (390, 844)
BOTH = pytest.mark.parametrize("page", [LAPTOP, PHONE], ids=["laptop", "phone"], indirect=True)
CONFLICT = "Is apixaban versus warfarin better in atrial fibrillation?"


def open_tab(page: Any, name: str) -> None:
    tab = page.get_by_role("tab", name=name, exact=True)
    if tab.count() and tab.first.is_visible():
        tab.first.click()
        return
    page.locator(".overflow-menu > button").first.click()
    page.locator(".overflow-dropdown").get_by_text(name, exact=True).click()


def put(page: Any, question: str, status: str) -> Any:
    page.get_by_label("Question").fill(question)
    page.get_by_role("button", name="Find evidence").click()
    reply = page.locator(f"[data-testid=reply][data-status={status}]")
    reply.wait_for()
    return reply


@BOTH
def test_a_question_is_answered_with_quotes_and_the_conflict_is_shown(page: Any) -> None:
    put(page, CONFLICT, "answered")
    page.get_by_test_id("conflict").wait_for()
    quote = page.get_by_test_id("quote").first
    assert "Direct oral anticoagulants" in quote.inner_text()
    assert "**" not in quote.inner_text()  # hidden on screen,
    assert quote.text_content().startswith("**Direct")  # and still word for word
    assert page.get_by_test_id("disclaimer").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_script_in_a_document_stays_text(page: Any) -> None:
    put(page, CONFLICT, "answered")
    page.get_by_text("<script>alert(1)</script>").first.wait_for()
    assert page.locator("#reply img, #reply script").count() == 0


def test_an_abstention_says_why_and_offers_no_explanation(page: Any) -> None:
    page.get_by_text("What is the first-line treatment of plaque psoriasis?").click()
    page.locator("[data-testid=reply][data-status=abstained]").wait_for()
    page.get_by_text("No passage speaks of this closely enough.").wait_for()
    page.get_by_text("not good enough to answer with").wait_for()
    assert page.get_by_role("button", name="Why this answer?").is_disabled()


@BOTH
def test_why_shades_the_words_and_fills_its_page(page: Any) -> None:
    put(page, CONFLICT, "answered")
    page.get_by_role("button", name="Why this answer?").click()
    page.locator("#reply .ck-w").first.wait_for()
    open_tab(page, "Why")
    page.get_by_test_id("without").wait_for()
    assert page.get_by_test_id("features").count() == 4


@BOTH
def test_a_patient_is_chosen_asked_for_and_forgotten(page: Any) -> None:
    page.locator("#who input").click()
    page.get_by_role("option", name="Made-up: atrial fibrillation").click()
    page.get_by_test_id("who").wait_for()
    put(page, CONFLICT, "answered")
    assert "Chronic kidney disease" in page.get_by_test_id("facts").inner_text()
    open_tab(page, "Patient")
    page.get_by_text("Warfarin and aspirin: bleeding").wait_for()
    page.get_by_text("≥ 60").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator("#who input").click()
    page.get_by_role("option", name="No patient").click()
    page.get_by_text("No patient is chosen").wait_for()
    open_tab(page, "Ask")
    page.get_by_role("heading", name="What you get").wait_for()  # the old answer is gone
    assert page.get_by_test_id("facts").count() == 0
    assert not page.locator("#verdict").is_visible()
    assert page.get_by_role("button", name="Why this answer?").is_disabled()


def test_an_uploaded_record_is_read_and_its_file_deleted(page: Any, record_file: Path) -> None:
    from gradio.utils import get_upload_folder

    page.locator("input[type=file]").first.set_input_files(str(record_file))
    page.get_by_test_id("who").wait_for()
    assert page.locator("#who input").input_value() == "The uploaded record"
    assert list(Path(get_upload_folder()).rglob(record_file.name)) == []


def test_a_broken_record_is_told(page: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"resourceType": "Bundle", "entry": [')
    page.locator("input[type=file]").first.set_input_files(str(broken))
    page.get_by_role("alert").first.wait_for()
    assert page.get_by_test_id("who").count() == 0


def test_an_empty_question_is_told(page: Any) -> None:
    page.get_by_role("button", name="Find evidence").click()
    page.get_by_text("The question is empty").wait_for()
    assert not page.locator("#verdict").is_visible()


def test_a_verdict_is_kept_without_the_patient(page: Any) -> None:
    page.locator("#who input").click()
    page.get_by_role("option", name="Made-up: atrial fibrillation").click()
    page.get_by_test_id("who").wait_for()
    put(page, CONFLICT, "answered")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Choose useful, wrong or unsafe first.").wait_for()
    page.get_by_label("Unsafe").check()
    page.get_by_label("What should it have said?").fill("Mrs. Doe has bad kidneys, Jane told me")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Kept for the next renewal").wait_for()
    (kept,) = read_feedback()
    assert (kept.verdict, kept.question) == ("unsafe", CONFLICT)
    assert len(kept.quoted) == 4
    assert "Doe" not in kept.comment
    assert "Jane" not in kept.comment


@BOTH
def test_the_language_switch_turns_every_page_and_keeps_the_answer(page: Any) -> None:
    put(page, CONFLICT, "answered")
    page.get_by_text("中文").click()
    page.get_by_role("heading", name="您想了解什么？").wait_for()
    page.get_by_text("文献之间存在矛盾").wait_for()
    assert page.get_by_label("问题（英文）").input_value() == CONFLICT
    open_tab(page, "质量评估")
    page.get_by_role("heading", name="它不是什么").wait_for()
    page.get_by_text("正确文献排在前列（nDCG@10）").wait_for()
