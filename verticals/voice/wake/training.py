"""Type a phrase, get a detector: everything it learns is spoken here, nothing is downloaded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from core.data.audio import SAMPLE_RATE
from core.errors import DataError
from verticals.voice.listening.vad import WINDOW, Vad
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.wake.check import PhraseCheck, spelled
from verticals.voice.wake.detector import ABOUT, About
from verticals.voice.wake.embedding import FRAMES, HOP, REACH, WIDTH, SpeechEmbedding
from verticals.voice.wake.head import HEAD, Head, export_head, train_head
from verticals.voice.wake.synthesis import Amounts, Progress, Spoken, scene, speak

EXAMPLES = "examples.npz"
_SCENES = 6  # rooms that every clip is put in
_BEFORE_S, _AFTER_S = 1.8, 0.5
_ALIKE = 0.8  # of the sounds of two spellings of one phrase
_HEARD = 8  # clips that are transcribed to find spellings
_KEPT = 0.02  # of the spoken phrases may the first stage miss
_LEEWAY = 0.5  # below an enrolment, above what must not wake the head
_SPEECH = 0.4  # probability
_MISSED = 0.1  # of the spoken phrases, at most, may a detector miss that learned from mistakes
# People are heard worse than made-up ones, the more so the less the recogniser knows the phrase:
# so many times the median log-probability, and so much below. In the middle between people who say
# four phrases and everything else (bench.voice.wake).
_TIMES, _ACCENT = 2.0, 6.5


@dataclass(frozen=True)
class WakeReport:
    """How a detector was made, and what it did on clips that it did not learn from."""

    phrase: str
    spellings: tuple[str, ...]
    threshold: float
    clips: int  # of the phrase, held out
    missed: int
    near: int  # near misses, held out
    near_accepted: int
    seconds: float  # that training took


def train_wake_word(
    phrase: str,
    folder: Path,
    recogniser: Recogniser,
    *,
    enrolments: Sequence[np.ndarray] = (),
    amounts: Amounts | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> WakeReport:
    """Make a detector of a phrase.

    Args:
        phrase: One to four English words.
        folder: Receives wake.json, head.onnx, and the examples that `learn_from` needs.
        recogniser: For the second look; its network is not changed.
        enrolments: The phrase said by the people of the home: (n,) float32 at 16 kHz each.
        amounts: How many clips to speak.
        seed: Of every random choice.
        progress: Told how many of how many clips are spoken.

    Raises:
        ParameterError: The phrase is too short, or no English words.
        DataError: Nobody speaks in an enrolment.
        ModelError: The voice or the embedding is not installed.
    """
    own = [_spoken_part(sound, number) for number, sound in enumerate(enrolments, 1)]
    began = time.perf_counter()
    spoken = speak(phrase, amounts or Amounts(), seed=seed, progress=progress)
    random = np.random.default_rng(seed)
    learned = Spoken(
        (*_others(spoken.phrase), *own), _others(spoken.near), spoken.other
    )  # fmt: skip
    embedding = SpeechEmbedding.open()
    right, wrong = examples(learned, embedding, random)
    folder.mkdir(parents=True, exist_ok=True)
    save_examples(folder, right, wrong)
    sha256 = export_head(train_head(right, wrong, seed=seed), folder)
    check = PhraseCheck(recogniser.decoder, _spellings(phrase, spoken.phrase[:_HEARD], recogniser))
    said, near, known, other = (
        [_in_room(clip, random) for clip in clips]
        for clips in (spoken.phrase[::4], spoken.near[::4], _others(spoken.phrase), spoken.other)
    )
    good = np.array([check.score(sound) for sound in known])
    least = min((check.score(sound) for sound in own), default=np.inf)
    limit = check_threshold(good, np.array([check.score(sound) for sound in other]), least)
    surest = min(float(np.quantile(good, _MISSED)), least - _LEEWAY)
    about = About(
        phrase=" ".join(phrase.split()), spellings=check.spellings, seed=seed, head_sha256=sha256,
        check_threshold=limit, ceiling=round(max(limit, surest), 3),
        seconds=float(np.quantile([len(c) for c in spoken.phrase], 0.9)) / SAMPLE_RATE,
        **head_thresholds(Head.open(folder / HEAD), embedding, said, [*near, *other]),
    )  # fmt: skip
    write_about(folder, about)
    return WakeReport(
        about.phrase, about.spellings, limit, len(said),
        sum(check.score(s) < limit for s in said), len(near),
        sum(check.score(s) >= limit for s in near), time.perf_counter() - began,
    )  # fmt: skip


def examples(
    spoken: Spoken, embedding: SpeechEmbedding, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of the embedding that end with the phrase, and stretches of anything else.

    Returns:
        (n, FRAMES, 96) and (m, FRAMES, 96) float32.
    """
    right, wrong = [], []
    for clip in spoken.phrase:
        for _ in range(_SCENES):
            sound, end = scene(clip, random, before_s=_BEFORE_S, after_s=_AFTER_S)
            windows = embedding.windows(sound)
            last = round((end - REACH) / HOP) - FRAMES + 1  # the stretch whose last frame ends it
            right.append(windows[max(last, 0) : last + 3])
            wrong.append(windows[: max(last - 8, 0) : 4])
    for clip in (*spoken.near, *spoken.other):
        for _ in range(_SCENES // 2):
            sound, _ = scene(clip, random, before_s=_BEFORE_S, after_s=_AFTER_S)
            wrong.append(embedding.windows(sound)[int(random.integers(2)) :: 2])
    empty = np.zeros((0, FRAMES, WIDTH), np.float32)
    return np.concatenate([empty, *right]), np.concatenate([empty, *wrong])


def check_threshold(good: np.ndarray, other: np.ndarray, least: float = np.inf) -> float:
    """The recogniser's score from which it is the phrase.

    As far below what made-up people reach as people's accents go, and above other speech, should
    the recogniser hardly know the phrase. Near misses do not raise it: those made here are nearer
    than what people say. It is never above what somebody enrolled reached.

    Args:
        good: (n,) scores of the phrase as spoken by made-up people.
        other: (m,) scores of other speech.
        least: Lowest score of an enrolment.
    """
    usual = _TIMES * float(np.median(good)) - _ACCENT
    limit = max(usual, other.max(initial=-np.inf) + _LEEWAY)
    return round(float(min(limit, least - _LEEWAY)), 3)


def head_thresholds(
    head: Head,
    embedding: SpeechEmbedding,
    said: Sequence[np.ndarray],
    other: Sequence[np.ndarray],
) -> dict[str, float]:
    """Where the head calls the recogniser, and where it is sure enough to wake alone."""
    found = np.array([head.best(embedding, s) for s in said])
    against = np.array([head.best(embedding, s) for s in other])
    return {
        "head_threshold": round(float(np.quantile(found, _KEPT)), 3),
        "alone_threshold": round(float(against.max()) + _LEEWAY, 3),
    }


def save_examples(folder: Path, right: np.ndarray, wrong: np.ndarray) -> None:
    """Keep what the head learned from, for learning more later."""
    partial = folder / f"{EXAMPLES}.partial.npz"
    np.savez_compressed(partial, right=right.astype(np.float16), wrong=wrong.astype(np.float16))
    partial.replace(folder / EXAMPLES)


def write_about(folder: Path, about: About) -> None:
    """Keep what is known of the phrase; a killed run leaves the old file."""
    partial = folder / f"{ABOUT}.partial"
    partial.write_bytes(orjson.dumps(about.model_dump(), option=orjson.OPT_INDENT_2))
    partial.replace(folder / ABOUT)


def _spellings(phrase: str, clips: Sequence[np.ndarray], recogniser: Recogniser) -> tuple[str, ...]:
    """Usual spellings, and how the recogniser writes the phrase when it is spoken clearly."""
    from rapidfuzz.distance import Levenshtein

    from verticals.voice.speech.pronounce import Pronouncer, phonemes

    pronouncer = Pronouncer.open()
    sounds = phonemes(pronouncer.text(phrase))
    found = list(spelled(phrase))
    for clip in clips:
        heard = recogniser.transcribe(np.pad(clip, SAMPLE_RATE // 2)).text.strip(" .,!?")
        alike = Levenshtein.normalized_similarity(phonemes(pronouncer.text(heard)), sounds)
        if heard and alike >= _ALIKE:
            found.append(heard)
    return tuple(dict.fromkeys(found))


def _spoken_part(sound: np.ndarray, number: int) -> np.ndarray:
    """An enrolment without the silence before and after the phrase."""
    found = np.flatnonzero(Vad.open().probabilities(sound) > _SPEECH)
    if not len(found):
        raise DataError(
            f"nobody speaks in enrolment {number}", where="enrolments",
            remedy="Say the phrase close to the microphone",
        )  # fmt: skip
    return sound[found[0] * WINDOW : (found[-1] + 1) * WINDOW]


def _in_room(clip: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return scene(clip, random, before_s=0.3, after_s=0.3)[0]


def _others(clips: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Those that are not held out."""
    return tuple(c for i, c in enumerate(clips) if i % 4)
