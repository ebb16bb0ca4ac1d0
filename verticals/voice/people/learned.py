"""What people taught: another name for something, or what a sentence should have been.

It rewrites words before they are understood. So whatever is asked about before it is done is asked
about still, and permissions hold; only words that answer such a question are never rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.errors import DataError
from verticals.voice.understanding.confirm import answer
from verticals.voice.understanding.normalise import plain_words, request

MOST = 500  # lessons; the oldest go first
_LONGEST = 200  # letters
_NAME_WORDS = 4
# Words that say what to do, or to how much: another name never changes one of them.
_DOING = frozenset({
    "turn", "switch", "put", "set", "make", "on", "off", "up", "down", "open", "close", "shut",
    "lock", "unlock", "arm", "disarm", "start", "stop", "pause", "resume", "play", "mute", "unmute",
    "dim", "brighten", "raise", "lower", "increase", "decrease", "not", "no", "yes", "all", "every",
    "everything", "except", "and", "or", "then", "percent", "degrees", "is", "are", "what", "when",
    "heat", "cool", "warm", "add", "remove", "cancel", "skip", "show", "tell", "give", "do",
})  # fmt: skip
# What many things are called: another name for one of them would change every sentence.
_COMMON = frozenset({
    "the", "a", "an", "my", "our", "this", "that", "it", "them", "in", "at", "to", "of", "for",
    "light", "lights", "lamp", "lamps", "door", "doors", "window", "windows", "blind", "blinds",
    "fan", "fans", "music", "room", "house", "home", "timer", "alarm", "temperature",
})  # fmt: skip


class Lesson(BaseModel):
    """One thing that was taught."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["name", "sentence"]
    heard: str = Field(description="Plain words: what was said or misheard")
    meant: str = Field(description="What stands in its place")
    speaker: str | None = Field(default=None, description="Whose it is; None for everybody's")


def lesson(heard: str, meant: str, *, speaker: str | None = None) -> Lesson:
    """What to learn from a correction.

    Where two sentences differ in one name only, that name is learned, and helps in every sentence;
    else the whole sentence is.

    Args:
        heard: What was heard, a sentence or a name.
        meant: What should have been heard.
        speaker: Whose way of saying it is; None for everybody's.

    Raises:
        DataError: Nothing to learn, too long, or it would answer a question for somebody.
    """
    before, after = plain_words(request(heard)), " ".join(meant.split())
    if not before or not plain_words(after) or before == plain_words(after):
        raise DataError("there is nothing to learn", where="correction",
                        remedy="Say what was heard, and what was meant instead")  # fmt: skip
    if max(len(before), len(after)) > _LONGEST:
        raise DataError("a correction is one sentence", where="correction",
                        remedy=f"Use at most {_LONGEST} letters")  # fmt: skip
    if answer(before) is not None or answer(after) is not None:
        raise DataError("yes and no are never learned", where="correction",
                        remedy="Answer for yourself, every time")  # fmt: skip
    names = _names(before.split(), plain_words(request(after)).split())
    if names is not None:
        return Lesson(kind="name", heard=names[0], meant=names[1], speaker=speaker)
    return Lesson(kind="sentence", heard=before, meant=after, speaker=speaker)


def rewritten(text: str, lessons: Sequence[Lesson], *, speaker: str | None = None) -> str:
    """The text as it was meant, in one pass; unchanged where nothing was learned.

    Args:
        text: As heard.
        lessons: Later ones go before earlier ones, a person's own before everybody's.
        speaker: Who speaks; only their own lessons count, and everybody's.
    """
    if answer(text) is not None:
        return text
    theirs = [x for x in lessons if x.speaker is None or x.speaker == speaker]
    table = {(x.kind, x.heard): x.meant for x in sorted(theirs, key=lambda x: x.speaker or "")}
    whole = table.get(("sentence", plain_words(request(text))))
    if whole is not None:
        return whole
    names = {heard: meant for (kind, heard), meant in table.items() if kind == "name"}
    if not names:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(
        r"\b(?:" + "|".join(re.escape(n).replace(r"\ ", r"\s+") for n in longest_first) + r")\b",
        re.IGNORECASE,
    )
    return pattern.sub(lambda m: names[" ".join(m[0].lower().split())], text)


def _names(before: Sequence[str], after: Sequence[str]) -> tuple[str, str] | None:
    """The one place where two sentences differ, if a name stands there in both."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    # A name by itself, such as "big lamp": what comes first is a verb in whole sentences.
    alone = start == 0 and not (set(before) | set(after)) & _DOING
    if not old or not new or max(len(old), len(new)) > _NAME_WORDS or not (start or alone):
        return None
    if (
        set(old) <= _COMMON
        or (set(old) | set(new)) & _DOING
        or any(w.isdigit() for w in (*old, *new))
    ):
        return None
    return " ".join(old), " ".join(new)
