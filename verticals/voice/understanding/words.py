"""Sentences as words: where they start, what their letters look like, which slot they are in.

Knows no network; everything here is plain text and numbers, so it runs without torch.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from core.errors import DataError

BUCKETS = 16_384  # of hashed features; 0 is padding
FEATURES = 16  # of one word
_WORD = re.compile(
    r"[^\W\d_]+(?=n['’]t\b)|n['’]t\b|['’](?:s|m|d|re|ve|ll)\b"
    r"|[^\W_]+(?:[.&'’-](?!(?:s|m|d|re|ve|ll|t)\b)[^\W_]+)*|[^\s]",
    re.IGNORECASE,
)

Span = tuple[str, int, int]  # slot, first character, one past the last


@dataclass(frozen=True)
class Example:
    """A sentence with what it means.

    Attributes:
        text: As it was written or heard.
        intent: What it asks for.
        tokens: Its words, in order, as the annotator split them.
        tags: One per token: O, B-slot, I-slot.
    """

    text: str
    intent: str
    tokens: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def spans(self) -> list[Span]:
        """The slots by their characters.

        Raises:
            DataError: A token is not in the text, or there are not as many tags as tokens.
        """
        if len(self.tokens) != len(self.tags):
            raise DataError(
                f"{len(self.tokens)} tokens but {len(self.tags)} tags", where=self.text,
                remedy="Give every token one tag",
            )  # fmt: skip
        found: list[Span] = []
        at, before, text = 0, "O", self.text.lower()
        for token, tag in zip(self.tokens, self.tags, strict=True):
            start = text.find(token.lower(), at)
            if start < 0:
                raise DataError(
                    f"the token {token!r} is not in the sentence", where=self.text,
                    remedy="Tokens must appear in the text, in order",
                )  # fmt: skip
            at = start + len(token)
            if tag.startswith("I-") and before[2:] == tag[2:] and before != "O":
                found[-1] = (found[-1][0], found[-1][1], at)
            elif tag != "O":
                found.append((tag[2:], start, at))
            before = tag
        return found


def read_examples(path: Path) -> list[Example]:
    """Labelled sentences of a JSON-lines file, gzip or plain: text, intent, tokens, tags.

    Raises:
        DataError: A line is not such an object; says which.
    """
    out = []
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = orjson.loads(line)
                tags = tuple(row.get("tags", ()))
                out.append(Example(row["text"], row["intent"], tuple(row.get("tokens", ())), tags))
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise DataError(
                    f"not a labelled sentence: {error}", where=f"{path}, line {number}",
                    remedy='Write {"text": …, "intent": …, "tokens": […], "tags": […]}',
                ) from None  # fmt: skip
    return out


def split_words(text: str) -> list[tuple[int, int]]:
    """Where the words of a sentence are: (start, end) characters; clitics stand alone."""
    return [match.span() for match in _WORD.finditer(text)]


def bio(spans: Sequence[Span], words: Sequence[tuple[int, int]]) -> list[str]:
    """One tag per word: B-slot where a slot begins, I-slot inside it, O elsewhere."""
    out = []
    before = -1
    for start, end in words:
        inside = next((i for i, (_, a, b) in enumerate(spans) if start < b and end > a), -1)
        kind = "O" if inside < 0 else ("I-" if inside == before else "B-") + spans[inside][0]
        out.append(kind)
        before = inside
    return out


def spans_of(tags: Sequence[str], words: Sequence[tuple[int, int]]) -> list[Span]:
    """Slots by their characters from one tag per word."""
    found: list[Span] = []
    before = "O"
    for tag, (start, end) in zip(tags, words, strict=True):
        if tag.startswith("I-") and before != "O" and before[2:] == tag[2:]:
            found[-1] = (found[-1][0], found[-1][1], end)
        elif tag != "O":
            found.append((tag[2:], start, end))
        before = tag
    return found


def hashed(words: Sequence[str]) -> np.ndarray:
    """What the letters of each word look like: (words, FEATURES) bucket numbers.

    Word, its neighbours and pairs with them, beginnings and endings, shape, place in the
    sentence, hashed by CRC-32 (feature hashing, Weinberger et al., 2009).
    """
    low = ["<s>", "<s>", *(w.lower() for w in words), "</s>", "</s>"]
    rows = []
    for i, word in enumerate(words):
        two, one, me, right, far = low[i : i + 5]
        shape = "".join(_kind(c) for c in word)
        short = re.sub(r"(.)\1+", r"\1", shape)
        rows.append((
            f"w{me}", f"-{one}", f"+{right}", f"={one}|{me}", f"~{me}|{right}",
            f"<{two}|{one}", f">{right}|{far}", f"a{me[:2]}", f"b{me[:3]}", f"c{me[:4]}",
            f"x{me[-2:]}", f"y{me[-3:]}", f"z{me[-4:]}", f"s{shape[:8]}",
            f"t{short}|{i == 0}", f"l{min(len(word), 12)}|{min(i, 4)}",
        ))  # fmt: skip
    return np.array(
        [[zlib.crc32(f.encode()) % (BUCKETS - 1) + 1 for f in row] for row in rows], np.int64
    ).reshape(len(rows), FEATURES)


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "9"
    return "A" if letter.isupper() else "a" if letter.isalpha() else letter
