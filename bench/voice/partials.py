"""How soon words appear while somebody speaks, how many are taken back, and what that costs.

    python -m bench.voice.partials

Clips of up to eight seconds arrive in blocks of 0.1 s. Words count by their place: one that was
shown is kept if the transcript of the whole recording has the same word there. Settled words (two
readings in a row agree) beside all that were shown. Intervals draw speakers again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.recognition import HOME_SETS, RECORDED
from bench.voice.tarred import read_tar
from core.data.audio import SAMPLE_RATE
from core.evaluation.clusters import ratio_interval
from verticals.voice.home.model import Home
from verticals.voice.recognition.streaming import PartialStream
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.understanding.normalise import plain_words

BLOCK, LONGEST_S = SAMPLE_RATE // 10, 8.0


def main() -> None:
    """Stream every short clip; write bench/results/voice_partials.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    plain = Recogniser.open(threads=threads)
    at_home = plain.at_home(Home.open(RECORDED))
    clips = [(row, s) for row, s in read_tar("asr") if len(s) <= LONGEST_S * SAMPLE_RATE]
    rows = [streamed(at_home if row["src"] in HOME_SETS else plain, sound) for row, sound in clips]
    people = [row["speaker"] for row, _ in clips]

    def share(part: str, whole: str) -> dict[str, Any]:
        return vars(ratio_interval([r[part] for r in rows], [r[whole] for r in rows], people))

    waits = np.concatenate([r["seconds"] for r in rows])
    result: dict[str, Any] = {
        "machine": machine("faster-whisper", "ctranslate2"), "threads": threads,
        "clips": len(clips), "speakers": len(set(people)),
        "headline": {
            "settled words that the end takes back": share("settled_wrong", "settled"),
            "... of all words that were shown": share("shown_wrong", "shown"),
            "words settled before the end of the sound": share("settled_last", "words"),
            "... and shown": share("shown_last", "words"),
            "seconds decoded for a second of sound": share("decoded_s", "sound_s"),
            "seconds for a partial reading, p95": round(float(np.quantile(waits, 0.95)), 4),
        },
    }  # fmt: skip
    print(json.dumps(result["headline"], indent=2))
    print(write_result("voice_partials", result))


def streamed(recogniser: Recogniser, sound: np.ndarray) -> dict[str, Any]:
    """Counts of words of one clip, and the seconds that each reading took."""
    stream, shown, settled, seconds = PartialStream(recogniser), [""], [""], []
    for start in range(0, len(sound), BLOCK):
        before, begun = stream.decoded_s, time.perf_counter()
        heard = stream.push(sound[start : start + BLOCK])
        if stream.decoded_s > before:
            seconds.append(time.perf_counter() - begun)
            shown.append(heard.text)
            settled.append(heard.settled)
    final = plain_words(stream.finish().text).split()
    wrong, told = taken_back(shown, final)
    settled_wrong, settled_told = taken_back(settled, final)
    return {
        "shown": told, "shown_wrong": wrong, "settled": settled_told,
        "settled_wrong": settled_wrong, "words": max(len(final), 1),
        "shown_last": min(len(plain_words(shown[-1]).split()), len(final)),
        "settled_last": min(len(plain_words(settled[-1]).split()), len(final)),
        "decoded_s": stream.decoded_s, "sound_s": len(sound) / SAMPLE_RATE, "seconds": seconds,
    }  # fmt: skip


def taken_back(texts: Sequence[str], final: Sequence[str]) -> tuple[int, int]:
    """Different words that were told at a place, and how many of them are not there at the end."""
    told = {(i, word) for text in texts for i, word in enumerate(plain_words(text).split())}
    return sum(i >= len(final) or final[i] != word for i, word in told), max(len(told), 1)


if __name__ == "__main__":
    main()
