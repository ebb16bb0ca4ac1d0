from __future__ import annotations

import pytest

from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.corpus.retractions import LIVE, NOTICE, RETRACTED, retracts, standing

BODY = "Hydroxychloroquine lowered mortality in 96032 patients of 671 hospitals on 6 continents."


@pytest.mark.parametrize(
    ("title", "types", "text", "expected"),
    [
        ("RETRACTED: Hydroxychloroquine in COVID-19", (), "", RETRACTED),
        ("[Retracted] Effects of a drug", (), "", RETRACTED),
        ("WITHDRAWN: Interventions for acne", (), "", RETRACTED),
        ("A trial (Retracted article)", (), "", RETRACTED),
        ("A trial", ("Journal Article", "Retracted Publication"), "", RETRACTED),
        ("Retraction: A trial", (), "We retract doi:10.1234/abc.", NOTICE),
        ("Retraction notice to A trial", (), "PMID: 123 is retracted", NOTICE),
        ("Retraction.", ("Retraction of Publication",), "", NOTICE),
        ("Retraction of the flap in eyelid surgery", (), "We describe 40 patients.", LIVE),
        ("Retracted publications in oncology: a review", (), "See doi:10.1/x.", LIVE),
        ("Withdrawal of care in the ICU", (), "", LIVE),
    ],
)
def test_tells_articles_notices_and_studies_of_them_apart(title, types, text, expected):
    assert standing(Document("d", title, text, publication_types=types)) == expected


def test_a_notice_names_others_but_not_itself():
    notice = Document(
        "pmid:9",
        "Retraction",
        "The article (https://doi.org/10.1016/S0140-6736(20)31180-6) is retracted. doi:10.1/own.",
        doi="10.1/own",
        pmid="9",
    )
    assert retracts(notice) == {"doi:10.1016/s0140-6736(20)31180-6"}


def test_a_linked_pmid_goes_before_what_the_text_mentions():
    notice = Document("n", "Retraction", "See also doi:10.1/other.", note="Retraction: J PMID 5")
    assert retracts(notice) == {"pmid:5"}


@pytest.mark.parametrize("notice_first", [True, False])
def test_what_a_pubmed_notice_names_is_never_evidence(
    tmp_path, pubmed_file, pubmed_record, notice_first
):
    abstract = f"<AbstractText>{BODY}</AbstractText>"
    article = pubmed_record(pmid="5", abstract=abstract, doi="10.1/five")
    link = (
        '<CommentsCorrections RefType="RetractionOf"><RefSource>J Tests 2011</RefSource>'
        "<PMID Version='1'>5</PMID></CommentsCorrections>"
    )
    notice = pubmed_record(
        pmid="6", title="Retraction", types=("Retraction of Publication",), links=link, doi="10.1/6"
    )
    other = pubmed_record(pmid="7", title="Another", doi="10.1/seven")
    records = [notice, article, other] if notice_first else [article, other, notice]
    for number, record in enumerate(records):  # in three files, one after another
        (tmp_path / f"{number}.xml").write_bytes(pubmed_file(record))
        report = ingest(tmp_path / f"{number}.xml", tmp_path / "c")
    corpus = report.corpus
    assert corpus.retracted() == ["pmid:5"]
    assert corpus.document("pmid:5").retracted
    assert not corpus.document("pmid:7").retracted
    assert [d.id for d in corpus.documents()] == ["pmid:7"]
    assert {p.document for p in corpus.passages(range(len(corpus)))} == {"pmid:7"}


def test_a_doi_in_a_notice_without_a_link_counts(tmp_path):
    notice = Document("n", "Retraction note: A trial", "We retract doi:10.5555/ABC.")
    report = ingest([Document("a", "A trial", BODY, doi="10.5555/abc"), notice], tmp_path)
    assert report.corpus.retracted() == ["a"]
    assert len(report.corpus) == 0


def test_a_copy_of_a_retracted_article_is_no_evidence_either(tmp_path):
    texts = f"{BODY} It was registered and blinded, and it followed patients for two years."
    copy = Document("copy", "T", texts)
    bad = Document("bad", "T", texts, retracted=True)
    assert len(ingest([copy, bad], tmp_path / "a").corpus) == 0
    # ... also where the notice comes after the copy was merged.
    pair = [Document("one", "T", texts), Document("two", "T", texts, pmid="22")]
    assert ingest(pair, tmp_path / "b").corpus.aliases() == {"two": "one"}
    notice = Document("n", "Retraction: T", "Retracted.", note="Retraction: PMID 22")
    corpus = ingest([notice], tmp_path / "b").corpus
    assert len(corpus) == 0
    assert "one" in corpus.retracted()


def test_a_notice_that_changes_retracts_what_it_names_now(tmp_path):
    article = Document("a", "A", BODY, pmid="1")
    notice = Document("n", "Retraction: A", "Sorry.", note="Retraction: PMID 1")
    assert len(ingest([article, notice], tmp_path).corpus) == 0
    mended = Document("n", "Retraction: A", "Sorry.", note="Retraction: PMID 2")
    assert len(ingest([mended], tmp_path).corpus) == 1
