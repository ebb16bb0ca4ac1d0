"""What fine-tuning on made speech of a home's sentences changes for a person it never heard.

    python -m bench.voice.finetune [--sentences 120]

Learns from sentences of Home Assistant's tests, spoken by made-up voices (Kokoro) in made-up
rooms; no sentence of the test recordings is among them. Judged on people: home commands, heard
without a hint, and other speech, which it should not forget. Same recogniser settings before and
after; intervals draw speakers again (clips, where there is one).
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.machine import machine, write_result
from bench.voice.tarred import DATA, read_tar
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.recognition.finetune import TuneSettings, base_folder, compare, fine_tune
from verticals.voice.recognition.learning import Clip
from verticals.voice.recognition.whisper import EMBEDDED
from verticals.voice.understanding.normalise import plain_words

SPEAKERS = 24
_LONGEST = 28.0  # seconds of a test clip: longer ones are heard in several pieces


def main() -> None:
    """Speak, learn, compare; write bench/results/voice_finetune.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=120)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found: dict[str, Any] = {"machine": machine("torch", "transformers", "peft", "ctranslate2"),
                             "settings": vars(given)}  # fmt: skip
    recordings = [(row, sound) for row, sound in read_tar("asr") if row["src"] != "ha_synthetic"]
    begun = time.perf_counter()
    clips = spoken(sentences({plain_words(row["text"]) for row, _ in recordings},
                             given.sentences, given.seed), given.seed)  # fmt: skip
    found["seconds_speaking"] = round(time.perf_counter() - begun, 1)
    settings = TuneSettings(epochs=given.epochs, seed=given.seed, held=0.1)
    with tempfile.TemporaryDirectory() as scratch:
        tuned = Path(scratch) / "tuned"
        report = fine_tune(clips, tuned, settings=settings)
        found |= {"seconds_learning": round(report.seconds, 1), "losses": report.losses,
                  "made voices never heard": judged(report.table)}  # fmt: skip
        for name, rows in {
            "human home commands": [r for r in recordings if r[0]["src"] == "ha_human"],
            "other speech": [r for r in recordings if r[0]["src"] != "ha_human"
                             and len(r[1]) / 16_000 < _LONGEST],
        }.items():  # fmt: skip
            heard = [Clip(sound, row["text"], row["speaker"]) for row, sound in rows]
            found[name] = judged(compare(heard, base_folder(EMBEDDED), tuned))
    found["headline"] = {
        f"word error rate, {name}, {when} fine-tuning": found[name][when]["value"]
        for name in ("human home commands", "other speech") for when in ("before", "after")
    }  # fmt: skip
    print(json.dumps(found["headline"], indent=2))
    print(write_result("voice_finetune", found))


def sentences(without: set[str], count: int, seed: int) -> list[str]:
    """Requests of Home Assistant's tests, none of them in a set."""
    with gzip.open(DATA / "nlu" / "ha_intents.jsonl.gz", "rt", encoding="utf-8") as stream:
        texts = sorted({json.loads(line)["text"] for line in stream})
    kept = [text for text in texts if plain_words(text) not in without and len(text) < 60]
    order = np.random.default_rng(seed).permutation(len(kept))[:count]
    return [kept[i] for i in order]


def spoken(texts: list[str], seed: int) -> list[Clip]:
    """Sentences said by made-up speakers, each by another one."""
    from verticals.voice.speech.kokoro import Kokoro, made_speaker

    voice = Kokoro.open(threads=1)
    styles = [made_speaker(voice, seed + 1000 + i) for i in range(SPEAKERS)]
    random = np.random.default_rng(seed)
    return [
        Clip(voice.say_sounds(voice.pronouncer.text(f"{text}."), styles[n % SPEAKERS],
                              speed=float(random.uniform(0.85, 1.2))), text, f"made {n % SPEAKERS}")
        for n, text in enumerate(texts)
    ]  # fmt: skip


def judged(table: pd.DataFrame) -> dict[str, Any]:
    """Word error rates before and after, with intervals, and their paired difference."""
    words, people = list(table["words"]), list(table["speaker"])
    test = paired_ratios(table["errors_after"], table["errors_before"], words, people)
    return {
        "before": vars(ratio_interval(table["errors_before"], words, people)),
        "after": vars(ratio_interval(table["errors_after"], words, people)),
        "after_minus_before": vars(test), "words": sum(words), "speakers": len(set(people)),
    }  # fmt: skip


if __name__ == "__main__":
    main()
