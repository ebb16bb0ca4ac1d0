"""Listens for the wake phrase in a stream: cheap ears always, the recogniser's where it may be.

First stage, while somebody speaks: the beginning of every utterance, because a wake phrase mostly
follows silence, and wherever the head on the speech embedding hears the phrase. Second stage: the
recogniser spells the phrase over those moments. Third, if wished: whose voice it is (`speaker`).
Runs without torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.data.audio import SAMPLE_RATE
from core.errors import ModelError
from verticals.voice.listening.vad import WINDOW, WINDOW_S, Vad
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.wake.check import PhraseCheck
from verticals.voice.wake.embedding import SPAN, SpeechEmbedding
from verticals.voice.wake.head import HEAD, Head

ABOUT = "wake.json"
_KEPT_S = 4.0  # of the stream's past
_BEFORE_S = 0.3  # before an utterance, that the recogniser hears too
_AFTER_S = 0.35  # after the phrase: its last sound, and the tail of the room
_EVERY_S = 0.24  # that the head listens while somebody speaks
_STILL_S = 0.35  # of silence after which the next word begins an utterance
_REST_S = 1.0  # after a detection, and between two looks at what the head hears
_SPEECH = 0.4
_HOPELESS = -8.0  # below the threshold

Speaker = Callable[[np.ndarray], bool]


class About(BaseModel):
    """What a trained detector knows of its phrase."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrase: str
    spellings: tuple[str, ...] = Field(description="How the recogniser may write it")
    seconds: float = Field(gt=0, description="That the phrase takes when said slowly")
    head_threshold: float = Field(description="Log-odds of the head that call the recogniser")
    alone_threshold: float = Field(description="The same where there is no recogniser")
    check_threshold: float = Field(description="Score of the recogniser that wakes")
    ceiling: float | None = Field(
        default=None, description="Of check_threshold: above it the phrase itself would be missed"
    )
    veto: float | None = Field(
        default=None, description="Log-odds of the head below which it overrules the recogniser"
    )
    head_sha256: str | None = Field(default=None, description="Of head.onnx")
    seed: int = 0


@dataclass(frozen=True)
class Detection:
    """The wake phrase was heard."""

    time_s: float
    """When it was decided, in seconds since the stream began."""
    score: float
    """How far above the threshold: of the recogniser, or of the head where there is none."""


@dataclass(frozen=True)
class WakeWord:
    """A detector; every stream gets a `WakeStream` of its own."""

    about: About
    embedding: SpeechEmbedding
    head: Head
    vad: Vad
    check: PhraseCheck | None = None
    speaker: Speaker | None = None  # whether a stretch was said by somebody who may wake it

    @classmethod
    def open(
        cls, folder: Path, recogniser: Recogniser | None, *, speaker: Speaker | None = None
    ) -> WakeWord:
        """A detector as `train_wake_word` wrote it.

        Args:
            folder: With wake.json and head.onnx.
            recogniser: For the second look; None wakes on the head alone, which is less sure.
            speaker: Says whether an enrolled person speaks; None lets everybody wake it.

        Raises:
            ModelError: The folder holds no detector, or a part is missing.
        """
        about = read_about(folder)
        check = PhraseCheck(recogniser.decoder, about.spellings) if recogniser else None
        head = Head.open(folder / HEAD, about.head_sha256)
        return cls(about, SpeechEmbedding.open(), head, Vad.open(), check, speaker)

    def stream(self) -> WakeStream:
        """For one microphone, from now on."""
        return WakeStream(self)

    def heard(self, sound: np.ndarray) -> list[Detection]:
        """The detections in a whole recording: (n,) float32 at 16 kHz."""
        stream = self.stream()
        return [*stream.push(sound), *stream.push(np.zeros(SAMPLE_RATE, np.float32))]


def read_about(folder: Path) -> About:
    """What a folder says of its detector.

    Raises:
        ModelError: It is not there or cannot be read.
    """
    try:
        return About.model_validate_json((folder / ABOUT).read_bytes())
    except (OSError, ValidationError):
        raise ModelError(
            "there is no wake word", where=str(folder), remedy="Train one with train_wake_word"
        ) from None


class WakeStream:
    """One microphone; memory does not grow with the length of the stream."""

    def __init__(self, word: WakeWord) -> None:
        """Begin to listen for a word."""
        self._word, self._vad = word, word.vad.stream()
        self._sound = np.zeros(0, np.float32)  # the latest seconds
        self._end = 0  # samples since the stream began
        self._rest = np.zeros(0, np.float32)
        self._begun: float | None = None  # of the present utterance, in seconds
        self._spoke = -_STILL_S  # last speech
        self._looks: list[tuple[float, float]] = []  # when to look, and from where on
        self._listened = self._called = self._held = 0.0
        self._woke = 0.0  # last; what was said before has had its answer
        self.looks = 0
        """How often the recogniser was asked."""
        self.best = -np.inf
        """The highest score so far, above or below the threshold."""
        self.best_of_head = -np.inf
        """The same of the head: its log-odds."""

    def push(self, block: np.ndarray) -> list[Detection]:
        """Take (n,) float32 samples at 16 kHz of any number; give what was detected in them."""
        sound = np.concatenate([self._rest, block.astype(np.float32, copy=False)])
        whole = len(sound) // WINDOW * WINDOW
        self._rest = sound[whole:]
        found = (self._window(window) for window in sound[:whole].reshape(-1, WINDOW))
        return [detection for detection in found if detection is not None]

    def _window(self, window: np.ndarray) -> Detection | None:
        (probability,) = self._vad.push(window)
        self._sound = np.concatenate([self._sound, window])[-int(_KEPT_S * SAMPLE_RATE) :]
        self._end += WINDOW
        now = self._end / SAMPLE_RATE
        self._follow(probability, now)
        if now < self._held:
            self._looks.clear()
            return None
        check = self._word.check
        if check is None:
            return self._alone(now)
        if self._hears(now) > self._word.about.head_threshold and now >= self._called:
            span = self._word.about.seconds + _AFTER_S
            self._looks.append((now, now - span))
            self._called = now + _REST_S
        due = [start for when, start in self._looks if when <= now]
        self._looks = [look for look in self._looks if look[0] > now]
        return self._asked(check, min(due), now) if due else None

    def _follow(self, probability: float, now: float) -> None:
        """Keep track of who speaks since when, and plan looks at beginnings."""
        if probability >= _SPEECH:
            if now - self._spoke > _STILL_S or self._begun is None:
                self._begun = now - WINDOW_S
                start = self._begun - _BEFORE_S
                seconds = self._word.about.seconds
                # Once for those who speak fast and go on, once for those who speak slowly.
                self._looks += [(self._begun + 0.7 * seconds + _AFTER_S, start),
                                (self._begun + 1.3 * seconds + _AFTER_S, start)]  # fmt: skip
            self._spoke = now
        elif now - self._spoke > _STILL_S:
            self._begun = None

    def _hears(self, now: float) -> float:
        """The head's log-odds that the phrase ends about now; only while somebody speaks."""
        if self._begun is None or now - self._listened < _EVERY_S or len(self._sound) < SPAN:
            return -np.inf
        self._listened = now
        recent = self._sound[-(SPAN + int(_EVERY_S * SAMPLE_RATE)) :]
        heard = float(self._word.head.scores(self._word.embedding.windows(recent)).max())
        self.best_of_head = max(self.best_of_head, heard)
        return heard

    def _asked(self, check: PhraseCheck, start_s: float, now: float) -> Detection | None:
        """Ask the recogniser about the sound since a moment."""
        since = max(start_s, self._woke)
        first = max(0, len(self._sound) - (self._end - int(since * SAMPLE_RATE)))
        stretch = self._sound[first:]
        self.looks += 1
        above = check.score(stretch) - self._word.about.check_threshold
        if above < _HOPELESS:  # the same words, heard a moment longer, will not become the phrase
            self._looks = [look for look in self._looks if look[1] != start_s]
        if above >= 0 and self._overruled(stretch):
            return None
        return self._detected(above, stretch, now)

    def _overruled(self, stretch: np.ndarray) -> bool:
        """Whether the head learned that this is not the phrase, whatever the recogniser hears."""
        veto = self._word.about.veto
        return veto is not None and self._word.head.best(self._word.embedding, stretch) < veto

    def _alone(self, now: float) -> Detection | None:
        above = self._hears(now) - self._word.about.alone_threshold
        return self._detected(above, self._sound[-SPAN:], now)

    def _detected(self, above: float, stretch: np.ndarray, now: float) -> Detection | None:
        self.best = max(self.best, above)
        if above < 0 or (self._word.speaker is not None and not self._word.speaker(stretch)):
            return None
        self._woke, self._held = now, now + _REST_S
        self._looks.clear()
        return Detection(round(now, 3), round(above, 3))
