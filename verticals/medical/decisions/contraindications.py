"""Which medicines do not fit this patient: allergy, kidneys, potassium, pregnancy, conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import DataError
from verticals.medical.decisions.interactions import LEVELS, Level
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.person import kidney_function, pregnant
from verticals.medical.patient.record import PatientSummary

_RULES = Path(__file__).with_name("contraindications.yaml")
_CLASS = "class: "
_POTASSIUM = ("6298-4", "2823-3")  # in blood; in serum or plasma
_PAST = ("family history", "no history", "risk of")
# Wide classes: an allergy to one member says little about the others.
_TOO_WIDE = frozenset(
    ["antibiotic", "beta-lactam", "anticoagulant", "antiplatelet", "diuretic", "antidepressant",
     "antidiabetic", "sedative", "serotonergic", "anticholinergic", "antiepileptic",
     "antipsychotic",
     "antiarrhythmic", "cyp3a4 inhibitor", "enzyme inducer", "non-antibiotic sulfonamide",
     "renin-angiotensin inhibitor", "calcium channel blocker", "insulin", "opioid",
     "mineralocorticoid antagonist", "corticosteroid", "heparin", "stimulant", "nitrate",
     "antihistamine", "estrogen", "progestogen", "thyroid hormone"]
)  # fmt: skip


class Rule(BaseModel):
    """A medicine that does not fit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drugs: tuple[str, ...] = Field(min_length=1)
    level: Level
    effect: str
    advice: str
    source: str
    below: float | None = None  # eGFR, mL/min/1.73 m²
    above: float | None = None  # potassium, mmol/L
    when: tuple[str, ...] = ()  # beginnings of words in a condition's name
    allergy: str = ""  # class of the allergen


class Rules(BaseModel):
    """contraindications.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    renal: tuple[Rule, ...]
    potassium: tuple[Rule, ...]
    pregnancy: tuple[Rule, ...]
    conditions: tuple[Rule, ...]
    cross: tuple[Rule, ...]


@dataclass(frozen=True)
class Contraindication:
    """A medicine that does not fit, and the fact of the record that says so."""

    medicine: str  # generic name
    reason: str  # "eGFR 28 mL/min/1.73 m² on 2024-05-01 (CKD-EPI 2021)"
    level: Level
    effect: str
    advice: str
    source: str


def find_contraindications(
    summary: PatientSummary, orders: Sequence[str] = (), *, names: DrugNames | None = None
) -> list[Contraindication]:
    """What does not fit among the orders or, without orders, among what is taken.

    Args:
        summary: The patient.
        orders: Names of medicines as they are ordered.
        names: Lexicon; opened if not given.

    Returns:
        One entry per medicine and kind of reason, the gravest first.
    """
    lexicon = names or DrugNames.open()
    if orders:
        checked = {g for order in orders for g in lexicon.ingredients(order) or lexicon.find(order)}
    else:
        checked = {g for medicine in summary.medicines for g in medicine.ingredients}
    found = [
        item
        for medicine in sorted(checked)
        for item in (
            *_allergic(medicine, summary, lexicon),
            *_renal(medicine, summary, lexicon),
            *_potassium(medicine, summary, lexicon),
            *_pregnant(medicine, summary, lexicon),
            *_conditions(medicine, summary, lexicon),
        )
    ]
    return sorted(found, key=lambda item: (LEVELS.index(item.level), item.medicine))


@cache
def read_rules() -> Rules:
    """The rules beside this file, checked.

    Raises:
        DataError: An entry does not fit the schema; names it.
    """
    try:
        return Rules.model_validate(yaml.safe_load(_RULES.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{_RULES.name}: {'.'.join(map(str, first['loc']))}"
        raise DataError(first["msg"], where=where, remedy="Correct the entry") from None


def _hit(medicine: str, rule: Rule, names: DrugNames) -> bool:
    """Whether a rule speaks of a medicine."""
    classes = names.classes(medicine)
    return any(
        drug.removeprefix(_CLASS) in classes
        if drug.startswith(_CLASS)
        else drug == medicine or medicine in names.find(drug)
        for drug in rule.drugs
    )


def _as(medicine: str, reason: str, rule: Rule) -> Contraindication:
    return Contraindication(medicine, reason, rule.level, rule.effect, rule.advice, rule.source)


def _allergic(
    medicine: str, summary: PatientSummary, names: DrugNames
) -> Iterator[Contraindication]:
    """The allergen itself, its class, then classes that may react like it; the gravest alone."""
    mine = names.classes(medicine) - _TOO_WIDE
    found = []
    for allergy in summary.allergies:
        named = names.find(allergy)
        classes = set(names.classes_in(allergy)) - _TOO_WIDE
        classes |= {c for generic in named for c in names.classes(generic)} - _TOO_WIDE
        reason = f"recorded allergy: {allergy}"
        advice = "Do not give it unless the record is wrong"
        if medicine in named:
            found.append(
                Contraindication(
                    medicine, reason, "critical", "The patient is allergic to it", advice,
                    "the record",
                )
            )  # fmt: skip
        elif mine & classes:
            shared = ", ".join(sorted(mine & classes))
            found.append(
                Contraindication(
                    medicine, reason, "critical", f"Same class as the allergen: {shared}", advice,
                    "the record",
                )
            )  # fmt: skip
        else:
            found += [
                _as(medicine, reason, rule)
                for rule in read_rules().cross
                if rule.allergy in classes and _hit(medicine, rule, names)
            ]
    yield from sorted(found, key=lambda item: LEVELS.index(item.level))[:1]


def _renal(medicine: str, summary: PatientSummary, names: DrugNames) -> Iterator[Contraindication]:
    kidneys = kidney_function(summary)
    if kidneys is None:
        return
    reason = (
        f"eGFR {kidneys.egfr:.0f} mL/min/1.73 m² on {kidneys.taken:%Y-%m-%d} ({kidneys.method})"
    )
    hits = (r for r in read_rules().renal if _hit(medicine, r, names))
    low = [r for r in hits if r.below is not None and kidneys.egfr < r.below]
    yield from (_as(medicine, reason, rule) for rule in low[:1])


def _potassium(
    medicine: str, summary: PatientSummary, names: DrugNames
) -> Iterator[Contraindication]:
    labs = [lab for code in _POTASSIUM if (lab := summary.labs.get(code))]
    lab = max(labs, key=lambda found: found.taken, default=None)
    if lab is None or lab.unit.lower() not in {"mmol/l", "meq/l"}:
        return
    reason = f"potassium {lab.comparator}{lab.value:g} mmol/L on {lab.taken:%Y-%m-%d}"
    for rule in read_rules().potassium:
        if rule.above is not None and lab.value > rule.above and _hit(medicine, rule, names):
            yield _as(medicine, reason, rule)
            return


def _pregnant(
    medicine: str, summary: PatientSummary, names: DrugNames
) -> Iterator[Contraindication]:
    if pregnant(summary):
        hits = [rule for rule in read_rules().pregnancy if _hit(medicine, rule, names)]
        yield from (_as(medicine, "pregnancy", rule) for rule in hits[:1])


def _conditions(
    medicine: str, summary: PatientSummary, names: DrugNames
) -> Iterator[Contraindication]:
    for rule in read_rules().conditions:
        if not _hit(medicine, rule, names):
            continue
        for condition in summary.conditions:
            text = condition.name.lower()
            if any(word in text for word in rule.when) and not any(p in text for p in _PAST):
                yield _as(medicine, condition.name, rule)
                return
