"""The home's predictor: a recording or a sentence in, what it means and would do out.

It answers for the home in its first state and remembers nothing, so that a request gets the same
answer every time; a conversation with a real home is an `Assistant` with a connector.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.data.audio import SUFFIXES, read_audio
from core.errors import CasekitError, DataError
from verticals.voice.assistant import Assistant, Parts, open_parts
from verticals.voice.command import Command
from verticals.voice.home.model import Home
from verticals.voice.regression import changed
from verticals.voice.understanding.reject import Limits

if TYPE_CHECKING:
    from core.deployment.manifest import Manifest

# Inside a bundle.
HOME, SETTINGS, WAKE, RECOGNISER = "home.yaml", "assistant.json", "wake", "recogniser"
MODEL_FILE, PACKED_MODEL = "model.bin", "model.ct2"  # the second says what is in it
LONGEST_S = 30.0
_MOST_TEXT, _MOST_AUDIO = 500, 12_000_000  # characters


class HomeRequest(BaseModel):
    """One request: a recording or its words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = Field(default=None, max_length=_MOST_TEXT, description="Typed words")
    audio: str | None = Field(
        default=None, max_length=_MOST_AUDIO,
        description="A WAV, FLAC, Ogg or MP3 file of up to 30 s, as base64",
    )  # fmt: skip
    area: str | None = Field(default=None, description="Id of the room that it is said in")

    @model_validator(mode="after")
    def _one(self) -> HomeRequest:
        if (self.text is None) == (self.audio is None):
            raise ValueError("give either text or audio")
        return self


class HomeAnswer(BaseModel):
    """What was heard, what it means, and what it would change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    heard: str = Field(description="The words, without the wake phrase")
    heard_confidence: float = Field(ge=0, le=1)
    status: Literal["understood", "confirm", "unsure", "rejected", "unreadable"]
    commands: tuple[Command, ...] = ()
    reply: str = Field(description="What the assistant says: done, a question back, or why not")
    changes: dict[str, dict[str, Any]] = Field(
        default={}, description="By device: its new state and attributes, in a home at rest"
    )


class HomePredictor:
    """Answers requests to one home."""

    input_model = HomeRequest
    output_model = HomeAnswer
    file_field = "audio"
    file_suffixes = SUFFIXES

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """Answers in the order of the requests.

        A recording that cannot be read is an answer that says why: one bad file of thousands must
        not take the others with it.
        """
        with Assistant(self.parts) as assistant:
            return [self._answer(cast("HomeRequest", request), assistant) for request in inputs]

    def warm_up(self) -> None:
        """Read what the first answer needs."""
        self.predict([HomeRequest(text="turn on the lights")])

    def _answer(self, request: HomeRequest, assistant: Assistant) -> HomeAnswer:
        try:
            return self._heard(request, assistant)
        except CasekitError as error:
            return HomeAnswer(heard="", heard_confidence=0.0, status="unreadable",
                              reply=f"Not read: {error}")  # fmt: skip

    def _heard(self, request: HomeRequest, assistant: Assistant) -> HomeAnswer:
        rooms = self.parts.home.area_by_id
        if request.area is not None and request.area not in rooms:
            raise DataError(
                f"the home has no room {request.area!r}", where="area",
                remedy=f"Its rooms: {', '.join(rooms)}",
            )  # fmt: skip
        given = request.text if request.text is not None else _sound(request.audio or "")
        assistant.move(request.area)
        assistant.reset()
        before = assistant.states()
        turn = assistant.hear(given)
        return HomeAnswer(
            heard=turn.transcript.text, heard_confidence=round(turn.transcript.confidence, 2),
            status=turn.understood.status, commands=turn.understood.commands, reply=turn.reply,
            changes=changed(before, assistant.states()),
        )  # fmt: skip


def open_predictor(folder: Path, manifest: Manifest) -> HomePredictor:
    """The predictor of a verified bundle.

    Args:
        folder: The bundle's files.
        manifest: What it says of itself.
    """
    settings = orjson.loads((folder / SETTINGS).read_bytes())
    recogniser = settings["recogniser"]
    if (folder / RECOGNISER / PACKED_MODEL).is_file():
        recogniser = str(unpacked(folder / RECOGNISER, manifest.files))
    threshold = float(settings["threshold"])
    return HomePredictor(open_parts(
        Home.open(folder / HOME), recogniser=recogniser, endpoint=settings["endpoint"],
        wake=folder / WAKE, threads=int(settings["threads"]),
        limits=Limits(act=threshold, ask=min(Limits().ask, threshold)),
    ))  # fmt: skip


def unpacked(folder: Path, files: Mapping[str, str]) -> Path:
    """A bundle's own recogniser as CTranslate2 wants its folder: once, in the cache."""
    import shutil

    from core.models.resolver import cache_folder

    digest = files[f"{RECOGNISER}/{PACKED_MODEL}"]
    place = cache_folder() / "recognisers" / digest[:16]
    if place.is_dir():
        return place
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial)
    (partial / PACKED_MODEL).rename(partial / MODEL_FILE)
    partial.rename(place)
    return place


def _sound(audio: str) -> Any:
    try:
        data = base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        raise DataError(
            "it is not base64", where="audio", remedy="Send the file's bytes as base64"
        ) from None
    return read_audio(data, max_seconds=LONGEST_S)
