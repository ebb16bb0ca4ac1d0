"""How text sounds, one letter a sound: so that what was misheard can be compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from core.errors import ModelError

Sounds = Callable[[str], str]


@lru_cache(maxsize=1)
def sounds_of() -> Sounds:
    """The offline pack's pronunciations; where they are not installed, letters are sounds.

    Returns:
        A function of a text; numbers are spoken, punctuation is not.
    """
    from verticals.voice.speech.pronounce import Pronouncer, bare

    try:
        pronounced: Sounds = Pronouncer.open().word
    except ModelError:
        pronounced = _letters

    @lru_cache(maxsize=4096)
    def word(text: str) -> str:
        return bare(pronounced(text))

    return lambda text: "".join(map(word, spoken_words(text)))


def spoken_words(text: str) -> list[str]:
    """The words of a text as they are spoken, in lower case.

    Example:
        >>> spoken_words("Make me a 12-ounce latte, please!")
        ['make', 'me', 'a', 'twelve', 'ounce', 'latte', 'please']
    """
    from verticals.voice.speech.numbers import spelled_out

    return re.findall(r"[a-z]+(?:'[a-z]+)?", spelled_out(text.replace("\u2019", "'")).lower())


def _letters(word: str) -> str:
    return word.replace("'", "")
