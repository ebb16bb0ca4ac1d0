"""JSON lines of articles: the kit's own fields, and the forms that research sets use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from verticals.medical.corpus.documents import Document, Section
from verticals.medical.corpus.streams import Meter, OnSkip, Skipped, lines, opened

_TEXTS = ("journal", "doi", "organisation", "licence", "note")


class FieldError(ValueError):
    """A record lacks what it needs, or has it in the wrong form."""


def read_jsonl(
    path: str, file: str, on_skip: OnSkip, meter: Meter | None = None
) -> Iterator[Document]:
    """One document a line; a line that cannot be read is reported and skipped.

    Args:
        path: Local path or URL of the file, plain or gzip.
        file: Its name in reports.
        on_skip: Told of every line left out, by number.
        meter: Told how far it is.

    Raises:
        DataError: The file cannot be opened.
    """
    with opened(path, meter) as stream:
        for number, line in lines(stream, file, on_skip):
            try:
                yield document_of(orjson.loads(line), file)
            except orjson.JSONDecodeError as error:
                on_skip(Skipped(file, f"line {number}", f"not JSON: {error.msg}"))
            except FieldError as error:
                on_skip(Skipped(file, f"line {number}", str(error)))


def document_of(entry: Any, file: str) -> Document:
    """The document of one JSON object.

    Text is `text`, or `abstract`; `sentences` (Wadden et al., 2020) and `contexts` with
    `section_labels` (Jin et al., 2019) are joined. `sections` may be a list of
    {label, start, end} that counts into `text`, or of {label, text} instead of it.

    Raises:
        FieldError: What is missing or wrong, in a clause.
    """
    if not isinstance(entry, Mapping):
        raise FieldError("not a JSON object")
    pmid = _text(entry, "pmid")
    name = next((entry[key] for key in ("id", "_id") if entry.get(key, "") != ""), None)
    if name is None and not pmid:
        raise FieldError("it has no `id`, `_id` or `pmid`")
    if isinstance(name, bool) or not isinstance(name, str | int | None):
        raise FieldError("`id` is neither text nor a number")
    text, sections = _body(entry)
    return Document(
        id=f"pmid:{pmid}" if name is None else str(name),
        title=_text(entry, "title") or "",
        text=text,
        sections=sections,
        year=_year(entry.get("year")),
        pmid=pmid,
        publication_types=_strings(entry, "publication_types"),
        retracted=entry.get("retracted") is True,
        source=_text(entry, "source") if "source" in entry else file,
        **{key: _text(entry, key) for key in _TEXTS},
    )


def joined(parts: list[tuple[str, str]], glue: str = "\n") -> tuple[str, tuple[Section, ...]]:
    """Labelled parts as one text, and where each lies in it."""
    sections, start = [], 0
    for label, text in parts:
        sections.append(Section(label, start, start + len(text)))
        start += len(text) + len(glue)
    return glue.join(text for _, text in parts), tuple(sections)


def _body(entry: Mapping[str, Any]) -> tuple[str, tuple[Section, ...]]:
    for key in ("text", "abstract"):
        text = entry.get(key)
        if isinstance(text, str):
            return text, _given_sections(entry.get("sections"), text)
        if text is not None and not isinstance(text, list):
            raise FieldError(f"`{key}` is not text")
        if text is not None:
            return " ".join(_strings(entry, key)), ()
    if "sentences" in entry:
        return " ".join(_strings(entry, "sentences")), ()
    if "contexts" in entry:
        contexts, labels = _strings(entry, "contexts"), _strings(entry, "section_labels")
        labels += ("",) * (len(contexts) - len(labels))
        return joined(list(zip(labels, contexts, strict=False)))
    sections = entry.get("sections")
    if isinstance(sections, list) and all(
        isinstance(s, Mapping) and isinstance(s.get("text"), str) for s in sections
    ):
        return joined([(str(s.get("label") or ""), s["text"]) for s in sections])
    raise FieldError("it has no `text`, `abstract`, `sentences` or `sections`")


def _given_sections(sections: Any, text: str) -> tuple[Section, ...]:
    if not sections:
        return ()
    try:
        found = tuple(Section(str(s["label"]), int(s["start"]), int(s["end"])) for s in sections)
    except (TypeError, KeyError, ValueError):
        raise FieldError("`sections` is not a list of {label, start, end}") from None
    last = 0
    for section in found:
        if not last <= section.start <= section.end <= len(text):
            raise FieldError("`sections` overlap, or lie outside the text")
        last = section.end
    return found


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise FieldError(f"`{key}` is not text")
    return str(value)


def _strings(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key) or ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise FieldError(f"`{key}` is not a list of texts")
    return tuple(value)


def _year(value: Any) -> int | None:
    try:
        year = int(str(value)[:4])
    except ValueError:
        return None
    return year if 1500 <= year <= 2200 else None
