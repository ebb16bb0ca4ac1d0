"""Wake words from text alone, on people's recordings, beside a ready-made one and a transcript.

    python -m bench.voice.wake [--phrases alexa ...] [--threads 1]

Detectors are trained here from the phrase as text; no recording trains or tunes one. Every clip is
streamed in blocks of 80 ms between two silences. Negatives: all clips of other phrases, near
misses, commands, read speech and noise. "Miss at zero false accepts" puts the threshold just above
the highest negative; "as shipped" uses the detector's own. Phrases that are not asked for keep
what an earlier run wrote of them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import RESULTS, machine, write_result
from bench.voice.tarred import read_tar
from core.evaluation.bootstrap import rate_interval, share_interval
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.wake.detector import WakeWord
from verticals.voice.wake.training import train_wake_word

PHRASES = {"alexa": "alexa", "computer": "computer", "smart mirror": "smart_mirror",
           "hey savant": "hey_savant"}  # fmt: skip
# "computer" is said in them as well, so they are neither.
AMBIGUOUS = {"computer": {"computer_mycroft"}}
SETS = ("wakeword", "asr", "noise", "spoken_commands", "speakers")
RATE, BLOCK, SEED, TRANSCRIBED = 16_000, 1_280, 1, 60
Clip = tuple[str, str, np.ndarray]


def main() -> None:
    """Train, stream, count; write bench/results/voice_wake.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phrases", nargs="+", default=list(PHRASES), choices=list(PHRASES))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    recogniser = Recogniser.open(threads=arguments.threads)
    clips = [(name, str(row.get("label", name)), sound)
             for name in SETS for row, sound in read_tar(name)]  # fmt: skip
    for phrase in arguments.phrases:
        with tempfile.TemporaryDirectory() as place:
            begun = time.process_time()
            report = train_wake_word(phrase, Path(place), recogniser, seed=SEED)
            took = {"processor_seconds": round(time.process_time() - begun)}
            print(phrase, report, took, flush=True)
            word = WakeWord.open(Path(place), recogniser)
            one = {
                "trained": asdict(report) | took, **judged(phrase, clips, word),
                "by a plain transcript": transcribed(phrase, clips, recogniser),
            }  # fmt: skip
            written({phrase: one}, {"cost": costs(clips, word), "threads": arguments.threads})
        print(json.dumps(one, indent=1), flush=True)
    if "alexa" in arguments.phrases:
        written({}, {"a ready-made 'alexa'": ready_made(clips)})


def written(phrases: dict[str, Any], other: dict[str, Any]) -> None:
    """Put what was found among what earlier runs found."""
    kept = RESULTS / "voice_wake.json"
    result: dict[str, Any] = json.loads(kept.read_bytes()) if kept.is_file() else {"phrases": {}}
    result["phrases"] |= phrases
    result |= other | {"machine": machine("faster-whisper", "onnxruntime")}
    result["headline"] = headline(result)
    print(write_result("voice_wake", result))


def headline(result: dict[str, Any]) -> dict[str, Any]:
    """The numbers that count, by phrase."""
    told: dict[str, Any] = {}
    for phrase, one in result["phrases"].items():
        told[f"{phrase}: missed at zero false accepts"] = one["missed_at_zero"]["value"]
        told[f"{phrase}: missed as shipped"] = one["missed"]["value"]
        told[f"{phrase}: false accepts as shipped"] = one["false_accepts"]
        told[f"{phrase}: ... an hour of speech, at most"] = one["false_accepts_hour_at_most"]
        told[f"{phrase}: missed at zero by the head alone"] = one["head_missed_at_zero"]["value"]
        told[f"{phrase}: missed by a plain transcript"] = one["by a plain transcript"]["missed"]
        told[f"{phrase}: processor seconds to train"] = one["trained"]["processor_seconds"]
    if ready := result.get("a ready-made 'alexa'"):
        told["a ready-made 'alexa': missed"] = ready["missed"]["value"]
        told["a ready-made 'alexa': false accepts"] = ready["false_accepts"]
    return told | result.get("cost", {})


def judged(phrase: str, clips: list[Clip], word: WakeWord) -> dict[str, Any]:
    """Misses and false accepts of a detector, and of its head without the recogniser."""
    skipped = AMBIGUOUS.get(phrase, set())
    streams = [(said == PHRASES[phrase], len(sound), *streamed(word, sound))
               for _, said, sound in clips if said not in skipped]  # fmt: skip
    right, wrong = ([s for s in streams if s[0] is own] for own in (True, False))
    limit, head = (max(s[i] for s in wrong) for i in (2, 3))
    accepted, hours = sum(s[4] for s in wrong), sum(s[1] for s in wrong) / RATE / 3600
    rate = rate_interval(accepted, hours)
    missed = {"missed_at_zero": [s[2] <= limit for s in right],
              "head_missed_at_zero": [s[3] <= head for s in right],
              "missed": [not s[4] for s in right]}  # fmt: skip
    return {
        "clips": len(right), "negatives": len(wrong), "negative_hours": round(hours, 4),
        **{name: asdict(share_interval(sum(m), len(m))) for name, m in missed.items()},
        "false_accepts": accepted, "false_accepts_hour": rate.value,
        "false_accepts_hour_at_most": rate.high,
        "recogniser_asked_an_hour_of_speech": round(sum(s[5] for s in wrong) / hours),
        "above_threshold": {
            "highest negative": round(limit, 2),
            "phrase, 5% and median": [round(float(np.quantile([s[2] for s in right], q)), 2)
                                      for q in (0.05, 0.5)],
        },
    }  # fmt: skip


def streamed(word: WakeWord, sound: np.ndarray) -> tuple[float, float, int, int]:
    """Best score, the head's best, detections and looks at a clip between two silences."""
    stream = word.stream()
    floor = np.random.default_rng(0).normal(0, 3e-4, len(sound) + RATE * 3 // 2)
    given = (np.pad(sound, (RATE // 2, RATE)) + floor).astype(np.float32)
    found = sum(len(stream.push(given[i : i + BLOCK])) for i in range(0, len(given), BLOCK))
    return float(stream.best), float(stream.best_of_head), found, stream.looks


def ready_made(clips: list[Clip]) -> dict[str, Any]:
    """pymicro-wakeword's detector of "alexa", trained by others on recordings and synthesis."""
    from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

    ready = MicroWakeWord.from_builtin(Model.ALEXA)
    woken: dict[bool, list[bool]] = {True: [], False: []}
    for _, said, sound in clips:
        ready.reset()
        features = MicroWakeWordFeatures()
        pcm = (np.pad(sound, (RATE // 2, RATE)) * 32767).astype("<i2").tobytes()
        heard = [ready.process_streaming(window) for window in features.process_streaming(pcm)]
        woken[said == "alexa"].append(any(heard))
    right = woken[True]
    return {"missed": asdict(share_interval(right.count(False), len(right))),
            "false_accepts": sum(woken[False])}  # fmt: skip


def transcribed(phrase: str, clips: list[Clip], recogniser: Recogniser) -> dict[str, Any]:
    """Looking for the words in what faster-whisper writes, over some of the phrase's clips."""
    own = [sound for _, said, sound in clips if said == PHRASES[phrase]][:TRANSCRIBED]
    missed = 0
    for sound in own:
        segments, _ = recogniser.model.transcribe(sound, language="en", beam_size=5)
        text = " ".join(s.text for s in segments).lower()
        missed += not all(word in text for word in phrase.split())
    return asdict(share_interval(missed, len(own))) | {"missed": round(missed / len(own), 4)}


def costs(clips: list[Clip], word: WakeWord) -> dict[str, float]:
    """Share of one core that listening takes, detection of speech included, by what is heard."""
    noise = np.concatenate([s for n, _, s in clips if n == "noise"])
    speech = np.concatenate([s for n, _, s in clips if n == "speakers"])
    talk = speech[: 60 * RATE]
    now_and_then = np.resize(noise, 120 * RATE).copy()  # a sentence every half minute
    for place, start in enumerate(range(10 * RATE, len(now_and_then), 30 * RATE)):
        now_and_then[start : start + 4 * RATE] += speech[place * 4 * RATE :][: 4 * RATE]
    heard = {"noise": noise[: 120 * RATE], "a home: noise, and a sentence every half minute":
             now_and_then, "speech without a pause": talk}  # fmt: skip
    found = {}
    for name, sound in heard.items():
        stream, begun = word.stream(), time.process_time()
        for i in range(0, len(sound), BLOCK):
            stream.push(sound[i : i + BLOCK])
        share = (time.process_time() - begun) / (len(sound) / RATE)
        found[f"share of a core to listen to {name}"] = round(share, 4)
    return found


if __name__ == "__main__":
    main()
