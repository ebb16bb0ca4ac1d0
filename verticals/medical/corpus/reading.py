"""Finds out what a source is and reads it as documents, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import DataError
from core.models.resolver import asset
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.streams import Meter, OnSkip, Skipped, opened, shown, size_and_stamp

READING = "1"  # of the readers: another one makes files be read again that were read before
GUIDELINES, EUTILS = "guidelines", "eutils:"
_KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xml": "xml",
    ".nxml": "xml",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".txt": "txt",
}
_READABLE = "PubMed or JATS XML, JSON lines, Markdown, HTML, PDF or text"
_PACKABLE = {"jsonl", "xml"}


@dataclass(frozen=True)
class Part:
    """One file of a source, or all of a source that has no files."""

    name: str  # as reports call it
    read: Callable[[OnSkip, Meter], Iterator[Document]]
    size: int = 0  # bytes; 0 where unknown
    stamp: str = ""  # changes with the content; "" where that cannot be known without reading


Source = str | Path | Iterable[Document]


def read_documents(source: Source, *, on_skip: OnSkip) -> Iterator[Document]:
    """Every document of a source, streamed.

    Args:
        source: "guidelines" (embedded); a file or URL of PubMed or JATS XML (.xml, .xml.gz),
            JSON lines (.jsonl, .jsonl.gz), Markdown, HTML, PDF or text; a BEIR folder; a folder
            of such files; "eutils:QUERY" to search PubMed when connected; or documents.
        on_skip: Told of every record and file left out.

    Raises:
        DataError: Not there, nothing readable in it, an XML bomb, or no network.
    """
    for part in parts(source):
        yield from part.read(on_skip, Meter())


def parts(source: Source) -> list[Part]:
    """The files of a source, in order of their names.

    Raises:
        DataError: As `read_documents`.
    """
    if not isinstance(source, str | Path):
        return [Part("documents", lambda *_: iter(source))]
    text = str(source)
    if text == GUIDELINES:
        return [_guidelines()]
    if text.startswith(EUTILS):
        return [_search(text.removeprefix(EUTILS))]
    files = _files(text)
    corpora = [file for file in files if file[0] in {"corpus.jsonl", "corpus.jsonl.gz"}]
    found = [part for name, path in (corpora or files) if (part := _part(text, name, path))]
    if not found:
        kinds = Counter(Path(name).suffix or "no ending" for name, _ in files)
        seen = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
        raise DataError(
            f"there is nothing readable in it ({seen})" if seen else "the folder is empty",
            where=shown(text),
            remedy=f"Give {_READABLE}",
        )
    return found


def _guidelines() -> Part:
    from verticals.medical.corpus.guidelines import ASSET, read_guidelines

    stamp = asset(ASSET).sha256
    return Part(GUIDELINES, lambda on_skip, _: read_guidelines(on_skip), stamp=stamp)


def _search(query: str) -> Part:
    from verticals.medical.corpus.eutilities import read_search

    return Part(f"{EUTILS}{query}", lambda on_skip, _: read_search(query, on_skip))


def _files(source: str) -> list[tuple[str, str]]:
    """(Name in the source, path or URL) of its files, hidden ones left out."""
    if "://" in source:
        return _remote(source)
    path = Path(source).expanduser()
    if path.is_file():
        return [(path.name, str(path))]
    if not path.is_dir():
        raise DataError("there is no such file or folder", where=source, remedy="Check the path")
    found = sorted(file for file in path.rglob("*") if file.is_file())
    names = [(file.relative_to(path), str(file)) for file in found]
    return [(n.as_posix(), f) for n, f in names if not any(p.startswith(".") for p in n.parts)]


def _remote(source: str) -> list[tuple[str, str]]:
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(source)
        if not system.isdir(root):
            return [(shown(source).rpartition("/")[2], source)]
        found = sorted(system.find(root))
    except Exception as error:
        # Which exception says so differs between file systems, and it may hold a password.
        raise DataError(
            f"the source cannot be listed ({type(error).__name__})",
            where=shown(source),
            remedy="Check that it is reachable, or give the path of a local copy",
        ) from None
    head = source.partition("://")[0]
    return [(file[len(root) :].lstrip("/"), f"{head}://{file.lstrip('/')}") for file in found]


def _part(source: str, name: str, path: str) -> Part | None:
    kind, packed = _kind(name)
    if kind is None or (packed and kind not in _PACKABLE):
        return None
    size, stamp = size_and_stamp(path)
    # Identifiers of files hold the folder's name, so that two folders can share a corpus.
    single = name == Path(path).name and not Path(source).is_dir()
    label = name if single else f"{Path(source).name}/{name}"

    def read(on_skip: OnSkip, meter: Meter) -> Iterator[Document]:
        meter.size = size
        return _reader(kind, path, label, on_skip, meter)

    return Part(label, read, size, stamp)


def _kind(name: str) -> tuple[str | None, bool]:
    packed = name.lower().endswith(".gz")
    stem = name[:-3] if packed else name
    return _KINDS.get(Path(stem).suffix.lower()), packed


def _reader(kind: str, path: str, name: str, on_skip: OnSkip, meter: Meter) -> Iterator[Document]:
    if kind == "jsonl":
        from verticals.medical.corpus.jsonl import read_jsonl

        return read_jsonl(path, name, on_skip, meter)
    if kind == "xml":
        return _xml(path, name, on_skip, meter)
    from verticals.medical.corpus.folders import read_file

    return read_file(kind, path, name, on_skip, meter)


def _xml(path: str, name: str, on_skip: OnSkip, meter: Meter) -> Iterator[Document]:
    """PubMed's records or a JATS article, by the first elements."""
    from verticals.medical.corpus.jats import read_jats
    from verticals.medical.corpus.pubmed import read_pubmed

    with opened(path) as stream:
        head = stream.read(1 << 16)
    if b"<PubmedArticle" in head or b"<MedlineCitation" in head or b"<PubmedBook" in head:
        return read_pubmed(path, name, on_skip, meter)
    if b"<article" in head:
        return read_jats(path, name, on_skip, meter)
    on_skip(Skipped(name, "", "XML, but neither PubMed's nor JATS"))
    return iter(())
