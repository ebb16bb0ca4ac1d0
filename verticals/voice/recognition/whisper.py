"""Whisper (Radford et al., 2023) on CTranslate2: sound to words, a home's own words expected.

Runs without torch. Where nobody speaks (by Silero's voice activity detection, which faster-whisper
carries) nothing is decoded, so silence and noise cannot become invented sentences.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import SAMPLE_RATE
from core.errors import ModelError
from verticals.voice.command import Transcript, Word
from verticals.voice.home.model import Vocabulary

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

EMBEDDED = "whisper-tiny.en"
# Tokens that a segment may have: nobody says more in that time, an invention may be longer.
_TOKENS_AT_LEAST, _TOKENS_A_SECOND, _TOKENS_AT_MOST = 20, 8, 200
_HINTED = 700  # characters of names; Whisper's prompt holds about 220 tokens
_SURE = -1.2  # mean log-probability below which a segment is not speech that was understood


@dataclass(frozen=True)
class Recogniser:
    """A model, and the names that it should expect."""

    model: WhisperModel
    beam: int = 5
    names: str = ""

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
        return cls(model, beam)

    def expecting(self, vocabulary: Vocabulary) -> Recogniser:
        """The same recogniser, with the names of a home given to its decoder as a hint.

        Names that are not plain words come first: those are the ones it would not hear.
        """
        names = sorted(vocabulary.names, key=lambda n: n.islower())
        kept, used = [], 0
        for name in names:
            used += len(name) + 2
            if used > _HINTED:
                break
            kept.append(name)
        return replace(self, names=", ".join(kept))

    def transcribe(self, sound: np.ndarray) -> Transcript:
        """The words of a recording; empty text where nobody speaks.

        Args:
            sound: (n,) float32 at 16 kHz.
        """
        seconds = min(len(sound) / SAMPLE_RATE, 30.0)  # that a segment can be long
        most = min(round(_TOKENS_AT_LEAST + _TOKENS_A_SECOND * seconds), _TOKENS_AT_MOST)
        segments, _ = self.model.transcribe(
            sound, language="en", beam_size=self.beam, temperature=0.0, vad_filter=True,
            condition_on_previous_text=False, word_timestamps=True, max_new_tokens=most,
            hotwords=self.names or None, no_repeat_ngram_size=3,
        )  # fmt: skip
        kept = [s for s in segments if s.avg_logprob >= _SURE]
        words = tuple(
            Word(text=w.word.strip(), start_s=round(w.start, 2), end_s=round(w.end, 2),
                 probability=round(w.probability, 4))
            for s in kept for w in s.words or ()
        )  # fmt: skip
        text = " ".join(s.text.strip() for s in kept).strip()
        if not any(c.isalnum() for c in text):
            return Transcript(text="", confidence=0.0)
        sure = math.exp(float(np.mean([s.avg_logprob for s in kept])))
        return Transcript(text=text, words=words, confidence=round(min(sure, 1.0), 4))


def _folder(name: str) -> Path | str:
    from core.models.resolver import assets, resolve

    pin = assets()["whisper_tiny_en"]
    if name in (EMBEDDED, pin.hub):
        return resolve("whisper_tiny_en")
    return name
