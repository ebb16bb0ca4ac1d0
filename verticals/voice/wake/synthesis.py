"""Speaks a phrase, what resembles it, and other sentences, by made-up people in made-up rooms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import SAMPLE_RATE
from core.errors import ParameterError

if TYPE_CHECKING:
    from verticals.voice.speech.pronounce import Pronouncer

Progress = Callable[[int, int], None]
_SPEEDS = (0.75, 1.35)
_PITCH = (0.88, 1.14)  # played slower or faster: longer and shorter people
_SNR_DB = (3.0, 35.0)
_TILT = 0.6  # of microphones
_ENDS = ("", ".", "!", "?", ",")
_LETTERS = (3, 60)  # of a phrase
# Sounds that are mistaken for each other least: a near miss must be another phrase to a listener.
_CONSONANTS = "bdfɡhkmnpstvwzʃʧl"
_VOWELS = "AIOWiuɑæɛɪ"


@dataclass(frozen=True)
class Spoken:
    """Clips of one phrase's training, (n,) float32 at 16 kHz each."""

    phrase: tuple[np.ndarray, ...]
    near: tuple[np.ndarray, ...]  # phrases that differ by two sounds or more, and parts of it
    other: tuple[np.ndarray, ...]  # sentences


@dataclass(frozen=True)
class Amounts:
    """How many clips to speak."""

    phrase: int = 48
    near: int = 40
    other: int = 24


def speak(phrase: str, amounts: Amounts, *, seed: int, progress: Progress | None = None) -> Spoken:
    """Everything that a detector of a phrase learns from.

    Args:
        phrase: English words.
        amounts: How many clips of each kind.
        seed: Of speakers, speeds and near misses.
        progress: Told how many of how many clips are spoken.

    Raises:
        ParameterError: The phrase cannot be spoken, or is too short to tell from other speech.
        ModelError: The voice is not installed.
    """
    from verticals.voice.speech.kokoro import Kokoro, made_speaker

    voice = Kokoro.open()
    sounds = phrase_sounds(phrase, voice.pronouncer)
    random = np.random.default_rng(seed)
    texts = [sounds + _ENDS[i % len(_ENDS)] for i in range(amounts.phrase)]
    near = [near_miss(sounds, random) for _ in range(amounts.near)]
    other = [voice.pronouncer.text(s) for s in _sentences(amounts.other, random)]
    clips: list[np.ndarray] = []
    total = len(texts) + len(near) + len(other)
    for number, text in enumerate((*texts, *near, *other)):
        style = made_speaker(voice, seed + number)
        clips.append(voice.say_sounds(text, style, speed=float(random.uniform(*_SPEEDS))))
        if progress is not None:
            progress(number + 1, total)
    first, second = len(texts), len(texts) + len(near)
    return Spoken(tuple(clips[:first]), tuple(clips[first:second]), tuple(clips[second:]))


def phrase_sounds(phrase: str, pronouncer: Pronouncer) -> str:
    """The sounds of a phrase.

    Raises:
        ParameterError: No English words, too long, or fewer than four sounds.
    """
    from verticals.voice.speech.pronounce import phonemes

    plain = " ".join(phrase.split())
    if not _LETTERS[0] <= len(plain) <= _LETTERS[1] or not plain.replace(" ", "").isalpha():
        raise ParameterError(
            f"{phrase!r} is not a phrase", where="wake_phrase",
            remedy="Give one to four English words, without digits and signs",
        )  # fmt: skip
    sounds = pronouncer.text(plain)
    if len(phonemes(sounds)) < 4:
        raise ParameterError(
            f"{phrase!r} is too short to be told from other speech", where="wake_phrase",
            remedy="Add a word, such as 'hey'",
        )  # fmt: skip
    return sounds


def near_miss(sounds: str, random: np.random.Generator) -> str:
    """A phrase that resembles another: a third of its sounds exchanged, or a part left out."""
    words = sounds.split(" ")
    if random.random() < 0.3:
        if len(words) > 1:  # one word is missing
            del words[int(random.integers(len(words)))]
            return " ".join(words)
        cut = len(sounds) // 2
        return sounds[:cut] if random.random() < 0.5 else sounds[cut:]
    letters = list(sounds)
    places = [i for i, s in enumerate(letters) if s in _CONSONANTS or s in _VOWELS]
    for i in random.choice(places, size=max(2, len(places) // 3), replace=False):
        kind = _VOWELS if letters[i] in _VOWELS else _CONSONANTS
        letters[i] = str(random.choice([s for s in kind if s != letters[i]]))
    return "".join(letters)


def scene(
    clip: np.ndarray, random: np.random.Generator, *, before_s: float, after_s: float
) -> tuple[np.ndarray, int]:
    """A clip said in a room, through a microphone, with noise around.

    Args:
        clip: (n,) float32 at 16 kHz.
        random: Of voice, room and noise.
        before_s: Seconds of noise before.
        after_s: And after.

    Returns:
        (m,) float32, and the sample where the clip ends.
    """
    from scipy.signal import lfilter

    from core.data.audio_augment import KINDS, made_noise, mix_at_snr, room

    said = clip.astype(np.float64)
    length = int(len(said) / random.uniform(*_PITCH))
    said = np.interp(np.linspace(0, len(said) - 1, length), np.arange(len(said)), said)
    if random.random() < 0.7:
        said = lfilter([1.0, random.uniform(-_TILT, _TILT)], [1.0], said)
    lead, tail = int(before_s * SAMPLE_RATE), int(after_s * SAMPLE_RATE)
    sound = np.pad(said, (lead, tail)).astype(np.float32)
    if random.random() < 0.6:
        sound = room(sound, random)[: len(sound)]
    noise = made_noise(KINDS[int(random.integers(len(KINDS)))], len(sound), random)
    # The level of speech counts while it is spoken, not the silence around it.
    quiet = 10 * np.log10(length / len(sound))
    sound = mix_at_snr(sound, noise, float(random.uniform(*_SNR_DB)) - quiet)
    level = random.uniform(0.03, 0.9) / max(float(np.abs(sound).max()), 1e-6)
    return (sound * level).astype(np.float32), lead + length


def _sentences(count: int, random: np.random.Generator) -> list[str]:
    """Sentences of a home: those of the embedded one, in any order."""
    import yaml

    from verticals.voice.spoken import REQUESTS

    texts = [row["text"] for row in yaml.safe_load(Path(REQUESTS).read_text(encoding="utf-8"))]
    return [str(texts[int(i)]) for i in random.choice(len(texts), size=count, replace=True)]
