"""Tells retracted articles and the notices that retract them: neither may be evidence."""

from __future__ import annotations

import re

from verticals.medical.corpus.documents import Document

RETRACTED_TYPE = "Retracted Publication"
NOTICE_TYPE = "Retraction of Publication"
LIVE, RETRACTED, NOTICE, DUPLICATE = range(4)  # what the store keeps of a document's standing

_RETRACTED_TITLE = re.compile(
    r"^\W*(?:retracted(?: article| paper)?|withdrawn)\s*[:\]\-–—.]|"
    r"[(\[](?:this article has been )?(?:retracted|withdrawn)(?: article| paper)?[)\]]\W*$",
    re.IGNORECASE,
)
_NOTICE_TITLE = re.compile(
    r"^\W*(?:retraction(?: note| notice| statement)?\s*(?:[:\-–—.]|to\b|of\b|for\b|$)|"
    r"(?:notice|statement) of retraction\b|withdrawal notice\b)",
    re.IGNORECASE,
)
# Reviews that study retractions begin alike: "Retraction of ..." needs a named article as well.
_PMID = re.compile(r"\bPMIDs?\W{0,3}(\d{1,8})\b|pubmed(?:\.ncbi\.nlm\.nih\.gov)?/(\d{1,8})\b", re.I)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"'<>]+[^\s\"'<>.,;:)\]}]", re.IGNORECASE)


def standing(document: Document) -> int:
    """LIVE, RETRACTED or NOTICE, by the record itself and by what publishers put into titles."""
    types = document.publication_types
    if NOTICE_TYPE in types:
        return NOTICE
    if document.retracted or RETRACTED_TYPE in types or _RETRACTED_TITLE.search(document.title):
        return RETRACTED
    if _NOTICE_TITLE.match(document.title) and retracts(document):
        return NOTICE
    return LIVE


def retracts(document: Document) -> frozenset[str]:
    """What a notice retracts: "pmid:123" and "doi:10.1/x", lower case; not itself.

    The readers write what PubMed's record links into the note; a PMID there is exact, so only
    without one are title and text searched for PMIDs and DOIs.
    """
    own = {f"pmid:{document.pmid}", f"doi:{document.doi.lower()}", document.id}
    named = _named(document.note) or _named(f"{document.title}\n{document.text}")
    return frozenset(named - own)


def _named(text: str) -> set[str]:
    pmids = {f"pmid:{one or other}" for one, other in _PMID.findall(text)}
    return pmids | {f"doi:{doi.lower()}" for doi in _DOI.findall(text)}
