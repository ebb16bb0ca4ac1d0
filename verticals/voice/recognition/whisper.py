"""Whisper (Radford et al., 2023) on CTranslate2: sound to words, a home's own words expected.

What is expected stands before the sentence in the decoder's context (`hints`); of its readings the
likeliest counts that makes sense, if one is told what does (`preferring`).

Runs without torch. Where nobody speaks (by Silero's voice activity detection, which faster-whisper
carries) nothing is decoded, so silence and noise cannot become invented sentences.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.audio import SAMPLE_RATE, SHORTEST_S, AudioError
from core.errors import ModelError
from verticals.voice.command import Transcript, Word
from verticals.voice.home.model import Home, Vocabulary
from verticals.voice.recognition.decoding import WINDOW_S, Decoder, Encoded, Hypothesis
from verticals.voice.recognition.hints import home_hint, listed

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

EMBEDDED = "whisper-tiny.en"
SURE = -1.2  # mean log-probability below which a window is not speech that was understood
_PAD_S = 0.4  # kept before and after speech
# What a reading that is preferred may be less likely than the likeliest, in log-probability: one
# word heard differently, not another sentence.
_MARGIN = 3.0
Part = dict[str, int]  # start and end of speech, in samples


@dataclass(frozen=True)
class Recogniser:
    """A model, and what it should expect."""

    decoder: Decoder
    beam: int = 5
    names: str = ""
    prefers: Callable[[str], bool] | None = None
    snap: Callable[[str], str] | None = None

    @classmethod
    def open(cls, name: str = EMBEDDED, *, threads: int = 2, beam: int = 5) -> Recogniser:
        """A recogniser in int8.

        Args:
            name: whisper-tiny.en (in the offline pack), a folder with a CTranslate2 model, or a
                name that faster-whisper knows, such as distil-large-v3, from the hub.
            threads: Processor threads.
            beam: Hypotheses kept while decoding (1 is greedy).

        Raises:
            ModelError: Not installed, not the pinned files, or the hub did not answer.
        """
        from faster_whisper import WhisperModel

        place = str(_folder(name))
        try:
            model = WhisperModel(place, device="cpu", compute_type="int8", cpu_threads=threads)
        except Exception as error:
            # Which exception says "no network" or "no such model" differs between versions.
            raise ModelError(
                f"the recogniser cannot be opened ({type(error).__name__})", where=name,
                remedy=f"Connect, give a CTranslate2 folder, or use {EMBEDDED}, which pip installs",
            ) from None  # fmt: skip
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # it logs what was said
        return cls(Decoder(model), beam)

    @property
    def model(self) -> WhisperModel:
        """As faster-whisper opened it."""
        return self.decoder.model

    def expecting(self, vocabulary: Vocabulary) -> Recogniser:
        """The same recogniser, told what is said in homes and what this one's things are called."""
        return replace(self, names=home_hint(vocabulary))

    def hinted(self, names: Iterable[str]) -> Recogniser:
        """The same recogniser, with names or phrases to expect; those that fit, in their order."""
        return replace(self, names=listed(names))

    def preferring(
        self, makes_sense: Callable[[str], bool], snap: Callable[[str], str] | None = None
    ) -> Recogniser:
        """The same recogniser, which takes a reading that makes sense for one that does not.

        Args:
            makes_sense: Whether a sentence does, such as whether a grammar covers it. Asked for
                the readings that come near the likeliest.
            snap: Puts misheard names right (`Snapper.snap`), where no reading makes sense as it is.
        """
        return replace(self, prefers=makes_sense, snap=snap)

    def at_home(self, home: Home, covers: Callable[[str], bool] | None = None) -> Recogniser:
        """The same recogniser for one home: its words expected, its requests preferred.

        Args:
            home: Whose names are put right, too.
            covers: Whether a sentence is a request; by the home's grammar by default.
        """
        from verticals.voice.recognition.snapping import Snapper
        from verticals.voice.understanding.grammar import Grammar

        if covers is None:
            grammar = Grammar.open(home)

            def covers(text: str) -> bool:
                return bool(grammar.parse(text))

        return self.expecting(home.vocabulary()).preferring(covers, Snapper.open(home).snap)

    def transcribe(
        self, sound: np.ndarray, *, times: bool = False, alternatives: int = 0
    ) -> Transcript:
        """The words of a recording; empty text where nobody speaks.

        Args:
            sound: (n,) float32 at 16 kHz.
            times: Also when each word was said, which takes a second pass of the decoder.
            alternatives: Other readings to give, at most beam - 1, of sound up to 30 s.

        Raises:
            AudioError: More than one channel, or samples that are not numbers.
        """
        kept: list[Hypothesis] = []
        others: list[str] = []
        words: list[Word] = []
        for encoded, parts in self.windows(sound):
            best, *more = self.readings(encoded, 1 + alternatives)
            if best.logprob < SURE or not any(c.isalnum() for c in best.text):
                continue
            kept.append(best)
            others = [] if len(kept) > 1 else [h.text for h in more]
            words += self._timed(encoded, best, parts) if times else []
        if not kept:
            return Transcript(text="", confidence=0.0)
        sure = math.exp(float(np.mean([h.logprob for h in kept])))
        return Transcript(
            text=" ".join(h.text for h in kept), words=tuple(words),
            confidence=round(min(sure, 1.0), 4), alternatives=tuple(others),
        )  # fmt: skip

    def readings(self, encoded: Encoded, count: int = 1) -> list[Hypothesis]:
        """Readings of a window, best first; one that makes sense, if near, before all others.

        Args:
            encoded: Of `windows`.
            count: How many, at most the beam.
        """
        wanted = count if self.prefers is None else self.beam
        found = self.decoder.decode(encoded, beam=self.beam, hint=self.names, readings=wanted)
        chosen = self._sensible(found)
        return [chosen, *(h for h in found if h.tokens != chosen.tokens)][:count]

    def _sensible(self, found: list[Hypothesis]) -> Hypothesis:
        """The first that makes sense, as it is or with a name put right; else the likeliest."""
        if self.prefers is None:
            return found[0]
        near = [h for h in found if h.total > found[0].total - _MARGIN]
        snap = self.snap
        snapped = (replace(h, text=snap(h.text)) for h in near) if snap else ()
        return next((h for h in chain(near, snapped) if self.prefers(h.text)), found[0])

    def windows(self, sound: np.ndarray) -> Iterator[tuple[Encoded, list[Part]]]:
        """What is spoken in a recording, encoded in windows of at most 30 s.

        Args:
            sound: (n,) float32 at 16 kHz.

        Raises:
            AudioError: More than one channel, or samples that are not numbers.
        """
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        checked = _checked(sound)
        if len(checked) < SHORTEST_S * SAMPLE_RATE:
            return
        longest = VadOptions(max_speech_duration_s=WINDOW_S - 2 * _PAD_S)
        for parts in _packed(get_speech_timestamps(checked, longest)):
            spoken = np.concatenate([checked[p["start"] : p["end"]] for p in parts])
            yield self.decoder.encode(spoken), parts

    def _timed(self, encoded: Encoded, best: Hypothesis, parts: list[Part]) -> list[Word]:
        """Words with their times in the recording, of which only parts were decoded."""
        from faster_whisper.vad import SpeechTimestampsMap

        place: Any = SpeechTimestampsMap(parts, SAMPLE_RATE)
        found = self.decoder.times(encoded, best)
        return [
            Word(text=w["word"].strip(), start_s=place.get_original_time(w["start"]),
                 end_s=place.get_original_time(w["end"], is_end=True),
                 probability=round(float(w["probability"]), 4))
            for w in found if any(c.isalnum() for c in w["word"])
        ]  # fmt: skip


def _packed(parts: list[Part]) -> Iterator[list[Part]]:
    """Parts of speech together, as many as a window holds."""
    together: list[Part] = []
    used = 0
    for part in parts:
        length = part["end"] - part["start"]
        if together and used + length > WINDOW_S * SAMPLE_RATE:
            yield together
            together, used = [], 0
        together.append(part)
        used += length
    if together:
        yield together


def _checked(sound: np.ndarray) -> np.ndarray:
    """One channel of finite float32 samples."""
    if sound.ndim != 1:
        raise AudioError(
            f"it has the shape {sound.shape}, not one channel", where="sound",
            remedy="Average the channels, as read_audio does",
        )  # fmt: skip
    if not np.isfinite(sound).all():
        raise AudioError(
            "it holds samples that are not numbers", where="sound", remedy="Record it again"
        )
    return np.ascontiguousarray(sound, np.float32)


def _folder(name: str) -> Path | str:
    from core.models.resolver import assets, resolve

    pin = assets()["whisper_tiny_en"]
    if name in (EMBEDDED, pin.hub):
        return resolve("whisper_tiny_en")
    return name
