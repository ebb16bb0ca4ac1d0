"""A Piper voice (Hansen, 2023; VITS by Kim et al., 2021) on ONNX Runtime.

It was trained on espeak-ng's sounds. Where that program is installed it writes them, as a process
of its own; elsewhere our own pronunciations are put into its notation. No code under the GPL is
imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import resample
from core.errors import ModelError
from verticals.voice.speech.numbers import spelled_out
from verticals.voice.speech.programs import found, spoken
from verticals.voice.speech.pronounce import Pronouncer
from verticals.voice.speech.voice import chosen

if TYPE_CHECKING:
    import onnxruntime

_FILE = "en_US-joe-medium.onnx"
_LONGEST = 400  # sounds of one piece
_PAUSE_S = 0.2  # between sentences
_QUIET = 0.1  # seconds of silence where there is nothing to say
_CLAUSE = re.compile(r"[^,;:.!?]+[,;:.!?]*")
# misaki's letters in espeak-ng's notation; longer ones first.
_ESPEAK = {
    "ɜɹ": "ɜː", "əɹ": "ɚ", "A": "eɪ", "I": "aɪ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "ʧ": "tʃ",
    "ʤ": "dʒ", "ᵊ": "ə", "ɑ": "ɑː", "ɔ": "ɔː", "u": "uː",
}  # fmt: skip
_LETTERS = re.compile("|".join(_ESPEAK))
_LONG_I = re.compile(r"i(?=\w)|(?<=ˈ)i|(?<=ˌ)i")  # short only at the end of a word

Sounds = Callable[[str], Sequence[str]]
"""Text to the sounds of its sentences, in espeak-ng's notation."""


@dataclass(frozen=True)
class Piper:
    """A network that speaks sounds in one voice."""

    network: onnxruntime.InferenceSession
    table: Mapping[str, Sequence[int]]  # sound -> numbers
    rate: int  # samples a second
    scales: tuple[float, float, float]  # noise, length, noise of lengths
    sounds: Sounds

    @classmethod
    def open(cls, *, threads: int = 2, espeak: bool | None = None) -> Piper:
        """The voice of the offline pack.

        Args:
            threads: Processor threads.
            espeak: Whether espeak-ng writes the sounds; None where it is installed.

        Raises:
            ModelError: The voice is not installed or not the pinned files, or espeak-ng was asked
                for and is not there.
        """
        import onnxruntime
        import orjson

        from core.models.resolver import resolve

        folder = resolve("piper_joe")
        about = orjson.loads((folder / f"{_FILE}.json").read_bytes())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        network = onnxruntime.InferenceSession(
            str(folder / _FILE), options, providers=["CPUExecutionProvider"]
        )
        how = about["inference"]
        return cls(
            network, about["phoneme_id_map"], int(about["audio"]["sample_rate"]),
            (how["noise_scale"], how["length_scale"], how["noise_w"]), _sounds(espeak),
        )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """Its speakers."""
        return ("joe",)

    def say(
        self, text: str, *, speaker: str | None = None, speed: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """A sentence as (n,) float32 at 16 kHz.

        It varies a little from one time to the next: the network draws its own noise, which no
        seed reaches.
        """
        del seed
        chosen(self.names, speaker)
        pieces: list[np.ndarray] = []
        for sounds in self.sounds(spelled_out(text)):
            for part in _cut(sounds):
                pieces += [self._say(part, speed), np.zeros(int(_PAUSE_S * self.rate), np.float32)]
        silence = np.zeros(int(_QUIET * self.rate), np.float32)
        return resample(np.concatenate(pieces[:-1] or [silence]), self.rate)

    def _say(self, sounds: str, speed: float) -> np.ndarray:
        """(n,) float32 at the voice's own rate."""
        (pad,), (begin,), (end,) = (self.table[mark] for mark in "_^$")
        known = [number for s in sounds for number in self.table.get(s, ())]
        numbers = [begin, pad, *(n for number in known for n in (number, pad)), end]
        noise, length, lengths = self.scales
        (sound,) = self.network.run(None, {
            "input": np.array([numbers], np.int64),
            "input_lengths": np.array([len(numbers)], np.int64),
            "scales": np.array([noise, length / speed, lengths], np.float32),
        })  # fmt: skip
        return np.clip(np.asarray(sound, np.float32).ravel(), -1, 1)


def espeak_sounds(text: str, path: str) -> list[str]:
    """The sounds of sentences as espeak-ng writes them, with the text's own punctuation.

    Args:
        text: In words.
        path: Of espeak-ng.

    Raises:
        ModelError: The program failed.
    """
    clauses = [c.strip() for c in _CLAUSE.findall(" ".join(text.split()))]
    clauses = [c for c in clauses if any(letter.isalnum() for letter in c)]
    if not clauses:
        return []
    # A line for each, which the program answers by a line, whatever it makes of the punctuation.
    lines = "\n".join(f"{clause.rstrip(',;:.!?')}." for clause in clauses)
    told = [t.strip() for t in spoken(path, _OPTIONS, lines).splitlines() if t.strip()]
    if len(told) != len(clauses):  # it read a word as the end of a clause
        return [f"{', '.join(told)}."]
    return _sentences(
        f"{sounds}{clause[len(clause.rstrip(',;:.!?')) :][:1]}"
        for sounds, clause in zip(told, clauses, strict=True)
    )


_OPTIONS = ("-q", "--ipa", "--stdin", "-v", "en-us")


def as_espeak(sounds: str) -> str:
    """Sounds in misaki's notation as espeak-ng would write them.

    >>> as_espeak("ðə kˈɪʧᵊn lˈIt")
    'ðə kˈɪtʃən lˈaɪt'
    """
    return _LETTERS.sub(lambda m: _ESPEAK[m[0]], _LONG_I.sub("iː", sounds))


def _sounds(espeak: bool | None) -> Sounds:
    if espeak is not False:
        try:
            path = found("espeak-ng")
        except ModelError:
            if espeak:
                raise
        else:
            return lambda text: espeak_sounds(text, path)
    pronouncer = Pronouncer.open()
    return lambda text: _sentences(_CLAUSE.findall(as_espeak(pronouncer.text(text))))


def _sentences(clauses: Iterable[str]) -> list[str]:
    """Clauses that end in a comma are put together with what follows."""
    whole = " ".join(c.strip() for c in clauses)
    return [s for s in re.split(r"(?<=[.!?])\s+", whole) if s]


def _cut(sounds: str) -> list[str]:
    """Pieces that the network takes, cut at a comma or a blank."""
    parts, rest = [], sounds
    while len(rest) > _LONGEST:
        at = max(rest.rfind(",", 0, _LONGEST), rest.rfind(" ", 0, _LONGEST))
        at = at if at > 0 else _LONGEST - 1
        parts.append(rest[: at + 1])
        rest = rest[at + 1 :].lstrip()
    return [*parts, rest]
