"""How well and how fast speech is heard, beside faster-whisper used plainly.

    python -m bench.voice.recognition

The clips are other people's, none trained anything here. The home commands are heard with the
names of the home that Home Assistant's own tests use, never with a transcript. Word errors are
counted on words without case and punctuation, numbers in one form; intervals draw speakers again
(clips, where there is one).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import jiwer
import numpy as np

from bench.machine import machine, write_result
from bench.voice.tarred import DATA, read_tar
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.home.model import Home
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.understanding.normalise import plain_words

HOME_SETS = ("ha_human", "ha_synthetic")
Clip = tuple[dict[str, Any], np.ndarray]


def main() -> None:
    """Hear everything twice; write bench/results/voice_recognition.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    clips = read_tar("asr")
    recogniser = Recogniser.open(threads=threads)
    hinted = recogniser.expecting(Home.open(DATA / "nlu" / "ha_fixtures.yaml").vocabulary())

    def ours(row: dict[str, Any], sound: np.ndarray) -> str:
        at_home = row["src"] in HOME_SETS
        return (hinted if at_home else recogniser).transcribe(sound).text

    def plain(_: dict[str, Any], sound: np.ndarray) -> str:
        segments, _info = recogniser.model.transcribe(sound, language="en", beam_size=5)
        return " ".join(segment.text for segment in segments)

    heard = {name: listen(clips, hear) for name, hear in (("ours", ours), ("plain", plain))}
    result: dict[str, Any] = {"machine": machine("faster-whisper", "ctranslate2"),
                              "threads": threads}  # fmt: skip
    for part, chosen in {
        "human home commands": [i for i, (r, _) in enumerate(clips) if r["src"] == "ha_human"],
        "all clips": list(range(len(clips))),
    }.items():
        result[part] = judged(clips, heard, chosen)
    seconds = sum(len(sound) for _, sound in clips) / 16_000
    factors = {name: round(took / seconds, 4) for name, (_, took) in heard.items()}
    result["real_time_factor"] = factors
    human, every = result["human home commands"], result["all clips"]
    result["headline"] = {
        "word error rate, human home commands": human["ours"]["value"],
        "... of faster-whisper used plainly": human["plain"]["value"],
        "word error rate, all clips": every["ours"]["value"],
        "... of it used plainly": every["plain"]["value"],
        "seconds of computing a second of speech": factors["ours"],
        "... of faster-whisper used plainly, too": factors["plain"],
    }
    print(json.dumps(result["headline"], indent=2))
    print(write_result("voice_recognition", result))


def listen(
    clips: list[Clip], hear: Callable[[dict[str, Any], np.ndarray], str]
) -> tuple[list[str], float]:
    """What is heard of every clip, and the seconds it took."""
    hear(*clips[0])  # the first decoding sets things up
    begun = time.perf_counter()
    return [hear(row, sound) for row, sound in clips], time.perf_counter() - begun


def judged(
    clips: list[Clip], heard: dict[str, tuple[list[str], float]], chosen: list[int]
) -> dict[str, Any]:
    """Word error rates with intervals, and their paired difference."""
    speakers = [clips[i][0]["speaker"] for i in chosen]
    said = [plain_words(clips[i][0]["text"]) for i in chosen]
    words = [len(text.split()) for text in said]
    errors = {
        name: [count(text, plain_words(texts[i])) for text, i in zip(said, chosen, strict=True)]
        for name, (texts, _) in heard.items()
    }
    found: dict[str, Any] = {
        name: vars(ratio_interval(wrong, words, speakers)) for name, wrong in errors.items()
    }
    test = paired_ratios(errors["ours"], errors["plain"], words, speakers)
    return found | {"ours_minus_plain": vars(test), "words": sum(words),
                    "speakers": len(set(speakers))}  # fmt: skip


def count(said: str, heard: str) -> int:
    """Words substituted, left out or added."""
    out = jiwer.process_words(said, heard)
    return int(out.substitutions + out.deletions + out.insertions)


if __name__ == "__main__":
    main()
