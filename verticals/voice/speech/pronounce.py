"""How English words are pronounced: a dictionary, its inflections, and a network for the rest.

Sounds are written in the notation of misaki (hexgrad, 2024): IPA with one letter for each of the
diphthongs (A I O W Y) and affricates. No code under the GPL is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

_ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "W", "AY": "I", "B": "b", "CH": "ʧ",
    "D": "d", "DH": "ð", "EH": "ɛ", "ER": "ɜɹ", "EY": "A", "F": "f", "G": "ɡ", "HH": "h",
    "IH": "ɪ", "IY": "i", "JH": "ʤ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "O",
    "OY": "Y", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u",
    "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_REDUCED = {"AH": "ə", "ER": "əɹ"}  # without stress
VOWELS = frozenset("AIOWYæɑɔəɛɜɪiʊuʌᵊᵻ")
_VOICELESS = frozenset("pfkθ")
_HISSING = frozenset("szʃʒʧʤ")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
# The letters that the network knows, and the sounds it writes, in the order of its tables.
_LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
_SOUNDS = (
    "<pad>", "<unk>", "<s>", "</s>",
    "AA0", "AA1", "AA2", "AE0", "AE1", "AE2", "AH0", "AH1", "AH2", "AO0", "AO1", "AO2", "AW0",
    "AW1", "AW2", "AY0", "AY1", "AY2", "B", "CH", "D", "DH", "EH0", "EH1", "EH2", "ER0", "ER1",
    "ER2", "EY0", "EY1", "EY2", "F", "G", "HH", "IH0", "IH1", "IH2", "IY0", "IY1", "IY2", "JH",
    "K", "L", "M", "N", "NG", "OW0", "OW1", "OW2", "OY0", "OY1", "OY2", "P", "R", "S", "SH", "T",
    "TH", "UH0", "UH1", "UH2", "UW", "UW0", "UW1", "UW2", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
_LONGEST = 20  # sounds that the network writes for a word


@dataclass(frozen=True)
class Pronouncer:
    """Words to sounds."""

    words: Mapping[str, str]  # word -> sounds, with stress marks
    network: Mapping[str, np.ndarray]  # of the letter-to-sound network

    @classmethod
    def open(cls) -> Pronouncer:
        """The dictionaries and the network of the offline pack.

        Raises:
            ModelError: They are not installed, or not the pinned files.
        """
        return _opened()

    def word(self, word: str) -> str:
        """Sounds of one word, in lower case, without punctuation."""
        known = self.words.get(word) or self._inflected(word)
        return known or "".join(_sound(s) for s in self._guessed(word.replace("'", "")))

    def text(self, text: str) -> str:
        """Sounds of a sentence, a blank between words, its commas and ends kept.

        Numbers, times and units are spoken as `spelled_out` writes them.
        """
        from verticals.voice.speech.numbers import spelled_out

        pieces = re.findall(r"[a-z]+(?:'[a-z]+)?|[,.;:!?]", spelled_out(text).lower())
        out = ""
        for piece in pieces:
            if piece in ",.;:!?":
                out += piece
            else:
                out += (" " if out else "") + (_WEAK.get(piece) or self.word(piece))
        return out

    def _inflected(self, word: str) -> str:
        """Plurals, possessives, past and -ing forms of words that are known."""
        if word.endswith("'s") or (word.endswith("s") and not word.endswith("ss")):
            for stem in (word[:-2] if word.endswith("'s") else word[:-1], word[:-2]):
                if sounds := self.words.get(stem):
                    return sounds + _ending_s(sounds)
            if word.endswith("ies") and (sounds := self.words.get(word[:-3] + "y")):
                return sounds + "z"
        if word.endswith("ed"):
            for stem in (word[:-1], word[:-2], word[:-3]):
                if sounds := self.words.get(stem):
                    return sounds + _ending_ed(sounds)
        if word.endswith("ing"):
            for stem in (word[:-3], word[:-3] + "e", word[:-4]):
                if sounds := self.words.get(stem):
                    return sounds + "ɪŋ"
        return ""

    def _guessed(self, word: str) -> list[str]:
        """ARPABET of a word in no dictionary (Park and Kim, 2019: GRU encoder and decoder)."""
        z = self.network
        letters = [_LETTERS.index(c) for c in word if c in _LETTERS] + [_LETTERS.index("</s>")]
        state = np.zeros(256, np.float32)
        for letter in letters:
            state = _gru(z["enc_emb"][letter], state, z, "enc")
        sounds: list[str] = []
        last = _SOUNDS.index("<s>")
        for _ in range(_LONGEST):
            state = _gru(z["dec_emb"][last], state, z, "dec")
            last = int((z["fc_w"] @ state + z["fc_b"]).argmax())
            if _SOUNDS[last] == "</s>":
                break
            sounds.append(_SOUNDS[last])
        return sounds

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words of the dictionaries."""
        return frozenset(self.words)


_WEAK = {"a": "ɐ", "an": "ən", "the": "ðə", "to": "tə", "and": "ænd", "of": "ʌv", "in": "ɪn"}


def bare(sounds: str) -> str:
    """Sounds without stress marks and blanks, near-equal ones written alike: for comparing."""
    table = str.maketrans({"ˈ": "", "ˌ": "", " ": "", "ᵊ": "ə", "ᵻ": "ɪ", "ɾ": "t", "ɐ": "ə",
                           "ʔ": "t", "ʌ": "ə", "ɜ": "ə"})  # fmt: skip
    return sounds.translate(table)


def _sound(arpabet: str) -> str:
    """One ARPABET symbol, stress first."""
    name, stress = arpabet.rstrip("012"), arpabet[-1]
    if stress == "0" and name in _REDUCED:
        return _REDUCED[name]
    mark = {"1": "ˈ", "2": "ˌ"}.get(stress, "")
    return mark + _ARPABET.get(name, "")


def _ending_s(sounds: str) -> str:
    last = sounds[-1]
    return "ᵻz" if last in _HISSING else "s" if last in _VOICELESS | {"t"} else "z"


def _ending_ed(sounds: str) -> str:
    last = sounds[-1]
    if last in "td":
        return "ᵻd"
    return "t" if last in _VOICELESS or last in "sʃʧ" else "d"


def _gru(x: np.ndarray, h: np.ndarray, z: Mapping[str, np.ndarray], side: str) -> np.ndarray:
    """One step of a gated recurrent unit (Cho et al., 2014); gates in the order r, z, n."""
    given = z[f"{side}_w_ih"] @ x + z[f"{side}_b_ih"]
    kept = z[f"{side}_w_hh"] @ h + z[f"{side}_b_hh"]
    reset, update = (1 / (1 + np.exp(-(given[i : i + 256] + kept[i : i + 256]))) for i in (0, 256))
    new = np.tanh(given[512:] + reset * kept[512:])
    out: np.ndarray = (1 - update) * new + update * h
    return out


@lru_cache(maxsize=1)
def _opened() -> Pronouncer:
    import orjson

    from core.models.resolver import resolve

    folder = resolve("english_pronunciations")
    words: dict[str, str] = {}
    for name in ("us_silver.json", "us_gold.json"):  # gold was checked by hand and goes before
        for word, sounds in orjson.loads((folder / name).read_bytes()).items():
            plain = sounds.get("DEFAULT") if isinstance(sounds, dict) else sounds
            # A capitalised entry must not displace the word itself.
            free = word.islower() or word.lower() not in words
            if plain and free and _WORD.fullmatch(word.lower()):
                words[word.lower()] = plain
    with np.load(resolve("letters_to_sounds")) as tables:
        network = {name: tables[name] for name in tables.files}
    return Pronouncer(words, network)


def phonemes(sounds: str) -> Sequence[str]:
    """The single sounds of a word or sentence, without marks: one letter is one sound."""
    return list(bare(sounds))
