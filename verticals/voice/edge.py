"""The edge box: one folder that holds the whole chain, for a machine without torch or network.

The folder is a casekit home: with CASEKIT_HOME=FOLDER every part opens from it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ModelError

ABOUT = "edge.json"
LISTENING, WAKE = ("silero_vad",), ("speech_embedding",)  # assets that a part resolves
PEOPLE = ("voicefilter_embedder",)
_SOUNDS = ("english_pronunciations", "letters_to_sounds")
SPEECH = {"kokoro": ("kokoro", "kokoro_voices", *_SOUNDS), "joe": ("piper_joe", *_SOUNDS)}
_SAME = 0.9  # of the sentences, at least, that the program has to read with the same intent


class EdgePart(BaseModel):
    """One part of the chain in the folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="home, listening, recognition, understanding, wake, speech …")
    files: dict[str, str] = Field(description="SHA-256 by path inside the folder")
    bytes: int = Field(description="Of all its files")
    attribution: str = Field(default="", description="Owed for the weights, with their licence")


class EdgeBox(BaseModel):
    """What a folder holds, as its edge.json says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[EdgePart, ...]
    home: str = Field(description="Path of the home's YAML inside the folder")
    recogniser: str = Field(description="Path of the CTranslate2 model inside the folder")
    intents: str = Field(description="Path of the exported intent model inside the folder")
    wake: str = Field(default="", description="Path of the wake word's detector; empty for none")
    voice: str = Field(default="", description="Name of the voice; empty for text only")
    people: bool = Field(default=False, description="Whether it can tell people by their voices")
    parity: dict[str, float] = Field(
        default={}, description="The ExecuTorch programs beside ONNX Runtime on the same input"
    )


def export_edge(
    folder: Path,
    *,
    home: Path | None = None,
    recogniser: Path | None = None,
    intents: Path | None = None,
    wake: Path | None = None,
    voice: str | None = None,
    people: bool = False,
    executorch: bool = True,
    more: Mapping[str, Path] | None = None,
) -> EdgeBox:
    """Put the chain into a folder.

    Args:
        folder: New or empty.
        home: Its rooms and devices as YAML; the embedded home by default.
        recogniser: A CTranslate2 folder, such as `fine_tune` writes; Whisper tiny.en by default.
        intents: Folder of an intent model with its weights; the shipped one by default.
        wake: Folder of a trained wake word.
        voice: A voice whose weights are packed, kokoro or joe; without one replies are text.
        people: Whether the speaker encoders are packed; nobody's voice is.
        executorch: Whether the intent network is also written as an ExecuTorch program, and
            compared with ONNX Runtime, as is the program of a wake word.
        more: Further folders by name of the part, copied as they are.

    Raises:
        ModelError: The folder is in use, a part is missing, or the program reads sentences
            differently.
    """
    from core.models.resolver import asset
    from verticals.voice.home.reading import EMBEDDED
    from verticals.voice.understanding.model import SHIPPED

    _fits(folder, voice)
    with _appearing(folder) as place:
        shutil.copyfile(home or EMBEDDED, place / "home.yaml")
        reading, parity = _intents(place, intents or SHIPPED, executorch=executorch)
        speech = SPEECH.get(voice or "", ())
        assets = {"listening": LISTENING, "wake": WAKE if wake else (), "speech": speech,
                  "people": PEOPLE if people else ()}  # fmt: skip
        owed = {name: _copied(names, place) for name, names in assets.items()}
        owed["recognition"] = _recogniser(place, recogniser)
        places = {"home": ["home.yaml"], "recognition": ["recognition"], "understanding": [reading]}
        places |= {name: [f"models/{n}" for n in names] for name, names in assets.items() if names}
        if wake is not None:
            parity |= _wake(place, wake)
            places["wake"].append("wake")
        if people:
            places["people"].append(_encoder(place))
            owed["people"] = f"{owed['people']}; {asset('resemblyzer').attribution}"
        for name, source in (more or {}).items():
            shutil.copytree(source, place / name)
            places[name] = [*places.get(name, []), name]
        box = EdgeBox(
            parts=tuple(_part(place, n, where, owed.get(n, "")) for n, where in places.items()),
            home="home.yaml", recogniser="recognition", intents=reading,
            wake="wake" if wake else "", voice=voice or "", people=people, parity=parity,
        )  # fmt: skip
        (place / ABOUT).write_bytes(orjson.dumps(box.model_dump(), option=orjson.OPT_INDENT_2))
    return box


def read_edge(folder: Path, *, check: bool = False) -> EdgeBox:
    """What a folder holds.

    Args:
        folder: Written by `export_edge`.
        check: Whether every file is compared with its SHA-256.

    Raises:
        ModelError: It is no edge folder, or a file is missing or changed.
    """
    try:
        box = EdgeBox.model_validate_json((folder / ABOUT).read_bytes())
    except (OSError, ValidationError):
        raise ModelError(
            "this is no edge folder", where=str(folder), remedy="Write one with export_edge"
        ) from None
    for part in box.parts:
        for name, digest in part.files.items():
            file = folder / name
            if not file.is_file() or (check and _digest(file) != digest):
                raise ModelError(
                    f"a file of {part.name} is missing or not the one that was exported",
                    where=str(file), remedy="Copy the folder again",
                )  # fmt: skip
    return box


def _fits(folder: Path, voice: str | None) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise ModelError("the folder is not empty", where=str(folder), remedy="Name a new one")
    if voice and voice not in SPEECH:
        raise ModelError(
            f"the voice {voice!r} cannot be packed", where="voice",
            remedy=f"Use one of {', '.join(SPEECH)}, or none",
        )  # fmt: skip


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder to fill, that has its name only when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        yield fresh
        fresh.chmod(0o755)
        if folder.exists():
            folder.rmdir()  # empty, as was looked at before
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _intents(folder: Path, source: Path, *, executorch: bool) -> tuple[str, dict[str, float]]:
    """The exported intent model's path inside the folder, and how its program compares."""
    import yaml

    from verticals.voice.spoken import REQUESTS
    from verticals.voice.understanding.model import MODEL
    from verticals.voice.understanding.program import PROGRAM, compare_reading, write_program
    from verticals.voice.understanding.weights import exported

    ready = source if (source / MODEL).is_file() else exported(source)
    # Where `exported` looks in a casekit home, so that the shipped model opens by itself too.
    place = f"models/intents/{ready.name}"
    shutil.copytree(ready, folder / place)
    if not executorch:
        return place, {}
    program = write_program(source, folder / place / PROGRAM)
    texts = [row["text"] for row in yaml.safe_load(REQUESTS.read_text(encoding="utf-8"))]
    parity = compare_reading(folder / place, program, texts)
    if parity["same_intent"] < _SAME:
        raise ModelError(
            f"the ExecuTorch program reads only {parity['same_intent']:.0%} of the sentences as "
            "the ONNX file does", where=str(program), remedy="Export with executorch=False",
        )  # fmt: skip
    return place, parity


def _copied(names: Sequence[str], folder: Path) -> str:
    """Put pinned assets where the resolver looks for them in a casekit home; what is owed."""
    from core.models.resolver import asset, resolve

    for name in names:
        pin, source = asset(name), resolve(name)
        target = folder / "models" / pin.name / Path(pin.file).name
        target.parent.mkdir(parents=True)
        if source.is_dir():
            target.mkdir()
            for part in pin.parts or [f.name for f in source.iterdir() if f.is_file()]:
                (target / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / part, target / part)
        else:
            shutil.copyfile(source, target)
    return "; ".join(asset(name).attribution for name in names)


def _recogniser(folder: Path, source: Path | None) -> str:
    """Put a recogniser into the folder, the pinned one in int8: half the size; what is owed."""
    from core.models.resolver import asset, resolve
    from verticals.voice.recognition.convert import whisper_module, write_recogniser

    target = folder / "recognition"
    if source is None:
        pin = asset("whisper_tiny_en")
        pinned = resolve(pin.name)
        write_recogniser(whisper_module(pinned), target, like=pinned)
        return pin.attribution
    target.mkdir()
    for file in source.iterdir():
        if file.is_file():
            shutil.copyfile(file, target / file.name)
    return ""


def _wake(folder: Path, source: Path) -> dict[str, float]:
    """Put a wake word into the folder, without the examples of voices that it learned from.

    Returns:
        How far its program's log-odds are from those of the ONNX file, on noise.
    """
    from verticals.voice.wake.detector import ABOUT as TOLD
    from verticals.voice.wake.detector import read_about
    from verticals.voice.wake.head import HEAD, Head
    from verticals.voice.wake.head import PROGRAM as HEAD_PROGRAM

    read_about(source)
    (folder / "wake").mkdir()
    for name in (TOLD, HEAD, HEAD_PROGRAM):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / "wake" / name)
    program = folder / "wake" / HEAD_PROGRAM
    if not program.is_file():
        return {}
    import numpy as np

    from core.deployment.executorch_export import ExecutorchSession
    from verticals.voice.wake.embedding import SpeechEmbedding

    noise = np.random.default_rng(0).normal(0, 0.05, 60_000).astype(np.float32)
    windows = SpeechEmbedding.open().windows(noise)
    ours = Head.open(folder / "wake" / HEAD).scores(windows)
    theirs = ExecutorchSession(program, ["input"]).run(None, {"input": windows})[0]
    return {"wake_largest_difference": float(np.abs(ours - theirs).max())}


def _encoder(folder: Path) -> str:
    """Put the speaker encoder that was made of torch's file where it is looked for."""
    from core.models.resolver import cache_folder
    from verticals.voice.people.encoder import encoder_file

    source = encoder_file()
    place = f"models/{source.relative_to(cache_folder()).as_posix()}"
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / place)
    return place


def _part(folder: Path, name: str, places: Sequence[str], attribution: str) -> EdgePart:
    found = [file for p in places for file in (folder / p, *(folder / p).rglob("*"))]
    files = [file for file in found if file.is_file()]
    return EdgePart(
        name=name, attribution=attribution, bytes=sum(file.stat().st_size for file in files),
        files={f.relative_to(folder).as_posix(): _digest(f) for f in sorted(files)},
    )  # fmt: skip


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
