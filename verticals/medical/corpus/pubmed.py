"""PubMed's XML: baseline and update files, and what E-utilities' efetch returns.

Records are cut out of the stream first and parsed one by one, so that memory holds one record
and a broken one costs no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.jsonl import joined
from verticals.medical.corpus.retractions import NOTICE_TYPE
from verticals.medical.corpus.streams import (
    MAX_RECORD,
    Meter,
    OnSkip,
    Skipped,
    blocks,
    opened,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENTITIES = "it declares XML entities, as an XML bomb does: refused"
DELETED = "Deleted by the National Library of Medicine"
_START = re.compile(rb"<(PubmedArticle|PubmedBookArticle|DeleteCitation|MedlineCitation)(?=[\s>])")
# Most of a record, and of no use here; references hold identifiers that are not the article's.
_UNUSED = re.compile(
    rb"<(AuthorList|MeshHeadingList|ChemicalList|KeywordList|GrantList|InvestigatorList|"
    rb"OtherAbstract|DataBankList|History|SupplMeshList)\b.*?</\1>|<ReferenceList.*</ReferenceList>",
    re.DOTALL,
)
_OPEN = (
    b'<r xmlns:mml="http://www.w3.org/1998/Math/MathML" xmlns:xlink="http://www.w3.org/1999/xlink">'
)
_YEAR = re.compile(r"\b(1[5-9]|20|21)\d\d\b")
_NOTES = {
    "RetractionIn": "Retracted",
    "RetractedandRepublishedIn": "Retracted and republished",
    "RetractionOf": "Retraction",
    "PartialRetractionIn": "Retracted in part",
    "ExpressionOfConcernIn": "Expression of concern",
    "ErratumIn": "Erratum published",
    "UpdateIn": "A newer version exists",
}
_RETRACTED = {"RetractionIn", "RetractedandRepublishedIn"}


def read_pubmed(
    path: str, file: str, on_skip: OnSkip, meter: Meter | None = None
) -> Iterator[Document]:
    """One document a record; a record that cannot be read is reported and skipped.

    Args:
        path: Local path or URL, plain or gzip.
        file: Its name in reports.
        on_skip: Told of records left out, by number and byte; of the whole rest of a file that
            declares XML entities.
        meter: Told how far it is.

    Raises:
        DataError: The file cannot be opened.
    """
    with opened(path, meter) as stream:
        yield from parse_pubmed(blocks(stream, file, on_skip), file, on_skip)


def parse_pubmed(chunks: Iterable[bytes], file: str, on_skip: OnSkip) -> Iterator[Document]:
    """The documents of PubMed XML that comes in pieces."""
    from defusedxml.common import DefusedXmlException

    for number, (byte, tag, record) in enumerate(_records(chunks, file, on_skip), 1):
        where = f"record {number}, byte {byte}"
        try:
            root = _parse(record)
            if tag == b"DeleteCitation":
                yield from _deleted(root, file)
            else:
                yield _document(root, file)
        except ParseError as error:
            on_skip(Skipped(file, where, f"broken XML ({error})"))
        except DefusedXmlException:
            on_skip(Skipped(file, where, ENTITIES))
        except ValueError as error:
            on_skip(Skipped(file, where, str(error)))


def _records(
    chunks: Iterable[bytes], file: str, on_skip: OnSkip
) -> Iterator[tuple[int, bytes, bytes]]:
    """(Byte, name of the element, its bytes), one record after another."""
    held, at = b"", 0  # `at` is the position of `held` in the stream
    for block in chunks:
        held += block
        place = 0
        while found := _START.search(held, place):
            if b"<!ENTITY" in held[place : found.start()]:
                on_skip(Skipped(file, f"byte {at + place}", ENTITIES))
                return
            end = held.find(b"</" + found[1] + b">", found.end())
            # The next record's start before this one's end: the end was lost.
            after = held.find(b"<" + found[1] + b">", found.end(), None if end < 0 else end)
            if after >= 0:
                yield at + found.start(), found[1], held[found.start() : after]
                place = after
            elif end >= 0:
                stop = end + len(found[1]) + 3
                yield at + found.start(), found[1], held[found.start() : stop]
                place = stop
            else:
                place = found.start()
                break
        else:
            if b"<!ENTITY" in held[place:]:
                on_skip(Skipped(file, f"byte {at + place}", ENTITIES))
                return
            place = max(place, len(held) - 32)  # a tag may be cut in two
        held, at = held[place:], at + place
        if len(held) > MAX_RECORD:
            reason = f"a record is longer than {MAX_RECORD >> 20} MiB"
            on_skip(Skipped(file, f"byte {at}", reason))
            return
    if found := _START.match(held):
        on_skip(Skipped(file, f"byte {at}", "the file ends within a record"))


def _parse(record: bytes) -> Element:
    from defusedxml.ElementTree import fromstring

    return fromstring(_OPEN + _UNUSED.sub(b"", record) + b"</r>")[0]


def _document(root: Element, file: str) -> Document:
    article = root.find(".//Article")
    body = article if article is not None else root  # of a book: everything lies side by side
    pmid = _text(root.find(".//PMID"))
    if not pmid.isdigit():
        raise ValueError("it has no PMID")
    text, sections = joined(_abstract(body))
    types = tuple(_text(kind) for kind in body.iter("PublicationType"))
    links = list(root.iter("CommentsCorrections"))
    kinds = {link.get("RefType", "") for link in links}
    if "RetractionOf" in kinds and NOTICE_TYPE not in types:
        types += (NOTICE_TYPE,)
    titles = ("ArticleTitle", "VernacularTitle", "Book/BookTitle")
    return Document(
        id=f"pmid:{pmid}",
        title=next((t for name in titles if (t := _text(body.find(f".//{name}")))), ""),
        text=text,
        sections=sections if len(sections) > 1 or (sections and sections[0].label) else (),
        year=_year(body),
        journal=_text(body.find("Journal/Title")) or _text(body.find("Journal/ISOAbbreviation")),
        doi=_doi(root),
        pmid=pmid,
        publication_types=types,
        retracted=bool(kinds & _RETRACTED),
        source=file,
        licence=_text(body.find("Abstract/CopyrightInformation")),
        note="; ".join(_note(link) for link in links if link.get("RefType") in _NOTES),
    )


def _abstract(body: Element) -> list[tuple[str, str]]:
    """(Label, text) of the parts of the abstract."""
    parts = body.findall("Abstract/AbstractText") or body.findall(".//Abstract/AbstractText")
    found = [(part.get("Label") or "", _text(part)) for part in parts]
    return [(label, text) for label, text in found if text]


def _year(body: Element) -> int | None:
    """Of the issue, else of the electronic article; "1998 Dec-1999 Jan" counts as 1998."""
    places = (
        "Journal/JournalIssue/PubDate/Year",
        "Journal/JournalIssue/PubDate/MedlineDate",
        "ArticleDate/Year",
        ".//Book/PubDate/Year",
    )
    for place in places:
        if found := _YEAR.search(_text(body.find(place))):
            return int(found[0])
    return None


def _doi(root: Element) -> str:
    for name, kind in (("ArticleId", "IdType"), ("ELocationID", "EIdType")):
        for element in root.iter(name):
            if element.get(kind) == "doi" and element.get("ValidYN") != "N":
                return _text(element)
    return ""


def _note(link: Element) -> str:
    kind, pmid = _NOTES[link.get("RefType", "")], _text(link.find("PMID"))
    source = _text(link.find("RefSource"))
    return f"{kind}: {source}{' ' * bool(source and pmid)}{f'PMID {pmid}' if pmid else ''}"


def _deleted(root: Element, file: str) -> Iterator[Document]:
    for element in root.iter("PMID"):
        pmid = _text(element)
        yield Document(f"pmid:{pmid}", "", "", pmid=pmid, retracted=True, note=DELETED, source=file)


def _text(element: Element | None) -> str:
    """All text in an element, of formulas and emphasis too, with single spaces."""
    return "" if element is None else " ".join("".join(element.itertext()).split())
