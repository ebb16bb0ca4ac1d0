from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace

import numpy as np
import pytest

from core.errors import DataError
from verticals.medical.answer import GRADES
from verticals.medical.corpus.documents import Document, Section
from verticals.medical.corpus.ingest import ingest
from verticals.medical.corpus.store import FILE, Corpus
from verticals.medical.corpus.writing import add

TOPICS = ["apixaban", "metformin", "statins", "aspirin", "insulin", "colchicine", "heparin"]


def library(count: int = 7) -> list[Document]:
    """Documents of different length; none like another."""
    return [
        Document(
            id=f"d{n}",
            title=f"On {topic}",
            text=" ".join(f"{topic} had effect {n * k} in ward {k}." for k in range(5 + 60 * n)),
            sections=(Section("RESULTS", 0, 20),),
            year=2000 + n,
            doi=f"10.1/{n}",
            publication_types=("Practice Guideline",) if n == 1 else ("Journal Article",),
            organisation="KDIGO" if n == 1 else "",
            note="verify",
        )
        for n, topic in enumerate(TOPICS[:count])
    ]


def test_documents_and_passages_come_back_as_they_went_in(tmp_path):
    corpus = ingest(library(), tmp_path).corpus
    assert list(corpus.documents()) == library()
    assert corpus.document("d3") == library()[3]
    found = [p for _, batch in corpus.iter_passages(batch=3) for p in batch]
    assert len(found) == len(corpus) > len(TOPICS)
    for passage in found:
        assert passage.text == corpus.document(passage.document).text[passage.start : passage.end]
    rows = np.array([len(corpus) - 1, 0, 2, 0])
    assert corpus.passages(rows) == [found[row] for row in rows]
    titles = {d.id: d.title for d in library()}
    assert corpus.titled(rows) == [(titles[found[r].document], found[r]) for r in rows]
    with pytest.raises(IndexError):
        corpus.passages([len(corpus)])


def test_columns_say_of_each_row_what_its_document_says(tmp_path):
    corpus = ingest(library(), tmp_path).corpus
    columns, bodies = corpus.columns(), corpus.organisations()
    assert columns["year"].dtype == np.int16
    assert columns["grade"].dtype == np.int8
    assert not columns["retracted"].any()
    for row, passage in enumerate(corpus.passages(range(len(corpus)))):
        document = corpus.document(passage.document)
        assert columns["year"][row] == document.year
        assert bodies[columns["organisation"][row]] == document.organisation
        assert corpus.documents_at([columns["document"][row]]) == [document]
        if document.organisation:
            assert GRADES[columns["grade"][row]] == "guideline"
    facets = corpus.facets()
    assert facets["organisations"] == {"KDIGO": 1}
    assert facets["years"] == {2000 + n: 1 for n in range(7)}
    assert sum(facets["grades"].values()) == 7


def test_rows_and_fingerprint_follow_the_content(tmp_path):
    corpus = ingest(library(), tmp_path / "a").corpus
    before, rows = corpus.fingerprint, corpus.passages(range(len(corpus)))
    again = ingest(library(), tmp_path / "a")
    assert (again.documents, again.unchanged) == (0, 7)
    assert again.corpus.fingerprint == corpus.fingerprint == before
    assert Corpus.open(tmp_path / "a").passages(range(len(corpus))) == rows

    changed = replace(library()[2], text="Statins were stopped.")
    report = ingest([changed], tmp_path / "a")
    assert (report.documents, report.unchanged) == (1, 0)
    assert corpus.document("d2").text == "Statins were stopped."
    assert corpus.fingerprint != before
    names = [p.document for p in corpus.passages(range(len(corpus)))]
    assert names == sorted(names)  # it kept its place
    elsewhere = [*library()[:2], changed, *library()[3:]]
    assert ingest(elsewhere, tmp_path / "b").corpus.fingerprint == corpus.fingerprint


def test_an_export_makes_the_same_corpus(tmp_path):
    documents = library()
    copy = replace(documents[4], id="copy")
    corpus = ingest([*documents, copy], tmp_path / "a").corpus
    assert corpus.export(tmp_path / "documents.jsonl") == 8
    other = ingest(tmp_path / "documents.jsonl", tmp_path / "b").corpus
    assert other.fingerprint == corpus.fingerprint
    assert list(other.documents(every=True)) == list(corpus.documents(every=True))
    assert other.aliases() == corpus.aliases() == {"copy": "d4"}


def test_every_thread_reads(tmp_path):
    corpus = ingest(library(), tmp_path).corpus
    found = []

    def read() -> None:
        found.append([p.text for p in corpus.passages(range(len(corpus)))])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(texts == found[0] for texts in found)


def test_a_batch_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    corpus = Corpus.create(tmp_path)
    add(corpus, library()[:2])
    before = corpus.fingerprint

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("verticals.medical.corpus.writing._announce", fail)
    with pytest.raises(DataError, match="disk"):
        add(corpus, library()[2:])
    assert corpus.fingerprint == before
    assert len(list(corpus.documents())) == 2


def test_refuses_folders_without_a_corpus_it_knows(tmp_path):
    with pytest.raises(DataError, match="no corpus"):
        Corpus.open(tmp_path)
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(DataError, match="damaged"):
        Corpus.open(tmp_path)
    Corpus.create(tmp_path / "new").close()
    with pytest.raises(DataError, match="already"):
        Corpus.create(tmp_path / "new")
    with pytest.raises(DataError, match="identifier"):
        Corpus.open(tmp_path / "new").document("nobody")
