"""How often what is found of a trial's comparison overlaps what annotators asked of it.

    python -m bench.medical.pico [--data ../shared/data/medical]

Of every trial of Evidence Inference (DeYoung et al., 2020) the title is taken as the question and
the abstract as the text. A phrase counts if it shares a stem with one of the trial's prompts. The
prompts do not list everything that a trial compared or measured, so the share understates.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.medical.direction_data import DATA, read_lines, trial_prompts
from core.evaluation.bootstrap import mean_interval
from verticals.medical.evidence.cues import content_stems
from verticals.medical.evidence.pico import pico

FIELDS = {"intervention": "intervention", "comparison": "comparator", "outcome": "outcome"}


def main() -> None:
    """Measure and write bench/results/medical_pico.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    asked = defaultdict(list)
    for prompt in trial_prompts(data):
        asked[prompt["pmcid"]].append(prompt)
    found: dict[str, list[float]] = {field: [] for field in ("population", *FIELDS)}
    right: dict[str, list[float]] = {field: [] for field in FIELDS}
    seconds = []
    for row in read_lines(data / "evidence_inference" / "abstracts.jsonl.gz"):
        title, _, body = row["text"].removeprefix("TITLE:").strip().partition("\n")
        begun = time.perf_counter()
        parts = pico(title, body)
        seconds.append(time.perf_counter() - begun)
        prompts = asked[row["_id"].removeprefix("PMC")]
        for field, flags in found.items():
            phrase = getattr(parts, field)
            flags.append(float(bool(phrase)))
            if phrase and field in FIELDS:
                named = [content_stems(p[FIELDS[field]]) for p in prompts]
                right[field].append(float(any(content_stems(phrase) & n for n in named)))
    measured: dict[str, Any] = {
        f"{field} found": vars(mean_interval(np.array(values))) for field, values in found.items()
    } | {
        f"{field} found overlaps the annotated": vars(mean_interval(np.array(values)))
        for field, values in right.items()
    }
    result = {
        "machine": machine(), "trials": len(seconds),
        "milliseconds_an_abstract": round(1000 * float(np.median(seconds)), 2),
        "headline": {name: round(v["value"], 3) for name, v in measured.items()},
        "measured": measured,
    }  # fmt: skip
    print(*measured.items(), sep="\n")
    print(write_result("medical_pico", result))


if __name__ == "__main__":
    main()
