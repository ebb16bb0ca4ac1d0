"""Speaks the embedded home's requests by made-up people in made-up rooms: the sample data.

Synthetic speech is easier to hear than people are; a report on it says so.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import yaml

from core.data.audio import SAMPLE_RATE
from core.deployment.run import write_atomically
from verticals.voice.recordings import LABELS

REQUESTS = Path(__file__).with_name("requests.yaml")
SPEAKERS = (
    "ana",
    "ben",
    "eva",
    "finn",
    "gita",
    "hugo",
    "ines",
    "leo",
    "maria",
    "sam",
    "tara",
    "weber",
)
_LABELLED = ("text", "states", "expected")
LICENCE = (
    "Requests written for casekit (Apache-2.0), spoken by Kokoro-82M (hexgrad, Apache-2.0) in "
    "voices of nobody"
)
_SNR_DB = (8.0, 25.0)
_LEVEL = (0.1, 0.7)  # of full scale, the loudest sample
_AROUND_S = 0.4  # of room noise before and after


def speak_requests(
    folder: Path,
    *,
    wake_phrase: str,
    seed: int,
    threads: int = 2,
    most: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Recordings of every request, spoken once and kept; every other begins with the wake phrase.

    Args:
        folder: Receives a folder of recordings, named by what made them.
        wake_phrase: English words.
        seed: Of speakers, rooms and noise.
        threads: Processor threads.
        most: Speak only so many, drawn from all.
        progress: Told how many of how many are spoken.

    Returns:
        The folder with `recordings.jsonl`; a killed run goes on where it was.

    Raises:
        ModelError: The voice is not installed.
    """
    import soundfile

    requests = yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))
    if most is not None:
        requests = random.Random(seed).sample(requests, most)  # noqa: S311 - not a secret
    made = hashlib.sha256(orjson.dumps([requests, wake_phrase, seed]) + Path(__file__).read_bytes())
    place = folder / f"requests-{made.hexdigest()[:8]}"
    if (place / LABELS).is_file():
        return place
    place.mkdir(parents=True, exist_ok=True)
    speak = _speaker(seed, threads)
    lines = []
    for number, request in enumerate(requests):
        speaker = SPEAKERS[number % len(SPEAKERS)]
        # Everybody says the phrase every other time.
        wake = (number + number // len(SPEAKERS)) % 2 == 0
        name = f"{number:02}-{speaker}.flac"
        if not (place / name).is_file():
            partial = place / f"{name}.partial"
            text = f"{wake_phrase}, {request['text']}" if wake else request["text"]
            soundfile.write(partial, speak(text, number), SAMPLE_RATE, format="FLAC")
            partial.replace(place / name)
        labels = {key: request[key] for key in _LABELLED}
        lines.append({"file": name, "speaker": speaker, "wake": wake, **labels})
        if progress is not None:
            progress(number + 1, len(requests))
    write_atomically(place / LABELS, b"".join(
        orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines
    ))  # fmt: skip
    return place


def _speaker(seed: int, threads: int) -> Callable[[str, int], np.ndarray]:
    """A function that speaks the n-th request in its room."""
    from verticals.voice.speech.kokoro import Kokoro, made_speaker

    voice = Kokoro.open(threads=threads)
    styles = [made_speaker(voice, seed + i) for i in range(len(SPEAKERS))]

    def speak(text: str, number: int) -> np.ndarray:
        chance = np.random.default_rng([seed, number])
        sounds = voice.pronouncer.text(f"{text}.")
        style = styles[number % len(SPEAKERS)]
        said = voice.say_sounds(sounds, style, speed=float(chance.uniform(0.85, 1.2)))
        return in_a_room(said, chance)

    return speak


def in_a_room(
    said: np.ndarray, chance: np.random.Generator, *, snr_db: float | None = None
) -> np.ndarray:
    """Speech with the noise of a room around it, at a distance: (n,) float32 at 16 kHz.

    Args:
        said: (n,) float32 at 16 kHz.
        chance: Of noise, distance and level.
        snr_db: How much louder the speech is than the noise; drawn between 8 and 25 by default.
    """
    margin = int(_AROUND_S * SAMPLE_RATE)
    sound = np.pad(said.astype(np.float64), margin)
    spectrum = np.fft.rfft(chance.normal(size=len(sound)))
    spectrum /= np.sqrt(np.arange(len(spectrum)) + 1.0)  # pink, as rooms are
    noise = np.fft.irfft(spectrum, len(sound))
    drawn = chance.uniform(*_SNR_DB)
    power = np.mean(said**2) / 10 ** ((drawn if snr_db is None else snr_db) / 10)
    sound += noise * np.sqrt(power / np.mean(noise**2))
    return (sound * (chance.uniform(*_LEVEL) / np.abs(sound).max())).astype(np.float32)
