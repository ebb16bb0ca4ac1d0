"""Pictures of every kind become the same thing; what is no picture is refused by name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import DataError
from verticals.driving.data import images
from verticals.driving.data.images import read_image


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_grey_alpha_16_bits_palette_and_one_pixel() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert read_image(encoded(Image.fromarray(grey)))[..., 1].tolist() == grey.tolist()
    wide = grey.astype(np.uint16) * 257
    assert read_image(encoded(Image.fromarray(wide)))[..., 2].tolist() == grey.tolist()
    clear = np.full((2, 2, 4), 200, np.uint8)
    clear[0, 0, 3], clear[0, 1, 3] = 0, 255
    assert read_image(encoded(Image.fromarray(clear)))[0].tolist() == [[0] * 3, [200] * 3]
    palette = Image.fromarray(grey).convert("P")
    assert read_image(encoded(palette)).shape == (3, 4, 3)
    assert read_image(encoded(Image.new("RGB", (1, 1), (1, 2, 3)))).tolist() == [[[1, 2, 3]]]


def test_the_camera_s_orientation_is_obeyed() -> None:
    picture = Image.new("RGB", (8, 4))
    tag = picture.getexif()
    tag[0x0112] = 6  # turned by a quarter
    assert read_image(encoded(picture, "JPEG", exif=tag)).shape == (8, 4, 3)


def test_broken_files_are_named(tmp_path: Path) -> None:
    whole = encoded(Image.new("RGB", (64, 64), (9, 9, 9)), "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("no picture")
    for name, said in (("cut.jpg", "broken"), ("text.png", "no picture"), ("none.png", "broken")):
        with pytest.raises(DataError, match=said) as raised:
            read_image(tmp_path / name)
        assert name in raised.value.where


def test_too_many_pixels_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 100)
    with pytest.raises(DataError, match="too many"):
        read_image(encoded(Image.new("RGB", (20, 20))))


def test_twenty_megapixels_are_read_and_grey_with_transparency_too() -> None:
    large = encoded(Image.new("RGB", (5200, 3900), (7, 8, 9)), "JPEG")
    assert read_image(large).shape == (3900, 5200, 3)
    clear = Image.fromarray(np.array([[[200, 255], [200, 0]]], np.uint8), "LA")
    assert read_image(encoded(clear)).tolist() == [[[200] * 3, [0] * 3]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "BMP"])
def test_a_file_that_is_cut_off_is_called_broken(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    with pytest.raises(DataError, match=r"broken|no picture"):
        read_image(whole[: len(whole) // 2], where="upload")
