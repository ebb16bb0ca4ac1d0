"""Teaches a home new requests: about ten sentences of each, and what they ask of it.

film = Lesson("film_evening", TEN_SENTENCES,
              Entry(intent="HassTurnOn", slots={"name": "Movie night", "domain": "scene"}))
understander = teach(Understander.open(home, model=IntentModel.open()), [film])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import DataError
from verticals.voice.understanding.fewshot import Reads, Vectors, add_intents, in_words
from verticals.voice.understanding.mapping import Entry, Table
from verticals.voice.understanding.understand import Understander
from verticals.voice.understanding.words import Example, bio, split_words

FEWEST = 5  # sentences of a lesson
_PART = re.compile(r"\{(\w+):([^{}]+)\}")
_REQUESTS = Path(__file__).parents[1] / "requests.yaml"


@dataclass(frozen=True)
class Lesson:
    """Requests that a home did not know."""

    name: str
    """Of the new intent, such as plants_water."""
    sentences: Sequence[str]
    """About ten; words that fill a part stand as {plant:the roses}."""
    does: Entry
    """What they ask of the home, as in mapping.yaml."""


def teach(
    understander: Understander, lessons: Sequence[Lesson], *, encoder: Vectors | None = None
) -> Understander:
    """Understanding that knows further requests; what it was made from stays as it is.

    Args:
        understander: With a learned model.
        lessons: The new requests.
        encoder: Frozen; by default two layers of MiniLM in int8.

    Raises:
        DataError: Too few sentences, a name that is taken, or nothing to learn beside.
    """
    model = understander.model
    if not isinstance(model, Reads):
        raise DataError(
            "there is no learned model to teach", where="understander",
            remedy="Open it with model=IntentModel.open()",
        )  # fmt: skip
    for lesson in lessons:
        _check(lesson, model.intents, understander.table)
    new = [example(said, lesson.name) for lesson in lessons for said in lesson.sentences]
    grown = add_intents(model, new, others=_known(model), encoder=encoder)
    means = understander.table.intents | {lesson.name: lesson.does for lesson in lessons}
    return understander.reading(grown, understander.table.model_copy(update={"intents": means}))


def example(said: str, intent: str) -> Example:
    """A sentence with its parts in braces as one with tags.

    Example:
        >>> example("water the {plant:roses}", "plants_water").spans()
        [('plant', 10, 15)]
    """
    spans, text, at = [], "", 0
    for mark in _PART.finditer(said):
        text += said[at : mark.start()]
        spans.append((mark[1], len(text), len(text) + len(mark[2])))
        text, at = text + mark[2], mark.end()
    text += said[at:]
    words = split_words(text)
    return Example(text, intent, tuple(text[a:b] for a, b in words), tuple(bio(spans, words)))


def _check(lesson: Lesson, known: Sequence[str], table: Table) -> None:
    if lesson.name in known or lesson.name in table.intents:
        raise DataError(
            f"the intent {lesson.name!r} is known already", where="name",
            remedy="Choose another name",
        )  # fmt: skip
    if len(set(lesson.sentences)) < FEWEST:
        raise DataError(
            f"{lesson.name!r} has {len(set(lesson.sentences))} different sentences",
            where="sentences", remedy=f"Give at least {FEWEST}, better ten",
        )  # fmt: skip


def _known(model: Reads) -> list[Example]:
    """What is asked of a home otherwise: the names of the known intents, and some requests."""
    import yaml

    rows = yaml.safe_load(_REQUESTS.read_text(encoding="utf-8"))
    asked = [Example(row["text"], model.predict([row["text"]])[0].intent) for row in rows]
    return [*(Example(in_words(name), name) for name in model.intents), *asked]
