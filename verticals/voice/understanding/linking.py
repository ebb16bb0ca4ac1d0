"""Links words to the names of a home: letter by letter, by spelling, then by sound."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from verticals.voice.home.model import Entity, Home

_SPELLED, _SOUNDED = 86.0, 0.8  # of 100, of 1
_FILLERS = frozenset({
    "the", "my", "our", "a", "an", "all", "of", "please", "that", "this", "these", "those", "in",
    "at", "on", "your", "every", "to", "for",
})  # fmt: skip


@dataclass(frozen=True)
class Link:
    """What a few words name."""

    name: str
    """As the home writes it."""
    score: float
    """0 to 1; 1 is the very same words."""


class Linker:
    """The names of one home, to be found again in what was heard."""

    def __init__(self, home: Home, sounds: Callable[[str], str] | None = None) -> None:
        """Take the names of a home.

        Args:
            home: Its devices, areas and floors.
            sounds: How a text sounds; None for the offline pack's pronunciations, if installed.
        """
        self._home, self._given = home, sounds
        self._cached = lru_cache(maxsize=2048)(self._find)

    @cached_property
    def _names(self) -> dict[str, tuple[tuple[str, str, str], ...]]:
        """By kind: (words, name, domain)."""
        home = self._home
        return {
            "name": tuple((plain(n), e.name, e.domain) for e in home.entities
                          for n in spoken_names(home, e)),
            "area": tuple((plain(n), a.name, "") for a in home.areas for n in (a.name, *a.aliases)),
            "floor": tuple((plain(n), f.name, "") for f in home.floors
                           for n in (f.name, *f.aliases)),
        }  # fmt: skip

    def warm(self) -> None:
        """Look up how every name sounds now, rather than at the first doubtful word."""
        for rows in self._names.values():
            for words, _, _ in rows:
                self._sound(words)

    def link(self, words: str, kind: str, *, domain: str = "") -> Link | None:
        """The nearest name, or None if none is near.

        Args:
            words: As heard, such as "the kichen lamp".
            kind: name, area or floor.
            domain: Only devices of this domain.
        """
        found = self._cached(plain(words), kind, domain)
        return found[0] if found else None

    def candidates(self, words: str, kind: str, *, domain: str = "") -> tuple[Link, ...]:
        """Names that come near, nearest first, each once."""
        return self._cached(plain(words), kind, domain)

    def nearest(self, words: str, kind: str) -> tuple[Link, ...]:
        """Names that share a word with what was said, for "did you mean": never acted on."""
        wanted = set(plain(words).split())
        found: dict[str, float] = {}
        for known, name, _ in self._names[kind]:
            shared = len(wanted & set(known.split())) / max(1, len(wanted | set(known.split())))
            if shared > found.get(name, 0.0):
                found[name] = shared
        return tuple(Link(n, s) for n, s in sorted(found.items(), key=lambda row: -row[1])[:3])

    def _find(self, words: str, kind: str, domain: str) -> tuple[Link, ...]:
        from rapidfuzz import fuzz

        if not words:
            return ()
        rows = [r for r in self._names[kind] if not domain or r[2] == domain]
        scores: dict[str, float] = {}
        for known, name, _ in rows:
            if known == words or known.replace(" ", "") == words.replace(" ", ""):
                score = 1.0
            else:
                score = min(0.99, fuzz.ratio(words, known) / 100)
                if set(known.split()) == set(words.split()):
                    score = 0.98
                elif " " in known and set(known.split()) < set(words.split()):
                    score = max(score, 0.9)
            scores[name] = max(scores.get(name, 0.0), score)
        if max(scores.values(), default=0.0) < _SPELLED / 100:
            for name, score in self._heard(words, rows).items():
                scores[name] = max(scores.get(name, 0.0), score)
            near = [(n, s) for n, s in scores.items() if s >= _SOUNDED]
        else:
            near = [(n, s) for n, s in scores.items() if s >= _SPELLED / 100]
        return tuple(Link(n, s) for n, s in sorted(near, key=lambda row: -row[1])[:3])

    def _heard(self, words: str, rows: Sequence[tuple[str, str, str]]) -> dict[str, float]:
        """How alike names sound, 0 to 1; nothing without pronunciations."""
        from rapidfuzz import fuzz

        wanted = self._sound(words)
        if len(wanted) < 3:  # two sounds resemble too much
            return {}
        found: dict[str, float] = {}
        for known, name, _ in rows:
            score = 0.97 * fuzz.ratio(wanted, self._sound(known)) / 100
            found[name] = max(found.get(name, 0.0), score)
        return found

    def _sound(self, words: str) -> str:
        return self._sounds(words)

    @cached_property
    def _sounds(self) -> Callable[[str], str]:
        return lru_cache(maxsize=4096)(self._given or _pronounced())


def spoken_names(home: Home, entity: Entity) -> tuple[str, ...]:
    """Its names, and with its area's before them: the bedroom's fan is the bedroom fan."""
    area = home.area_by_id.get(entity.area or "")
    if area is None or entity.domain in ("sensor", "binary_sensor"):
        return entity.names
    named = area.name.lower()
    placed = [f"{area.name} {n}" for n in entity.names if named not in n.lower()]
    return (*entity.names, *placed)


def plain(words: str) -> str:
    """Lower case, without punctuation, articles and a plural's s."""
    found = [w for w in re.findall(r"[\w']+", words.lower().replace("\u2019", "'"))
             if w not in _FILLERS]  # fmt: skip
    return " ".join(_singular(w.replace("'", "")) for w in found)


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _pronounced() -> Callable[[str], str]:
    """The offline pack's pronunciations; without it, no word sounds like another."""
    from core.errors import ModelError
    from verticals.voice.speech.pronounce import Pronouncer, bare

    try:
        pronouncer = Pronouncer.open()
    except ModelError:
        return lambda _: ""
    return lambda words: bare("".join(pronouncer.word(w) for w in words.split()))
