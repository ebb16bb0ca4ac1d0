"""What follows from a summary: age, sex in words, pregnancy, kidney function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from verticals.medical.patient.record import Lab, PatientSummary

_CREATININE = ("38483-4", "2160-0")  # in blood; in serum or plasma
_REPORTED_EGFR = ("98979-8", "98980-6", "62238-1", "33914-3", "77147-7")
_UMOL_PER_MG = 88.42  # µmol/L of creatinine in 1 mg/dL
_ADULT = 18
_NOT_NOW = (
    "history of",
    "miscarr",
    "termination",
    "ectopic",
    "negative",
    "not pregnant",
    "risk of",
)


@dataclass(frozen=True)
class KidneyFunction:
    """Estimated glomerular filtration rate."""

    egfr: float  # mL/min/1.73 m²
    method: str  # "CKD-EPI 2021", or "as reported"
    taken: date

    @property
    def stage(self) -> str:
        """KDIGO 2024 category, G1 to G5."""
        bounds = ((90, "G1"), (60, "G2"), (45, "G3a"), (30, "G3b"), (15, "G4"))
        return next((name for low, name in bounds if self.egfr >= low), "G5")


def last_entry(summary: PatientSummary) -> date | None:
    """Day of the newest entry of the record, in UTC."""
    days = [lab.taken.date() for lab in summary.labs.values()]
    days += [r.issued.date() for r in summary.reports if r.issued]
    days += [c.onset for c in summary.conditions if c.onset]
    return max(days, default=None)


def age(summary: PatientSummary, on: date | None = None) -> int | None:
    """Age in full years.

    Args:
        summary: The patient.
        on: At that day; by default the day of the record's newest entry, so that the same record
            always gives the same answer.
    """
    on, born = on or last_entry(summary), summary.birth_date
    if on is None or born is None or on < born:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def described(summary: PatientSummary) -> str:
    """Age and sex in words: "72-year-old woman"; above 89 no exact age; empty if unknown."""
    years = age(summary)
    child = years is not None and years < _ADULT
    who = {"female": "girl" if child else "woman", "male": "boy" if child else "man"}
    noun = who.get(summary.gender, "child" if child else "adult")
    if years is None:
        return noun if summary.gender in who else ""
    if years < 2:
        return "infant"
    return f"{noun} of 90 or more" if years >= 90 else f"{years}-year-old {noun}"


def pregnant(summary: PatientSummary) -> bool:
    """Whether an active condition says so; a past, lost or feared pregnancy is none."""
    names = [c.name.lower() for c in summary.conditions]
    return any(
        ("pregnan" in name or "gestational" in name) and not any(w in name for w in _NOT_NOW)
        for name in names
    )


def kidney_function(summary: PatientSummary) -> KidneyFunction | None:
    """Latest eGFR of an adult: by CKD-EPI 2021 from creatinine (Inker 2021), else as reported.

    The calculation is open-medicine's. None if the record has neither.
    """
    found = [lab for code in _CREATININE if (lab := summary.labs.get(code))]
    for lab in sorted(found, key=lambda v: v.taken, reverse=True):
        value, years = _milligrams(lab), age(summary, lab.taken.date())
        known_sex = summary.gender in ("female", "male")
        if value and years is not None and years >= _ADULT and known_sex:
            return KidneyFunction(
                _ckd_epi(value, years, female=summary.gender == "female"), "CKD-EPI 2021",
                lab.taken.date(),
            )  # fmt: skip
    reported = [lab for code in _REPORTED_EGFR if (lab := summary.labs.get(code))]
    latest = max(reported, key=lambda v: v.taken, default=None)
    return KidneyFunction(latest.value, "as reported", latest.taken.date()) if latest else None


def _ckd_epi(creatinine: float, years: int, *, female: bool) -> float:
    """mL/min/1.73 m² from mg/dL."""
    from open_medicine.mcp.calculators.ckd_epi import CKDEPIParams, calculate_ckd_epi

    given = CKDEPIParams(age=years, is_female=female, serum_creatinine=creatinine)
    return float(calculate_ckd_epi(given).value)


def _milligrams(lab: Lab) -> float | None:
    """Creatinine in mg/dL, if its unit is known and its value exact and possible."""
    unit = lab.unit.lower().replace("µ", "u").replace("μ", "u")
    value = lab.value if unit == "mg/dl" else lab.value / _UMOL_PER_MG if unit == "umol/l" else 0
    return value if 0.05 < value < 40 and not lab.comparator else None
