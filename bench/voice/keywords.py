"""Ten spoken digits by a network of under 100,000 numbers, on people it never heard.

    python -m bench.voice.keywords

Four people said each digit fifty times. Each in turn is left out: the network learns from the
other three and from made-up people, and hears the fourth. "From text alone" learns from made-up
people only, as on a project's first day, and hears all four. Baselines learn from the same three
people: a support vector machine on cepstra, and logistic regression on a frozen speech embedding.
Intervals of one speaker are Wilson's; over all, the four speakers are drawn again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.fft import dct
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bench.machine import machine, write_result
from bench.voice.tarred import read_tar
from core.evaluation.bootstrap import share_interval
from core.evaluation.clusters import paired_ratios, ratio_interval
from verticals.voice.keywords.clips import Clip
from verticals.voice.keywords.crowd import Crowd, speak_words
from verticals.voice.keywords.features import word_features
from verticals.voice.keywords.spotter import NETWORK, WHOLE, Keywords
from verticals.voice.keywords.training import (
    LeftOut,
    heard,
    leave_one_speaker_out,
    train_keywords,
)
from verticals.voice.wake.embedding import SPAN, SpeechEmbedding

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CROWD, SEED, TIMES = Crowd(), 1, 300


def main() -> None:
    """Leave each speaker out, then learn from text alone; write voice_keywords.json."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    begun = time.process_time()
    clips = [Clip(DIGITS[row["digit"]], row["speaker"], sound) for row, sound in read_tar("digits")]
    made = speak_words(DIGITS, CROWD, seed=SEED)
    spoken_s = time.process_time() - begun
    left_out = []
    for found_of in leave_one_speaker_out(clips, made=made):
        left_out.append(found_of)
        print(found_of.speaker, judged([found_of])["float32"]["all"]["value"], flush=True)
    with TemporaryDirectory() as place:
        small = train_keywords(made, Path(place), devices=False)
        whole = Keywords.open(Path(place), network=WHOLE)
        text_only = [of_speaker(s, clips, whole, small) for s in sorted({c.speaker for c in clips})]
        sizes = {name: (Path(place) / name).stat().st_size for name in (WHOLE, NETWORK)}
        latency = {name: milliseconds(k, clips) for name, k in ((WHOLE, whole), (NETWORK, small))}
        numbers = parameters(Path(place) / WHOLE)
    baselines = {
        "support vector machine on cepstra": baseline(clips, cepstra, svm),
        "logistic regression on the speech embedding": baseline(clips, embedded(), logistic),
    }
    found = {
        "recordings and made-up people": judged(left_out), "from text alone": judged(text_only),
        **{name: {"float32": shares(b)} for name, b in baselines.items()},
    }  # fmt: skip
    ours, plain = found["recordings and made-up people"], found["from text alone"]
    best = {name: found[name]["float32"]["all"]["value"] for name in baselines}
    headline = {
        "right, speaker left out": ours["float32"]["all"],
        "... the worst speaker": min(ours["float32"]["speakers"].values(),
                                     key=lambda share: share["value"]),
        "... in int8": ours["int8"]["all"],
        "points lost by int8": ours["points lost by int8"],
        "right, from text alone": plain["float32"]["all"],
        **{f"right, {name}": value for name, value in best.items()},
        "parameters": numbers, "bytes in int8": sizes[NETWORK],
        "milliseconds a word, float32": latency[WHOLE],
        "milliseconds a word, int8": latency[NETWORK],
        "... of which for the features": features_ms(clips),
    }  # fmt: skip
    result = {
        "machine": machine("onnxruntime", "torch"), "clips": len(clips),
        "made": dict(Counter(c.speaker.split()[0] for c in made)),
        "headline": headline, "found": found, "bytes": sizes,
        "seconds": {"speaking": round(spoken_s), "all": round(time.process_time() - begun)},
    }  # fmt: skip
    print(json.dumps(headline, indent=2))
    print(write_result("voice_keywords", result))


def of_speaker(speaker: str, clips: Sequence[Clip], whole: Keywords, small: Keywords) -> LeftOut:
    """What two forms of one spotter make of a speaker."""
    there = [clip for clip in clips if clip.speaker == speaker]
    said = tuple(clip.word for clip in there)
    return LeftOut(speaker, said, heard(whole, there), heard(small, there))


def judged(found: Sequence[LeftOut]) -> dict[str, Any]:
    """Shares in float32 and int8, and what int8 loses on the same clips."""
    right = {f.speaker: (np.array(f.words) == f.whole, np.array(f.words) == f.small)
             for f in found}  # fmt: skip
    speakers = [name for name, (one, _) in right.items() for _ in one]
    one, other = (np.concatenate([pair[i] for pair in right.values()]) for i in (0, 1))
    lost = paired_ratios(one, other, np.ones(len(one)), speakers)
    return {
        "float32": shares({name: pair[0] for name, pair in right.items()}),
        "int8": shares({name: pair[1] for name, pair in right.items()}),
        "points lost by int8": round(100 * lost.difference, 2),
        "... at most": round(100 * lost.high, 2),
    }


def shares(right: dict[str, np.ndarray]) -> dict[str, Any]:
    """How many are right, of all and by speaker."""
    names = [name for name, hits in right.items() for _ in hits]
    hits = np.concatenate(list(right.values())).astype(float)
    return {
        "all": asdict(ratio_interval(hits, np.ones(len(hits)), names)),
        "speakers": {name: asdict(share_interval(int(own.sum()), len(own)))
                     for name, own in right.items()},
    }  # fmt: skip


def baseline(
    clips: Sequence[Clip], see: Callable[[np.ndarray], np.ndarray], make: Callable[[], Pipeline]
) -> dict[str, np.ndarray]:
    """Whether a classifier is right on each clip of each speaker, trained on the others."""
    seen = np.stack([see(clip.sound) for clip in clips])
    words = np.array([clip.word for clip in clips])
    people = np.array([clip.speaker for clip in clips])
    found = {}
    for name in sorted(set(people)):
        there = people == name
        model = make().fit(seen[~there], words[~there])
        found[name] = model.predict(seen[there]) == words[there]
    return found


def svm() -> Pipeline:
    """With scikit-learn's usual kernel; C from the literature on cepstra."""
    return make_pipeline(StandardScaler(), SVC(C=10))


def logistic() -> Pipeline:
    """Scikit-learn's, a little regularised."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))


def cepstra(sound: np.ndarray) -> np.ndarray:
    """Mean and spread of 13 cepstra and of their change, in four parts of the word: (208,)."""
    features = word_features(sound)
    spoken = features[features.max(axis=1) > -1]
    found = dct(spoken, norm="ortho")[:, :13]
    change = np.gradient(found, axis=0) if len(found) > 1 else np.zeros_like(found)
    parts = np.array_split(np.concatenate([found, change], axis=1), 4)
    return np.concatenate([np.concatenate([p.mean(0), p.std(0)]) if len(p) else np.zeros(52)
                           for p in parts])  # fmt: skip


def embedded() -> Callable[[np.ndarray], np.ndarray]:
    """The frozen embedding of the word at the end of its span: (1152,)."""
    network = SpeechEmbedding.open()

    def see(sound: np.ndarray) -> np.ndarray:
        around = max(SPAN - len(sound), 0)
        given = np.pad(sound, (around // 2, around - around // 2))[:SPAN]
        return network.windows(given)[0].ravel()

    return see


def milliseconds(keywords: Keywords, clips: Sequence[Clip]) -> float:
    """To hear one word, features included, on one thread."""
    begun = time.process_time()
    for clip in clips[:TIMES]:
        keywords.probabilities([clip.sound])
    return round(1000 * (time.process_time() - begun) / TIMES, 3)


def features_ms(clips: Sequence[Clip]) -> float:
    """To make the picture of a word."""
    begun = time.process_time()
    for clip in clips[:TIMES]:
        word_features(clip.sound)
    return round(1000 * (time.process_time() - begun) / TIMES, 3)


def parameters(path: Path) -> int:
    """Numbers that a network holds."""
    import onnx

    return sum(int(np.prod(tensor.dims)) for tensor in onnx.load(path).graph.initializer)


if __name__ == "__main__":
    main()
