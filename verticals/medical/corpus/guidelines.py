"""The embedded corpus: summaries of clinical guidelines from the open-medicine package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from core.models.resolver import asset, resolve
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.markdown import split_markdown
from verticals.medical.corpus.streams import OnSkip, Skipped

ASSET = "open_medicine_guidelines"
NOTE = "Summary by open-medicine, not the guideline's own text: verify at the DOI"


def read_guidelines(on_skip: OnSkip, folder: Path | None = None) -> Iterator[Document]:
    """One document per section file, in the order of the registry.

    Args:
        on_skip: Told of sections that the registry names and the folder lacks.
        folder: Where the guidelines are; the pinned package by default.

    Raises:
        ModelError: The package is not installed, or its files are not the pinned ones.
    """
    folder = folder or resolve(ASSET)
    licence = asset(ASSET).licence
    for guideline in orjson.loads((folder / "registry.json").read_bytes()):
        for section in guideline["sections"]:
            name = f"{guideline['id']}/{section}"
            file = folder / "content" / f"{name}.md"
            if not file.is_file():
                on_skip(Skipped(f"{name}.md", "", "named by the registry, but not there"))
                continue
            yield _document(guideline, name, file.read_text(encoding="utf-8"), licence)


def _document(guideline: dict[str, Any], name: str, source: str, licence: str) -> Document:
    heading, text, sections = split_markdown(source)
    topic = heading.partition(" — ")[0]  # behind the dash stand body and year, as in the title
    return Document(
        id=f"guideline:{name}",
        title=f"{guideline['title']}: {topic}",
        text=text,
        sections=sections,
        year=guideline["year"],
        doi=guideline["doi"],
        publication_types=("Practice Guideline",),
        organisation=guideline["organization"],
        source=f"{name}.md",
        licence=licence,
        note=NOTE,
    )
