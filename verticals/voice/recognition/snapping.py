"""Names that were misheard, put right by how they are spelled and how they sound.

"The living rom lamp" is the living room lamp, "eco bean" the Ecobee. Only what is near a name or
an alias of this home is changed, and nothing that is one already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from verticals.voice.home.model import Home
from verticals.voice.recognition.sounding import Sounds, sounds_of
from verticals.voice.understanding.linking import spoken_names

# Of 1: sounds or letters that agree, in all, and in the words that are not the same: the table
# light is not the bed light.
_NEAR, _REST_NEAR = 0.72, 0.6
_SHORTEST = 4  # sounds of a name: shorter ones resemble too much
_WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
_BETWEEN = frozenset({
    "the", "a", "an", "my", "our", "in", "on", "of", "to", "at", "is", "and", "all", "for", "with",
    "off", "up", "down", "set", "turn", "what", "what's",
})  # fmt: skip


@dataclass(frozen=True)
class Snapper:
    """The names of one home, and how they sound."""

    names: tuple[str, ...]
    sounds: Sounds

    @classmethod
    def open(cls, home: Home, sounds: Sounds | None = None) -> Snapper:
        """For the devices, rooms and floors of a home, and their aliases."""
        devices = (name for e in home.entities for name in spoken_names(home, e))
        areas = (name for a in home.areas for name in (a.name, *a.aliases))
        floors = (name for f in home.floors for name in (f.name, *f.aliases))
        return cls.of((*devices, *areas, *floors), sounds)

    @classmethod
    def of(cls, names: Iterable[str], sounds: Sounds | None = None) -> Snapper:
        """For names and aliases in their order; the first of equals counts."""
        return cls(tuple(dict.fromkeys(names)), sounds or sounds_of())

    def snap(self, text: str) -> str:
        """The text with its nearest misheard name put right; itself where none is near."""
        words = list(_WORD.finditer(text))
        plain = [w.group().lower() for w in words]
        taken = self._named(plain)
        best, change = _NEAR, text
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + self._longest + 1) + 1):
                if all(taken[start:end]) or plain[start] in _BETWEEN or plain[end - 1] in _BETWEEN:
                    continue
                kept = {w for w, t in zip(plain[start:end], taken[start:end], strict=True) if t}
                name, near = self._nearest(plain[start:end], kept)
                if near > best:
                    best = near
                    change = text[: words[start].start()] + name + text[words[end - 1].end() :]
        return change

    @cached_property
    def _known(self) -> tuple[tuple[str, list[str]], ...]:
        """Names with their words, of those that are long enough to be told from others."""
        rows = ((n, [w.lower() for w in _WORD.findall(n)]) for n in self.names)
        return tuple((n, w) for n, w in rows if len(self.sounds(" ".join(w))) >= _SHORTEST)

    @cached_property
    def _longest(self) -> int:
        return max((len(words) for _, words in self._known), default=0)

    def _nearest(self, heard: list[str], kept: set[str]) -> tuple[str, float]:
        """The name that is most like a few words, and how much; it has all words in a set."""
        best = ("", 0.0)
        for name, words in self._known:
            if not kept <= set(words):
                continue
            rest = [w for w in heard if w not in words], [w for w in words if w not in heard]
            if all(rest) and self._alike(*rest) >= _REST_NEAR:
                near = self._alike(heard, words)
                best = max(best, (name, near), key=lambda row: row[1])
        return best

    def _alike(self, one: list[str], other: list[str]) -> float:
        """Of spelling or of sound, 0 to 1."""
        from rapidfuzz import fuzz

        a, b = " ".join(one), " ".join(other)
        spelled = fuzz.ratio(a.replace(" ", ""), b.replace(" ", ""))
        return max(spelled, fuzz.ratio(self.sounds(a), self.sounds(b))) / 100

    def _named(self, plain: list[str]) -> list[bool]:
        """Which words are part of a name already."""
        found = [False] * len(plain)
        for name in self.names:
            wanted = [w.lower() for w in _WORD.findall(name)]
            for start in range(len(plain) - len(wanted) + 1):
                if wanted and plain[start : start + len(wanted)] == wanted:
                    found[start : start + len(wanted)] = [True] * len(wanted)
        return found
