"""What the literature is made of: documents, their sections and the passages cut from them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A labelled part of a document's text."""

    label: str  # as written: "RESULTS", "Rate control"; "" where the text has no headings
    start: int  # characters into Document.text
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """One article, abstract or guideline section; `text` is what every offset counts into."""

    id: str  # unique in a corpus and stable: "pmid:31715818", "guideline:kdigo_ckd_2024/staging"
    title: str
    text: str  # verbatim, without the title
    sections: tuple[Section, ...] = ()
    year: int | None = None
    journal: str = ""
    doi: str = ""
    pmid: str = ""
    publication_types: tuple[str, ...] = ()  # as PubMed says: "Randomized Controlled Trial"
    organisation: str = ""  # of a guideline: "KDIGO"
    retracted: bool = False  # flagged by a notice or by its record; never evidence
    source: str = ""  # file it was read from
    licence: str = ""
    note: str = ""  # shown beside every citation: "summary, verify at DOI"

    @property
    def link(self) -> str:
        """Where a reader can verify it: the DOI, else PubMed, else nothing."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/" if self.pmid else ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document that is searched as one: `text == document.text[start:end]`."""

    document: str  # Document.id
    start: int
    end: int
    section: str
    text: str
