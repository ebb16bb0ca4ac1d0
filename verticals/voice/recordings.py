"""A home's labelled recordings: what was said, by whom, and what should have happened.

A folder holds audio files and `recordings.jsonl`, one object a line:

    {"file": "kitchen/01.wav", "text": "turn off the kitchen light", "speaker": "ana",
     "expected": [{"intent": "HassTurnOff", "entities": ["light.kitchen"], "slots": {}}],
     "states": {"light.kitchen": {"state": "off"}}}

`expected` is what should be understood, `states` all that should change in the home's first state;
empty where nothing should happen. Either may be left out, then it is not judged. `wake` is true
where the recording begins with the wake phrase, and false where it must not wake anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import DataError
from verticals.voice.home.model import Plain

LABELS = "recordings.jsonl"
MOST_S = 600.0  # of a recording that is read: a command is shorter, and memory stays bounded


class Expected(BaseModel):
    """A command that a recording asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent: str
    entities: tuple[str, ...] = Field(default=(), description="Ids of the devices meant, any order")
    slots: dict[str, str | float] = Field(
        default={}, description="Other values, such as brightness"
    )


class Label(BaseModel):
    """A line of recordings.jsonl."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    text: str | None = Field(default=None, description="What was said, word for word")
    speaker: str = "unknown"
    expected: tuple[Expected, ...] | None = None
    states: dict[str, dict[str, Plain]] | None = Field(
        default=None, description="By device: how it stands afterwards; nothing else may change"
    )
    wake: bool = Field(default=False, description="Whether it begins with the wake phrase")


@dataclass(frozen=True)
class Recording:
    """One labelled recording; its audio is read when it is needed."""

    id: str
    path: Path
    text: str | None
    speaker: str
    expected: tuple[Expected, ...] | None
    states: dict[str, dict[str, Plain]] | None = None
    wake: bool = False


def read_recordings(folder: str | Path) -> tuple[Recording, ...]:
    """The labelled recordings of a folder, in the order of its labels.

    Raises:
        DataError: No labels, a line that cannot be read, or a file that is not there; names the
            line, the field and the remedy.
    """
    place = Path(folder)
    labels = place / LABELS
    if not labels.is_file():
        raise DataError(
            f"there is no {LABELS}", where=str(place),
            remedy='Write one line a recording: {"file": ..., "text": ..., "speaker": ...}',
        )  # fmt: skip
    found: dict[str, Recording] = {}
    for number, label in _labels(labels):
        path = (place / label.file).resolve()
        if not path.is_relative_to(place.resolve()) or not path.is_file():
            raise DataError(
                f"there is no recording {label.file!r}", where=f"{LABELS}, line {number}, file",
                remedy="Name a file inside the folder",
            )  # fmt: skip
        if label.file in found:
            raise DataError(
                f"{label.file!r} is labelled twice", where=f"{LABELS}, line {number}",
                remedy="Leave one of the lines",
            )  # fmt: skip
        found[label.file] = Recording(label.file, path, label.text, label.speaker, label.expected,
                                      label.states, label.wake)  # fmt: skip
    if not found:
        raise DataError("it is empty", where=str(labels), remedy="Label at least one recording")
    return tuple(found.values())


def fingerprint(recordings: Sequence[Recording]) -> str:
    """SHA-256 over labels and audio."""
    digest = hashlib.sha256()
    for r in recordings:
        wanted = None if r.expected is None else [e.model_dump() for e in r.expected]
        digest.update(orjson.dumps([r.id, r.text, r.speaker, wanted, r.states, r.wake]))
        digest.update(hashlib.sha256(r.path.read_bytes()).digest())
    return digest.hexdigest()


def _labels(path: Path) -> Iterator[tuple[int, Label]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, Label.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "line"
            raise DataError(
                f"{first['msg'].lower()}", where=f"{LABELS}, line {number}, {field}",
                remedy="See the module verticals.voice.recordings for an example",
            ) from None  # fmt: skip
