"""Finds generic names: brands, old names, salts, product strings and misspellings.

The table of names is drug-named-entity-recognition's; DrugBank's identifiers in it are not used.
It only names medicines: what they do to one another is for decisions/.
"""

from __future__ import annotations

import bz2
import io
import pickle
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Never

from core.errors import ModelError
from core.models.resolver import resolve
from verticals.medical.patient.lexicon import Lexicon, shipped_lexicon

_UNIT = r"(?:MG|MCG|UG|µG|G|KG|ML|L|UNT|IU|UNITS?|MEQ|MMOL|ACTUAT|HR|DAYS?|%|PERCENT)"
_STRENGTH = re.compile(rf"(?<![\w.])[\d.,]+(?:/[\d.,]+)?\s*-?{_UNIT}\b.*$", re.IGNORECASE)
_LEADING = re.compile(rf"^(?:(?:NDA\d+|[\d.,]+\s*{_UNIT}\b)\s*)+", re.IGNORECASE)
_NOTE = re.compile(r"\s*\([^)]*\)")  # propranolol (cardiovascular)
_BRAND = re.compile(r"\[([^\]]*)\]")
_WORD = re.compile(r"[A-Za-zÀ-ÿ0-9][\w'’.-]*[\w]|[A-Za-z]")
_LONGEST_NAME = 5  # words
_SHORTEST_TYPO = 6  # letters below which no misspelling is guessed
_SHORTEST_BRAND_TYPO = 8
_TWO_TYPOS = 11  # letters from which two slips are forgiven


class _Nothing(pickle.Unpickler):
    """Reads built-in containers, texts and numbers only.

    A pickle runs code through the classes and functions that it names. This one may name none,
    and the bytes are those whose SHA-256 core/models/assets.toml pins.
    """

    def find_class(self, module: str, name: str, /) -> Never:
        raise pickle.UnpicklingError(f"the table of drug names asks for {module}.{name}")


@dataclass(frozen=True)
class DrugNames:
    """Names of medicines and the generics that they mean; open it with `DrugNames.open`."""

    variants: Mapping[str, str] = field(repr=False)  # lower-case name -> the table's generic
    generics: frozenset[str] = field(repr=False)  # of the table, medicines and other substances
    in_use: frozenset[str] = field(repr=False)  # generics that MedlinePlus or the NHS describe
    lexicon: Lexicon = field(repr=False)

    @classmethod
    def open(cls, path: Path | None = None) -> DrugNames:
        """The pinned table, with our lexicon.

        Raises:
            ModelError: The package `drug-named-entity-recognition` is not installed, or its file
                is not the pinned one.
        """
        return _opened(resolve("drug_names", path=path))

    def find(self, text: str) -> tuple[str, ...]:
        """Generic names in a name or a sentence, in order of appearance, none twice.

        A name may be old, a brand, a salt or misspelt. In a sentence only medicines in use count,
        so that "serum potassium" is none. A misspelling is resolved only if one medicine is
        nearer than all others: one slip from 6 letters, two from 11.
        """
        written, name = _spaced(text), _tidy(text)
        if found := self._named(written) or self._named(name) or self._misspelt(name):
            return found
        return tuple(dict.fromkeys(self._in_text(text)))

    def ingredients(self, product: str) -> tuple[str, ...]:
        """Generic names of a product as RxNorm or a prescription writes it.

        "Naproxen sodium 220 MG Oral Tablet" has naproxen. A brand in brackets counts only if
        nothing else is known. Empty if none is.
        """
        plain = _BRAND.sub(" ", product)
        found = [g for part in re.split(r"\s[/+]\s|;", plain) for g in self._ingredient(part)]
        if not found:
            found = [g for brand in _BRAND.findall(product) for g in self.find(brand)]
        return tuple(dict.fromkeys(found))

    def classes(self, generic: str) -> frozenset[str]:
        """Classes of a medicine, with those that contain them; empty for an unknown one."""
        return frozenset(c for g in self._named(_tidy(generic)) for c in self._of_member.get(g, ()))

    def classes_in(self, text: str) -> tuple[str, ...]:
        """Classes named in a sentence ("an NSAID", "sulfa allergy"), in order, none twice."""
        named = self._class_pattern.findall(text.lower())
        return tuple(dict.fromkeys(self._class_names[word] for word in named))

    def members(self, drug_class: str) -> frozenset[str]:
        """Generic names in a class and in the classes that it contains."""
        return frozenset(g for g, names in self._of_member.items() if drug_class in names)

    def canonical(self) -> frozenset[str]:
        """Every generic name that can be answered; each is found as itself."""
        known = {*self.generics, *self.variants.values(), *self.lexicon.synonyms, *self._of_member}
        answered = {g for name in known for g in self._named(name)}
        return frozenset(g for g in answered if self._named(g) == (g,))

    def _named(self, name: str) -> tuple[str, ...]:
        """Generics of exactly this name, without guessing; several of a combination."""
        generic = name if name in self.generics else self.variants.get(name, name)
        return self._parts(_NOTE.sub("", generic)) or self._single(name)

    def _single(self, name: str) -> tuple[str, ...]:
        """Generics of a name that is not to be taken apart."""
        if name in self._ours:
            return self._ours[name]
        generic = name if name in self.generics else self.variants.get(name)
        if generic is None:
            brand, _, release = name.replace("-", " ").rpartition(" ")
            released = release in self.lexicon.releases and brand in self.variants
            return self._single(brand) if released else self._without_salt(name)
        plain = _NOTE.sub("", generic).strip(" ,")
        if plain not in self.generics and plain not in self._ours:
            plain = generic
        return self._ours.get(plain) or self._without_salt(plain) or (plain,)

    def _without_salt(self, name: str) -> tuple[str, ...]:
        words = name.split()
        while len(words) > 1 and words[-1] in self.lexicon.salts:
            words.pop()
            base = " ".join(words)
            if base not in self.lexicon.bare and (base in self._ours or base in self.in_use):
                return self._ours.get(base, (base,))
        return ()

    def _parts(self, name: str) -> tuple[str, ...]:
        """Generics of a combination written as a list, if every one of them is known."""
        if name in self._ours or (" and " not in name and "/" not in name):
            return ()
        parts = [p.strip() for p in re.split(r",? and |, |/", name) if p.strip()]
        found = [self._single(part) for part in parts]
        if len(parts) < 2 or not all(found) or any((name,) == generics for generics in found):
            return ()
        return tuple(dict.fromkeys(g for generics in found for g in generics))

    def _ingredient(self, part: str) -> tuple[str, ...]:
        name = _tidy(_STRENGTH.sub("", _LEADING.sub("", part.strip())))
        if not name:
            return ()
        return self._named(name) or self._misspelt(name) or self.find(name)

    def _in_text(self, text: str) -> Iterator[str]:
        """Generics in a sentence: the longest names first, then misspelt words."""
        words = [_tidy(w) for w in _WORD.findall(text)]
        at = 0
        while at < len(words):
            for length in range(min(_LONGEST_NAME, len(words) - at), 0, -1):
                if found := self._mentioned(" ".join(words[at : at + length])):
                    yield from found
                    at += length
                    break
            else:
                yield from self._misspelt(words[at], in_text=True)
                at += 1

    def _mentioned(self, name: str) -> tuple[str, ...]:
        if name in self.lexicon.not_in_text:
            return ()
        if name in self._ours:
            return self._ours[name]
        if name not in self.variants:
            return self._without_salt(name)
        found = self._named(name)
        return found if all(g in self.in_use or g in self._ours for g in found) else ()

    def _misspelt(self, word: str, *, in_text: bool = False) -> tuple[str, ...]:
        """Generics of the one name that is nearest to a misspelt one, if it is near enough.

        In a sentence only generic names are guessed: an ordinary word is too often one letter
        off some brand ("attention", "primary").
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        shortest = _SHORTEST_TYPO + in_text
        if len(word) < shortest or word in self._known_words or not word.isalpha():
            return ()
        slips = 2 if len(word) >= _TWO_TYPOS else 1
        spellings = self._generic_spellings
        if not in_text and len(word) >= _SHORTEST_BRAND_TYPO:
            spellings = spellings + self._brand_spellings
        within = process.extract(
            word, spellings, scorer=OSA.distance, score_cutoff=slips, limit=None
        )
        # A slip seldom hits the first letter, and a different one is often a different medicine.
        near = [(name, distance) for name, distance, _ in within if name[0] == word[0]]
        best = min((distance for _, distance in near), default=0)
        meant = {self._named(name) for name, distance in near if distance == best}
        return meant.pop() if len(meant) == 1 else ()

    @cached_property
    def _ours(self) -> dict[str, tuple[str, ...]]:
        """Generics by every name of our lexicon."""
        ours = {name: (name,) for c in self.lexicon.classes.values() for name in c.members}
        for generic, names in self.lexicon.synonyms.items():
            ours |= dict.fromkeys((generic, *names), (generic,))
        return ours | dict(self.lexicon.combinations)

    @cached_property
    def _of_member(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for name, drug_class in self.lexicon.classes.items():
            for member in drug_class.members:
                wider = self.lexicon.ancestors(name)
                found[member] = found.get(member, frozenset()) | wider
        return found

    @cached_property
    def _class_names(self) -> dict[str, str]:
        return {
            word: name
            for name, drug_class in self.lexicon.classes.items()
            for word in (name, *drug_class.called)
        }

    @cached_property
    def _class_pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._class_names, key=len, reverse=True)
        return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")

    @cached_property
    def _generic_spellings(self) -> tuple[str, ...]:
        """Single-word generic names of medicines in use, which a misspelt word may mean."""
        names = {*self.in_use, *self._ours} - self.lexicon.not_in_text
        return tuple(sorted(n for n in names if n.isalpha() and len(n) >= _SHORTEST_TYPO - 1))

    @cached_property
    def _brand_spellings(self) -> tuple[str, ...]:
        """Their other single-word names."""
        names = {n for n, g in self.variants.items() if g in self.in_use or g in self._ours}
        long = {n for n in names if n.isalpha() and len(n) >= _SHORTEST_BRAND_TYPO - 1}
        return tuple(sorted(long - {*self._generic_spellings} - self.lexicon.not_in_text))

    @cached_property
    def _known_words(self) -> frozenset[str]:
        """Words that are spelt right: any name of the table or word of ours."""
        ours = (*self._ours, *self._class_names, *self.lexicon.not_in_text)
        return frozenset((*self.variants, *self.generics, *ours))


@cache
def _opened(file: Path) -> DrugNames:
    """The table of a verified file, read once in a process."""
    try:
        table: Any = _Nothing(io.BytesIO(bz2.decompress(file.read_bytes()))).load()
        described = table["drug_canonical_to_data"]
        variants = {n: g[0] for n, g in table["drug_variant_to_canonical"].items() if g}
    except (pickle.UnpicklingError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the drug names cannot be read ({error})", where=str(file)) from None
    in_use = {n for n, d in described.items() if "medline_plus_id" in d or "nhs_url" in d}
    return DrugNames(variants, frozenset(described), frozenset(in_use), shipped_lexicon())


def _spaced(name: str) -> str:
    """Lower case, single spaces, plain apostrophes."""
    return " ".join(name.replace("’", "'").lower().split())


def _tidy(name: str) -> str:
    """The same without punctuation at the ends."""
    return _spaced(name).strip(" ,;:.!?\"'")
