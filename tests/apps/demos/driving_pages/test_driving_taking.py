"""Uploads: whatever a camera writes is read, and what cannot be is told in both languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.demos.driving_pages.desk import Desk
from apps.demos.driving_pages.taking import (
    LONGEST,
    MOST_PICTURES,
    UploadError,
    problem_html,
    taken,
)
from core.errors import ModelError
from verticals.driving.data.video import write_video

from .conftest import picture


def one(path: Path) -> np.ndarray:
    source, pictures = taken(path, [])
    assert source == "photo"
    (found,) = pictures
    return found.image


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16", "P", "LA"])
def test_grey_alpha_and_sixteen_bits_are_photographs(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "photo.png"
    if mode == "I;16":
        Image.fromarray(np.full((60, 80), 30_000, np.uint16)).save(path)
    else:
        Image.fromarray(picture()[:60, :80]).convert(mode).save(path)
    assert one(path).shape == (60, 80, 3)


def test_a_huge_photograph_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    Image.new("RGB", (4000, 3000)).save(path)
    assert one(path).shape == (LONGEST * 3 // 4, LONGEST, 3)


@pytest.mark.parametrize("name", ["small", "cut", "text", "kind", "no film", "cut film"])
def test_what_cannot_be_used_is_told_in_both_languages(
    tmp_path: Path, desk: Desk, name: str
) -> None:
    path = tmp_path / "file.png"
    if name == "small":
        Image.new("RGB", (1, 1)).save(path)
    elif name == "cut":
        Image.fromarray(picture()).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif name == "text":
        path.write_text("no picture")
    elif name == "kind":
        path = tmp_path / "file.pdf"
    else:
        path = tmp_path / "file.mp4"
        path.write_bytes(b"no film" if name == "no film" else b"\0\0\0\x20ftypisom")
    with pytest.raises(UploadError) as error:
        list(taken(path, [])[1])
    english, chinese = (problem_html(error.value, desk.words, lang) for lang in ("en", "zh"))
    assert "This cannot be used" in english
    assert "当前内容无法使用" in chinese
    assert desk.words(f"refused.{error.value.key}_remedy", "zh") in chinese


def test_other_problems_show_what_where_and_remedy(desk: Desk) -> None:
    error = ModelError("it is <gone>", where="weights", remedy="Get it back")
    shown = problem_html(error, desk.words, "en")
    assert "It is &lt;gone&gt;" in shown
    assert "Get it back" in shown


def test_a_long_clip_ends_after_so_many_pictures(tmp_path: Path) -> None:
    small = np.zeros((64, 64, 3), np.uint8)
    path = write_video((small for _ in range(MOST_PICTURES + 12)), tmp_path / "long.mp4")
    remarks: list[str] = []
    source, pictures = taken(path, remarks)
    assert source == "clip"
    times = [one.time_s for one in pictures]
    assert len(times) == MOST_PICTURES
    assert remarks == ["long"]
    np.testing.assert_allclose(np.diff(times), 0.1, atol=1e-3)


def test_pictures_that_come_too_fast_are_left_out(tmp_path: Path) -> None:
    small = np.zeros((64, 64, 3), np.uint8)
    path = write_video((small for _ in range(30)), tmp_path / "fast.mp4", pictures_a_second=30)
    assert len(list(taken(path, [])[1])) == 10


def test_a_clip_that_breaks_off_gives_what_there_is(tmp_path: Path) -> None:
    path = write_video((picture(k) for k in range(40, 80)), tmp_path / "cut.avi")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    remarks: list[str] = []
    pictures = list(taken(path, remarks)[1])
    assert 1 < len(pictures) < 40
