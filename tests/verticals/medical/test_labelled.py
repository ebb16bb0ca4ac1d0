"""Labelled questions in every form, and errors that name the entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import DataError
from verticals.medical.data import _parted
from verticals.medical.labelled import EMBEDDED, LabelledQuestion, read_labelled


def test_yaml_json_lines_and_beir_say_the_same(tmp_path: Path) -> None:
    yaml = tmp_path / "q.yaml"
    yaml.write_text("- {question: 'Does it help?', documents: [a, b]}\n")
    lines = tmp_path / "q.jsonl"
    lines.write_text('{"question": "Does it help?", "documents": ["a", "b"]}\n\n')
    (tmp_path / "qrels").mkdir()
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "1", "text": "Does it help?"}\n{"_id": "2", "text": "Unjudged?"}\n'
    )
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n1\ta\t1\n1\tb\t2\n1\tc\t0\n"
    )
    wanted = (LabelledQuestion("Does it help?", ("a", "b")),)
    assert read_labelled(yaml) == read_labelled(lines) == read_labelled(tmp_path) == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {documents: [a]}", "no question"),
        ("- {question: 'Q?', documents: a}", "not a list"),
        ("- {question: 'Q?', answerable: true}", "names no document"),
        ("- {question: 'Q?', documents: [a], split: train}", "unknown"),
        ("question: Q?", "no list"),
        ("", "no list"),
        ("- {question: Q?, documents", "not YAML"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(text)
    with pytest.raises(DataError, match=says) as caught:
        read_labelled(file)
    assert "q.yaml" in caught.value.where or "entry 1" in caught.value.where


def test_a_broken_line_and_a_missing_file_are_named(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "Q?", "documents": ["a"]}\n{"question": ')
    with pytest.raises(DataError) as caught:
        read_labelled(file)
    assert "line 2" in caught.value.where
    with pytest.raises(DataError, match="not there"):
        read_labelled(tmp_path / "none.yaml")


def test_questions_that_share_a_document_stay_on_one_side() -> None:
    pairs = [("a", "b"), ("c",), ("b", "d"), ("e",), ("d",), ("f",), ("c", "g")]
    questions = [LabelledQuestion(f"q{n}", names) for n, names in enumerate(pairs)]
    for seed in range(10):
        dev, test = _parted(questions, seed)
        assert len(dev) + len(test) == len(questions)
        assert not {d for q in dev for d in q.documents} & {d for q in test for d in q.documents}
        assert (dev, test) == _parted(questions, seed)


def test_the_embedded_questions_part_by_guideline() -> None:
    questions = read_labelled(EMBEDDED)
    bodies = {
        part: {d.partition("/")[0] for q in questions if q.split == part for d in q.documents}
        for part in ("dev", "test")
    }
    assert bodies["dev"]
    assert not bodies["dev"] & bodies["test"]
