from __future__ import annotations

import gzip

import orjson
import pytest

from core.errors import DataError
from verticals.medical.corpus.beir import read_qrels, read_queries
from verticals.medical.corpus.guidelines import read_guidelines
from verticals.medical.corpus.jsonl import document_of
from verticals.medical.corpus.reading import read_documents

HTML = """<!doctype html><html><head><title>Site | Page</title>
<meta name="citation_title" content="A trial of colchicine">
<meta name="citation_doi" content="10.1234/x">
<meta name="citation_publication_date" content="2019/05/01">
<style>p {color: red}</style><script>var x = "not text";</script></head><body><nav>Menu</nav>
<h1>A trial</h1><p>Intro with <b>bold</b> words.</p><h2>Results</h2><h3>Harm</h3>
<ul><li>Nausea in 5%</li><li>Rash</li></ul><table><tr><th>Arm</th><th>n</th></tr>
<tr><td>Drug</td><td>12</td></tr></table><footer>Cookies</footer></body></html>"""
JATS = b"""<?xml version="1.0"?><!DOCTYPE article PUBLIC "-//NLM//DTD JATS v1.2//EN" "x.dtd">
<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="systematic-review"><front>
<journal-meta><journal-title-group><journal-title>BMJ</journal-title></journal-title-group>
</journal-meta><article-meta><article-id pub-id-type="pmid">42</article-id>
<article-id pub-id-type="doi">10.1136/x</article-id><title-group><article-title>Statins <italic>in
</italic> children</article-title></title-group><pub-date><year>2018</year></pub-date>
<abstract><sec><title>Objective</title><p>To see.</p></sec></abstract></article-meta></front>
<body><sec><title>Methods</title><p>We looked<xref>1</xref>.</p><sec><title>Participants</title>
<p>Ten.</p><list><list-item><p>Aged 8</p></list-item></list></sec></sec></body>
<back><ref-list><ref><p>Not text</p></ref></ref-list></back></article>"""


def pdf(*pages: str) -> bytes:
    """A PDF written by hand: one line of text a page."""
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    parts.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    parts.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for n, page in enumerate(pages):
        rows = "".join(f"({row}) Tj 0 -14 Td " for row in page.splitlines())
        stream = f"BT /F1 12 Tf 72 700 Td {rows}ET".encode()
        parts.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        parts.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    out, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(parts) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF" % (size, table, size, len(out))
    )


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "papers"
    (root / "deep" / ".hidden").mkdir(parents=True)
    (root / "a.md").write_text("---\nx: 1\n---\n# Gout\n\n## Dosing\n\nLow-dose colchicine.\n")
    (root / "b.html").write_text(HTML)
    (root / "c.txt").write_text("A title\n\nSome text.")
    (root / "deep" / "d.pdf").write_bytes(pdf("The drug was well toler-\nated by all", "Page two."))
    (root / "deep" / "e.nxml").write_bytes(JATS)
    (root / "deep" / ".hidden" / "f.txt").write_text("hidden")
    (root / "picture.png").write_bytes(b"x")
    return root


def test_reads_a_folder_of_everything(folder, skipped):
    found = {d.source: d for d in read_documents(folder, on_skip=skipped.append)}
    assert not skipped
    assert [*found] == [
        f"papers/{n}" for n in ("a.md", "b.html", "c.txt", "deep/d.pdf", "deep/e.nxml")
    ]
    for document in found.values():
        for section in document.sections:
            assert document.text[section.start : section.end].strip()

    assert found["papers/a.md"].title == "Gout"
    assert found["papers/a.md"].text == "## Dosing\n\nLow-dose colchicine."
    page = found["papers/b.html"]
    assert (page.title, page.doi, page.year) == ("A trial of colchicine", "10.1234/x", 2019)
    assert page.text == "Intro with bold words.\n\n- Nausea in 5%\n- Rash\nArm | n\nDrug | 12"
    assert [s.label for s in page.sections] == ["", "Results › Harm"]
    assert found["papers/c.txt"].title == "A title"
    printed = found["papers/deep/d.pdf"]
    assert printed.text == "The drug was well tolerated by all\nPage two."
    assert [s.label for s in printed.sections] == ["page 1", "page 2"]
    article = found["papers/deep/e.nxml"]
    assert (article.id, article.title) == ("pmid:42", "Statins in children")
    assert (article.journal, article.year, article.doi) == ("BMJ", 2018, "10.1136/x")
    assert article.publication_types == ("Systematic Review",)
    assert [s.label for s in article.sections] == ["Objective", "Methods", "Methods › Participants"]
    assert "Ten.\nAged 8" in article.text
    assert "Not text" not in article.text


def test_reports_files_that_cannot_be_read(tmp_path, skipped, xml_bomb):
    files = {
        "latin.txt": "Größe".encode("latin-1"),
        "empty.md": b"",
        "scan.pdf": pdf(""),
        "broken.pdf": b"%PDF-1.4\nnothing",
        "bomb.xml": xml_bomb.encode(),
        "lol.xml": b'<!DOCTYPE l [<!ENTITY a "x">]><article>&a;</article>',
        "broken.nxml": b"<article><front></article>",
        "other.xml": b"<menu><dish/></menu>",
        "good.txt": b"Good.\nText.",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    found = list(read_documents(tmp_path, on_skip=skipped.append))
    assert [d.title for d in found] == ["Good."]
    reasons = {s.file.partition("/")[2]: s.reason for s in skipped}
    assert {*reasons} == {*files} - {"good.txt"}
    assert "OCR" in reasons["scan.pdf"]
    assert "bomb" in reasons["bomb.xml"]
    assert "bomb" in reasons["lol.xml"]
    assert "UTF-8" in reasons["latin.txt"]


def test_reads_every_form_of_json():
    own = {
        "id": 7,
        "title": "T",
        "text": "One. Two.",
        "sections": [{"label": "A", "start": 0, "end": 4}],
        "year": "2019-03",
        "publication_types": "Review",
        "retracted": True,
        "note": "n",
    }
    found = document_of(own, "f")
    assert (found.id, found.year, found.publication_types) == ("7", 2019, ("Review",))
    assert found.retracted
    assert found.text[found.sections[0].start : found.sections[0].end] == "One."
    scifact = document_of({"_id": "4", "title": "", "sentences": ["A b.", "C d."]}, "f")
    assert (scifact.id, scifact.text) == ("4", "A b. C d.")
    pubmedqa = document_of(
        {"pmid": 5, "contexts": ["x", "yy"], "section_labels": ["AIM", "METHODS"]}, "f"
    )
    assert pubmedqa.id == "pmid:5"
    assert [pubmedqa.text[s.start : s.end] for s in pubmedqa.sections] == ["x", "yy"]


def test_reads_a_beir_folder_without_its_questions(tmp_path, skipped):
    rows = [{"_id": str(n), "title": f"T{n}", "text": f"text {n}"} for n in range(3)]
    body = b"\n".join(orjson.dumps(row) for row in rows)
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(body))
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "why?"}\n')
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\t1\t1\nq\t2\t0\n")
    found = list(read_documents(tmp_path, on_skip=skipped.append))
    assert [d.id for d in found] == ["0", "1", "2"]
    assert read_queries(tmp_path) == {"q": "why?"}
    assert read_qrels(tmp_path / "qrels" / "test.tsv") == {"q": {"1": 1, "2": 0}}
    (tmp_path / "queries.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"queries\.jsonl, line 1"):
        read_queries(tmp_path)


def test_reads_through_fsspec(skipped):
    import fsspec

    with fsspec.open("memory://box/papers/a.txt", "wb") as sink:
        sink.write(b"Title\nText.")
    with fsspec.open("memory://box/papers/b.jsonl.gz", "wb") as sink:
        sink.write(gzip.compress(b'{"id": "b", "text": "t"}'))
    found = list(read_documents("memory://box/papers", on_skip=skipped.append))
    assert [d.title for d in found] == ["Title", ""]
    (one,) = read_documents("memory://box/papers/b.jsonl.gz", on_skip=skipped.append)
    assert one.id == "b"
    with pytest.raises(DataError) as error:
        list(read_documents("nonsense://user:secret@host/a.txt?key=1", on_skip=skipped.append))
    assert "secret" not in str(error.value)
    assert "key=1" not in str(error.value)


def test_a_guideline_quotes_its_file(skipped):
    from core.models.resolver import resolve

    folder = resolve("open_medicine_guidelines") / "content"
    for document in read_guidelines(skipped.append):
        source = (folder / document.source).read_text(encoding="utf-8")
        assert document.text in source
        assert document.doi
        assert document.year
        for section in document.sections:
            assert document.text[section.start] == "#" or not section.label
    assert not skipped


def test_deep_nesting_stops_nothing(tmp_path, skipped):
    deep = "<sec><title>t</title><p>x</p>" * 3000 + "</sec>" * 3000
    (tmp_path / "a.nxml").write_text(f"<article><body>{deep}</body></article>")
    (tmp_path / "b.html").write_text("<html><body>" + "<div>" * 3000 + "<p>Text.</p></body></html>")
    (tmp_path / "c.jsonl").write_text(
        '{"id": "c", "text": "t", "x": ' + "[" * 3000 + "]" * 3000 + "}"
    )
    (tmp_path / "d.txt").write_text("Good.\nText.")
    found = list(read_documents(tmp_path, on_skip=skipped.append))
    assert [d.title for d in found if d.text] == ["b", "Good."]
    assert [s.file.partition("/")[2] for s in skipped] == ["a.nxml", "c.jsonl"]
