"""The encoder before and after it was adapted to SciFact, on claims it was not trained on.

    python -m bench.medical.finetune [--epochs 2]

Claims that share a cited abstract are on one side: a fifth of them is asked, the others train.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from bench.machine import machine, write_result
from bench.medical.scifact import DATA, WORK, SciFact
from core.evaluation.bootstrap import mean_interval
from core.models.encoder import TextEncoder
from verticals.medical.finetune import adapt, compare, labelled_pairs
from verticals.medical.labelled import LabelledQuestion

SEED, PART = 0, 5


def main() -> None:
    """Measure; write bench/results/medical_finetune.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--epochs", type=int, default=2)
    given = parser.parse_args()
    scifact = SciFact.open(given.data, given.work)
    questions = [
        LabelledQuestion(text, tuple(sorted(names)))
        for text, names in zip(scifact.texts, scifact.relevant, strict=True)
    ]
    held = held_out(questions)
    train = [q for q, h in zip(questions, held, strict=True) if not h]
    test = [q for q, h in zip(questions, held, strict=True) if h]
    begun = time.perf_counter()
    adapter = given.work / "scifact-adapter.safetensors"
    history = adapt(
        labelled_pairs(train, scifact.index, negatives=1), adapter, epochs=given.epochs, seed=SEED
    )
    seconds = time.perf_counter() - begun
    found = compare(
        test, scifact.index.corpus, TextEncoder.open(), TextEncoder.open(adapter=adapter),
        given.work / "scifact" / "index", seed=SEED,
    )  # fmt: skip
    write_result(
        "medical_finetune",
        {
            "machine": machine("peft", "transformers", "torch"),
            "headline": {
                "vectors alone on SciFact, held-out claims, nDCG@10": float(found.before.mean()),
                "... after adapting the encoder by LoRA": float(found.after.mean()),
                "... difference, lower end of its interval": found.test.low,
                "... difference, upper end of its interval": found.test.high,
            },
            "before": vars(mean_interval(found.before)), "after": vars(mean_interval(found.after)),
            "after_minus_before": vars(found.test), "losses": history.losses,
            "train_claims": len(train), "test_claims": len(test),
            "adapter_bytes": adapter.stat().st_size, "training_seconds": round(seconds, 1),
        },
    )  # fmt: skip


def held_out(questions: list[LabelledQuestion]) -> np.ndarray:
    """(n,) which questions are asked: whole groups of those that share a document."""
    home: dict[str, int] = {}
    group = np.arange(len(questions))
    for number, question in enumerate(questions):
        for name in question.documents:
            first = group[home.setdefault(name, number)]
            group[group == group[number]] = first
    names = np.unique(group)
    chosen = np.random.default_rng(SEED).permutation(names)[: len(names) // PART]
    return np.isin(group, chosen)


if __name__ == "__main__":
    main()
