"""Says a reply sentence by sentence: the first sounds while the others are still made."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from core.data.audio import SAMPLE_RATE
from verticals.voice.speech.cache import SpokenCache
from verticals.voice.speech.voice import Voice

_ENDS = re.compile(r"(?<=[.!?…])[\"')\]]*\s+")
_CLAUSE = re.compile(r"(?<=[,;:])\s+")
_LONG = 90  # letters from which a first sentence is said clause by clause
_PAUSE_S = 0.15  # between sentences
_FADE_S = 0.005  # of a voice that is interrupted: a cut would click


def sentences(text: str) -> list[str]:
    """A reply in the pieces in which it is said; a long beginning is cut at its commas.

    >>> sentences("Done. The light is on.")
    ['Done.', 'The light is on.']
    """
    parts = [p for p in _ENDS.split(text.strip()) if any(c.isalnum() for c in p)]
    if parts and len(parts[0]) > _LONG:
        return [*_CLAUSE.split(parts[0]), *parts[1:]]
    return parts


def speech(
    text: str, voice: Voice, *, cache: SpokenCache | None = None, speaker: str | None = None,
    speed: float = 1.0,
) -> Iterator[np.ndarray]:  # fmt: skip
    """The sentences of a reply as they are ready: each (n,) float32 at 16 kHz.

    Args:
        text: What to say.
        voice: Says it.
        cache: Of sentences said before.
        speaker: One of the voice's; None for its first.
        speed: 1 is normal.
    """
    how = f"{type(voice).__name__} {getattr(voice, 'name', '')} {speaker or ''} {speed:g}"
    for number, sentence in enumerate(sentences(text)):
        sound = cache.get(sentence, how) if cache else None
        if sound is None:
            sound = voice.say(sentence, speaker=speaker, speed=speed)
            if cache:
                cache.put(sentence, how, sound)
        if number:
            sound = np.concatenate([np.zeros(int(_PAUSE_S * SAMPLE_RATE), np.float32), sound])
        yield sound


class Playback:
    """A reply on its way to the loudspeaker, made in a thread of its own and taken in blocks."""

    def __init__(self, make: Callable[[], Iterator[np.ndarray]]) -> None:
        """Begin to make it.

        Args:
            make: Gives the pieces, each (n,) float32 at 16 kHz; runs in another thread.
        """
        self._pieces: deque[np.ndarray] = deque()
        self._lock, self._ready = threading.Lock(), threading.Event()
        self._made = self._stopped = False
        self.held = False
        """While set, silence is given and nothing is lost."""
        self.given = 0
        """Samples of speech that were taken."""
        self.error: Exception | None = None
        """Why the rest could not be made."""
        self._thread = threading.Thread(target=self._run, args=(make,), name="speech", daemon=True)
        self._thread.start()

    def _run(self, make: Callable[[], Iterator[np.ndarray]]) -> None:
        try:
            for piece in make():
                with self._lock:
                    if self._stopped:
                        break
                    self._pieces.append(piece)
                self._ready.set()
        except Exception as error:  # told to whoever takes the sound; the session goes on
            self.error = error
        finally:
            self._made = True
            self._ready.set()

    @property
    def done(self) -> bool:
        """Whether everything was taken."""
        with self._lock:
            return (self._made or self._stopped) and not self._pieces

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until there is something to take, or nothing will come."""
        return self._ready.wait(timeout_s)

    def pull(self, count: int) -> np.ndarray:
        """The next (count,) float32 samples; silence where nothing is ready."""
        out = np.zeros(count, np.float32)
        at = 0
        with self._lock:
            while at < count and self._pieces and not self.held:
                piece = self._pieces[0]
                take = min(len(piece), count - at)
                out[at : at + take] = piece[:take]
                at += take
                if take == len(piece):
                    self._pieces.popleft()
                else:
                    self._pieces[0] = piece[take:]
            self.given += at
        return out

    def stop(self) -> None:
        """Drop the rest, but for a few milliseconds in which it fades."""
        fade = int(_FADE_S * SAMPLE_RATE)
        with self._lock:
            last = self._pieces[0][:fade] if self._pieces else np.zeros(0, np.float32)
            self._pieces = deque([last * np.linspace(1, 0, len(last), dtype=np.float32)])
            self._stopped, self.held = True, False
