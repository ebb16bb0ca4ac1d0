"""The words of imaging and other reports: conclusions, attached texts, narratives.

It opens what the bundle carries, text and HTML; it fetches nothing and reads no PDF.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from verticals.medical.patient.bundle import Entry, OpenedBundle

LONGEST = 20_000  # characters kept of a report
_VOID = {"entered-in-error", "cancelled", "superseded"}
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(r"</?(?:p|div|br|li|tr|h[1-6]|table|ul|ol)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def report_texts(
    diagnostic: Sequence[Entry],
    documents: Sequence[Entry],
    bundle: OpenedBundle,
    warnings: list[str],
) -> list[tuple[str, str, object]]:
    """Title, text and date as written of every report that has words, the latest first.

    Args:
        diagnostic: Valid DiagnosticReport entries.
        documents: Valid DocumentReference entries.
        bundle: Holds the Binary resources that attachments may point to.
        warnings: Extended by what could not be read.
    """
    found = []
    for entry in (*diagnostic, *documents):
        report = entry.data
        if report.get("status") in _VOID:
            continue
        text = "\n".join(dict.fromkeys(_words(entry, bundle, warnings)))
        if text:
            dated = report.get("effectiveDateTime") or report.get("issued") or report.get("date")
            found.append((_title(report), text[:LONGEST], dated))
    return sorted(found, key=lambda r: str(r[2] or ""), reverse=True)


def plain_text(markup: str) -> str:
    """The words of an HTML fragment, one block a line."""
    text = _TAG.sub(" ", _BLOCK.sub("\n", _HIDDEN.sub(" ", markup)))
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in html.unescape(text).split("\n"))
    return "\n".join(line for line in lines if line)


def _words(entry: Entry, bundle: OpenedBundle, warnings: list[str]) -> Iterator[str]:
    """Texts of one report; its narrative only if there is nothing else."""
    report = entry.data
    attached = [*(report.get("presentedForm") or ())]
    attached += [c.get("attachment") or {} for c in report.get("content") or ()]
    texts = [t for a in attached if (t := _attached(a, entry, bundle, warnings))]
    conclusion = report.get("conclusion")
    if isinstance(conclusion, str) and conclusion.strip():
        told = conclusion.strip()
        texts += [] if any(told in t for t in texts) else [told]
    narrative = report.get("text") or {}
    if not texts and isinstance(narrative.get("div"), str):
        texts = [plain_text(narrative["div"])]
    yield from (t for t in texts if t)


def _attached(
    attachment: Mapping[str, Any], entry: Entry, bundle: OpenedBundle, warnings: list[str]
) -> str:
    kind = str(attachment.get("contentType") or "text/plain").lower()
    data = attachment.get("data")
    if data is None and attachment.get("url"):
        binary = bundle.resolve(attachment["url"], entry.data) or {}
        data = binary.get("data")
        kind = str(binary.get("contentType") or kind).lower()
    if not data:
        if attachment.get("url"):
            warnings.append(
                f"{entry.place}: an attachment is not in the bundle; nothing is fetched"
            )
        return ""
    if not kind.startswith(("text/", "application/xhtml")):
        warnings.append(f"{entry.place}: an attachment of type {kind[:40]} was not read")
        return ""
    try:
        text = base64.b64decode("".join(str(data).split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        warnings.append(f"{entry.place}: an attachment is not base64 of UTF-8 text")
        return ""
    return plain_text(text) if "html" in kind else text.strip()


def _title(report: Mapping[str, Any]) -> str:
    concept = report.get("code") or report.get("type") or {}
    codings = concept.get("coding") or ()
    told = [concept.get("text"), *(c.get("display") for c in codings), report.get("description")]
    return next((t.strip() for t in told if isinstance(t, str) and t.strip()), "Report")
