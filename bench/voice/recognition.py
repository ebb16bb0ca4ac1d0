"""How well and how fast speech is heard, beside faster-whisper used plainly.

    python -m bench.voice.recognition

The clips are other people's, none trained anything here. The home commands are heard in three
ways, each with more help: with the names of another home (Home Assistant's tests'), with those of
the home they were said in (recorded_home.yaml), and with its grammar and misheard names put right.
No hint is a transcript, which is checked. Other clips are heard without hints, and, to see what one
costs where it does not belong, with one. Word errors are counted on words without case and
punctuation, numbers in one form; intervals draw speakers again (clips, where there is one).
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
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
RECORDED = Path(__file__).with_name("recorded_home.yaml")
WAYS = ("plain", "another home's names", "the home's names", "ours")
Clip = tuple[dict[str, Any], np.ndarray]
Heard = tuple[list[str], float]


def main() -> None:
    """Hear everything in every way; write bench/results/voice_recognition.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    clips = read_tar("asr")
    at_home = [i for i, (row, _) in enumerate(clips) if row["src"] in HOME_SETS]
    others = [i for i in range(len(clips)) if i not in at_home]
    recogniser = Recogniser.open(threads=threads)
    home = Home.open(RECORDED)
    hinted = recogniser.expecting(home.vocabulary())
    check_hint(hinted.names, clips)
    stranger = recogniser.expecting(Home.open(DATA / "nlu" / "ha_fixtures.yaml").vocabulary())
    unhinted = listen([clips[i] for i in others], by(recogniser))

    def whole(way: Recogniser) -> Heard:
        texts, seconds = listen([clips[i] for i in at_home], by(way))
        heard = dict(zip([*at_home, *others], [*texts, *unhinted[0]], strict=True))
        return [heard[i] for i in range(len(clips))], seconds + unhinted[1]

    heard = {
        "plain": listen(clips, plainly(recogniser)), "another home's names": whole(stranger),
        "the home's names": whole(hinted), "ours": whole(recogniser.at_home(home)),
    }  # fmt: skip
    parts = {name: [i for i in at_home if clips[i][0]["src"] == src]
             for name, src in (("human home commands", "ha_human"),
                               ("synthetic home commands", "ha_synthetic"))}  # fmt: skip
    result: dict[str, Any] = {"machine": machine("faster-whisper", "ctranslate2"),
                              "threads": threads}  # fmt: skip
    for part, chosen in {**parts, "all clips": list(range(len(clips)))}.items():
        result[part] = judged(clips, heard, chosen)
    misplaced = {**heard, "ours": (stretched(listen([clips[i] for i in others], by(hinted))[0],
                                             others, len(clips)), 0.0)}  # fmt: skip
    result["other clips, with a hint that does not belong"] = judged(clips, misplaced, others)
    seconds = sum(len(sound) for _, sound in clips) / 16_000
    factors = {name: round(took / seconds, 4) for name, (_, took) in heard.items()}
    result["real_time_factor"] = factors
    human, every = result["human home commands"], result["all clips"]
    result["headline"] = {
        "word error rate, human home commands": human["ours"],
        "... with another home's names": human["another home's names"],
        "... of faster-whisper used plainly": human["plain"],
        "word error rate, all clips": every["ours"],
        "... of it used plainly": every["plain"],
        "seconds of computing a second of speech": factors["ours"],
        "... of faster-whisper used plainly, too": factors["plain"],
    }
    print(json.dumps(result["headline"], indent=2))
    print(write_result("voice_recognition", result))


def by(recogniser: Recogniser) -> Callable[[np.ndarray], str]:
    """What it hears."""
    return lambda sound: recogniser.transcribe(sound).text


def plainly(recogniser: Recogniser) -> Callable[[np.ndarray], str]:
    """What faster-whisper hears by itself, with the same model, beam and threads."""

    def hear(sound: np.ndarray) -> str:
        segments, _ = recogniser.model.transcribe(sound, language="en", beam_size=5)
        return " ".join(segment.text for segment in segments)

    return hear


def check_hint(hint: str, clips: list[Clip]) -> None:
    """Stop if a request of the hint is the transcript of a clip."""
    requests = {plain_words(text) for text in re.split(r"[.?]", hint)}
    told = sorted(requests & {plain_words(row["text"]) for row, _ in clips})
    if told:
        raise SystemExit(f"the hint tells what is said: {told}")


def stretched(texts: list[str], where: list[int], count: int) -> list[str]:
    """Texts at their places among many, nothing elsewhere."""
    found = [""] * count
    for place, text in zip(where, texts, strict=True):
        found[place] = text
    return found


def listen(clips: list[Clip], hear: Callable[[np.ndarray], str]) -> Heard:
    """What is heard of every clip, and the seconds it took."""
    hear(clips[0][1])  # the first decoding sets things up
    begun = time.perf_counter()
    return [hear(sound) for _, sound in clips], time.perf_counter() - begun


def judged(clips: list[Clip], heard: dict[str, Heard], chosen: list[int]) -> dict[str, Any]:
    """Word error rates with intervals; each way's difference to the one before it."""
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
    for before, after in (*pairwise(WAYS), ("plain", "ours")):
        test = paired_ratios(errors[after], errors[before], words, speakers)
        found[f"{after}, minus {before}"] = vars(test)
    return found | {"words": sum(words), "speakers": len(set(speakers))}


def count(said: str, heard: str) -> int:
    """Words substituted, left out or added."""
    out = jiwer.process_words(said, heard)
    return int(out.substitutions + out.deletions + out.insertions)


if __name__ == "__main__":
    main()
