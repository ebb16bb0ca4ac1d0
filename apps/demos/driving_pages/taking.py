"""Takes what a visitor uploads; says in the language of the page why it cannot be used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from pathlib import Path

from apps.demos.driving_pages.looking import Picture
from apps.demos.driving_pages.pictures import shrunk
from apps.demos.words import Words
from core.errors import CasekitError, DataError
from verticals.driving.data import images, video

MOST_PICTURES = 100  # of a clip
STEP_S = 0.1  # between two of them
MOST_SECONDS = 60.0  # that looking at a clip may take
LONGEST = 1600  # pixels of a photograph's longer side
LONGEST_OF_CLIP = 960
SMALLEST = 48  # pixels


class UploadError(CasekitError):
    """An upload that cannot be used; the page says why in its own language."""

    def __init__(self, key: str, detail: str = "", **values: object) -> None:
        """Refuse.

        Args:
            key: Of a text under `refused`.
            detail: What the reader of the file said.
            values: For the text.
        """
        super().__init__(detail or key)
        self.key, self.detail, self.values = key, detail, values


def taken(path: Path, remarks: list[str]) -> tuple[str, Iterator[Picture]]:
    """What a file holds: "photo" or "clip", and its pictures.

    Args:
        path: The upload.
        remarks: Receives keys of texts about what was left out, while the pictures are taken.

    Raises:
        UploadError: It is neither picture nor film, or too small; or, while they are taken, broken.
    """
    suffix = path.suffix.lower()
    if suffix in video.SUFFIXES:
        return "clip", _clip(path, remarks)
    if suffix in images.SUFFIXES:
        return "photo", iter([_photo(path)])
    raise UploadError("kind", suffix=suffix or "?")


def _photo(path: Path) -> Picture:
    try:
        image = images.read_image(path, where=path.name)
    except DataError as error:
        raise UploadError("picture", error.what) from error
    _large_enough(image.shape)
    return Picture(shrunk(image, LONGEST))


def _clip(path: Path, remarks: list[str]) -> Iterator[Picture]:
    """The first pictures of a film; what is there of one that breaks off."""
    begun, given = time.monotonic(), 0
    try:
        for frame in video.read_video(path, every_s=STEP_S):
            if given == MOST_PICTURES:
                remarks.append("long")
                return
            if time.monotonic() - begun > MOST_SECONDS:
                remarks.append("slow")
                return
            image = next(iter(frame.views.values())).image
            _large_enough(image.shape)
            yield Picture(shrunk(image, LONGEST_OF_CLIP), frame.time_s)
            given += 1
    except DataError as error:
        if not given:
            raise UploadError("film", error.what) from error
        remarks.append("broken")
    if not given:
        raise UploadError("film")


def _large_enough(shape: tuple[int, ...]) -> None:
    if min(shape[:2]) < SMALLEST:
        raise UploadError("small", width=shape[1], height=shape[0], least=SMALLEST)


def problem_html(error: CasekitError, words: Words, language: str) -> str:
    """What was wrong and what to do, in place of an answer."""
    detail = error.where
    what, remedy = error.what[:1].upper() + error.what[1:], error.remedy
    if isinstance(error, UploadError):
        what = words(f"refused.{error.key}", language, **error.values)
        remedy, detail = words(f"refused.{error.key}_remedy", language), error.detail
    small = f'<p class="ck-quiet">{escape(detail)}</p>' if detail else ""
    title = escape(words("site.problem", language))
    return (
        f'<section class="ck-card ck-problem" role="alert"><h3>{title}</h3>'
        f"<p><strong>{escape(what)}</strong></p>{small}"
        f"{f'<p>{escape(remedy)}</p>' if remedy else ''}</section>"
    )
