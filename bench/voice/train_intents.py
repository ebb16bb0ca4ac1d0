"""Trains the home assistant's language model that the kit ships.

    python -m bench.voice.train_intents [--data ../shared/data/voice] [--epochs 4]
    python -m bench.voice.nlu && python -m bench.voice.train_intents --card

SLURP and NLU-Evaluation-Data (both CC BY 4.0), beside sentences made from casekit's and Home
Assistant's templates for what they lack: climate, covers, locks, timers, questions about devices.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

from bench.machine import RESULTS
from bench.voice.nlu_data import DATA, home_rows
from bench.voice.phrases import made_sentences
from verticals.voice.understanding.model import SHIPPED
from verticals.voice.understanding.training import IntentSettings, fit_intents

_LICENCES = {
    "SLURP, devel split (Bastianelli et al., 2020)": "CC BY 4.0 (text)",
    "NLU-Evaluation-Data, fold 1 train (Liu et al., 2019)": "CC BY 4.0",
    "Home Assistant intents, English templates": "CC BY 4.0",
    "casekit's own templates (bench/voice/phrases.yaml)": "as casekit",
}


def main() -> None:
    """Train, write the weights and their card; `bench.voice.nlu` measures them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--card", action="store_true", help="only note on the card what was found")
    given = parser.parse_args()
    if given.card:
        note_metrics(given.out / "card.json")
        return
    begun = time.perf_counter()
    learned, held = home_rows(given.data, seed=given.seed)
    made = made_sentences(seed=given.seed)
    settings = IntentSettings(epochs=given.epochs, seed=given.seed)
    fit_intents([*learned, *made], given.out, held=held, settings=settings)
    card = {
        "what": "Intents and slots of a home assistant: a LoRA adapter on all-MiniLM-L6-v2 "
                "(Apache-2.0), letter features, intent head and CRF.",
        "command": f"python -m bench.voice.train_intents --epochs {given.epochs} "
                   f"--seed {given.seed}",
        "data": _LICENCES, "rows": {"learned": len(learned), "made": len(made),
                                    "calibration": len(held)},
        "seed": given.seed, "seconds": round(time.perf_counter() - begun),
        "torch": version("torch"), "measured": "bench/results/voice_nlu.json",
        "limits": "English; spoken-style requests in lower case read best.",
    }  # fmt: skip
    (given.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def note_metrics(card: Path) -> None:
    """Put the numbers of `bench.voice.nlu` on the card."""
    found = json.loads((RESULTS / "voice_nlu.json").read_text(encoding="utf-8"))
    told = json.loads(card.read_text(encoding="utf-8"))
    told["metrics"] = {
        "SLURP test half, sentences never seen in training": found["slurp"]["unseen"]
        | {"n": found["slurp"]["n_unseen"]},
        "sentences of it left out because the training data has them": found["slurp"]["n"]
        - found["slurp"]["n_unseen"],
        "requests about something else (SNIPS) that it turns down": {
            "value": found["foreign"]["foreign_turned_down"],
            "n": found["foreign"]["n_foreign"],
        },
    }
    card.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
