"""From the last word to the confirmed deed: the whole chain over a real MQTT broker.

    python -m bench.voice.chain [--threads 2] [--requests 40]

Requests of two to four seconds reach a live session as a microphone's blocks: those of people in
the home of Home Assistant's tests, and those of the sample home spoken by made-up people. amqtt and
the devices are processes of their own, set back before every request. Blocks come when a microphone
would give them, and wait while an earlier one is worked on. How long deciding that somebody has
finished takes is stated apart: recognition is done meanwhile. In the same run, on the same sound
and words: faster-whisper used plainly, transformers' pipeline with the same weights, and hassil.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.machine import machine, write_result
from bench.voice.broker import home_on_a_broker
from bench.voice.tarred import DATA, read_tar
from core.evaluation.bootstrap import quantile_interval
from verticals.voice.action.mqtt import MqttSettings
from verticals.voice.action.mqtt_connector import MqttConnector
from verticals.voice.assistant import Assistant, Parts, open_parts
from verticals.voice.home.model import Home
from verticals.voice.listening.endpoint import segments
from verticals.voice.listening.vad import Vad
from verticals.voice.live import LiveSession, Manners
from verticals.voice.speech.kokoro import Kokoro, made_speaker
from verticals.voice.spoken import REQUESTS, in_a_room

RATE, BLOCK, SEED = 16_000, 1_280, 1
LENGTH_S = (1.5, 4.5)  # of a recording, with the room before and after
FIXTURES = DATA / "nlu" / "ha_fixtures.yaml"
_ACTED = ("done", "unchanged")


def main() -> None:
    """Measure, print and write bench/results/voice_chain.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--requests", type=int, default=40)
    arguments = parser.parse_args()
    about = machine("faster-whisper", "transformers", "hassil", "amqtt")
    sets = {"people": (FIXTURES, people(arguments.requests)),
            "made-up people": (None, made_up(arguments.requests))}  # fmt: skip
    turns: list[dict[str, Any]] = []
    for name, (place, sounds) in sets.items():
        parts = open_parts(Home.open(place), voice=False, threads=arguments.threads)
        turns += [{"by": name, **turn} for turn in lived(parts, place, sounds)]
    everything = [sound for _, sounds in sets.values() for sound in sounds]
    peers = beside(parts, everything, [t["heard"] for t in turns], threads=arguments.threads)
    result = summed(turns, peers)
    print(json.dumps(result["headline"], indent=2))
    print(write_result("voice_chain", {"machine": about, "threads": arguments.threads, **result}))


def people(most: int) -> list[np.ndarray]:
    """Home commands of people, then of a synthesiser."""
    rows = sorted(read_tar("asr"), key=lambda row: str(row[0]["src"]))
    return [s for r, s in rows if r["src"].startswith("ha_") and _fits(s)][:most]


def made_up(most: int) -> list[np.ndarray]:
    """Requests of the sample home that change something, spoken in rooms."""
    voice, found = Kokoro.open(threads=2), []
    for number, row in enumerate(yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))):
        if len(found) == most or not row["states"]:
            continue
        style = made_speaker(voice, SEED + number % 10)
        said = voice.say_sounds(voice.pronouncer.text(f"{row['text']}."), style)
        sound = in_a_room(said, np.random.default_rng([SEED, number]))
        found += [sound] if _fits(sound) else []
    return found


def _fits(sound: np.ndarray) -> bool:
    return LENGTH_S[0] <= len(sound) / RATE <= LENGTH_S[1]


def lived(parts: Parts, place: Path | None, sounds: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """Every request through a live session to the devices behind the broker.

    Args:
        parts: The opened chain.
        place: The home's YAML.
        sounds: (n,) float32 at 16 kHz each.
    """
    vad, rows = Vad.open(), []
    with home_on_a_broker(place) as behind:
        settings = MqttSettings(host="127.0.0.1", port=behind.port)
        connector = MqttConnector(settings, parts.home)
        with Assistant(parts, connector=connector) as assistant:
            for number, sound in enumerate([sounds[0], *sounds]):
                behind.reset()
                row = _request(assistant, vad, sound)
                if number:  # the first sets things up; it is done once before
                    rows.append(row)
    return rows


def _request(assistant: Assistant, vad: Vad, sound: np.ndarray) -> dict[str, Any]:
    session = LiveSession(assistant, vad, manners=Manners(spoken=False))
    stream = np.concatenate([sound, np.zeros(2 * RATE, np.float32)])
    ended = max((end for _, end in segments(sound, vad)), default=0.0)
    row: dict[str, Any] = {"audio_s": len(sound) / RATE, "heard": "", "status": "nothing heard"}
    clock = 0.0  # a block is there when it was recorded, and waits while another is worked on
    for at in range(0, len(stream), BLOCK):
        begun = time.perf_counter()
        events = session.push(stream[at : at + BLOCK])
        clock = max(clock, (at + BLOCK) / RATE) + time.perf_counter() - begun
        for event in events:
            if event.turn is None:
                continue
            statuses = [outcome.status for outcome in event.turn.outcomes]
            return row | {
                "heard": event.text, "whole_s": clock - ended, "seconds": event.turn.seconds,
                "endpoint_s": event.time_s - ended, "compute_s": clock - event.time_s,
                "status": statuses[0] if statuses else event.turn.understood.status,
            }  # fmt: skip
    return row


def beside(
    parts: Parts, sounds: Sequence[np.ndarray], texts: Sequence[str], *, threads: int
) -> dict[str, Any]:
    """Seconds of ours and of the peers, sound by sound and sentence by sentence."""
    from core.models.resolver import resolve
    from verticals.voice.recognition.whisper import Recogniser
    from verticals.voice.understanding.understand import Understander

    recogniser = Recogniser.open(threads=threads)
    hinted = recogniser.expecting(parts.home.vocabulary())
    pipeline = _pipeline(resolve("whisper_tiny_en"), threads)
    # A fresh one for every sentence's second reading would be kept answers: ask each once.
    reader, plain = Understander.open(parts.home, model=parts.understander.model), _hassil()
    reader.understand("turn on the light")
    words = list(dict.fromkeys(t for t in texts if t))
    hear: dict[str, Callable[[np.ndarray], Any]] = {
        "ours": hinted.transcribe,
        "faster_whisper": lambda s: list(recogniser.model.transcribe(s, beam_size=5)[0]),
        "transformers": lambda s: pipeline({"raw": s, "sampling_rate": RATE}),
    }
    taken = {name: _each(work, sounds) for name, work in hear.items()}
    return {
        "recognition": taken, "audio_s": sum(len(s) for s in sounds) / RATE,
        "understanding": {"ours": _each(reader.understand, words), "hassil": _each(plain, words)},
    }  # fmt: skip


def _each(work: Callable[[Any], Any], given: Sequence[Any]) -> list[float]:
    work(given[0])
    taken = []
    for one in given[1:]:
        begun = time.perf_counter()
        work(one)
        taken.append(time.perf_counter() - begun)
    return taken


def _pipeline(folder: Path, threads: int) -> Any:
    """The pipeline of transformers with the pinned weights: there is no hub to load it from."""
    import torch
    from transformers import (
        AutomaticSpeechRecognitionPipeline,
        GenerationConfig,
        WhisperFeatureExtractor,
        WhisperTokenizerFast,
    )

    from verticals.voice.recognition.convert import whisper_module

    torch.set_num_threads(threads)
    module = whisper_module(folder)
    made = module.generation_config
    module.generation_config = GenerationConfig(
        **{k: v for k, v in made.to_dict().items() if k.endswith("token_id") or "suppress" in k},
        no_timestamps_token_id=50_362, is_multilingual=False, max_length=448,
    )  # fmt: skip
    return AutomaticSpeechRecognitionPipeline(
        model=module, tokenizer=WhisperTokenizerFast.from_pretrained(str(folder)),
        feature_extractor=WhisperFeatureExtractor(),
    )  # fmt: skip


def _hassil() -> Callable[[str], Any]:
    """Home Assistant's sentences over the sample home's names, as hassil's own page has it."""
    from hassil.intents import Intents, TextSlotList
    from hassil.recognize import recognize_best
    from home_assistant_intents import get_intents

    home, found = Home.open(), get_intents("en")
    if found is None:
        raise LookupError("home-assistant-intents has no English sentences")
    intents = Intents.from_dict(found)
    lists = {
        "name": TextSlotList.from_tuples(
            [(e.name, e.name, {"domain": e.domain}) for e in home.entities], name="name"
        ),
        "area": TextSlotList.from_strings([a.name for a in home.areas], name="area"),
        "floor": TextSlotList.from_strings([f.name for f in home.floors], name="floor"),
    }
    return lambda text: recognize_best(text, intents, slot_lists=lists)


def summed(turns: list[dict[str, Any]], peers: dict[str, Any]) -> dict[str, Any]:
    """The numbers, with intervals, and beside the peers'."""
    acted = [t for t in turns if t["status"] in _ACTED]
    compute, endpoint, whole = (
        np.array([t[name] for t in acted]) for name in ("compute_s", "endpoint_s", "whole_s")
    )
    stages = sorted({name for t in acted for name in t["seconds"]})
    by_stage = {
        name: _quantiles([t["seconds"][name] for t in acted if name in t["seconds"]])
        for name in stages
    }
    hear = {name: np.array(taken) for name, taken in peers["recognition"].items()}
    read = {name: np.array(taken) for name, taken in peers["understanding"].items()}
    factor = {n: round(float(t.sum() * (len(t) + 1) / len(t)) / peers["audio_s"], 4)
              for n, t in hear.items()}  # fmt: skip
    headline = {
        "end of speech to confirmed deed, p95 in seconds, endpoint apart":
            vars(quantile_interval(compute, 0.95)),
        "... median": vars(quantile_interval(compute, 0.5)),
        "endpoint decided after the last word, median in seconds": float(np.median(endpoint)),
        "both together, p95 in seconds": vars(quantile_interval(whole, 0.95)),
        "seconds of recognising a second of sound": factor["ours"],
        "... of faster-whisper used plainly": factor["faster_whisper"],
        "... of transformers' pipeline": factor["transformers"],
        "understanding in ms, median": round(1e3 * float(np.median(read["ours"])), 2),
        "... p95": round(1e3 * float(np.quantile(read["ours"], 0.95)), 2),
        "... of hassil used plainly, median": round(1e3 * float(np.median(read["hassil"])), 2),
    }  # fmt: skip
    return {
        "headline": headline, "requests": len(turns), "acted": len(acted),
        "statuses": {who: dict(Counter(t["status"] for t in turns if t["by"] == who))
                     for who in ("people", "made-up people")},
        "seconds_of_sound": _quantiles([t["audio_s"] for t in acted]), "stages": by_stage,
    }  # fmt: skip


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    middle, late = np.quantile(values, [0.5, 0.95])
    return {"median": round(float(middle), 4), "p95": round(float(late), 4), "n": len(values)}


if __name__ == "__main__":
    main()
