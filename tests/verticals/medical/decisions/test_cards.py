"""Cards are CDS Hooks 2.0 cards, the gravest first, the same for the same record."""

from __future__ import annotations

import pytest

from verticals.medical.answer import DISCLAIMER
from verticals.medical.data import patient_file
from verticals.medical.decisions.cards import LONGEST_SUMMARY, cards_for, make_card
from verticals.medical.patient.fhir import read_patient
from verticals.medical.patient.record import Condition, Medicine, PatientSummary


@pytest.fixture(scope="module")
def record() -> PatientSummary:
    return read_patient(patient_file("heart_failure"))


def test_a_record_gives_its_cards_in_order(record: PatientSummary) -> None:
    cards = cards_for(record)
    assert cards
    levels = [card.indicator for card in cards]
    assert levels == sorted(levels, key=["critical", "warning", "info"].index)
    assert "potassium" in cards[0].summary.lower()


def test_cards_keep_to_the_standard(record: PatientSummary) -> None:
    for card in (*cards_for(record), *cards_for(record, ["Bactrim", "lisinopril 10 MG"])):
        said = card.model_dump(mode="json", exclude_none=True)
        assert 0 < len(said["summary"]) <= LONGEST_SUMMARY < 140
        assert said["indicator"] in {"info", "warning", "critical"}
        assert said["source"]["label"]
        assert DISCLAIMER in said["detail"]
        assert "\n" not in said["summary"]
        interrupts = said["indicator"] != "info"
        assert bool(said["overrideReasons"]) is interrupts


def test_the_same_question_gives_the_same_cards(record: PatientSummary) -> None:
    assert cards_for(record, ["naproxen"]) == cards_for(record, ["naproxen"])
    assert len({card.uuid for card in cards_for(record)}) == len(cards_for(record))


def test_an_order_gives_only_what_is_new(record: PatientSummary) -> None:
    for card in cards_for(record, ["clarithromycin"]):
        assert "clarithromycin" in card.summary.lower()


def test_nobody_and_unknown_orders_give_none() -> None:
    assert cards_for(PatientSummary()) == []
    assert cards_for(PatientSummary(), ["qwertyuiop"]) == []


def test_a_records_own_words_do_not_become_markup() -> None:
    evil = "Asthma <img src=x onerror=alert(1)> [a](javascript:b) **x**"
    summary = PatientSummary(
        conditions=(Condition(name=evil),),
        medicines=(Medicine(name="p", ingredients=("propranolol",)),),
    )
    (card,) = cards_for(summary)
    assert card.indicator == "critical"
    for text in (card.summary, card.detail.partition("**")[0]):
        assert not set("<>[]*") & set(text)


def test_a_long_summary_is_cut_and_a_doi_becomes_an_address() -> None:
    card = make_card("word " * 60, "d", "info", "Somebody 2012, doi:10.1136/x-y")
    assert len(card.summary) <= LONGEST_SUMMARY
    assert card.summary.endswith("…")
    assert card.source.url == "https://doi.org/10.1136/x-y"
