"""Makes up a cohort of admissions with notes, laboratory values, bedside values and an outcome.

Nobody in it exists. The equations below are ours, in the spirit of published scores (signs and
rough sizes of NEWS2, RCP 2017; CURB-65, Lim 2003; clinical frailty, Rockwood 2005), not estimates
from data: results on it say whether a method works, not how well it would do in a hospital.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_WRITTEN = 0.9  # chance that a finding, or its absence, is written down
_PHRASES = Path(__file__).with_name("cohort.yaml")

LABS = ("creatinine mg/dL", "urea mg/dL", "lactate mmol/L", "CRP mg/L", "NT-proBNP pg/mL",
        "haemoglobin g/dL", "sodium mmol/L", "albumin g/dL", "leukocytes 10*3/uL")  # fmt: skip
VITALS = ("age years", "female", "heart rate /min", "respiratory rate /min",
          "systolic pressure mmHg", "temperature Cel", "oxygen saturation %")  # fmt: skip
# Log-odds of deterioration within 30 days. `infection`, `congestion` and `frailty` are hidden
# severities with mean 0 and standard deviation 1; only their traces can be observed.
RISK = {
    "constant": -2.75,
    "age, per 10 years over 65": 0.25,
    "infection": 0.60,
    "congestion": 0.35,
    "frailty": 0.75,
    "cancer": 0.70,
    "consolidation": 0.35,
    "worry": 0.60,
    "lactate, per doubling over 1.3": 0.45,
    "respiratory rate over 24": 0.50,
    "systolic pressure under 100": 0.60,
    "urea, per doubling over 40": 0.35,
    "frailty x infection": 0.30,
}


@dataclass(frozen=True)
class Cohort:
    """Admissions, one a row; a missing note is "", a missing value NaN."""

    notes: tuple[str, ...]  # (n,)
    labs: np.ndarray  # (n, 9) float32, columns LABS
    vitals: np.ndarray  # (n, 7) float32, columns VITALS
    outcome: np.ndarray  # (n,) int8: 1 if deteriorated within 30 days
    risk: np.ndarray  # (n,) float64: the probability the outcome was drawn with
    seed: int

    def __len__(self) -> int:
        return len(self.notes)

    def take(self, rows: np.ndarray) -> Cohort:
        """Those rows, in that order."""
        return Cohort(
            tuple(self.notes[int(i)] for i in rows), self.labs[rows], self.vitals[rows],
            self.outcome[rows], self.risk[rows], self.seed,
        )  # fmt: skip

    def summary(self) -> pd.DataFrame:
        """How much of each modality is there, and the outcome's share with and without it."""
        there = {
            "note": np.array([bool(n) for n in self.notes]),
            "labs": ~np.isnan(self.labs).all(axis=1),
            "vitals": ~np.isnan(self.vitals[:, 2:]).all(axis=1),
        }
        y, rows = self.outcome, []
        for name, has in there.items():
            missing = y[~has].mean() if (~has).any() else np.nan
            rows.append(
                {
                    "modality": name,
                    "present": has.mean(),
                    "outcome if present": y[has].mean() if has.any() else np.nan,
                    "outcome if missing": missing,
                }
            )
        return pd.DataFrame(rows)


def make_cohort(n: int = 3000, seed: int = 0) -> Cohort:
    """Draw a cohort; the same seed gives the same one.

    Values are missing not at random: blood is taken, and lactate measured, rather from those who
    look ill; notes are short of the frail, who come at night; age and sex are always known.

    Args:
        n: Admissions.
        seed: Of every draw.

    Raises:
        ValueError: Fewer than 1.
    """
    if n < 1:
        raise ValueError("a cohort needs at least one admission")
    rng = np.random.default_rng(seed)
    hidden = _hidden(n, rng)
    labs, vitals = _labs(hidden, rng), _vitals(hidden, rng)
    risk = _risk(hidden, labs, vitals)
    outcome = (rng.random(n) < risk).astype(np.int8)
    notes = [_note(i, hidden, rng) for i in range(n)]
    _lose(notes, labs, vitals, hidden, rng)
    return Cohort(tuple(notes), labs, vitals, outcome, risk, seed)


def _hidden(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What is true of each, whether or not anybody wrote it down: (n,) arrays."""
    age = np.clip(rng.normal(67, 15, n), 18, 99).round()
    older = (age - 65) / 10
    h = {"age": age, "female": (rng.random(n) < 0.52).astype(float)}
    h |= {name: rng.normal(size=n) for name in ("infection", "congestion", "kidney")}
    h["frailty"] = (0.45 * older / 1.5 + rng.normal(size=n)) / np.sqrt(1.2)
    prior = {"heart failure": -2.2, "lung disease": -1.9, "cancer": -2.3, "diabetes": -1.2}
    h |= {d: (rng.random(n) < _chance(b + 0.3 * older)).astype(float) for d, b in prior.items()}
    h["congestion"] += 0.8 * h["heart failure"]
    h["consolidation"] = (rng.random(n) < _chance(-1.1 + 1.4 * h["infection"])).astype(float)
    h["effusion"] = (rng.random(n) < _chance(-1.2 + 1.3 * h["congestion"])).astype(float)
    ill = h["infection"] + 0.5 * h["congestion"] + 0.5 * h["frailty"]
    h["worry"] = (rng.random(n) < _chance(-1.4 + 0.8 * ill)).astype(float)
    return h


def _labs(h: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(n, 9) float32, in the order of LABS; skewed ones are lognormal."""
    n, infection = len(h["age"]), h["infection"]

    def noise(scale: float) -> np.ndarray:
        return rng.normal(0, scale, n)

    kidney = 0.28 * h["kidney"] + 0.10 * h["diabetes"] + 0.04 * (h["age"] - 65) / 10
    columns = (
        np.exp(np.log(0.95) + kidney + noise(0.12)),
        np.exp(np.log(38) + 0.9 * kidney + 0.12 * infection + noise(0.18)),
        np.exp(np.log(1.4) + 0.30 * infection + noise(0.30)),
        np.exp(np.log(30) + 0.90 * infection + noise(0.60)),
        np.exp(np.log(500) + 0.85 * h["congestion"] + 0.6 * kidney + noise(0.60)),
        12.8 - 0.8 * h["cancer"] - 0.9 * kidney - 0.3 * h["frailty"] + noise(1.3),
        138 - 1.2 * h["congestion"] - 0.6 * infection + noise(2.8),
        3.8 - 0.22 * infection - 0.25 * h["cancer"] - 0.18 * h["frailty"] + noise(0.35),
        np.exp(np.log(9) + 0.20 * infection + noise(0.28)),
    )
    return np.column_stack(columns).astype(np.float32)


def _vitals(h: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(n, 7) float32, in the order of VITALS."""
    n, infection, congestion = len(h["age"]), h["infection"], h["congestion"]

    def noise(scale: float) -> np.ndarray:
        return rng.normal(0, scale, n)

    saturation = 96.5 - 1.1 * infection - 1.1 * congestion - 1.5 * h["lung disease"] + noise(1.3)
    columns = (
        h["age"],
        h["female"],
        84 + 8 * infection + 4 * congestion + noise(11),
        17.5 + 2.2 * infection + 1.8 * congestion + 1.0 * h["lung disease"] + noise(2.4),
        132 - 9 * infection + 0.2 * (h["age"] - 65) + noise(15),
        37.0 + 0.45 * infection + noise(0.45),
        np.clip(saturation, 70, 100),
    )
    return np.column_stack(columns).round(1).astype(np.float32)


def _risk(h: dict[str, np.ndarray], labs: np.ndarray, vitals: np.ndarray) -> np.ndarray:
    """(n,) probability of the outcome, by RISK; nothing is missing yet."""
    terms = {
        "constant": 1.0,
        "age, per 10 years over 65": (h["age"] - 65) / 10,
        "lactate, per doubling over 1.3": np.log2(labs[:, 2] / 1.3),
        "respiratory rate over 24": vitals[:, 3] > 24,
        "systolic pressure under 100": vitals[:, 4] < 100,
        "urea, per doubling over 40": np.log2(labs[:, 1] / 40),
        "frailty x infection": h["frailty"] * h["infection"],
    }
    same = ("infection", "congestion", "frailty", "cancer", "consolidation", "worry")
    terms |= {name: h[name] for name in same}
    total = sum(RISK[name] * np.asarray(value, float) for name, value in terms.items())
    return _chance(np.asarray(total, float))


def _note(i: int, h: dict[str, np.ndarray], rng: np.random.Generator) -> str:
    """An admission note with an imaging report's sentences, in varying words and order."""
    phrases = _phrases()

    def pick(choices: list[str]) -> str:
        return choices[int(rng.integers(len(choices)))]

    age, female = int(h["age"][i]), bool(h["female"][i])
    first = pick(phrases["admission"]).format(
        age=age, who="woman" if female else "man", days=int(rng.integers(1, 10)),
        complaint=pick(phrases["complaints"]),
    )  # fmt: skip
    said = [pick(w) for name, w in phrases["history"].items() if h[name][i]]
    level = int(np.searchsorted([-0.4, 0.5, 1.3], h["frailty"][i] + rng.normal(0, 0.35)))
    said.append(pick(phrases["frailty"][level]))
    said += [
        pick(phrases[finding]["present" if h[finding][i] else "absent"])
        for finding in ("consolidation", "effusion", "worry")
        if rng.random() < _WRITTEN
    ]
    said += [pick(phrases["noise"]) for _ in range(int(rng.integers(0, 3)))]
    rng.shuffle(said)
    return " ".join([first[:1].upper() + first[1:], *said])


def _lose(
    notes: list[str],
    labs: np.ndarray,
    vitals: np.ndarray,
    h: dict[str, np.ndarray],
    rng: np.random.Generator,
) -> None:
    """Take values away in place, not at random."""
    n, ill = len(notes), h["infection"]
    labs[rng.random(labs.shape) < 0.06] = np.nan
    labs[rng.random(n) < _chance(-0.4 - 1.2 * ill), 2] = np.nan  # lactate: only of the ill
    labs[rng.random(n) < _chance(-1.9 - 0.9 * ill)] = np.nan
    vitals[rng.random(n) < _chance(-2.6 + 0.3 * ill), 2:] = np.nan  # never age and sex
    for i in np.flatnonzero(rng.random(n) < _chance(-1.9 + 0.6 * h["frailty"])):
        notes[i] = ""


def _chance(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


@cache
def _phrases() -> dict[str, Any]:
    import yaml

    read: dict[str, Any] = yaml.safe_load(_PHRASES.read_text(encoding="utf-8"))
    return read
