"""Settings as C records: compiled loops get one pointer instead of a hundred numbers and arrays.

All records of a kind have one layout, so the loops are compiled once, whatever the road.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import ParameterError


def packed(values: Any, shapes: Mapping[str, tuple[int, ...]]) -> np.void:
    """A named tuple of numbers and arrays as a record.

    Args:
        values: The named tuple.
        shapes: Of its arrays, at most; what is left over is NaN, or -1 among integers.

    Raises:
        ParameterError: An array is larger than its shape.
    """
    fields = []
    for name, value in values._asdict().items():
        number = np.asarray(value).dtype.kind in "iub"
        fields.append((name, np.int64 if number else np.float64, shapes.get(name, ())))
    out = np.zeros(1, np.dtype(fields, align=True))
    for name, value in values._asdict().items():
        if name not in shapes:
            out[name] = value
            continue
        array = np.asarray(value)
        if any(have > most for have, most in zip(array.shape, shapes[name], strict=True)):
            raise ParameterError(f"{name} is {array.shape}, at most {shapes[name]} fit", where=name,
                                 remedy="Use fewer or shorter paths")  # fmt: skip
        out[name] = -1 if array.dtype.kind in "iub" else np.nan
        out[name][0][tuple(slice(n) for n in array.shape)] = array
    return out[0]
