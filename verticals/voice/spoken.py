"""Speaks the embedded home's requests by made-up people in made-up rooms: the sample data.

Synthetic speech is easier to hear than people are; a report on it says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import yaml

from core.data.audio import SAMPLE_RATE
from verticals.voice.recordings import LABELS

REQUESTS = Path(__file__).with_name("requests.yaml")
SPEAKERS = ("ana", "ben", "leo", "maria", "sam", "weber")
LICENCE = (
    "Requests written for casekit (Apache-2.0), spoken by Kokoro-82M (hexgrad, Apache-2.0) in "
    "voices of nobody"
)
_SNR_DB = (8.0, 25.0)
_LEVEL = (0.1, 0.7)  # of full scale, the loudest sample
_AROUND_S = 0.4  # of room noise before and after


def speak_requests(
    folder: Path, *, seed: int, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Recordings of every request, spoken once and kept.

    Args:
        folder: Receives a folder of recordings, named by what made them.
        seed: Of speakers, rooms and noise.
        progress: Told how many of how many are spoken.

    Returns:
        The folder with `recordings.jsonl`; a killed run goes on where it was.

    Raises:
        ModelError: The voice is not installed.
    """
    import soundfile

    requests = yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))
    made = hashlib.sha256(
        REQUESTS.read_bytes() + Path(__file__).read_bytes() + bytes(str(seed), "ascii")
    )
    place = folder / f"requests-{made.hexdigest()[:8]}"
    if (place / LABELS).is_file():
        return place
    place.mkdir(parents=True, exist_ok=True)
    speak = _speaker(seed)
    lines = []
    for number, request in enumerate(requests):
        speaker = SPEAKERS[number % len(SPEAKERS)]
        name = f"{number:02}-{speaker}.flac"
        if not (place / name).is_file():
            partial = place / f"{name}.partial"
            soundfile.write(partial, speak(request["text"], number), SAMPLE_RATE, format="FLAC")
            partial.replace(place / name)
        lines.append({"file": name, "speaker": speaker, **request})
        if progress is not None:
            progress(number + 1, len(requests))
    labels = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
    partial = place / f"{LABELS}.partial"
    partial.write_bytes(labels)
    partial.replace(place / LABELS)
    return place


def _speaker(seed: int) -> Callable[[str, int], np.ndarray]:
    """A function that speaks the n-th request in its room."""
    from verticals.voice.speech.kokoro import Kokoro, made_speaker

    voice = Kokoro.open()
    styles = [made_speaker(voice, seed + i) for i in range(len(SPEAKERS))]

    def speak(text: str, number: int) -> np.ndarray:
        random = np.random.default_rng([seed, number])
        sounds = voice.pronouncer.text(f"{text}.")
        style = styles[number % len(SPEAKERS)]
        said = voice.say_sounds(sounds, style, speed=float(random.uniform(0.85, 1.2)))
        return in_a_room(said, random)

    return speak


def in_a_room(said: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Speech with the noise of a room around it, at a distance: (n,) float32 at 16 kHz."""
    margin = int(_AROUND_S * SAMPLE_RATE)
    sound = np.pad(said.astype(np.float64), margin)
    spectrum = np.fft.rfft(random.normal(size=len(sound)))
    spectrum /= np.sqrt(np.arange(len(spectrum)) + 1.0)  # pink, as rooms are
    noise = np.fft.irfft(spectrum, len(sound))
    power = np.mean(said**2) / 10 ** (random.uniform(*_SNR_DB) / 10)
    sound += noise * np.sqrt(power / np.mean(noise**2))
    return (sound * (random.uniform(*_LEVEL) / np.abs(sound).max())).astype(np.float32)
