"""One form for what was said: words without case or punctuation, numbers as digits."""

from __future__ import annotations

import re

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_CONTRACTIONS = (
    (r"\bwon't\b", "will not"), (r"\bcan't\b", "can not"), (r"\bcannot\b", "can not"),
    (r"n't\b", " not"), (r"\blet's\b", "let us"), (r"\by'all\b", "you all"),
    (r"\b(what|how|where|who|when|that|there|it|he|she|here)'?s\b", r"\1 is"),
    (r"'re\b", " are"), (r"'ll\b", " will"), (r"'ve\b", " have"), (r"'d\b", " would"),
    (r"\bi'm\b", "i am"),
)  # fmt: skip
_SPELLINGS = (
    (r"\bo'clock\b", "oclock"), (r"\b([ap])\.\s?m\b\.?", r"\1m"), (r"\bokay\b", "ok"),
    (r"\bt\.?\s?v\b\.?", "tv"), (r"\bmr\b\.?", "mister"), (r"\bmrs\b\.?", "missus"),
    (r"\bdr\b\.?", "doctor"), (r"\bwi-fi\b", "wifi"), (r"\bcolour", "color"),
    (r"\bgrey\b", "gray"), (r"\s*%", " percent"), (r"\bper cent\b", "percent"),
    (r"(?<=\d)\s*°\s*c?\b", " degrees "), (r"°", " degrees "), (r"\bnever mind\b", "nevermind"),
    (r"\b(its|hows|whats|wheres)\b(?= (the|my|our|a|it)\b)", r"\1"),
    (r"\bwhats\b", "what is"), (r"\bhows\b", "how is"), (r"\bwheres\b", "where is"),
    (r"&", " and "),
)  # fmt: skip
_CALLED = re.compile(
    r"^\s*(?:(?:hey|hi|hello|ok|okay)\s+)?"
    r"(?:alexa|siri|google|olly|computer|jarvis|nabu|casekit|assistant|home assistant)\b[\s,.:!]*",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:please|kindly|(?:can|could|would|will) (?:you|u)(?: please)?|"
    r"i(?:'d| would) (?:like|want)(?: you)? to|i want you to|i need you to|go ahead and)\s+",
    re.IGNORECASE,
)
_THANKS = re.compile(r"[\s,]+(?:please|thanks|thank you|for me|right now)[\s.!?]*$", re.IGNORECASE)


def plain_words(text: str) -> str:
    """Lower-case words without punctuation, contractions written out, numbers as digits.

    Two transcripts that say the same become equal, so that word errors count hearing only.

    Example:
        >>> plain_words("What's the time? Set it to twenty-five%.")
        'what is the time set it to 25 percent'
    """
    text = text.lower().replace("\u2019", "'")
    for pattern, instead in (*_CONTRACTIONS, *_SPELLINGS):
        text = re.sub(pattern, instead, text)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=\d)\.(?=\d)", " point ", text)
    text = re.sub(r"[^\w\s']|_", " ", text)
    text = re.sub(r"(?<=\d)(?=[a-z])(?!st\b|nd\b|rd\b|th\b)", " ", text)
    words = [word.strip("'").replace("'", "") for word in text.split()]
    return " ".join(digits([word for word in words if word]))


def digits(words: list[str]) -> list[str]:
    """Number words as digits: ["twenty", "one"] is ["21"]; other words stay."""
    found: list[str] = []
    position = 0
    while position < len(words):
        value, used = _number(words, position)
        found.append(str(value) if used else words[position])
        position += used or 1
    return found


def request(text: str) -> str:
    """The request alone: without the name that was called, please and thanks.

    Example:
        >>> request("Hey Alexa, could you please turn on the fan?")
        'turn on the fan'
    """
    found = _CALLED.sub("", text.strip()) or text.strip()
    while True:
        shorter = _THANKS.sub("", _POLITE.sub("", found)).strip()
        if shorter == found or not shorter:
            break
        found = shorter
    return found.strip(" .!?,")


def grammatical(text: str) -> str:
    """The request as the grammar expects it: numbers as digits, 'half' where it is a share."""
    text = request(text).replace("\u2019", "'")
    text = re.sub(r"\s*%", " percent", text)
    text = re.sub(r"\s*°\s*[cf]?\b|\s*°", " degrees", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text, flags=re.IGNORECASE)
    for pattern, instead in _HALVES:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    found: list[str] = []
    words = re.findall(r"\S+", text)
    lower = [re.sub(r"[.,!?;]+$", "", word).lower() for word in words]
    position = 0
    while position < len(words):
        value, used = _number(lower, position)
        # "the kitchen one", "this one" and "no one" mean no number.
        alone = used == 1 and lower[position] in ("one", "a") and not _counts(lower, position)
        if used and not alone:
            tenths, more = _tenths(lower, position + used)
            found.append(f"{value}{tenths}")
            position += used + more
        else:
            found.append(re.sub(r"[,!?;]+$|\.$", "", words[position]))
            position += 1
    return " ".join(found)


_HALVES = (
    (r"\b(to|at|by) (?:a )?half\b(?! (?:an|a|past|hour))(?: (?:way|brightness|volume))?",
     r"\1 50 percent"),
    (r"\bhalf ?way\b", "to 50 percent"), (r"\bto (?:a )?third\b", "to 33 percent"),
    (r"\bto (?:a )?quarter\b(?! (?:past|to))", "to 25 percent"),
    (r"\bto three quarters\b", "to 75 percent"),
    (r"\bto full(?: (?:brightness|volume))?\b", "to 100 percent"),
)  # fmt: skip
_AFTER_ONE = frozenset({
    "percent", "degree", "degrees", "second", "seconds", "minute", "minutes", "hour", "hours",
    "hundred", "am", "pm",
})  # fmt: skip


def _tenths(words: list[str], position: int) -> tuple[str, int]:
    """The words point five after a number, and how many words it takes."""
    digit = words[position + 1] if position + 1 < len(words) else ""
    if words[position : position + 1] == ["point"] and _UNITS.get(digit, 10) < 10:
        return f".{_UNITS[digit]}", 2
    return "", 0


def _counts(words: list[str], position: int) -> bool:
    following = words[position + 1] if position + 1 < len(words) else ""
    before = words[position - 1] if position else ""
    return following in _AFTER_ONE or before in ("to", "at", "by")


def _number(words: list[str], start: int) -> tuple[int, int]:
    """The number that begins at a word, and how many words it takes; (0, 0) if none does."""
    total, current, used, last = 0, 0, 0, 0
    for position in range(start, len(words)):
        word = words[position]
        small = current % 100
        if word in _UNITS:
            joins = not used or last in (100, 1000) or (small >= 20 and small % 10 == 0
                                                        and 0 < _UNITS[word] < 10)  # fmt: skip
            if not joins:
                break
            current, last = current + _UNITS[word], 1
        elif word in _TENS:
            if used and last not in (100, 1000):
                break
            current, last = current + _TENS[word], 10
        elif word in _SCALES and used and last != 1000:
            scale = _SCALES[word]
            if scale == 100:
                current, last = max(current, 1) * 100, 100
            else:
                total, current, last = total + current * scale, 0, 1000
        elif word == "and" and last in (100, 1000) and _more(words, position + 1):
            pass
        else:
            break
        used = position - start + 1
    return (total + current, used) if used else (0, 0)


def _more(words: list[str], position: int) -> bool:
    return position < len(words) and (words[position] in _UNITS or words[position] in _TENS)
