"""Ten sentences teach an intent, and what was known stays known."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import DataError
from verticals.voice.teaching import EXAMPLE, read_intent, taught


@pytest.mark.slow
def test_a_new_intent_is_read_and_the_others_stay() -> None:
    new = read_intent()
    assert len(new.sentences) == 10
    assert not set(new.sentences) & set(new.tries)
    table = taught(new)
    asked, others = table[:5], table[5:]
    assert (asked["read before"] != new.intent).all(), "the shipped model never learned it"
    assert (asked["read after"] == new.intent).sum() >= 4
    assert (others["read after"] == others["read before"]).all()


def test_a_file_that_teaches_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "intent.yaml"
    file.write_text("intent: Find\nsentences: [find my phone]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"sentences.*at least three"):
        read_intent(file)
    file.write_text("intent: [", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        read_intent(file)
    with pytest.raises(DataError, match=r"missing\.yaml"):
        read_intent(tmp_path / "missing.yaml")
    assert EXAMPLE.is_file()
