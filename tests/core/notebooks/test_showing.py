"""Tables of notebooks: rounded, the same every time, empty where there is no number."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image

from core.notebooks.showing import show_picture, show_table


def test_numbers_are_rounded_and_what_is_missing_is_left_empty() -> None:
    table = pd.DataFrame({"a_b": [1.23456, float("nan"), -0.0001, 12345.6], "name": list("wxyz")})
    shown = str(show_table(table).data)
    assert "<th>a b</th>" in shown
    for cell in ("1.235", "", "0.000", "12,346"):
        assert f"<td>{cell}</td>" in shown
    assert "nan" not in shown


def test_what_is_left_out_is_counted() -> None:
    assert "3 more rows" in str(show_table(pd.DataFrame({"x": range(15)})).data)


def test_counts_with_gaps_stay_counts() -> None:
    counts = pd.Series([629, None], dtype="Int64")
    shown = str(show_table(pd.DataFrame({"objects": counts})).data)
    assert "<td>629</td>" in shown
    assert "NA" not in shown


def test_a_picture_is_a_small_jpeg_of_itself() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:, 40:] = (200, 30, 30)
    shown = show_picture(picture)
    again = np.asarray(Image.open(BytesIO(shown.data)))
    assert again.shape == picture.shape
    assert np.abs(again.astype(int) - picture).mean() < 4
    assert len(shown.data) < 4000
