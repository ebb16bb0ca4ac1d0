"""Ten sentences of an intent: how often the rest of NLU-Evaluation-Data is read rightly.

    python -m bench.voice.nlu_fewshot [--data ../shared/data/voice] [--draws 5]

Settings of `fit_few` were chosen on three other draws of the same sentences.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.nlu_data import DATA, bare, read_set
from core.models.encoder import Remembering, TextEncoder
from verticals.voice.understanding.fewshot import LAYERS, fit_few

_SHOTS = 10


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args()
    about = machine("torch", "scikit-learn")
    found = few_shot(given.data, given.draws)
    write_result("voice_nlu_fewshot", {"machine": about, "headline": {"ten_shot_intent": found}})


def few_shot(data: Path, draws: int, *, tune: bool = True) -> dict[str, Any]:
    """Mean accuracy over draws of ten sentences an intent, tested on all the others.

    Args:
        data: Folder of the sets.
        draws: How many; the interval is over them.
        tune: Also train the small adapter of `fit_few`.
    """
    from sklearn.linear_model import LogisticRegression

    examples = read_set(data, "nlueval_train")
    encoder = Remembering(TextEncoder.open("minilm", threads=1, layers=LAYERS))
    last = Remembering(TextEncoder.open("minilm", threads=1))
    intents = np.array([example.intent for example in examples])
    ours, frozen, plain = [], [], []
    for seed in range(draws):
        random = np.random.default_rng(seed)
        chosen = np.concatenate([
            random.permutation(np.flatnonzero(intents == name))[:_SHOTS]
            for name in np.unique(intents)
        ])  # fmt: skip
        seen = {bare(examples[i].text) for i in chosen}
        rest = np.array([i for i, e in enumerate(examples) if bare(e.text) not in seen])
        texts = [examples[i].text for i in rest]
        model = fit_few([examples[i] for i in chosen], encoder=encoder, tune=tune, seed=seed)
        ours.append(_right(model.log_probabilities(texts), model.intents, intents[rest]))
        blend = replace(model, tuned=None)
        frozen.append(_right(blend.log_probabilities(texts), model.intents, intents[rest]))
        vectors = last.encode([examples[i].text for i in chosen])
        baseline = LogisticRegression(C=10, max_iter=300).fit(vectors, intents[chosen])
        plain.append(float((baseline.predict(last.encode(texts)) == intents[rest]).mean()))
    spread = 1.96 * float(np.std(ours, ddof=1)) / np.sqrt(draws) if draws > 1 else 0.0
    value = float(np.mean(ours))
    return {
        "value": round(value, 4), "low": round(value - spread, 4),
        "high": round(value + spread, 4), "without_tuning": round(float(np.mean(frozen)), 4),
        "baseline": round(float(np.mean(plain)), 4), "draws": draws,
    }  # fmt: skip


def _right(scores: np.ndarray, names: tuple[str, ...], truth: np.ndarray) -> float:
    return float((np.array(names)[scores.argmax(1)] == truth).mean())


if __name__ == "__main__":
    main()
