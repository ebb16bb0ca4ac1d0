from __future__ import annotations

from collections.abc import Callable

import pytest

from verticals.medical.corpus.streams import Skipped


def article(
    pmid: str = "101",
    title: str = "Apixaban in atrial fibrillation",
    abstract: str = "<AbstractText>Apixaban reduced stroke.</AbstractText>",
    date: str = "<Year>2011</Year>",
    types: tuple[str, ...] = ("Journal Article",),
    links: str = "",
    doi: str = "10.1000/a",
) -> str:
    kinds = "".join(f'<PublicationType UI="D0">{kind}</PublicationType>' for kind in types)
    return f"""
<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">{pmid}</PMID>
<Article PubModel="Print"><Journal><ISSN IssnType="Print">0028-4793</ISSN>
<JournalIssue CitedMedium="Print"><Volume>1</Volume><PubDate>{date}</PubDate></JournalIssue>
<Title>The Journal of Tests</Title><ISOAbbreviation>J Tests</ISOAbbreviation></Journal>
<ArticleTitle>{title}</ArticleTitle><ELocationID EIdType="doi" ValidYN="Y">{doi}</ELocationID>
<Abstract>{abstract}<CopyrightInformation>(c) the authors</CopyrightInformation></Abstract>
<AuthorList CompleteYN="Y"><Author><LastName>Doe</LastName></Author></AuthorList>
<PublicationTypeList>{kinds}</PublicationTypeList></Article>
<CommentsCorrectionsList>{links}</CommentsCorrectionsList>
<MeshHeadingList><MeshHeading><DescriptorName>Stroke</DescriptorName></MeshHeading></MeshHeadingList>
</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId>
<ArticleId IdType="doi">{doi}</ArticleId></ArticleIdList>
<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9/cited</ArticleId>
</ArticleIdList></Reference></ReferenceList></PubmedData></PubmedArticle>"""


def article_set(*records: str) -> bytes:
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
        '"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
        '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n<PubmedArticleSet>'
    )
    return f"{head}{''.join(records)}\n</PubmedArticleSet>".encode()


BOMB = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>
<ArticleTitle>&c;</ArticleTitle></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"""


@pytest.fixture
def pubmed_record() -> Callable[..., str]:
    """Writes one record of PubMed's XML by hand."""
    return article


@pytest.fixture
def pubmed_file() -> Callable[..., bytes]:
    """Puts records into a file as NLM does."""
    return article_set


@pytest.fixture
def xml_bomb() -> str:
    """Entities that would grow a thousandfold."""
    return BOMB


@pytest.fixture
def skipped() -> list[Skipped]:
    """Where a reader's reports go: pass its `append`."""
    return []
