"""Perception as a predictor: a photograph in, objects, lanes and surfaces out; torch is not needed.

Distances need the camera's focal length; without one a lens of 60 degrees is assumed.
"""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field

from core.errors import CasekitError, DataError
from verticals.driving.data.images import SUFFIXES, read_image
from verticals.driving.deploying.runtimes import open_runtime
from verticals.driving.frame import OBJECTS, SURFACES, Calibration
from verticals.driving.perception.eye import Eye
from verticals.driving.perception.settings import PerceptionSettings
from verticals.driving.perception.sight import Sight
from verticals.driving.perception.trust import Trust

if TYPE_CHECKING:
    from core.deployment.manifest import Manifest

# Inside a bundle.
SETTINGS, TRUST = "perception.json", "trust.safetensors"
_MOST = 40_000_000  # characters of base64


class RoadImage(BaseModel):
    """One photograph of a road."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = Field(max_length=_MOST, description="A JPEG, PNG, WebP, BMP or TIFF as base64")
    focal_px: float | None = Field(
        default=None, gt=1, lt=1e5, description="The camera's focal length in pixels, if known"
    )
    least: float = Field(default=0.3, ge=0, le=1, description="Chance below which nothing is said")
    pictures: bool = Field(
        default=False, description="Whether to send the surfaces and an overlay as pictures too"
    )


class RoadObject(BaseModel):
    """Something that stands or moves on or beside the road."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(description="car, pedestrian, traffic_light ...; unknown if it is like none")
    chance: float = Field(ge=0, le=1, description="Calibrated chance that it is there")
    left: float = Field(description="Pixels of the photograph")
    top: float
    right: float
    bottom: float
    distance_m: float = Field(description="From the camera to its centre")
    detail: str = Field(default="", description="A light's state or a sign's name")


class RoadLane(BaseModel):
    """A lane line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: int = Field(description="1 and 2 to the left of the camera, -1 and -2 to its right")
    points: tuple[tuple[float, float], ...] = Field(description="Pixels, near to far")


class RoadSight(BaseModel):
    """What one photograph shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["seen", "strange", "unreadable"] = Field(
        description="strange: unlike what was learned from, rely on nothing; unreadable: see note"
    )
    note: str = ""
    objects: tuple[RoadObject, ...] = ()
    lanes: tuple[RoadLane, ...] = ()
    surfaces: dict[str, float] = Field(default={}, description="Share of the photograph")
    strangeness: float = Field(
        default=0.0, description="Above 1 the image is unlike those learned from"
    )
    mask: str | None = Field(
        default=None, description="If asked for: PNG of surface numbers, base64"
    )
    overlay: str | None = Field(default=None, description="PNG with it all drawn in, if asked for")


class RoadPredictor:
    """Sees photographs."""

    input_model = RoadImage
    output_model = RoadSight
    file_field = "image"
    file_suffixes = SUFFIXES
    picture_fields = ("mask", "overlay")
    pictures_wanted = "pictures"

    def __init__(self, eye: Eye) -> None:
        self.eye = eye

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        """Answers in the order of the photographs.

        A photograph that cannot be read is an answer that says why: one bad file of thousands must
        not take the others with it.
        """
        return [self._answer(cast("RoadImage", one)) for one in inputs]

    def warm_up(self) -> None:
        """Run the network once."""
        settings = self.eye.settings
        self.eye.see([np.zeros((settings.height, settings.width, 3), np.uint8)])

    def _answer(self, request: RoadImage) -> RoadSight:
        try:
            image = decode(request.image)
        except CasekitError as error:
            return RoadSight(status="unreadable", note=str(error))
        camera = None
        if request.focal_px is not None:
            height, width = image.shape[:2]
            matrix = np.array([[request.focal_px, 0, width / 2], [0, request.focal_px, height / 2],
                               [0, 0, 1.0]])  # fmt: skip
            camera = Calibration(matrix, width, height)
        return answer(image, self.eye.see([image], [camera])[0], request)


def answer(image: Any, sight: Sight, request: RoadImage) -> RoadSight:
    """A sight as the service says it."""
    boxes, scores = sight.boxes, np.asarray(sight.boxes.scores)
    metres = np.asarray(boxes.distance)
    objects = []
    for row in np.flatnonzero(scores >= request.least):
        kind = "unknown" if sight.unknown[row] else OBJECTS[boxes.classes[row]]
        left, top, right, bottom = (round(float(side), 1) for side in boxes.xyxy[row])
        objects.append(RoadObject(
            kind=kind, chance=round(float(scores[row]), 3), left=left, top=top, right=right,
            bottom=bottom, distance_m=round(float(metres[row]), 1), detail=boxes.details[row],
        ))  # fmt: skip
    lanes = tuple(
        RoadLane(offset=line.offset, points=tuple(
            (round(float(x), 1), round(float(y), 1)) for x, y in line.points[::4]))
        for line in sight.lanes
    )  # fmt: skip
    shares = np.bincount(sight.surfaces.ravel(), minlength=len(SURFACES)) / sight.surfaces.size
    drawn = {}
    if request.pictures:
        from verticals.driving.perception.figures import draw_sight

        drawn = {"mask": _png(sight.surfaces), "overlay": _png(draw_sight(image, sight))}
    note = ("This image is unlike what the network learned from: rely on nothing it says."
            if sight.alarm else "")  # fmt: skip
    return RoadSight(
        status="strange" if sight.alarm else "seen", note=note, objects=tuple(objects),
        lanes=lanes, strangeness=round(min(sight.strangeness, 1e6), 2),
        surfaces={name: round(float(share), 4) for name, share in
                  zip(SURFACES, shares, strict=True)}, **drawn,
    )  # fmt: skip


def decode(text: str) -> Any:
    """(h, w, 3) uint8 RGB of base64.

    Raises:
        DataError: It is no base64, no picture, or too large.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DataError(
            "it is not base64", where="image", remedy="Send the file's bytes as base64"
        ) from None
    return read_image(data)


def _png(image: Any) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def open_predictor(folder: Path, manifest: Manifest) -> RoadPredictor:
    """The predictor of a verified bundle.

    Args:
        folder: The bundle's files.
        manifest: What it says of itself.
    """
    said = orjson.loads((folder / SETTINGS).read_bytes())
    given = said["settings"] | {"heads": tuple(said["settings"]["heads"])}
    run = open_runtime(folder, said["runtime"], threads=int(said["threads"]), device="auto")
    return RoadPredictor(Eye(run, PerceptionSettings(**given), Trust.open(folder / TRUST)))
