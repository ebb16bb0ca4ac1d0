"""The embedded questions name summaries that exist and quote them to the letter."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from verticals.medical.labelled import EMBEDDED


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.safe_load(EMBEDDED.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def summaries() -> dict[str, str]:
    spec = find_spec("open_medicine")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("open-medicine is not installed")
    content = Path(spec.submodule_search_locations[0]) / "guidelines" / "content"
    return {
        f"guideline:{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8")
        for path in content.glob("*/*.md")
    }


def answerable(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry.get("answerable", True)]


def test_there_are_enough_and_each_is_asked_once(entries: list[dict[str, Any]]) -> None:
    asked = [entry["question"].lower() for entry in entries]
    assert len(set(asked)) == len(asked)
    assert len(answerable(entries)) >= 90
    assert len(entries) - len(answerable(entries)) >= 60


def test_answers_exist_and_phrases_are_verbatim(
    entries: list[dict[str, Any]], summaries: dict[str, str]
) -> None:
    for entry in answerable(entries):
        assert entry["documents"], entry
        assert not [d for d in entry["documents"] if d not in summaries], entry
        text = summaries[entry["documents"][0]]
        body = text.partition("\n")[2]  # the first line is the title, which is not quoted
        assert entry["phrase"] in body, entry


def test_the_parts_are_halves_that_share_no_guideline(entries: list[dict[str, Any]]) -> None:
    parts: dict[str, set[str]] = {"dev": set(), "test": set()}
    for entry in answerable(entries):
        parts[entry["split"]] |= {document.split("/")[0] for document in entry["documents"]}
    assert not parts["dev"] & parts["test"]
    for chosen in (answerable(entries), [e for e in entries if e not in answerable(entries)]):
        share = sum(entry["split"] == "dev" for entry in chosen) / len(chosen)
        assert 0.4 < share < 0.6


def test_questions_do_not_copy_what_they_ask_for(entries: list[dict[str, Any]]) -> None:
    for entry in answerable(entries):
        words = entry["phrase"].lower().split()
        runs = [" ".join(words[at : at + 5]) for at in range(len(words) - 4)]
        assert not [run for run in runs if run in entry["question"].lower()], entry
