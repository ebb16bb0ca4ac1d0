from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from core.errors import DataError
from verticals.medical.corpus import reading
from verticals.medical.corpus.ingest import IngestReport, ingest
from verticals.medical.corpus.progress import shown_progress
from verticals.medical.corpus.store import FILE, Corpus

REPO = Path(__file__).resolve().parents[4]
DIFFERENT = "Trial {n} of drug{n} against placebo{n}: {n} of {m} patients of centre{n} recovered. "


def line(n: int) -> bytes:
    text = DIFFERENT.format(n=n, m=n + 7) * 3
    return orjson.dumps({"id": f"d{n}", "title": f"Trial {n}", "text": text}) + b"\n"


def test_a_killed_ingest_goes_on(tmp_path):
    source, folder = tmp_path / "big.jsonl", tmp_path / "corpus"
    with source.open("wb") as sink:
        for n in range(30_000):
            sink.write(line(n))
    code = "import sys; from verticals.medical.corpus.ingest import ingest; ingest(*sys.argv[1:])"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(source), str(folder)],
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and child.poll() is None:
        if (folder / FILE).exists() and committed(folder) >= 2000:
            break
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    kept = committed(folder)
    assert 2000 <= kept < 30_000, "killed too late or too early to tell"
    assert len(Corpus.open(folder)) == kept  # what was committed can be searched at once
    report = ingest(source, folder)
    assert (report.documents, report.unchanged) == (30_000 - kept, kept)
    whole = ingest(source, tmp_path / "other").corpus
    assert report.corpus.fingerprint == whole.fingerprint
    assert len(report.corpus) == 30_000


def committed(folder: Path) -> int:
    try:
        return len(Corpus.open(folder))
    except DataError:  # the child is still writing the schema
        return 0


def test_files_read_before_are_not_read_again(tmp_path, monkeypatch):
    source = tmp_path / "s"
    source.mkdir()
    (source / "a.jsonl").write_bytes(line(1) + b"{broken\n" + line(2))
    (source / "b.jsonl").write_bytes(line(3))
    first = ingest(source, tmp_path / "c")
    (source / "b.jsonl").write_bytes(line(3) + line(4))
    opened, real = [], reading._reader
    monkeypatch.setattr(reading, "_reader", lambda *a: (opened.append(a[2]), real(*a))[1])
    second = ingest(source, tmp_path / "c")
    assert opened == ["s/b.jsonl"]
    assert (second.documents, second.unchanged) == (1, 3)
    assert second.skipped == first.skipped != []
    assert [d.id for d in second.corpus.documents()] == ["d1", "d2", "d3", "d4"]


def test_reports_every_corrupt_line_and_reads_the_rest(tmp_path):
    lines = [
        line(1),
        b'{"id": "x", "text": \n',
        b'{"id": "y", "text": "\xff\xfe"}\n',
        b'["no object"]\n',
        b'{"title": "no id", "text": "t"}\n',
        b'{"id": "z"}\n',
        b'{"id": "z", "text": 7}\n',
        b"\n",
        b'{"id": {"a": 1}, "text": "t"}\n',
        line(2),
    ]
    (tmp_path / "a.jsonl").write_bytes(b"".join(lines))
    report = ingest(tmp_path / "a.jsonl", tmp_path / "c")
    assert [d.id for d in report.corpus.documents()] == ["d1", "d2"]
    numbers = [int(s.position.removeprefix("line ")) for s in report.skipped]
    assert numbers == [2, 3, 4, 5, 6, 7, 9]
    assert all(s.file == "a.jsonl" and s.reason for s in report.skipped)


def test_keeps_what_came_before_a_truncated_archive_breaks_off(tmp_path):
    draw = random.Random(1)
    noise = [orjson.dumps({"id": f"d{n}", "text": draw.randbytes(400).hex()}) for n in range(3000)]
    packed = gzip.compress(b"\n".join(noise))
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    report = ingest(tmp_path / "a.jsonl.gz", tmp_path / "c")
    assert 1000 < report.documents < 2000
    assert any("cut off" in s.reason for s in report.skipped)


@pytest.mark.parametrize("resume", [True, False])
def test_begins_anew_only_when_told(tmp_path, resume):
    (tmp_path / "a.jsonl").write_bytes(line(1))
    (tmp_path / "b.jsonl").write_bytes(line(2))
    ingest(tmp_path / "a.jsonl", tmp_path / "c")
    report = ingest(tmp_path / "b.jsonl", tmp_path / "c", resume=resume)
    assert [d.id for d in report.corpus.documents()] == (["d1", "d2"] if resume else ["d2"])


def test_tells_how_far_it_is(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"".join(line(n) for n in range(2500)))
    steps = []
    ingest(tmp_path / "a.jsonl", tmp_path / "c", progress=steps.append)
    assert [s.documents for s in steps] == [1000, 2000, 2500]
    fractions = [s.fraction for s in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_draws_a_bar_on_standard_error_only(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_bytes(line(1))
    with shown_progress() as bar:
        ingest(tmp_path / "a.jsonl", tmp_path / "c", progress=bar)
    assert capsys.readouterr().out == ""


def test_says_what_is_wrong_with_a_source(tmp_path, xml_bomb):
    with pytest.raises(DataError, match="no such file or folder"):
        ingest(tmp_path / "nowhere", tmp_path / "c")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        ingest(tmp_path / "empty", tmp_path / "c")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.docx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"1 \.docx"):
        ingest(tmp_path / "s", tmp_path / "c")
    (tmp_path / "bomb.xml").write_text(xml_bomb)
    with pytest.raises(DataError, match="bomb"):
        ingest(tmp_path / "bomb.xml", tmp_path / "c")
    assert not (tmp_path / "c" / FILE).exists()  # nothing is left of what failed


def test_a_failed_source_leaves_the_corpus_as_it_was(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(line(1))
    (tmp_path / "b.jsonl").write_bytes(b"nothing\n")
    before = ingest(tmp_path / "a.jsonl", tmp_path / "c").corpus.fingerprint
    with pytest.raises(DataError, match="line 1"):
        ingest(tmp_path / "b.jsonl", tmp_path / "c")
    assert Corpus.open(tmp_path / "c").fingerprint == before


def test_says_so_when_the_corpus_cannot_be_written(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(line(1))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        ingest(tmp_path / "a.jsonl", tmp_path / "file" / "c")


def test_takes_the_embedded_guidelines_in(tmp_path):
    report = ingest("guidelines", tmp_path)
    corpus = report.corpus
    assert (report.documents, report.skipped, report.retracted) == (145, [], 0)
    document = corpus.document("guideline:kdigo_ckd_2024/staging")
    assert document.organisation == "KDIGO"
    assert document.year == 2024
    assert document.link == "https://doi.org/10.1016/j.kint.2023.10.018"
    assert "verify at the DOI" in document.note
    assert document.publication_types == ("Practice Guideline",)
    assert len(corpus.facets()["organisations"]) >= 25
    assert corpus.facets()["grades"] == {"guideline": 145}
    assert ingest("guidelines", tmp_path).unchanged == 145


def test_takes_scifact_in_by_its_own_identifiers(tmp_path, shared_medical):
    report = ingest(shared_medical / "scifact" / "corpus.jsonl.gz", tmp_path)
    assert (report.documents, report.skipped_total) == (5183, 0)
    with gzip.open(shared_medical / "scifact" / "corpus.jsonl.gz") as stream:
        entry = orjson.loads(next(stream))
    document = report.corpus.document(entry["_id"])
    assert document.text == " ".join(entry["sentences"])
    assert all(sentence in document.text for sentence in entry["sentences"])


def ids(report: IngestReport) -> list[str]:
    return [d.id for d in report.corpus.documents()]


def test_what_a_source_holds_no_more_is_removed(tmp_path):
    source = tmp_path / "s"
    source.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        (source / name).write_text(f"{name} is a title\nIts text says {name} and more.")
    ingest(source, tmp_path / "c")
    (source / "b.txt").unlink()
    report = ingest(source, tmp_path / "c")
    assert (report.removed, report.documents, report.unchanged) == (1, 0, 2)
    assert ids(report) == ["file:s/a.txt", "file:s/c.txt"]
    assert len(report.corpus) == 2
    assert ingest(source, tmp_path / "c").removed == 0


def test_records_that_a_file_holds_no_more_are_removed(tmp_path):
    source = tmp_path / "a.jsonl"
    source.write_bytes(line(1) + line(2) + line(3))
    (tmp_path / "other.jsonl").write_bytes(line(9))
    ingest(source, tmp_path / "c")
    ingest(tmp_path / "other.jsonl", tmp_path / "c")  # another source of the same corpus
    source.write_bytes(line(3) + line(1))
    report = ingest(source, tmp_path / "c")
    assert (report.removed, report.documents, report.unchanged) == (1, 0, 2)
    assert ids(report) == ["d1", "d3", "d9"]
    source.write_bytes(line(3) + b"{broken\n")  # who knows what the broken line held?
    report = ingest(source, tmp_path / "c")
    assert (report.removed, report.skipped_total) == (0, 1)
    assert ids(report) == ["d1", "d3", "d9"]


@pytest.mark.parametrize("shrink", [True, False])
def test_a_document_that_another_file_holds_too_stays(tmp_path, shrink):
    source = tmp_path / "s"
    source.mkdir()
    (source / "a.jsonl").write_bytes(line(1) + line(2))
    (source / "b.jsonl").write_bytes(line(2) + line(3))
    ingest(source, tmp_path / "c")
    if shrink:
        (source / "b.jsonl").write_bytes(line(3))
    else:
        (source / "b.jsonl").unlink()
    report = ingest(source, tmp_path / "c")
    assert ids(report) == (["d1", "d3", "d2"] if shrink else ["d1", "d2"])
    assert ids(ingest(source, tmp_path / "c")) == ids(report)


def test_a_file_that_cannot_be_opened_costs_no_other(tmp_path, monkeypatch):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.txt").write_text("A title\nText.")
    (tmp_path / "s" / "b.txt").symlink_to("b.txt")
    (tmp_path / "s" / "c.txt").write_text("C title\nText.")
    real = reading._reader

    def gone(kind, path, name, *rest):
        return real(kind, path + ("x" if name == "s/a.txt" else ""), name, *rest)

    monkeypatch.setattr(reading, "_reader", gone)
    report = ingest(tmp_path / "s", tmp_path / "c")
    assert ids(report) == ["file:s/c.txt"]
    assert [s.file for s in report.skipped] == ["s/a.txt"]
