"""Opens a FHIR bundle: bytes to entries, whose patient it is, and what its references point to.

It knows JSON, sizes and references; what a resource says is for fhir.py.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import DataError
from verticals.medical.patient.versions import check_version

LIMIT_BYTES = 64 * 2**20  # unpacked; the largest of Synthea's records are near 20 MB
DEEPEST = 60  # levels of nesting in a resource; real ones stay under 15
_GZIP = b"\x1f\x8b"
_EXPORT = "Export one patient as a FHIR R4 bundle in JSON"


@dataclass(frozen=True)
class Entry:
    """A resource of the bundle, and where it stands."""

    index: int
    kind: str  # resourceType
    data: dict[str, Any]

    @property
    def place(self) -> str:
        """As warnings name it."""
        return f"{self.kind} at entry {self.index}"


@dataclass(frozen=True)
class OpenedBundle:
    """The entries of a bundle about one patient."""

    entries: tuple[Entry, ...]
    patient: Entry
    by_reference: Mapping[str, Entry]  # fullUrl, Type/id and id
    strange: tuple[str, ...]  # entries that hold no resource

    def counts(self) -> dict[str, int]:
        """Resources by type."""
        return dict(Counter(e.kind for e in self.entries))

    def resolve(self, reference: object, holder: Mapping[str, Any]) -> dict[str, Any] | None:
        """The resource a reference points to, in the bundle or contained in its holder."""
        if not isinstance(reference, str):
            return None
        if reference.startswith("#"):
            inside = holder.get("contained") or ()
            return next((r for r in inside if r.get("id") == reference[1:]), None)
        found = self.by_reference.get(_plain(reference))
        return found.data if found else None

    def foreign(self, resource: Mapping[str, Any]) -> bool:
        """Whether the resource says that it is about somebody else than the patient."""
        about = resource.get("subject") or resource.get("patient")
        reference = about.get("reference") if isinstance(about, Mapping) else None
        if not isinstance(reference, str) or "?" in reference:  # a search, not a pointer
            return False
        inside = self.resolve(reference, resource)
        if inside is not None:
            return inside.get("resourceType") != "Patient"
        own = self.patient.data.get("id")
        return own is None or _plain(reference).rpartition("/")[2].rpartition(":")[2] != own


def open_bundle(
    source: Path | str | bytes | Mapping[str, Any], *, limit_bytes: int = LIMIT_BYTES
) -> OpenedBundle:
    """The entries of a bundle and its one patient.

    Args:
        source: A .json or .json.gz file, its bytes, or the parsed object.
        limit_bytes: Refuse more than this, unpacked.

    Raises:
        DataError: No JSON, no bundle, another version of FHIR than R4, no patient or several, too
            large or nested too deep; says where and what to do.
    """
    if isinstance(source, str) and source.lstrip()[:1] in ("{", "[", "<"):
        source = source.encode()  # the text itself; never to be named as a file
    where = str(source) if isinstance(source, (str, Path)) else "FHIR bundle"
    bundle = source if isinstance(source, Mapping) else _parsed(_bytes(source, limit_bytes), where)
    if not isinstance(bundle, Mapping) or bundle.get("resourceType") != "Bundle":
        raise DataError(f"not a FHIR bundle but {_seen(bundle)}", where=where, remedy=_EXPORT)
    listed = bundle.get("entry") or []
    if not isinstance(listed, list):
        raise DataError("`entry` is not a list", where=f"{where}: entry", remedy=_EXPORT)
    entries, strange = _entries(listed)
    check_version(bundle, [(e.index, e.kind, e.data) for e in entries], where)
    patients = [e for e in entries if e.kind == "Patient"]
    if len({str(p.data.get("id")) for p in patients}) != 1 or len(patients) != 1:
        raise DataError(
            f"{len(patients) or 'no'} Patient resources instead of one",
            where=f"{where}: entry",
            remedy="Include the patient in the export" if not patients else "Export one patient",
        )
    return OpenedBundle(entries, patients[0], _references(listed, entries), strange)


def deeper_than(value: object, levels: int) -> bool:
    """Whether lists and objects nest deeper than that; without recursion of its own."""
    layer = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _inside(outer)]
        if not layer:
            return False
    return any(isinstance(v, (Mapping, list)) for v in layer)


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _bytes(source: Path | str | bytes, limit: int) -> bytes:
    """Unpacked content, never more than the limit in memory."""
    where = "FHIR bundle" if isinstance(source, bytes) else str(source)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as stream:
            packed = stream.read(2) == _GZIP
            stream.seek(0)
            raw: bytes = (gzip.GzipFile(fileobj=stream) if packed else stream).read(limit + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            f"the record cannot be read ({type(error).__name__})",
            where=where,
            remedy="Check that the file is there and was copied as a whole",
        ) from None
    if len(raw) > limit:
        raise DataError(
            f"the record is larger than {limit / 2**20:.0f} MiB",
            where=where,
            remedy="Export one patient only, or raise limit_bytes",
        )
    return raw


def _parsed(raw: bytes, where: str) -> object:
    import orjson

    text = raw.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise DataError("the record is empty", where=where, remedy=_EXPORT)
    if text.startswith(b"<"):
        raise DataError("the record is XML, not JSON", where=where, remedy=_EXPORT)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # The parser's own words quote nothing of the record; error.doc would.
        raise DataError(
            f"not valid JSON: {error.msg}",
            where=f"{where}: line {error.lineno}, column {error.colno} of {len(raw):,} bytes",
            remedy="The file may have been cut off: copy or export it again",
        ) from None


def _entries(listed: list[Any]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Entries that hold a resource, and a line on each of those that do not."""
    entries, strange = [], []
    for index, item in enumerate(listed):
        resource = item.get("resource") if isinstance(item, Mapping) else None
        kind = resource.get("resourceType") if isinstance(resource, Mapping) else None
        if not isinstance(resource, dict) or not isinstance(kind, str):
            strange.append(f"entry {index} left out: it holds no resource")
        elif deeper_than(resource, DEEPEST):
            strange.append(f"entry {index} left out: nested deeper than {DEEPEST} levels")
        else:
            entries.append(Entry(index, kind if kind.isalpha() else "unknown", resource))
    return tuple(entries), tuple(strange)


def _references(listed: list[Any], entries: tuple[Entry, ...]) -> dict[str, Entry]:
    by_reference: dict[str, Entry] = {}
    for entry in entries:
        url, own = listed[entry.index].get("fullUrl"), entry.data.get("id")
        if isinstance(url, str):
            by_reference.setdefault(_plain(url), entry)
        if isinstance(own, str):
            by_reference.setdefault(f"{entry.kind}/{own}", entry)
    return by_reference


def _plain(reference: str) -> str:
    """A reference without its version: Patient/1/_history/2 is Patient/1."""
    return reference.partition("/_history/")[0]


def _seen(value: object) -> str:
    if isinstance(value, Mapping):
        kind = value.get("resourceType")
        if isinstance(kind, str) and kind.isalpha():
            return f"a single {kind[:40]}"
        return "an object without resourceType"
    return {list: "a list", str: "a text", type(None): "nothing"}.get(type(value), "a number")
