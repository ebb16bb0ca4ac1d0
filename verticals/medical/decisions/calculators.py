"""Scores and equations from a patient's record, calculated by open-medicine.

Nothing is calculated here: this module finds the inputs, names those that are missing, and says
what it took to be absent because the record does not mention it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from verticals.medical.patient.person import age, kidney_function, pregnant
from verticals.medical.patient.record import Lab, PatientSummary

if TYPE_CHECKING:
    from verticals.medical.patient.drugs import DrugNames

_ADULT = 18
_CREATININE = ("38483-4", "2160-0")
_ALT, _AST, _BILIRUBIN = ("1742-6",), ("1920-8",), ("1975-2",)
_SYSTOLIC, _PLATELETS = ("8480-6",), ("777-3", "26515-7")
_CALCIUM, _ALBUMIN = ("49765-1", "17861-6"), ("1751-7",)
_WEIGHT, _HEIGHT = ("29463-7", "3141-9"), ("8302-2",)
# What turns a recorded unit into the calculator's; others are not used.
_TO = {
    "mg/dL": {"mg/dl": 1.0},
    "creatinine mg/dL": {"mg/dl": 1.0, "umol/l": 1 / 88.42},
    "g/dL": {"g/dl": 1.0, "g/l": 0.1},
    "U/L": {"u/l": 1.0, "[iu]/l": 1.0, "iu/l": 1.0},
    "10^9/L": {"10*3/ul": 1.0, "10*9/l": 1.0, "k/ul": 1.0},
    "mmHg": {"mm[hg]": 1.0, "mmhg": 1.0},
    "kg": {"kg": 1.0, "g": 0.001, "[lb_av]": 0.4536},
    "cm": {"cm": 1.0, "m": 100.0, "[in_i]": 2.54},
}
# Beginnings of words in a condition's name, and what makes it another condition.
_SIGNS = {
    "atrial fibrillation": (("atrial fib", "atrial flutter"), ()),
    "heart failure": (("heart failure", "left ventricular systolic dysfunction"), ("risk of",)),
    "hypertension": (
        ("hypertens",),
        ("pulmonary", "portal", "intracranial", "ocular", "white coat"),
    ),
    "diabetes": (("diabet",), ("prediabet", "insipidus", "gestational", "risk of")),
    "stroke, TIA or embolism": (
        ("stroke", "cerebral infarct", "cerebrovascular accident", "transient isch", "embolism"),
        ("heat", "risk of"),
    ),
    "stroke": (("stroke", "cerebral infarct", "cerebrovascular accident"), ("heat", "risk of")),
    "vascular disease": (("myocardial infarct", "peripheral arter", "aortic plaque"), ("risk of",)),
    "cirrhosis": (("cirrhosis",), ()),
    "bleeding": (("bleed", "haemorrhag", "hemorrhag"), ("risk of", "subconjunctival")),
    "alcohol": (("alcohol",), ("non-alcoholic", "nonalcoholic")),
}
_LABELS = {  # of parameters whose names do not say it
    "is_female": "female", "female_sex": "female", "elderly": "older than 65",
    "stroke_tia_thromboembolism": "stroke, TIA or embolism", "ast": "AST", "alt": "ALT",
    "weight": "weight (kg)", "weight_kg": "weight (kg)", "height_cm": "height (cm)",
    "serum_creatinine": "creatinine (mg/dL)", "labile_inr": "labile INR",
    "hasbled.hypertension": "systolic pressure above 160", "hasbled.drugs": "antiplatelet or NSAID",
    "hasbled.abnormal_renal_function": "creatinine above 2.26 mg/dL",
}  # fmt: skip


@dataclass(frozen=True)
class _Calculator:
    """Where open-medicine keeps a calculator, and what it is called here."""

    module: str
    prefix: str  # of the class that holds its parameters
    name: str
    unit: str = ""


@dataclass(frozen=True)
class Calculated:
    """A score, what it says, and what it rests on."""

    name: str
    value: float | None  # None where an input is missing
    unit: str
    says: str  # the calculator's own interpretation
    inputs: tuple[str, ...]  # found in the record
    missing: tuple[str, ...]  # needed and not there
    assumed: tuple[str, ...]  # taken to be absent: the record does not mention it
    doi: str

    @property
    def link(self) -> str:
        """Where the calculator was published."""
        return f"https://doi.org/{self.doi}" if self.doi else ""


def calculate(summary: PatientSummary, names: DrugNames | None = None) -> tuple[Calculated, ...]:
    """Every score that a record gives reason and inputs for.

    CHA2DS2-VASc is for atrial fibrillation, HAS-BLED for it or an anticoagulant. Others appear
    when the record has one of their measurements, and name what is missing. Ages are those on the
    day of the record's newest entry.

    Args:
        summary: The patient. The calculators are for adults who are not pregnant; others get none.
        names: Lexicon that knows classes of medicines; opened if not given.
    """
    years = age(summary)
    if pregnant(summary) or (years is not None and years < _ADULT):
        return ()
    made = [make(summary) for make in (_egfr, _cockcroft_gault, _fib4, _bmi, _calcium)]
    made.append(_chadsvasc(summary))
    if summary.medicines or _has(summary, "atrial fibrillation"):
        made.append(_hasbled(summary, _classes(summary, names)))
    return tuple(found for found in made if found is not None)


def _egfr(summary: PatientSummary) -> Calculated | None:
    found = kidney_function(summary)
    if found is None:
        return None
    text = f"{found.method}, {found.taken:%Y-%m-%d}"
    doi = "10.1056/NEJMoa2102953" if found.method == "CKD-EPI 2021" else ""
    says = f"KDIGO category {found.stage}."
    return Calculated("eGFR", found.egfr, "mL/min/1.73 m²", says, (text,), (), (), doi)


def _cockcroft_gault(summary: PatientSummary) -> Calculated | None:
    creatinine = _measured(summary, _CREATININE, "creatinine mg/dL")
    if creatinine is None:
        return None
    inputs = {
        "age": _years(summary), "weight": _measured(summary, _WEIGHT, "kg"),
        "is_female": _female(summary), "serum_creatinine": creatinine,
    }  # fmt: skip
    return _run(
        _Calculator("cockcroft_gault", "CockcroftGault", "Creatinine clearance", "mL/min"), inputs
    )


def _fib4(summary: PatientSummary) -> Calculated | None:
    enzymes = {"ast": _measured(summary, _AST, "U/L"), "alt": _measured(summary, _ALT, "U/L")}
    if not any(enzymes.values()):
        return None
    inputs = {
        "age": _years(summary), **enzymes, "platelets": _measured(summary, _PLATELETS, "10^9/L"),
    }  # fmt: skip
    return _run(_Calculator("fib4", "FIB4", "FIB-4"), inputs)


def _bmi(summary: PatientSummary) -> Calculated | None:
    inputs = {
        "weight_kg": _measured(summary, _WEIGHT, "kg"),
        "height_cm": _measured(summary, _HEIGHT, "cm"),
    }
    if not all(inputs.values()):
        return None
    return _run(_Calculator("bmi", "BMI", "Body mass index", "kg/m²"), inputs)


def _calcium(summary: PatientSummary) -> Calculated | None:
    inputs = {
        "calcium": _measured(summary, _CALCIUM, "mg/dL"),
        "albumin": _measured(summary, _ALBUMIN, "g/dL"),
    }
    if not all(inputs.values()):
        return None
    return _run(
        _Calculator("corrected_calcium", "CorrectedCalcium", "Corrected calcium", "mg/dL"), inputs
    )


def _chadsvasc(summary: PatientSummary) -> Calculated | None:
    if not _has(summary, "atrial fibrillation"):
        return None
    signs = {
        "congestive_heart_failure": _has(summary, "heart failure"),
        "hypertension": _has(summary, "hypertension"),
        "diabetes": _has(summary, "diabetes"),
        "stroke_tia_thromboembolism": _has(summary, "stroke, TIA or embolism"),
        "vascular_disease": _has(summary, "vascular disease"),
    }
    inputs = {"age": _years(summary), "female_sex": _female(summary)}
    return _run(_Calculator("chadsvasc", "CHADSVASc", "CHA2DS2-VASc"), inputs, signs)


def _hasbled(summary: PatientSummary, classes: frozenset[str]) -> Calculated | None:
    if not (_has(summary, "atrial fibrillation") or "anticoagulant" in classes):
        return None
    years, systolic = _years(summary), _measured(summary, _SYSTOLIC, "mmHg")
    creatinine = _measured(summary, _CREATININE, "creatinine mg/dL")
    enzymes = [_measured(summary, codes, "U/L") or 0 for codes in (_ALT, _AST)]
    bilirubin = _measured(summary, _BILIRUBIN, "mg/dL") or 0
    signs = {
        "hypertension": (systolic or 0) > 160,
        "abnormal_renal_function": (creatinine or 0) > 2.26,
        "abnormal_liver_function": bool(_has(summary, "cirrhosis"))
        or bilirubin > 2 * 1.2
        or max(enzymes) > 3 * 40,
        "stroke": _has(summary, "stroke"),
        "bleeding": _has(summary, "bleeding"),
        "labile_inr": False,
        "drugs": bool(classes & {"antiplatelet", "nsaid"}),
        "alcohol": _has(summary, "alcohol"),
    }
    inputs = {"elderly": None if years is None else years > 65}
    return _run(_Calculator("hasbled", "HASBLED", "HAS-BLED"), inputs, signs)


def _run(
    calculator: _Calculator,
    inputs: Mapping[str, float | bool | None],
    signs: Mapping[str, bool] | None = None,
) -> Calculated:
    """Call a calculator of open-medicine, or say which inputs it lacks."""
    signs, module = signs or {}, calculator.module
    names = {key: _readable(module, key) for key in (*inputs, *signs)}
    shown = [f"{names[k]}: {_plain(v)}" for k, v in inputs.items() if v is not None]
    shown += [names[key] for key, there in signs.items() if there]
    absent = tuple(names[key] for key, there in signs.items() if not there)
    missing = tuple(names[key] for key, value in inputs.items() if value is None)
    value, says, doi = None, "", ""
    if not missing:
        room = import_module(f"open_medicine.mcp.calculators.{module}")
        call: Callable[[Any], Any] = getattr(room, f"calculate_{module}")
        result = call(getattr(room, f"{calculator.prefix}Params")(**inputs, **signs))
        value, says = float(result.value), str(result.interpretation)
        doi = str(result.evidence.source_doi)
    return Calculated(
        calculator.name, value, calculator.unit, says, tuple(shown), missing, absent, doi
    )


def _has(summary: PatientSummary, sign: str) -> bool:
    """Whether an active condition shows a sign; family histories do not."""
    words, others = _SIGNS[sign]
    for condition in summary.conditions:
        text = condition.name.lower()
        if "family history" in text or any(other in text for other in others):
            continue
        if any(word in text for word in words):
            return True
    return False


def _classes(summary: PatientSummary, names: DrugNames | None) -> frozenset[str]:
    from verticals.medical.patient.drugs import DrugNames

    lexicon = names or DrugNames.open()
    found = {g for medicine in summary.medicines for g in medicine.ingredients}
    return frozenset(c for generic in found for c in lexicon.classes(generic))


def _measured(summary: PatientSummary, codes: Sequence[str], unit: str) -> float | None:
    """The latest exact value in the calculator's unit."""
    labs = [lab for code in codes if (lab := summary.labs.get(code))]
    for lab in sorted(labs, key=lambda found: found.taken, reverse=True):
        factor = _TO[unit].get(_unit(lab))
        if factor is not None and lab.value > 0 and not lab.comparator:
            return lab.value * factor
    return None


def _unit(lab: Lab) -> str:
    return lab.unit.lower().replace("µ", "u").replace("μ", "u")


def _years(summary: PatientSummary) -> int | None:
    return age(summary)


def _female(summary: PatientSummary) -> bool | None:
    return {"female": True, "male": False}.get(summary.gender)


def _readable(module: str, key: str) -> str:
    """A parameter's name in words."""
    return _LABELS.get(f"{module}.{key}", _LABELS.get(key, key.replace("_", " ")))


def _plain(value: float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}"
