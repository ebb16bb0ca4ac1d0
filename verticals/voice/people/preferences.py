"""What somebody likes, as words: "set the bedroom to my temperature" means theirs.

Like corrections, it rewrites a sentence before it is understood, so that permissions and questions
hold. "My" and "my usual" are said of a room, a temperature, a brightness, music, whatever is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.errors import DataError
from verticals.voice.understanding.confirm import answer
from verticals.voice.understanding.normalise import plain_words

Preference = str | float | bool
_LONGEST = 60  # letters of a name or a value
_UNITS = {"temperature": " degrees", "brightness": " percent", "volume": " percent"}


def checked(key: str, value: Preference) -> str:
    """The plain name of a preference.

    Raises:
        DataError: It has no name, is too long, or would answer a question.
    """
    name = plain_words(key.replace("_", " "))
    words = value if isinstance(value, str) else ""
    if not name or max(len(name), len(words)) > _LONGEST or not words.isprintable():
        raise DataError("that is no preference", where="preference",
                        remedy=f"Use a name and a value of 1 to {_LONGEST} letters")  # fmt: skip
    if answer(name) is not None or (words and answer(words) is not None):
        raise DataError("yes and no are never preferred", where="preference",
                        remedy="Answer for yourself, every time")  # fmt: skip
    return name


def preferred(text: str, preferences: Mapping[str, Preference]) -> str:
    """The text with what is somebody's own put in its place.

    >>> preferred("Set it to my usual temperature", {"temperature": 20.5})
    'Set it to 20.5 degrees'
    """
    said = {name: _words(name, value) for name, value in preferences.items()}
    said = {name: words for name, words in said.items() if words}
    if not said:
        return text
    longest = sorted(said, key=len, reverse=True)
    names = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in longest)
    pattern = re.compile(rf"\bmy\s+(?:usual\s+|favou?rite\s+)?({names})\b", re.IGNORECASE)
    return pattern.sub(lambda found: said[" ".join(found[1].lower().split())], text)


def _words(name: str, value: Preference) -> str:
    """A value as it is said; a yes or no has no words."""
    if isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else f"{value:g}{_UNITS.get(name, '')}"
