"""A live conversation: a microphone's blocks in, a loudspeaker's blocks out, events as they happen.

One small state machine over an `Assistant`: asleep until the wake word; listening until somebody
has finished, or nobody begins in time; speaking until the reply is said, or somebody talks over it.
Time is counted in samples, so a recording gives the same conversation as a microphone.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np

from core.data.audio import SAMPLE_RATE, AudioError
from verticals.voice.action.wyoming_services import PartialStream
from verticals.voice.assistant import Assistant, Hearing
from verticals.voice.command import Transcript, Turn
from verticals.voice.listening.endpoint import Endpointer, Patience
from verticals.voice.listening.vad import WINDOW, Vad
from verticals.voice.speech.cache import SpokenCache
from verticals.voice.speech.echo import Echo
from verticals.voice.speech.streaming import Playback, speech

State = Literal["asleep", "listening", "speaking"]
Kind = Literal["woken", "began", "partial", "turn", "saying", "interrupted", "said", "asleep"]
_AROUND_S = 0.3  # before and after an utterance, that the recogniser hears too
_SPEECH = 0.4  # probability of speech in what is left of the echo
_SURE, _FORGOTTEN = 3, 4  # blocks of somebody else that interrupt; blocks without that let go on
_IDLE_S = 5.0  # without anybody taking the reply


@dataclass(frozen=True)
class Manners:
    """How a conversation is held."""

    answer_s: float = 6.0
    """To begin to speak, after the wake word or a question, before it sleeps again."""
    barge_in: bool = True
    """Whether it stops when somebody talks over it."""
    spoken: bool = True
    """Whether replies are spoken, where there is a voice."""
    patience: Patience = field(default_factory=Patience)
    """When somebody has finished."""


@dataclass(frozen=True)
class Ready:
    """An utterance that may be over."""

    sound: np.ndarray  # (n,) float32 at 16 kHz
    transcript: Transcript | None
    seconds: float  # that recognising it took


@dataclass(frozen=True)
class LiveEvent:
    """Something that happened."""

    kind: Kind
    time_s: float
    """Since the session began, of the microphone."""
    text: str = ""
    """The words so far, or the reply."""
    turn: Turn | None = None
    """What was heard, understood and done, with "turn"."""


class LiveSession:
    """One microphone and one loudspeaker; memory does not grow with time."""

    def __init__(
        self, assistant: Assistant, vad: Vad, *, manners: Manners | None = None,
        partials: Callable[[], PartialStream] | None = None, cache: SpokenCache | None = None,
        echo: Echo | None = None,
    ) -> None:  # fmt: skip
        """Begin: asleep where the assistant has a wake word, else listening.

        Args:
            assistant: The conversation with the home; closed by its owner.
            vad: Says how likely speech is; shared with other sessions.
            manners: How long to wait, and whether to speak.
            partials: Opens a recogniser that hears while somebody speaks; None for none.
            cache: Of sentences said before.
            echo: Takes its own voice out of what it hears; one that was kept knows the room.
        """
        self._assistant, self._vad, self._cache = assistant, vad, cache
        self._manners, self._partials = manners or Manners(), partials
        self._wake = assistant.parts.wake.stream() if assistant.parts.wake else None
        kept_s = self._manners.patience.longest_s + 2 * _AROUND_S + 3.0
        self._sound: deque[np.ndarray] = deque(maxlen=int(kept_s * SAMPLE_RATE / WINDOW))
        self._rest = np.zeros((2, 0), np.float32)  # heard and played, not yet a whole block
        self._end = 0  # samples of the microphone that were looked at
        self._echo = echo or Echo()
        self._playback: Playback | None = None
        self._events: list[LiveEvent] = []
        self._asked = False  # whether the last reply was a question
        self.state: State = "asleep"
        """What it is doing."""
        self._rest_or_listen()

    def push(self, heard: np.ndarray, played: np.ndarray | None = None) -> list[LiveEvent]:
        """Take a block of the microphone, of any length; give what happened in it.

        A request is carried out within the call, which then takes as long: what the microphone
        records meanwhile is given in the next calls.

        Args:
            heard: (n,) float32 at 16 kHz.
            played: (n,) that the loudspeaker was given in the same time, as `pull` returned it;
                None where it cannot be heard by the microphone.

        Raises:
            AudioError: Not one channel, not numbers, or blocks of different lengths.
        """
        given = np.zeros_like(heard) if played is None else played
        if heard.ndim != 1 or heard.shape != given.shape or not np.isfinite(heard).all():
            raise AudioError(
                "the block is not one channel of numbers, with as many that were played",
                where="microphone", remedy="Give (n,) float32 at 16 kHz, twice",
            )  # fmt: skip
        both = np.concatenate([self._rest, np.stack([heard, given]).astype(np.float32)], axis=1)
        whole = both.shape[1] // WINDOW * WINDOW
        self._rest = both[:, whole:]
        for at in range(0, whole, WINDOW):
            self._window(both[0, at : at + WINDOW], both[1, at : at + WINDOW])
        events, self._events = self._events, []
        return events

    def pull(self, count: int) -> np.ndarray:
        """The next (count,) float32 samples for the loudspeaker; may be called in any thread."""
        playback = self._playback
        return playback.pull(count) if playback else np.zeros(count, np.float32)

    @property
    def now_s(self) -> float:
        """Seconds of the microphone that were looked at."""
        return self._end / SAMPLE_RATE

    def _window(self, heard: np.ndarray, played: np.ndarray) -> None:
        left, other = self._echo.clean(heard, played)
        self._sound.append(left)
        self._end += WINDOW
        if self.state == "asleep":
            if self._wake is not None and self._wake.push(left) and self._assistant.parts.wake:
                self._tell("woken")
                # The request may follow in the same breath: listen from the phrase on.
                self._listen(1.3 * self._assistant.parts.wake.about.seconds + 0.7)
        elif self.state == "listening":
            self._follow(left)
        else:
            self._speaking(left, other=other)

    def _listen(self, back_s: float = 0.0) -> None:
        """Wait for somebody to speak, from some seconds ago on."""
        self.state = "listening"
        self._ends = Endpointer(self._vad, self._manners.patience)
        self._begun, self._heard = 0.0, ""
        self._stream: PartialStream | None = None
        self._ready: Ready | None = None
        self._until = self.now_s + self._manners.answer_s
        earlier = min(len(self._sound), round(back_s * SAMPLE_RATE) // WINDOW)
        self._base = self._seen = self._end - WINDOW * earlier
        ends = self._ends
        for window in list(self._sound)[len(self._sound) - earlier :]:
            if self._ends is ends:  # else somebody had finished already
                self._follow(window)

    def _follow(self, window: np.ndarray) -> None:
        self._seen += WINDOW
        for event in self._ends.push(window):
            if event.kind == "start":
                self._begun = self._base / SAMPLE_RATE + event.time_s
                self._tell("began")
                self._stream = self._partials() if self._partials else None
                for earlier in self._utterance()[:-1]:
                    self._partial(earlier)
            else:
                self._take(self._ready or self._recognised())
                return
        if self._ends.speaking:
            self._partial(window)
            if self._ends.silent_s < _AROUND_S:
                self._ready = None  # they go on
            elif self._ready is None:
                # All that would be heard at the end is there: recognise it while waiting for more.
                self._ready = self._recognised()
        elif self.now_s > self._until:
            self._unanswered()

    def _unanswered(self) -> None:
        """Nobody spoke in time: a yes that comes later is not the answer to what was asked."""
        self._asked, self._until = False, math.inf
        dialogue = self._assistant.dialogue
        self._assistant.dialogue = replace(dialogue, pending=(), choices=())
        if self._wake is not None:
            self._tell("asleep")
            self._rest_or_listen()

    def _partial(self, window: np.ndarray) -> None:
        if self._stream is not None:
            text = self._stream.push(window).text
            if text != self._heard:
                self._heard = text
                self._tell("partial", text)

    def _recognised(self) -> Ready:
        """What was said since it began, without the silence after it."""
        sound = np.concatenate(self._utterance())
        late = max(0, round((self._ends.silent_s - _AROUND_S) * SAMPLE_RATE))
        kept = sound[: len(sound) - late]
        recogniser, begun = self._assistant.parts.recogniser, time.perf_counter()
        transcript = recogniser.transcribe(kept) if recogniser else None
        return Ready(kept, transcript, time.perf_counter() - begun)

    def _take(self, ready: Ready) -> None:
        """Somebody has finished: do what was asked, and answer."""
        self._listen()  # where it fails, it still listens
        turn = self._assistant.hear(ready.sound, transcript=ready.transcript)
        turn = turn.model_copy(update={"seconds": turn.seconds | {"recognition": ready.seconds}})
        if not turn.transcript.text:
            return  # the wake phrase alone, or no words: go on listening
        self._tell("turn", turn.transcript.text, turn)
        waits = {"waiting"} & {outcome.status for outcome in turn.outcomes}
        self._asked = turn.understood.status in ("confirm", "unsure") or bool(waits)
        if self._manners.spoken and self._assistant.parts.voice and turn.reply:
            self._say(turn.reply)
        else:
            self._answered()

    def _say(self, text: str) -> None:
        voice = self._assistant.parts.voice
        if voice is None:
            return
        self.state, self._hits, self._calm = "speaking", 0, 0
        self._ear, self._taken, self._moved_s = self._vad.stream(), 0, self.now_s
        self._tell("saying", text)
        self._playback = Playback(lambda: speech(text, voice, cache=self._cache))

    def _speaking(self, left: np.ndarray, *, other: bool) -> None:
        playback = self._playback
        (probability,) = self._ear.push(left)
        if playback is None or playback.done:
            self._tell("said")
            self._answered()
            return
        if playback.given != self._taken or playback.held:
            self._taken, self._moved_s = playback.given, self.now_s
        if self._manners.barge_in and other and probability >= _SPEECH:
            # Silent at the first sign of somebody, and gone when there are more.
            self._hits, self._calm, playback.held = self._hits + 1, 0, True
        else:
            self._calm += 1
            if self._calm >= _FORGOTTEN:
                self._hits, playback.held = 0, False
        if self._hits >= _SURE:
            playback.stop()
            self._tell("interrupted")
            self._listen(_AROUND_S + WINDOW * (_SURE + self._calm) / SAMPLE_RATE)
        elif self.now_s - self._moved_s > _IDLE_S:  # nobody takes it: there is no loudspeaker
            playback.stop()
            self._answered()

    def _answered(self) -> None:
        """A question is listened to without the wake word; after anything else it sleeps."""
        if self._asked:
            self._listen()
        else:
            self._rest_or_listen()

    def _rest_or_listen(self) -> None:
        if self._wake is None:
            self._listen()
        else:
            self.state = "asleep"

    def _utterance(self) -> list[np.ndarray]:
        """The blocks since a little before somebody began, up to the one that is looked at."""
        begun = round((self._begun - _AROUND_S) * SAMPLE_RATE)
        stop = len(self._sound) - (self._end - self._seen) // WINDOW
        count = max(1, -(-(self._seen - begun) // WINDOW))
        return list(self._sound)[max(0, stop - count) : stop]

    def _tell(self, kind: Kind, text: str = "", turn: Turn | None = None) -> None:
        self._events.append(LiveEvent(kind, round(self.now_s, 3), text, turn))


def partials_of(recogniser: Hearing | None) -> Callable[[], PartialStream] | None:
    """What opens a stream of words while somebody speaks; None where the recogniser has none."""
    from verticals.voice.recognition.streaming import PartialStream as Streamed
    from verticals.voice.recognition.whisper import Recogniser

    return partial(Streamed, recogniser) if isinstance(recogniser, Recogniser) else None


def live_session(
    assistant: Assistant,
    *,
    vad: Vad | None = None,
    manners: Manners | None = None,
    cache: SpokenCache | None = None,
) -> LiveSession:
    """A session that tells words while they are said, where the recogniser can.

    Args:
        assistant: The conversation with the home; closed by its owner.
        vad: Shared with other sessions; opened if None.
        manners: How long to wait, and whether to speak.
        cache: Of sentences said before.

    Raises:
        ModelError: The voice activity detector is not installed.
    """
    return LiveSession(
        assistant, vad or Vad.open(), manners=manners, cache=cache,
        partials=partials_of(assistant.parts.recogniser),
    )  # fmt: skip


def converse(
    session: LiveSession, sound: np.ndarray, *, block_s: float = 0.08
) -> Iterator[LiveEvent]:
    """A recording as a microphone, its loudspeaker heard by nobody: what happens.

    Args:
        session: Listens.
        sound: (n,) float32 at 16 kHz.
        block_s: Seconds of a block.
    """
    size = max(1, round(block_s * SAMPLE_RATE))
    for at in range(0, len(sound), size):
        block = sound[at : at + size]
        session.pull(len(block))
        yield from session.push(block)
