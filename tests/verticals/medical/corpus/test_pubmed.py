from __future__ import annotations

import gzip

import pytest

from verticals.medical.corpus.pubmed import parse_pubmed, read_pubmed
from verticals.medical.corpus.reading import read_documents

STRUCTURED = (
    '<AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Warfarin is <i>old</i>.'
    '</AbstractText><AbstractText Label="RESULTS" NlmCategory="RESULTS">Risk fell '
    "(<sup>2</sup> of 100, p&lt;0.05, <mml:math><mml:mi>x</mml:mi></mml:math>).</AbstractText>"
)


def read(data, skipped, size=1 << 20):
    blocks = [data[i : i + size] for i in range(0, len(data), size)]
    return list(parse_pubmed(blocks, "a.xml", skipped.append))


def test_reads_every_field(pubmed_file, pubmed_record, skipped):
    record = pubmed_record(abstract=STRUCTURED, types=("Randomized Controlled Trial", "Study"))
    (found,) = read(pubmed_file(record), skipped)
    assert not skipped
    assert (found.id, found.pmid, found.doi) == ("pmid:101", "101", "10.1000/a")
    assert found.title == "Apixaban in atrial fibrillation"
    assert (found.journal, found.year) == ("The Journal of Tests", 2011)
    assert found.publication_types == ("Randomized Controlled Trial", "Study")
    assert found.licence == "(c) the authors"
    parts = {s.label: found.text[s.start : s.end] for s in found.sections}
    assert parts == {
        "BACKGROUND": "Warfarin is old.",
        "RESULTS": "Risk fell (2 of 100, p<0.05, x).",
    }


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", 1998),
        ("<MedlineDate>Spring 2004</MedlineDate>", 2004),
        ("<Year>2020</Year><Month>Feb</Month>", 2020),
        ("", None),
    ],
)
def test_finds_the_year_however_it_is_written(pubmed_file, pubmed_record, skipped, date, year):
    (found,) = read(pubmed_file(pubmed_record(date=date)), skipped)
    assert found.year == year


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_blocks_may_end_anywhere(pubmed_file, pubmed_record, skipped, size):
    data = pubmed_file(*(pubmed_record(pmid=str(n), title=f"Títle {n}") for n in range(1, 6)))
    found = read(data, skipped, size)
    assert [d.title for d in found] == [f"Títle {n}" for n in range(1, 6)]
    assert not skipped


def test_a_broken_record_costs_no_other(pubmed_file, pubmed_record, skipped):
    good, other = pubmed_record(pmid="1"), pubmed_record(pmid="5")
    unbalanced = pubmed_record(pmid="2").replace("</ArticleTitle>", "")
    unended = pubmed_record(pmid="3").replace("</PubmedArticle>", "")
    not_utf8 = pubmed_record(pmid="4", title="@@").encode().replace(b"@@", b"\xff\xfe")
    head, tail = pubmed_file(good, unbalanced, unended, "SPLIT", other).split(b"SPLIT")
    found = read(head + not_utf8 + tail, skipped)
    assert [d.pmid for d in found] == ["1", "5"]
    assert [s.position.partition(",")[0] for s in skipped] == ["record 2", "record 3", "record 4"]
    assert all("broken XML" in s.reason for s in skipped)
    byte = int(skipped[0].position.rpartition(" ")[2])
    assert (head + not_utf8 + tail)[byte:].startswith(b"<PubmedArticle>")


def test_a_record_without_pmid_is_reported(pubmed_file, pubmed_record, skipped):
    assert not read(pubmed_file(pubmed_record(pmid="")), skipped)
    assert "PMID" in skipped[0].reason


def test_refuses_entities_and_reads_nothing_behind_them(xml_bomb, skipped):
    assert not read(xml_bomb.encode(), skipped)
    assert "bomb" in skipped[0].reason


def test_a_doctype_inside_a_record_is_not_expanded(pubmed_file, pubmed_record, skipped):
    inside = pubmed_record(pmid="1").replace("<PMID", '<!DOCTYPE x [<!ENTITY e "eee">]><PMID')
    named = pubmed_record(pmid="2", title="&e;")
    found = read(pubmed_file(inside, named, pubmed_record(pmid="3")), skipped)
    assert [d.pmid for d in found] == ["3"]
    assert len(skipped) == 2


def test_reports_a_file_that_is_cut_off(tmp_path, pubmed_file, pubmed_record, skipped):
    data = pubmed_file(*(pubmed_record(pmid=str(n)) for n in range(1, 400)))
    plain, packed = tmp_path / "a.xml", tmp_path / "b.xml.gz"
    plain.write_bytes(data[: len(data) // 2])
    packed.write_bytes(gzip.compress(data)[:-2000])
    for path in (plain, packed):
        skipped.clear()
        found = list(read_pubmed(str(path), path.name, skipped.append))
        assert 0 < len(found) < 399
        assert skipped[0].file == path.name
    assert "cut off" in skipped[0].reason


def test_what_is_linked_becomes_a_note(pubmed_file, pubmed_record, skipped):
    concern = (
        '<CommentsCorrections RefType="ExpressionOfConcernIn"><RefSource>J 2012</RefSource>'
        "<PMID>777</PMID></CommentsCorrections>"
        '<CommentsCorrections RefType="CommentIn"><RefSource>X</RefSource></CommentsCorrections>'
    )
    (found,) = read(pubmed_file(pubmed_record(links=concern)), skipped)
    assert found.note == "Expression of concern: J 2012 PMID 777"
    assert not found.retracted


def test_deleted_citations_are_withdrawn(pubmed_file, skipped):
    inner = "<DeleteCitation><PMID>7</PMID><PMID>8</PMID></DeleteCitation>"
    found = read(pubmed_file(inner), skipped)
    assert [(d.id, d.retracted, d.text) for d in found] == [
        ("pmid:7", True, ""),
        ("pmid:8", True, ""),
    ]


def test_reads_gzip_whatever_the_file_is_called(tmp_path, pubmed_file, pubmed_record, skipped):
    path = tmp_path / "export.xml"
    path.write_bytes(gzip.compress(pubmed_file(pubmed_record())))
    assert [d.pmid for d in read_documents(path, on_skip=skipped.append)] == ["101"]
