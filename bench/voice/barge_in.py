"""How soon the assistant falls silent when somebody talks over it, and how often for nothing.

    python -m bench.voice.barge_in

Its own replies come back to the microphone through made-up rooms (Polack, 1988: noise that decays)
and a loudspeaker that bends what is loud, 25 ms later, at three levels. People's recordings begin
at random moments of the reply; their beginning is where voice activity is first found in the clean
recording. Silent means that nothing more is given to the loudspeaker. The baseline listens to the
microphone as it is: no echo is taken out of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.voice.tarred import read_tar
from core.evaluation.bootstrap import quantile_interval, rate_interval, share_interval
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.command import Transcript
from verticals.voice.home.model import Home
from verticals.voice.listening.vad import WINDOW, Vad
from verticals.voice.live import LiveSession, converse
from verticals.voice.speech.echo import Echo
from verticals.voice.speech.voice import Voice, open_voice
from verticals.voice.understanding.understand import Understander

RATE, BLOCK, DELAY = 16_000, 320, 400
LEVELS = {"quiet": 0.1, "as loud as usual": 0.5, "as loud as the person": 1.0}
SAID = (
    "The kitchen light, the porch light and the light in the hall are on. Tomorrow will be cloudy, "
    "with a high of twenty one degrees and some rain in the evening. The timer for ten minutes has "
    "started, and the garage door is closed. Did you mean the desk lamp, or the reading lamp?"
)
LATE_S = 0.8  # after which it did not fall silent because of the person


class _Hears:
    def transcribe(self, sound: np.ndarray) -> Transcript:
        return Transcript(text="what time is it")


class _Says:
    """A reply that was made before, so that making it takes no time."""

    names = ("joe",)

    def __init__(self, voice: Voice) -> None:
        self.sound = voice.say(SAID)

    def say(self, text: str, **how: Any) -> np.ndarray:
        return self.sound


class _Deaf(Echo):
    """Takes nothing out of what is heard, and suspects everything."""

    def clean(self, heard: np.ndarray, played: np.ndarray) -> tuple[np.ndarray, bool]:
        return heard, True


def main() -> None:
    """Talk over it; write bench/results/voice_barge_in.json."""
    home = Home.open()
    parts = Parts(home, Understander.open(home), recogniser=_Hears(),
                  voice=_Says(open_voice("joe", threads=1)))  # fmt: skip
    vad = Vad.open()
    clips = [_cut(s, vad) for r, s in read_tar("asr") if r["src"] == "ha_human"]
    result: dict[str, Any] = {"machine": machine("onnxruntime"), "clips": len(clips)}
    headline: dict[str, Any] = {}
    for name, gain in LEVELS.items():
        found = {who: _talked_over(parts, vad, clips, gain, plain=who == "plain")
                 for who in ("ours", "plain")}  # fmt: skip
        result[name] = found
        headline[f"silent after, median in ms, {name}"] = found["ours"]["silent_ms"]["value"]
        headline[f"... p90 in ms, {name}"] = found["ours"]["silent_p90_ms"]["value"]
        headline[f"stopped for nothing, an hour of its speech, {name}"] = (
            found["ours"]["false_an_hour"]["value"])  # fmt: skip
        headline[f"... without taking the echo out, {name}"] = (
            found["plain"]["false_an_hour"]["value"])  # fmt: skip
    print(json.dumps(headline, indent=2))
    print(write_result("voice_barge_in", {**result, "headline": headline}))


def _cut(clip: np.ndarray, vad: Vad) -> np.ndarray:
    """A recording from where somebody begins, loud, faded in over 16 ms."""
    first = int(np.flatnonzero(vad.probabilities(clip) > 0.5)[0]) * WINDOW
    begun = clip[first:].astype(np.float32) * (0.3 / np.abs(clip).max())
    begun[:256] *= np.linspace(0, 1, 256, dtype=np.float32)
    return begun


def _talked_over(
    parts: Parts, vad: Vad, clips: Sequence[np.ndarray], gain: float, *, plain: bool
) -> dict[str, Any]:
    silent, missed, false, heard_s = [], 0, 0, 0.0
    for number, clip in enumerate(clips):
        chance = np.random.default_rng([number, int(100 * gain)])
        at = int(chance.uniform(1.5, 8.0) * RATE)
        ended = _ended(parts, vad, clip, at, chance, gain=gain, plain=plain)
        late = at + LATE_S * RATE
        heard_s += min(ended, at) / RATE
        if ended < at:
            false += 1
        elif ended > late:
            missed += 1
        else:
            silent.append(1000 * (ended - at) / RATE)
    told = np.array(silent or [np.nan])
    return {
        "silent_ms": vars(quantile_interval(told, 0.5)),
        "silent_p90_ms": vars(quantile_interval(told, 0.9)),
        "missed": vars(share_interval(missed, len(clips))),
        "false_an_hour": vars(rate_interval(false, heard_s / 3600)),
    }  # fmt: skip


def _ended(
    parts: Parts, vad: Vad, clip: np.ndarray, at: int, chance: np.random.Generator, *, gain: float,
    plain: bool,
) -> int:  # fmt: skip
    """The last sample of the reply that sounded, if it was interrupted; else a sample too late."""
    with Assistant(parts) as assistant:
        session = LiveSession(assistant, vad, echo=_Deaf() if plain else None)
        list(converse(session, np.concatenate([clip, np.zeros(RATE, np.float32)])))
        while session.state != "speaking":
            session.push(np.zeros(BLOCK, np.float32))
        way = _room(chance, gain)
        tail = np.zeros(len(way) - 1, np.float32)
        last = 0
        for step in range(0, at + RATE, BLOCK):
            out = session.pull(BLOCK)
            if out.any():
                last = step + int(np.flatnonzero(out)[-1]) + 1
            bent = np.convolve(np.tanh(1.5 * out) / 1.5, way)
            bent[: len(tail)] += tail
            tail = bent[BLOCK:].astype(np.float32)
            heard = bent[:BLOCK] + chance.normal(0, 0.002, BLOCK)
            where = np.arange(step, step + BLOCK) - at
            person = (where >= 0) & (where < len(clip))
            heard[person] += clip[where[person]]
            kinds = [e.kind for e in session.push(heard.astype(np.float32), out)]
            if "interrupted" in kinds:
                return last
    return at + RATE


def _room(chance: np.random.Generator, gain: float) -> np.ndarray:
    """(n,) float32 way from loudspeaker to microphone: a delay, then noise that decays in 0.3 s."""
    decay = chance.normal(size=4_000) * 10 ** (-3 * np.arange(4_000) / RATE / 0.3)
    decay[0] = 8.0  # the direct sound
    return np.concatenate([np.zeros(DELAY), gain * decay / np.linalg.norm(decay)]).astype("f4")


if __name__ == "__main__":
    main()
