"""Single files as documents: Markdown, HTML, PDF and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.jsonl import joined
from verticals.medical.corpus.markdown import STEP, split_markdown
from verticals.medical.corpus.streams import Meter, OnSkip, Skipped, opened, text_of

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

LARGEST_PDF = 256 << 20  # bytes
_YEAR = re.compile(r"\b(1[89]|20)\d\d\b")
_HEADS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = {*_HEADS, "p", "li", "tr", "pre", "dt", "dd", "blockquote", "figcaption"}
_NOISE = {
    *("script", "style", "noscript", "template", "nav", "header", "footer", "aside"),
    *("form", "button", "svg", "iframe"),
}
_HYPHENATED = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_WRAPPED = re.compile(r"(?<![.:;!?\n])\n(?=[a-z0-9(])")
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def read_file(
    kind: str, path: str, name: str, on_skip: OnSkip, meter: Meter | None = None
) -> Iterator[Document]:
    """The document of one file, or nothing where it was reported instead.

    Args:
        kind: "md", "html", "pdf" or "txt".
        path: Local path or URL.
        name: Its name in reports and in the document's identifier.
        on_skip: Told why the file was left out.
        meter: Told how far it is.

    Raises:
        DataError: The file cannot be opened.
    """
    if kind == "pdf":
        document = _pdf(path, name, on_skip, meter)
    else:
        source = text_of(path, name, on_skip, meter)
        if source is None:
            return
        read = {"md": _markdown, "html": _html, "txt": _plain}[kind]
        try:
            document = read(source, name)
        except RecursionError:
            on_skip(Skipped(name, "", "its elements are nested too deeply"))
            return
    if document is None:
        return
    if document.text:
        yield document
    else:
        on_skip(Skipped(name, "", "there is no text in it"))


def _markdown(source: str, name: str) -> Document:
    front = _FRONT.match(source)
    title, text, sections = split_markdown(source[front.end() :] if front else source)
    return Document(f"file:{name}", title or _stem(name), text, sections, source=name)


def _plain(source: str, name: str) -> Document:
    text = source.strip()
    first = text.partition("\n")[0].strip()
    title = first if 0 < len(first) <= 200 and "\n" in text else _stem(name)
    return Document(f"file:{name}", title, text, source=name)


def _html(source: str, name: str) -> Document:
    from bs4 import BeautifulSoup

    page = BeautifulSoup(source, "html.parser")
    meta = {
        str(tag.get("name", "")).lower(): str(tag.get("content", "")).strip()
        for tag in page.find_all("meta")
    }
    heading = page.find("h1")
    title = (
        meta.get("citation_title")
        or (heading.get_text(" ", strip=True) if heading else "")
        or (page.title.get_text(" ", strip=True) if page.title else "")
        or _stem(name)
    )
    text, sections = joined(_html_parts(page), glue="\n\n")
    dates = meta.get("citation_publication_date") or meta.get("citation_date") or ""
    year = _YEAR.search(dates)
    return Document(
        id=f"file:{name}",
        title=title,
        text=text,
        sections=sections,
        year=int(year[0]) if year else None,
        journal=meta.get("citation_journal_title", ""),
        doi=meta.get("citation_doi", "").removeprefix("doi:"),
        pmid=meta.get("citation_pmid", ""),
        source=name,
    )


def _html_parts(page: BeautifulSoup) -> list[tuple[str, str]]:
    """(Path of headings, text): what a reader sees, without menus, one line a block."""
    for noise in page.find_all(_NOISE):
        noise.decompose()
    root = page.find("main") or page.find("article") or page.body or page
    parts, path, lines = list[tuple[str, str]](), list[tuple[int, str]](), list[str]()
    for tag in _blocks(root):
        if tag.name in _HEADS:
            _close(parts, path, lines)
            level, label = int(tag.name[1]), " ".join(tag.get_text(" ").split())
            path = [step for step in path if step[0] < level]
            path += [(level, label)] if level > 1 else []  # the first level is the title
        elif tag.name == "tr":
            cells = [" ".join(c.get_text(" ").split()) for c in tag.find_all(["td", "th"])]
            lines.append(" | ".join(cells))
        elif line := " ".join(tag.get_text(" ").split()):
            lines.append(f"- {line}" if tag.name == "li" else line)
    _close(parts, path, lines)
    if not parts and (text := root.get_text("\n", strip=True)):
        parts.append(("", text))
    return parts


def _blocks(root: Tag) -> Iterator[Tag]:
    """Blocks without a block in them, in order."""
    for tag in root.find_all(_BLOCKS):
        whole = tag.name in {"tr", "pre"} or not tag.find(_BLOCKS)
        if whole and not tag.find_parent("tr"):
            yield tag


def _close(parts: list[tuple[str, str]], path: list[tuple[int, str]], lines: list[str]) -> None:
    if lines:
        parts.append((STEP.join(label for _, label in path), "\n".join(lines)))
        lines.clear()


def _pdf(path: str, name: str, on_skip: OnSkip, meter: Meter | None) -> Document | None:
    """Its text by page; a scanned one is reported."""
    import io

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    with opened(path, meter) as stream:
        data = io.BytesIO(stream.read(LARGEST_PDF + 1))
    if data.getbuffer().nbytes > LARGEST_PDF:
        on_skip(Skipped(name, "", f"larger than {LARGEST_PDF >> 20} MiB"))
        return None
    pages, title = list[tuple[str, str]](), ""
    try:
        reader = PdfReader(data)
        if reader.is_encrypted and not reader.decrypt(""):
            on_skip(Skipped(name, "", "the PDF is locked with a password"))
            return None
        title = str((reader.metadata and reader.metadata.title) or "").strip()
        for number, page in enumerate(reader.pages, 1):
            if text := _unwrapped(page.extract_text()):
                pages.append((f"page {number}", text))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # pypdf lets errors of many kinds out when a file's structure is damaged.
        on_skip(Skipped(name, f"page {len(pages) + 1}", f"damaged PDF ({type(error).__name__})"))
    if not pages:
        on_skip(Skipped(name, "", "the PDF has no text (scanned pages?): run OCR over it first"))
        return None
    text, sections = joined(pages)
    return Document(f"file:{name}", title or _stem(name), text, sections, source=name)


def _unwrapped(text: str) -> str:
    """Lines of a printed page put together where a sentence goes on."""
    valid = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    lines = "\n".join(line.strip() for line in valid.splitlines())
    return _WRAPPED.sub(" ", _HYPHENATED.sub("", lines)).strip()


def _stem(name: str) -> str:
    return PurePath(name).stem.replace("_", " ").strip()
