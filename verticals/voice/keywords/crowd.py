"""A crowd of people who do not exist says the words: for a project's first day, and for variety.

Kokoro's mixed speakers come with pip. Where espeak-ng and flite are installed, they add people who
sound less natural, but differ more: on people's recordings that counts for more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.audio import SAMPLE_RATE, read_audio
from core.errors import ModelError, ParameterError
from verticals.voice.keywords.clips import Clip

Say = Callable[[str], np.ndarray]
_SPEEDS = (0.7, 1.4)
_ENDS = ("", ".", "!", "?", ",")
_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-rp", "en-gb-x-gbclan",
            "en-gb-x-gbcwmd")  # fmt: skip
_THROATS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5", "croak",
            "klatt", "klatt2", "klatt3", "klatt4", "steph", "iven", "travis", "quincy",
            "rob")  # fmt: skip
_FLITE = ("kal", "awb", "rms", "slt")
_QUIET, _MARGIN = 0.01, 600  # of the loudest sample; samples kept around a word


@dataclass(frozen=True)
class Crowd:
    """How many people of each kind."""

    kokoro: int = 12
    espeak: int = 44
    flite: int = 8


def speak_words(words: Sequence[str], crowd: Crowd | None = None, *, seed: int = 0) -> list[Clip]:
    """Every word once by each of the crowd; a program that is not installed brings nobody.

    Args:
        words: English.
        crowd: How many people of each kind.
        seed: Of people, speed and intonation.

    Raises:
        ParameterError: A word that cannot be spoken.
        ModelError: Kokoro is not installed, or a program failed.
    """
    for word in words:
        if not word.replace(" ", "").replace("'", "").isalpha():
            raise ParameterError(
                f"{word!r} cannot be spoken", where="words", remedy="Write it in English letters"
            )
    size, random = crowd or Crowd(), np.random.default_rng(seed)
    people = {
        "kokoro": _mixed(size.kokoro, seed, random),
        "espeak-ng": _program("espeak-ng", size.espeak, random),
        "flite": _program("flite", size.flite, random),
    }
    return [
        Clip(word, f"{kind} {number}", _trimmed(say(word)))
        for kind, voices in people.items() for number, say in enumerate(voices) for word in words
    ]  # fmt: skip


def _mixed(count: int, seed: int, random: np.random.Generator) -> Iterator[Say]:
    """Mixtures of Kokoro's speakers."""
    from verticals.voice.speech.kokoro import Kokoro, made_speaker

    if not count:
        return
    voice = Kokoro.open(threads=1)
    for number in range(count):
        style = made_speaker(voice, seed + number)

        def say(word: str, style: np.ndarray = style) -> np.ndarray:
            sounds = voice.pronouncer.text(word) + str(random.choice(_ENDS))
            return voice.say_sounds(sounds, style, speed=float(random.uniform(*_SPEEDS)))

        yield say


def _program(name: str, count: int, random: np.random.Generator) -> Iterator[Say]:
    """Speakers of a program, each a process a word."""
    from verticals.voice.speech.programs import found, spoken

    try:
        path = found(name)
    except ModelError:
        return
    for number in range(count):

        def say(word: str, number: int = number) -> np.ndarray:
            pace = float(random.uniform(*_SPEEDS))
            with tempfile.TemporaryDirectory() as folder:
                target = Path(folder) / "said.wav"
                options = _flite if name == "flite" else _espeak
                spoken(path, [*options(number, pace, random), str(target)], word)
                return read_audio(target)

        yield say


def _espeak(number: int, pace: float, random: np.random.Generator) -> list[str]:
    who = f"{_ACCENTS[number % len(_ACCENTS)]}+{_THROATS[number % len(_THROATS)]}"
    pitch = str(int(random.integers(20, 80)))
    return ["--stdin", "-v", who, "-p", pitch, "-s", str(round(150 * pace)), "-w"]


def _flite(number: int, pace: float, random: np.random.Generator) -> list[str]:
    del random
    who = _FLITE[number % len(_FLITE)]
    return ["-voice", who, "--setf", f"duration_stretch={1 / pace:.3f}", "-f", "/dev/stdin", "-o"]


def _trimmed(sound: np.ndarray) -> np.ndarray:
    """Without the silence at its ends."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET * np.abs(sound).max(initial=0.0))
    if not len(loud):
        return sound if len(sound) else np.zeros(SAMPLE_RATE // 10, np.float32)
    return sound[max(0, loud[0] - _MARGIN) : loud[-1] + _MARGIN]
