"""The edge box: one folder that holds the whole chain, for a machine without torch or network.

The folder is a casekit home: with CASEKIT_HOME=FOLDER every part opens from it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ModelError

ABOUT = "edge.json"
LISTENING, WAKE = ("silero_vad",), ("speech_embedding",)  # assets that a part resolves
SPEECH = {"kokoro": ("kokoro", "kokoro_voices", "english_pronunciations", "letters_to_sounds")}
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
    parity: dict[str, float] = Field(
        default={}, description="The ExecuTorch program beside ONNX Runtime on the same sentences"
    )


def export_edge(
    folder: Path,
    *,
    home: Path | None = None,
    recogniser: Path | None = None,
    intents: Path | None = None,
    wake: Path | None = None,
    voice: str | None = None,
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
        voice: A voice whose weights are packed, such as kokoro; without one replies are text.
        executorch: Whether the intent network is also written as an ExecuTorch program, and
            compared with ONNX Runtime.
        more: Further folders by name of the part, copied as they are.

    Raises:
        ModelError: The folder is in use, a part is missing, or the program reads sentences
            differently.
    """
    from verticals.voice.home.reading import EMBEDDED
    from verticals.voice.understanding.model import SHIPPED

    _fits(folder, voice)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(home or EMBEDDED, folder / "home.yaml")
    reading, parity = _intents(folder, intents or SHIPPED, executorch=executorch)
    assets = {
        "listening": LISTENING, "wake": WAKE if wake else (), "speech": SPEECH.get(voice or "", ())
    }  # fmt: skip
    owed = {name: _copied(names, folder) for name, names in assets.items()}
    owed["recognition"] = _recogniser(folder, recogniser)
    places = {"home": ["home.yaml"], "recognition": ["recognition"], "understanding": [reading]}
    places |= {name: [f"models/{n}" for n in names] for name, names in assets.items() if names}
    for name, source in {**({"wake": wake} if wake else {}), **(more or {})}.items():
        shutil.copytree(source, folder / name)
        places[name] = [*places.get(name, []), name]
    box = EdgeBox(
        parts=tuple(_part(folder, n, where, owed.get(n, "")) for n, where in places.items()),
        home="home.yaml", recogniser="recognition", intents=reading,
        wake="wake" if wake else "", voice=voice or "", parity=parity,
    )  # fmt: skip
    (folder / ABOUT).write_bytes(orjson.dumps(box.model_dump(), option=orjson.OPT_INDENT_2))
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
    """Put a recogniser into the folder; what is owed."""
    from core.models.resolver import asset, resolve

    pin = asset("whisper_tiny_en")
    given = source or resolve(pin.name)
    (folder / "recognition").mkdir()
    for file in given.iterdir():
        if file.is_file() and (source or file.name in pin.parts):
            shutil.copyfile(file, folder / "recognition" / file.name)
    return "" if source else pin.attribution


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
