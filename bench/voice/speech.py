"""How well the voices are understood, and how soon they begin to speak.

    python -m bench.voice.speech

What the assistant answers to the sample's requests is spoken by every voice of this machine and
heard by Whisper tiny.en, used plainly; intervals draw sentences again. On one thread.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import yaml

from bench.machine import machine, write_result
from bench.voice.recognition import count
from core.errors import ModelError
from core.evaluation.clusters import ratio_interval
from verticals.voice.assistant import Assistant, open_parts
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.piper import Piper
from verticals.voice.speech.voice import VOICES, Voice, open_voice
from verticals.voice.spoken import REQUESTS
from verticals.voice.understanding.normalise import plain_words

BASELINE, WORDS, FEWEST = "flite", (4, 20), 30


def main() -> None:
    """Speak, hear, write bench/results/voice_speech.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, help="as many at most; all by default")
    sentences = answers()[: parser.parse_args().sentences]
    recogniser = Recogniser.open(threads=1)
    found: dict[str, Any] = {
        name: measured(voice, sentences, recogniser) for name, voice in voices().items()
    }
    headline: dict[str, Any] = {}
    for name, row in found.items():
        headline[f"word error rate, {name}"] = row["word_error_rate"]["value"]
        headline[f"... seconds to the first sound, {name}"] = row["first_sound_s"]["median"]
    result = {"machine": machine("onnxruntime"), "threads": 1, "sentences": len(sentences),
              "baseline": BASELINE, "voices": found, "headline": headline}  # fmt: skip
    print(json.dumps(headline, indent=2))
    print(write_result("voice_speech", result))


def answers() -> list[str]:
    """What the assistant says in the sample home, each sentence once."""
    said: list[str] = []
    with Assistant(open_parts(recogniser=None, model=False, voice=False)) as assistant:
        for row in yaml.safe_load(REQUESTS.read_text(encoding="utf-8")):
            assistant.reset()
            said.append(assistant.hear(row["text"]).reply)
    kept = [s for s in dict.fromkeys(said) if WORDS[0] <= len(s.split()) <= WORDS[1]]
    if len(kept) < FEWEST:
        raise ModelError(f"only {len(kept)} sentences", where=str(REQUESTS), remedy="Add requests")
    return kept


def voices() -> dict[str, Voice]:
    """The voices that this machine has; Piper's with both ways to its sounds."""
    there: dict[str, Voice] = {}
    for name in VOICES:
        try:
            there[name] = open_voice(name, threads=1)
        except ModelError as error:
            print(error)
    if "joe" in there:
        there["joe, our own pronunciations"] = Piper.open(threads=1, espeak=False)
    return there


def measured(voice: Voice, sentences: list[str], recogniser: Recogniser) -> dict[str, Any]:
    """Word errors, and seconds until a sentence can begin to sound."""
    voice.say(sentences[0])  # the first one sets things up
    wrong, words, took, length = [], [], [], []
    for sentence in sentences:
        begun = time.perf_counter()
        sound = voice.say(sentence)
        took.append(time.perf_counter() - begun)
        length.append(len(sound) / 16_000)
        segments, _ = recogniser.model.transcribe(np.pad(sound, 4_000), language="en", beam_size=5)
        plain = plain_words(sentence)
        wrong.append(count(plain, plain_words(" ".join(s.text for s in segments))))
        words.append(len(plain.split()))
    middle, late = np.quantile(took, [0.5, 0.95])
    return {
        "word_error_rate": vars(ratio_interval(wrong, words, list(range(len(words))))),
        "first_sound_s": {"median": round(middle, 4), "p95": round(late, 4)},
        "real_time_factor": round(sum(took) / sum(length), 4),
    }


if __name__ == "__main__":
    main()
