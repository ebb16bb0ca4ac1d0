"""Decision support as CDS Hooks 2.0 cards: interactions and contra-indications of a record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID, uuid4, uuid5

from pydantic import BaseModel, ConfigDict, Field

from verticals.medical.answer import DISCLAIMER
from verticals.medical.decisions.contraindications import (
    Contraindication,
    find_contraindications,
)
from verticals.medical.decisions.interactions import (
    LEVELS,
    Interaction,
    InteractionTable,
    Level,
)
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.record import PatientSummary

LONGEST_SUMMARY = 139  # characters; CDS Hooks asks for fewer than 140
_NAMESPACE = UUID("5b0c8d1e-6f0b-4a55-9a37-2f7e2d0c9a11")
_SYSTEM = "https://casekit.invalid/override-reasons"
_DOI = "doi:"


class Source(BaseModel):
    """Where a card's advice comes from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    url: str | None = None
    topic: dict[str, str] | None = None


class Link(BaseModel):
    """Where to read more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    url: str
    type: Literal["absolute", "smart"] = "absolute"


class Card(BaseModel):
    """A CDS Hooks 2.0 card; `model_dump(mode="json", exclude_none=True)` is its JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    uuid: str = Field(default_factory=lambda: str(uuid4()))
    summary: str = Field(min_length=1, max_length=LONGEST_SUMMARY)
    detail: str = Field("", description="GitHub-flavoured Markdown.")
    indicator: Level
    source: Source
    suggestions: list[dict[str, object]] = []
    overrideReasons: list[dict[str, str]] = []  # noqa: N815 - the standard's name
    links: list[Link] = []


OVERRIDES = [
    {"code": code, "system": _SYSTEM, "display": display}
    for code, display in (
        ("benefit", "The benefit outweighs the risk"),
        ("monitored", "The patient is monitored for it"),
        ("tolerated", "The patient has tolerated it"),
        ("wrong-record", "The record is wrong or out of date"),
    )
]


def cards_for(
    summary: PatientSummary,
    orders: Sequence[str] = (),
    *,
    names: DrugNames | None = None,
    table: InteractionTable | None = None,
) -> list[Card]:
    """Cards for a patient's medicines, or for orders beside them.

    With orders, pairs are of orders with each other and with what is taken, and contra-indications
    are those of the orders; without, everything that is taken is checked. A pair that must not
    interrupt gives an info card. The same record and orders give the same cards, uuid included.

    Args:
        summary: The patient.
        orders: Medicines as draft orders write them.
        names: Lexicon; opened if not given.
        table: Interactions; the kit's own if not given.

    Returns:
        The gravest first; of one level, contra-indications before interactions.
    """
    lexicon = names or DrugNames.open()
    pairs = table or InteractionTable.open(names=names)
    taken = [g for medicine in summary.medicines for g in medicine.ingredients]
    unfit = find_contraindications(summary, orders, names=lexicon)
    cards = [_unfit(item) for item in unfit]
    cards += [_pair(item) for item in pairs.check(list(dict.fromkeys(taken)), list(orders))]
    return sorted(cards, key=lambda card: LEVELS.index(card.indicator))


def make_card(
    summary: str, detail: str, indicator: Level, source: str, links: Sequence[Link] = ()
) -> Card:
    """A card with the disclaimer, its summary cut to the standard's length.

    Args:
        summary: One line of plain text.
        detail: Markdown; the disclaimer is added.
        indicator: info, warning or critical.
        source: Label of the source; a DOI in it becomes its address.
        links: Where to read more.
    """
    if len(summary) > LONGEST_SUMMARY:
        summary = summary[: LONGEST_SUMMARY - 1].rstrip() + "…"
    doi = source.rpartition(_DOI)[2].split()[0].rstrip(").,") if _DOI in source else ""
    where = Source(label=source, url=f"https://doi.org/{doi}" if doi else None)
    text = f"{detail}\n\n_{DISCLAIMER}_"
    name = uuid5(_NAMESPACE, f"{indicator}\n{summary}\n{detail}")
    reasons = [] if indicator == "info" else OVERRIDES
    return Card(
        uuid=str(name), summary=summary, detail=text, indicator=indicator, source=where,
        overrideReasons=reasons, links=list(links),
    )  # fmt: skip


def _pair(found: Interaction) -> Card:
    effect = _first(found.effect)
    head = f"{found.a.capitalize()} with {found.b}: {effect}"
    return make_card(head, _detail(found.effect, found.mechanism, found.advice), found.level,
                     found.source)  # fmt: skip


def _unfit(found: Contraindication) -> Card:
    head = f"{found.medicine.capitalize()}: {found.effect} ({_markless(found.reason)})"
    detail = _detail(found.effect, _markless(found.reason), found.advice)
    return make_card(head, detail, found.level, found.source)


def _detail(effect: str, why: str, advice: str) -> str:
    """Effect, reason and advice, each a paragraph."""
    parts = (effect, f"Why: {why}" if why else "", f"**{advice}**" if advice else "")
    return "\n\n".join(part for part in parts if part)


def _first(text: str) -> str:
    """The first sentence, as a clause."""
    clause = text.split(". ", maxsplit=1)[0].rstrip(".")
    return clause[:1].lower() + clause[1:] if clause[1:2].islower() else clause


def _markless(text: str) -> str:
    """A record's own words without what Markdown or HTML would read as markup."""
    return "".join(c for c in " ".join(text.split()) if c not in "<>[]`*_#|\\")
