"""The manifest: everything a bundle says about itself, and which files it may hold.

Paths and formats are checked here, by name; contents are checked by `core.deployment.bundle`.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.deployment.predictor import Predictor
from core.deployment.results import Measurement
from core.errors import BundleError

MANIFEST, SIGNATURE = "manifest.json", "signature.json"

# No pickle, nothing that may hide one (.pkl, .joblib, .pt, .pth, .bin, .npy), script or archive.
MODEL_FORMATS = (".txt", ".cbm", ".onnx", ".safetensors", ".json", ".pte", ".ct2")
OTHER_FORMATS = (".jsonl", ".csv", ".parquet", ".yaml", ".toml", ".sql", ".pmml", ".md", ".html")
SAFE_FORMATS = frozenset({*MODEL_FORMATS, *OTHER_FORMATS, ".png"})
MAX_FILES = 1_000
MAX_MANIFEST_BYTES = 16 * 2**20
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DataRecord(BaseModel):
    """Which data the model learned from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: str = Field(description="SHA-256 of the data.")
    rows: int = Field(ge=0)
    source: str = Field("", description="Where it was read from, without passwords.")
    licence: str = Field("", description="Licence and the attribution owed.")


class Golden(BaseModel):
    """Inputs with the answers the model gave when it was packed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    tolerance: float = Field(1e-6, ge=0, description="Largest absolute difference on replay.")


class Manifest(BaseModel):
    """What a bundle holds, answers and was measured to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = Field(1, description="Version of this manifest's layout.")
    case: str = Field(min_length=1, description="Name of the case that opens the bundle.")
    task: str = Field(min_length=1, description="What one answer says, in a sentence.")
    created: str = Field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"),
        description="When it was packed, UTC.",
    )
    casekit_version: str = Field(default_factory=lambda: importlib.metadata.version("casekit"))
    versions: dict[str, str] = Field({}, description="Python and the libraries that matter.")
    run_id: str = Field("", description="The run that made it.")
    input_schema: dict[str, Any] = Field(description="JSON schema of one input.")
    output_schema: dict[str, Any] = Field(description="JSON schema of one output.")
    measurements: list[Measurement] = Field(description="Metrics with their intervals.")
    data: DataRecord
    licences: dict[str, str] = Field({}, description="Licence and attribution by what it covers.")
    golden: Golden
    files: dict[str, str] = Field({}, description="SHA-256 of every file, by path.")

    @field_validator("files")
    @classmethod
    def _safe_files(cls, files: dict[str, str]) -> dict[str, str]:
        """Refuse what a folder or an archive must not hold."""
        if len(files) > MAX_FILES:
            raise ValueError(f"{len(files)} files, at most {MAX_FILES} are allowed")
        for path, digest in files.items():
            check_path(path)
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"{path} has no SHA-256")
        if len({path.lower() for path in files}) < len(files):
            raise ValueError("two paths differ only by case")
        return files

    def to_bytes(self) -> bytes:
        """The one byte sequence of this manifest: sorted keys, two spaces, UTF-8.

        Raises:
            BundleError: It holds a number that JSON cannot write, such as not-a-number.
        """
        options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        payload = orjson.dumps(self.model_dump(mode="json"), option=options)
        if Manifest.from_bytes(payload) != self:
            raise BundleError(
                "the manifest does not survive being written as JSON",
                remedy="Remove numbers that are not finite, and values that JSON has no form for",
            )
        return payload

    @classmethod
    def from_bytes(cls, payload: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            BundleError: It is not JSON, or misses, adds or mistypes a field.
        """
        try:
            return cls.model_validate_json(payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BundleError(
                f"the manifest is not valid: {first['msg']}",
                where=".".join(str(part) for part in first["loc"]) or MANIFEST,
                remedy="It may come from another version of casekit; pack the bundle again",
            ) from error


def check_path(path: str) -> None:
    """Refuse a path that leaves the folder, hides, or names an unsafe format.

    Raises:
        ValueError: Says which path and why.
    """
    segments = path.split("/")
    if not all(_SEGMENT.fullmatch(segment) for segment in segments) or len(segments) > 8:
        raise ValueError(f"{path!r} is not a plain relative path")
    if path.lower() in (MANIFEST, SIGNATURE):
        raise ValueError(f"{path!r} is a name the bundle itself uses")
    if PurePosixPath(path).suffix.lower() not in SAFE_FORMATS:
        raise ValueError(
            f"{path!r} is not in a safe format (allowed: {' '.join(sorted(SAFE_FORMATS))})"
        )


def promise(
    predictor: Predictor, inputs: Sequence[BaseModel], *, tolerance: float = 1e-6
) -> dict[str, Any]:
    """What a predictor promises, as fields of a manifest: both schemas and golden answers.

    Args:
        predictor: The predictor that the bundle will open.
        inputs: A few typical inputs, free of personal data: they are shown to callers.
        tolerance: Largest absolute difference allowed when the answers are replayed.

    Returns:
        `input_schema`, `output_schema` and `golden`, for `Manifest(**promise(...), ...)`.
    """
    outputs = predictor.predict(list(inputs))
    return {
        "input_schema": predictor.input_model.model_json_schema(mode="validation"),
        "output_schema": predictor.output_model.model_json_schema(mode="serialization"),
        "golden": Golden(
            inputs=[row.model_dump(mode="json", by_alias=True) for row in inputs],
            outputs=[row.model_dump(mode="json", by_alias=True) for row in outputs],
            tolerance=tolerance,
        ),
    }
