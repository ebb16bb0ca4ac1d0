"""Finds near-duplicates by MinHash over windows of words (Broder, 1997), in bounded memory.

Two documents are one only if their numbers agree as well: a text that differs from another in a
dose alone is not a copy of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

BANDS, ROWS = 6, 5  # finds 97% of pairs of similarity 0.85 and 99.5% of those of 0.9
WINDOW = 24  # bytes from the start of each word: about four words of normal text
SHORTEST = 20  # words; a shorter text is a copy only if it is the same
SIMILAR = 0.85  # Jaccard similarity of the windows from which two documents are one
SKETCH = np.dtype((np.uint32, BANDS))
_SEED = 20261123
_MULTIPLIERS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64
)
_PLAIN = bytes(
    c if c >= 128 else ord(chr(c).lower()) if chr(c).isalnum() else 32 for c in range(256)
)
_NUMBER = re.compile(rb"\d+")


def normalised(text: str) -> bytes:
    """Lower-case words split by one space, without punctuation; what is not ASCII stays."""
    return b" ".join(text.encode("utf-8", "replace").translate(_PLAIN).split())


def sketches(texts: Sequence[bytes]) -> NDArray[np.uint32]:
    """MinHash bands: documents that share one are likely near-duplicates.

    Args:
        texts: Normalised texts.

    Returns:
        (n, BANDS) keys; 0 in every band where a text has no word.
    """
    from rensa import RMinHash

    hashes, offsets = _windows(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, BANDS * ROWS, _SEED)
    digests = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(texts), BANDS, ROWS)
    mixed = np.zeros((len(texts), BANDS), dtype=np.uint64)
    for row in range(ROWS):
        mixed = (mixed ^ digests[:, :, row]) * _MULTIPLIERS[0]
        mixed ^= mixed >> np.uint64(29)
    keys = (mixed >> np.uint64(32)).astype(np.uint32)
    keys[np.diff(offsets.astype(np.int64)) == 0] = 0
    return keys


def pairs(
    numbers: NDArray[np.int64],
    keys: NDArray[np.uint32],
    text_of: Callable[[int], bytes | None],
) -> Iterator[tuple[int, int]]:
    """Near-duplicates as (document, the earlier document that it repeats), each checked.

    Args:
        numbers: (n,) document numbers, ascending.
        keys: (n, BANDS) their sketches.
        text_of: Normalised title and text by number; None for a document that is not there.
    """
    merged: dict[int, int] = {}
    for band in range(keys.shape[1]):
        order = np.argsort(keys[:, band], kind="stable")
        column = keys[order, band]
        same = np.flatnonzero((column[1:] == column[:-1]) & (column[1:] != 0)) + 1
        starts = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
        firsts = starts[np.searchsorted(starts, same, side="right") - 1]
        for at, first in zip(same, firsts, strict=True):
            later, earlier = int(numbers[order[at]]), int(numbers[order[first]])
            earlier = merged.get(earlier, earlier)
            if later in merged or later == earlier:
                continue
            one, other = text_of(earlier), text_of(later)
            if one is not None and other is not None and alike(one, other):
                merged[later] = earlier
                yield later, earlier


def alike(one: bytes, other: bytes) -> bool:
    """Whether two normalised texts are one document: same numbers, and hardly another word."""
    if one == other:
        return True
    shorter = min(one.count(b" "), other.count(b" ")) + 1
    if shorter < SHORTEST or _NUMBER.findall(one) != _NUMBER.findall(other):
        return False
    a, b = ({*_words(text)} for text in (one, other))
    return len(a & b) >= SIMILAR * len(a | b)


def _words(text: bytes) -> Iterator[bytes]:
    """The windows that `_windows` hashes."""
    start = 0
    while start >= 0 and start < len(text):
        yield text[start : start + WINDOW]
        found = text.find(b" ", start)
        start = found + 1 if found >= 0 else -1


def _windows(texts: Sequence[bytes]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Hashes of the windows of all texts, flat, and where each text's begin: (n + 1,)."""
    joint = b" " + (b"\0" * WINDOW + b" ").join(texts) + b"\0" * WINDOW
    data = np.frombuffer(joint, dtype=np.uint8)
    starts = np.flatnonzero(data[: len(data) - WINDOW] == 32) + 1
    starts = starts[data[starts] != 0]  # an empty text has a space before it and no word
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    begins = np.concatenate([[0], np.cumsum(lengths + WINDOW + 1)]) + 1
    offsets = np.searchsorted(starts, begins).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(data, WINDOW)[starts]
    parts = np.ascontiguousarray(windows).view("<u8")  # (windows, 3)
    mixed = np.zeros(len(parts), dtype=np.uint64)
    for part in range(parts.shape[1]):
        mixed = (mixed ^ parts[:, part]) * _MULTIPLIERS[part]
        mixed ^= mixed >> np.uint64(32)
    return mixed, offsets
