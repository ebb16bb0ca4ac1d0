"""Full articles in JATS XML, as PubMed Central and publishers give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.jsonl import joined
from verticals.medical.corpus.markdown import STEP
from verticals.medical.corpus.pubmed import ENTITIES
from verticals.medical.corpus.streams import MAX_RECORD, Meter, OnSkip, Skipped, blocks, opened

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_TYPES = {  # JATS article-type, as PubMed calls it
    "systematic-review": "Systematic Review",
    "review-article": "Review",
    "case-report": "Case Reports",
    "retraction": "Retraction of Publication",
    "editorial": "Editorial",
    "letter": "Letter",
}
_BLOCKS = {"p", "list-item", "tr", "disp-quote", "def-item"}
_LEFT_OUT = {"ref-list", "fig", "xref", "object-id", "label", "title", "sec", "fn-group"}


def read_jats(
    path: str, file: str, on_skip: OnSkip, meter: Meter | None = None
) -> Iterator[Document]:
    """The article of one file: abstract and body, sections by their headings.

    Args:
        path: Local path or URL, plain or gzip.
        file: Its name in reports.
        on_skip: Told why the file was left out.
        meter: Told how far it is.

    Raises:
        DataError: The file cannot be opened.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    with opened(path, meter) as stream:
        data = b""
        for block in blocks(stream, file, on_skip):
            data += block
            if len(data) > MAX_RECORD:
                on_skip(Skipped(file, "", f"longer than {MAX_RECORD >> 20} MiB"))
                return
    try:
        root = fromstring(data)
        article = root if root.tag == "article" else root.find(".//article")
        document = None if article is None else _document(article, file)
    except ParseError as error:
        on_skip(Skipped(file, f"line {error.position[0]}", f"broken XML ({error})"))
    except DefusedXmlException:
        on_skip(Skipped(file, "", ENTITIES))
    except RecursionError:
        on_skip(Skipped(file, "", "its sections are nested too deeply"))
    else:
        if document is None:
            on_skip(Skipped(file, "", "XML, but neither PubMed's nor JATS"))
        elif document.text:
            yield document
        else:
            on_skip(Skipped(file, "", "there is no text in it"))


def _document(article: Element, file: str) -> Document:
    meta = article.find("front/article-meta")
    front = meta if meta is not None else article
    ids = {part.get("pub-id-type", ""): _text(part) for part in front.findall("article-id")}
    parts = [part for abstract in front.findall("abstract") for part in _parts(abstract, ())]
    body = article.find("body")
    parts += _parts(body, ()) if body is not None else []
    text, sections = joined(parts, glue="\n\n")
    years = [_text(year) for year in front.findall("pub-date/year")]
    kind = _TYPES.get(article.get("article-type", ""))
    pmid = ids.get("pmid", "")
    return Document(
        id=f"pmid:{pmid}" if pmid else f"doi:{ids['doi']}" if "doi" in ids else f"file:{file}",
        title=_text(front.find("title-group/article-title")),
        text=text,
        sections=sections,
        year=min((int(year) for year in years if year.isdigit()), default=None),
        journal=_text(article.find(".//journal-title")),
        doi=ids.get("doi", ""),
        pmid=pmid,
        publication_types=(kind,) if kind else (),
        source=file,
        licence=_text(front.find("permissions/license")),
    )


def _parts(element: Element, path: tuple[str, ...]) -> list[tuple[str, str]]:
    """(Path of headings, text) of an element's own paragraphs and of the sections in it."""
    title = _text(element.find("title"))
    path = (*path, title) if title else path
    own = [text for child in element if child.tag not in _LEFT_OUT for text in _blocks(child)]
    found = [(STEP.join(path), "\n".join(own))] if own else []
    for child in element.findall("sec"):
        found += _parts(child, path)
    return found


def _blocks(element: Element) -> Iterator[str]:
    """The text of an element, one string a paragraph, list item or table row."""
    nested = any(child.tag in _BLOCKS for child in element.iter() if child is not element)
    if element.tag in _BLOCKS and not nested:
        cells = [_text(cell) for cell in element] if element.tag == "tr" else [_text(element)]
        if any(cells):
            yield " | ".join(cells)
    elif nested:
        if lead := " ".join((element.text or "").split()):
            yield lead
        for child in element:
            yield from _blocks(child)
            if tail := " ".join((child.tail or "").split()):
                yield tail
    elif element.tag not in _LEFT_OUT and (text := _text(element)):
        yield text


def _text(element: Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())
