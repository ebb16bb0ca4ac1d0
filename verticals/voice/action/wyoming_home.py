"""A home's assistant as Wyoming services: what Home Assistant asks for is what the chain does."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from core.errors import ModelError
from verticals.voice.action.wyoming_services import Services
from verticals.voice.assistant import Assistant
from verticals.voice.live import partials_of
from verticals.voice.speech.cache import SpokenCache
from verticals.voice.speech.streaming import speech
from verticals.voice.understanding.context import Dialogue

_MOST = 64  # conversations that are remembered; the ones silent for longest are forgotten
_ANSWER_S = 60.0  # after which a yes is no answer any more
_DONE = ("done", "unchanged", "answered", "waiting")


class Conversations:
    """One home, several conversations: a yes answers only the question of its own."""

    def __init__(self, assistant: Assistant, now: Callable[[], float] = time.monotonic) -> None:
        """Begin.

        Args:
            assistant: Of the home; used for all of them, one request at a time.
            now: The clock, in seconds from some start.
        """
        self._now = now
        self._assistant, self._lock = assistant, threading.Lock()
        self._begin = assistant.dialogue
        self._said: OrderedDict[str, tuple[Dialogue, float]] = OrderedDict()

    def handle(self, text: str, conversation: str) -> tuple[bool, str]:
        """Carry out a request of a conversation; whether it was done, and what to say."""
        with self._lock:
            before, when = self._said.pop(conversation, (self._begin, self._now()))
            late = self._now() - when > _ANSWER_S
            self._assistant.dialogue = replace(before, pending=(), choices=()) if late else before
            turn = self._assistant.hear(text)
            self._said[conversation] = (self._assistant.dialogue, self._now())
            while len(self._said) > _MOST:
                self._said.popitem(last=False)
        asked = turn.understood.status in ("confirm", "unsure")
        done = bool(turn.outcomes) and all(o.status in _DONE for o in turn.outcomes)
        return done or asked, turn.reply


def home_services(assistant: Assistant, *, cache: SpokenCache | None = None) -> Services:
    """What a home's assistant offers to Wyoming.

    Args:
        assistant: Of the home; closed by its owner.
        cache: Of sentences said before.
    """
    parts = assistant.parts
    recogniser, voice, wake = parts.recogniser, parts.voice, parts.wake

    def transcribe(sound: np.ndarray) -> str:
        if recogniser is None:
            raise ModelError("no speech recogniser is open", where="recogniser")
        return recogniser.transcribe(sound).text

    def speak(text: str, speaker: str | None) -> Iterator[np.ndarray]:
        if voice is None:
            raise ModelError("there is no voice", where="voice", remedy="Install one")
        known = speaker if speaker in voice.names else None
        return speech(text, voice, cache=cache, speaker=known)

    return Services(
        transcribe=transcribe if recogniser else None,
        partials=partials_of(recogniser),
        speak=speak if voice else None,
        voices=voice.names if voice else (),
        wake=wake.stream if wake else None,
        wake_phrase=wake.about.phrase if wake else "",
        understand=assistant.understand,
        handle=Conversations(assistant).handle,
    )
