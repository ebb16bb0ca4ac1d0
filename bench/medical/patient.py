"""How well and how fast a patient is read, and what fusing modalities adds.

    python -m bench.medical.patient [--seeds 3]

Reading is judged on the developers' FHIR bundles where they lie beside the checkout; misspelt
names are made here; the multimodal part runs on the made-up cohort and is no clinical evidence.
"""

from __future__ import annotations

import argparse
import random
import string
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from bench.machine import machine, write_result
from verticals.medical.patient.cohort import make_cohort
from verticals.medical.patient.drugs import DrugNames
from verticals.medical.patient.expansion import expand
from verticals.medical.patient.fhir import read_patient
from verticals.medical.patient.fitting import FUSED, TREES, TRUTH, fit_multimodal
from verticals.medical.patient.record import PatientSummary

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "medical" / "fhir"
ASKED = "Is ibuprofen safe with her other medicines, and which dose for reduced kidney function?"


def main() -> None:
    """Measure all of it; write bench/results/medical_patient.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="cohorts to train on")
    given = parser.parse_args()
    result: dict[str, Any] = {"machine": machine("fhir.resources", "rapidfuzz", "torch")}
    result["names"] = misspelt_names(500)
    if SHARED.is_dir():
        result["fhir"] = sample_patients()
    result["context"] = context_cost()
    result["multimodal"] = [multimodal(seed) for seed in range(given.seeds)]
    gains = [r["auroc"][FUSED] - r["auroc"]["best alone"] for r in result["multimodal"]]
    result["headline"] = {
        "misspelt medicines found (one slip), share": result["names"]["found"],
        "misspelt medicines mistaken for another, share": result["names"]["mistaken"],
        "AUROC of three modalities over the best alone, made-up cohort": round(np.mean(gains), 3),
    }
    if "fhir" in result:
        result["headline"] |= {
            "facts of the sample patients read, share": result["fhir"]["facts_read"],
            "FHIR bundle of about 1 MB read, ms (median)": result["fhir"]["read_ms_median"],
        }
    write_result("medical_patient", result)


def sample_patients() -> dict[str, float]:
    """Share of the listed facts read, and milliseconds to read a bundle and expand a question."""
    facts = orjson.loads((SHARED / "facts.json").read_bytes())
    read_patient(SHARED / facts[0]["file"])  # imports and the lexicon are paid once
    right = listed = 0
    reading, expanding = [], []
    for expected in facts:
        packed = SHARED / expected["file"]
        start = time.perf_counter()
        summary = read_patient(packed)
        reading.append(time.perf_counter() - start)
        start = time.perf_counter()
        expand(ASKED, summary)
        expanding.append(time.perf_counter() - start)
        found = facts_of(summary)
        for name in found:
            wanted = facts_in(expected, name)
            listed += len(wanted)
            right += len(wanted & found[name])
    return {
        "bundles": len(facts),
        "facts": listed,
        "facts_read": round(right / listed, 4),
        "read_ms_median": round(1e3 * float(np.median(reading)), 1),
        "read_ms_most": round(1e3 * max(reading), 1),
        "expand_ms_median": round(1e3 * float(np.median(expanding)), 1),
    }


def context_cost() -> dict[str, dict[str, float]]:
    """What a patient's facts cost the search: right document among the first 5, and its rank.

    The embedded questions were not written for these patients, so facts can only distract; `all
    once` is a question with its facts in brackets, `as searched` what `expand` searches for.
    """
    from core.models.encoder import TextEncoder
    from verticals.medical.corpus.ingest import ingest
    from verticals.medical.data import SAMPLES, sample_patients
    from verticals.medical.labelled import EMBEDDED, read_labelled
    from verticals.medical.retrieval.index import SearchIndex

    with tempfile.TemporaryDirectory() as folder:
        corpus = ingest("guidelines", Path(folder) / "corpus").corpus
        index = SearchIndex.open(corpus, TextEncoder.open(), folder=Path(folder) / "index")
        index.wait()
        asked = [q for q in read_labelled(EMBEDDED) if q.answerable]

        def judged(texts: list[str]) -> dict[str, float]:
            ranks = []
            for question, text in zip(asked, texts, strict=True):
                rows = [hit.row for hit in index.search(text, k=10)]
                found = [p.document in question.documents for p in corpus.passages(rows)]
                ranks.append(found.index(True) + 1 if any(found) else np.inf)
            return {
                "hit_at_5": round(float(np.mean(np.array(ranks) <= 5)), 4),
                "reciprocal_rank": round(float(np.mean(1 / np.array(ranks))), 4),
            }

        out = {"no patient": judged([q.question for q in asked])}
        for name in sample_patients():
            summary = read_patient(SAMPLES / f"{name}.json")
            expanded = [expand(q.question, summary) for q in asked]
            out[f"{name}, all once"] = judged([e.question for e in expanded])
            out[f"{name}, as searched"] = judged([e.search for e in expanded])
    return out


def facts_of(summary: PatientSummary) -> dict[str, set[Any]]:
    """The facts of a summary in the form of facts.json."""
    return {
        "active_conditions": {c.name for c in summary.conditions},
        "active_medications": {m.name for m in summary.medicines},
        "allergies": set(summary.allergies),
        "latest_labs": {
            (code, lab.name, round(lab.value, 4), lab.unit, lab.taken.isoformat())
            for code, lab in summary.labs.items()
        },
        "types": set(summary.resources.items()),
        "birthDate": {str(summary.birth_date)},
        "gender": {summary.gender},
    }


def facts_in(expected: dict[str, Any], name: str) -> set[Any]:
    """The same of one entry of facts.json."""
    told = expected[name]
    if name == "latest_labs":
        return {(k, v["name"], v["value"], v["unit"], v["date"]) for k, v in told.items()}
    if name == "types":
        return set(told.items())
    return {told} if isinstance(told, str) else set(told)


def misspelt_names(count: int) -> dict[str, float]:
    """How many names with one slip are found, and how many become another medicine."""
    names, rng = DrugNames.open(), random.Random(0)
    known = sorted(n for n in names.in_use if n.isalpha() and len(n) >= 6)
    tried = found = mistaken = 0
    start = time.perf_counter()
    for name in rng.sample(known, count):
        typed = one_slip(name, rng)
        if typed in names.variants or typed in names.generics:
            continue
        told = names.find(typed)
        tried += 1
        found += told == names.find(name)
        mistaken += bool(told) and told != names.find(name)
    seconds = time.perf_counter() - start
    return {
        "tried": tried,
        "found": round(found / tried, 4),
        "mistaken": round(mistaken / tried, 4),
        "ms_each": round(1e3 * seconds / tried, 2),
    }


def one_slip(name: str, rng: random.Random) -> str:
    """The name with one letter left out, added, changed or swapped, never the first."""
    at, letter = rng.randrange(1, len(name)), rng.choice(string.ascii_lowercase)
    swapped = name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :] if at > 1 else name[:-1]
    return rng.choice(
        [name[:at] + name[at + 1 :], name[:at] + letter + name[at:],
         name[:at] + letter + name[at + 1 :], swapped]
    )  # fmt: skip


def multimodal(seed: int) -> dict[str, Any]:
    """AUROC of each model on the test rows of one cohort of 3,000, and the paired differences."""
    estimate = fit_multimodal(make_cohort(3000, seed), seed)
    models = estimate.tables["models"].set_index("model")
    auroc = {name: round(float(v), 4) for name, v in models["auroc"].items()}
    alone = max(v for name, v in auroc.items() if name not in (FUSED, TREES, TRUTH))
    return {
        "seed": seed,
        "seconds": round(estimate.seconds, 1),
        "auroc": auroc | {"best alone": alone},
        "differences": estimate.tables["differences"].round(4).to_dict("records"),
        "calibration_error": round(float(models.loc[FUSED, "calibration error"]), 4),
    }


if __name__ == "__main__":
    main()
