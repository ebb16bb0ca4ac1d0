"""Measures language understanding: SNIPS, SLURP, sentences about something else, speed.

    python -m bench.voice.nlu [--data ../shared/data/voice] [--work runs/voice_nlu] [--shipped]

Sentences are read from their text alone; a slot is right if name and characters are (the spans of
conlleval). Tuned on snips_valid and held rows of slurp_dev; SLURP is read by the shipped model.
Two fifths of slurp_testA are word for word in NLU-Evaluation-Data, which the model learned from:
SLURP's headline counts only the sentences that it never saw; the inflated numbers stand beside it.
The model expects SLURP's intents as often as slurp_dev has them, because most of what it learned
from has about as many sentences of every intent. That was decided on 561 new sentences of slurp_dev
and a model trained without them: about 86% right intents instead of 84.5.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import RESULTS, machine, write_result
from bench.voice.nlu_baseline import fit_linear
from bench.voice.nlu_data import DATA, bare, home_rows, read_set
from core.evaluation.clusters import ratio_interval
from verticals.voice.understanding.model import IntentModel, Parsed
from verticals.voice.understanding.training import IntentSettings, fit_intents
from verticals.voice.understanding.words import Example, Span

WORK = Path("runs") / "voice_nlu"
_FOREIGN = ("BookRestaurant", "RateBook", "SearchCreativeWork", "SearchScreeningEvent")
_WARM, _TIMED = 20, 300
_Read = tuple[str, list[Span]]  # intent and slots


def main() -> None:
    """Train what is not there yet, measure, write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument(
        "--shipped",
        action="store_true",
        help="SNIPS, which is trained here, stays as last measured",
    )
    given = parser.parse_args()
    about = machine("torch", "onnxruntime", "transformers", "scikit-learn")
    if given.shipped:
        snips = json.loads((RESULTS / "voice_nlu.json").read_text(encoding="utf-8"))["snips"]
    else:
        snips = _snips(given.data, given.work)
    slurp, foreign = _slurp(given.data)
    headline = {
        "snips_intent": snips["intent"], "snips_slot_f1": snips["slot_f1"],
        "snips_frame": snips["frame"], "slurp_unseen_intent": slurp["unseen"]["intent"],
        "slurp_unseen_frame": slurp["unseen"]["frame"], "latency_ms": foreign["latency_ms"],
    }  # fmt: skip
    result = {"machine": about, "headline": headline, "snips": snips, "slurp": slurp,
              "foreign": foreign}  # fmt: skip
    write_result("voice_nlu", result)


def _snips(data: Path, work: Path) -> dict[str, Any]:
    """Seven intents of SNIPS: learned on train, calibrated on valid, measured on test."""
    learned, test = read_set(data, "snips_train"), read_set(data, "snips_test")
    folder = work / "snips"
    if (folder / "about.json").is_file():
        model = IntentModel.open(folder)
    else:
        settings = IntentSettings(rank=0, epochs=5, learning_rate=2e-4)
        held = read_set(data, "snips_valid")
        model = fit_intents(learned, folder, held=held, settings=settings)
    return _measured(model, learned, test)


def _slurp(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The shipped model on half of SLURP's test, among SLURP's intents; and foreign sentences."""
    learned, _ = home_rows(data)
    shipped = IntentModel.open(None)
    slurp = Counter(example.intent for example in read_set(data, "slurp_dev"))
    test = read_set(data, "slurp_testA")
    plain = shipped.among(sorted(slurp))
    found = _measured(plain.expecting(slurp), learned, test)
    read = [(p.intent, _spans(p)) for p in plain.predict([example.text for example in test])]
    new = _new(learned, test)
    found["unseen_without_expecting"] = _judged([test[i] for i in new], [read[i] for i in new])
    strange = [e for e in read_set(data, "snips_test") if e.intent in _FOREIGN]
    return found, _foreign(shipped, [e.text for e in test], [e.text.lower() for e in strange])


def _measured(
    model: IntentModel, learned: Sequence[Example], test: Sequence[Example]
) -> dict[str, Any]:
    """Intent, slots and frame of the model and of the linear baseline on the same sentences."""
    read = model.predict([example.text for example in test])
    ours = [(p.intent, _spans(p)) for p in read]
    plain = fit_linear(learned).read([example.text for example in test])
    new = _new(learned, test)
    out: dict[str, Any] = _beside(test, ours, plain)
    out["unseen"] = _beside([test[i] for i in new], [ours[i] for i in new], [plain[i] for i in new])
    sure = np.array([p.confidence for p in read])
    right = np.array([p.intent == e.intent for p, e in zip(read, test, strict=True)])
    return out | {
        "n": len(test), "n_unseen": len(new),
        "calibration_error_unseen": _calibration_error(sure[new], right[new]),
        "baseline": "frozen MiniLM + logistic; linear tagger + Viterbi",
    }  # fmt: skip


def _new(learned: Sequence[Example], test: Sequence[Example]) -> list[int]:
    """Which sentences of a test were never learned, whatever their case and commas."""
    known = {bare(example.text) for example in learned}
    return [i for i, example in enumerate(test) if bare(example.text) not in known]


def _beside(
    test: Sequence[Example], ours: Sequence[_Read], plain: Sequence[_Read]
) -> dict[str, dict[str, float]]:
    """The model's shares with the baseline's on the same sentences."""
    found, other = _judged(test, ours), _judged(test, plain)
    return {name: found[name] | {"baseline": other[name]["value"]} for name in found}


def _spans(parsed: Parsed) -> list[Span]:
    return [(slot.name, slot.start, slot.end) for slot in parsed.slots]


def _judged(
    test: Sequence[Example], read: Sequence[tuple[str, list[Span]]]
) -> dict[str, dict[str, float]]:
    """Shares with 95% intervals over resampled sentences."""
    right, frame, hits, told = [], [], [], []
    for example, (intent, spans) in zip(test, read, strict=True):
        gold = example.spans()
        right.append(float(intent == example.intent))
        frame.append(right[-1] * float(sorted(spans) == sorted(gold)))
        hits.append(2.0 * len(set(spans) & set(gold)))
        told.append(float(len(spans) + len(gold)))
    rows = [str(i) for i in range(len(test))]
    ones = np.ones(len(test))
    found = {
        "intent": ratio_interval(right, ones, rows), "slot_f1": ratio_interval(hits, told, rows),
        "frame": ratio_interval(frame, ones, rows),
    }  # fmt: skip
    return {
        name: {"value": round(i.value, 4), "low": round(i.low, 4), "high": round(i.high, 4)}
        for name, i in found.items()
    }


def _calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error in ten bins of equal size."""
    parts = np.array_split(np.argsort(sure), 10)
    gaps = [abs(sure[p].mean() - right[p].mean()) * len(p) for p in parts]
    return round(float(sum(gaps) / len(sure)), 4)


def _foreign(model: IntentModel, own: list[str], strange: list[str]) -> dict[str, Any]:
    """How well requests about something else are told, and milliseconds a sentence.

    `own` holds sentences seen in training too, so `auroc` and `own_kept` flatter the model.
    """
    from sklearn.metrics import roc_auc_score

    from verticals.voice.understanding.calibration import energy

    scores = np.array([energy(model.scores(text)[0][None])[0] for text in own + strange])
    truth = np.r_[np.ones(len(own)), np.zeros(len(strange))]
    model.predict(own[:_WARM])
    seconds = []
    for text in own[:_TIMED]:
        begun = time.perf_counter()
        model.predict([text])
        seconds.append(time.perf_counter() - begun)
    p50, p95 = np.quantile(seconds, [0.5, 0.95]) * 1000
    kept = float(np.mean([p.known for p in model.predict(own)]))
    turned = float(np.mean([not p.known for p in model.predict(strange)]))
    return {
        "auroc": round(float(roc_auc_score(truth, scores)), 4), "own_kept": round(kept, 4),
        "foreign_turned_down": round(turned, 4), "n_foreign": len(strange),
        "latency_ms": {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "threads": 1},
    }  # fmt: skip


if __name__ == "__main__":
    main()
