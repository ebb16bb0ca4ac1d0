"""The embedded corpus and its questions: the numbers that the notebook shows.

python -m bench.medical.guidelines
"""

from __future__ import annotations

import tempfile
import time

from bench.machine import machine, write_result
from verticals import medical
from verticals.medical.parameters import LiteratureParameters


def main() -> None:
    """Run the notebook's steps with its parameters; write bench/results/medical_guidelines.json."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        split = medical.split(medical.check(medical.load(LiteratureParameters(out=out))))
        fitted = medical.fit(split)
        evaluated = medical.evaluate(fitted)
    headline: dict[str, float] = {}
    for m in evaluated.measurements:
        name = f"guidelines: {m.metric.replace('_', ' ')}, {m.n} test questions"
        headline[name] = m.value
        if m.baseline is not None:
            headline[f"... of {m.baseline_model} ({m.metric.replace('_', ' ')})"] = m.baseline
    write_result(
        "medical_guidelines",
        {
            "machine": machine("lightgbm", "bm25s", "onnxruntime"), "headline": headline,
            "measurements": [m.model_dump() for m in evaluated.measurements],
            "threshold": fitted.engine.abstention.threshold,
            "seconds": round(time.perf_counter() - begun, 1),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
