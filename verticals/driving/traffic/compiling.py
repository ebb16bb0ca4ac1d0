"""Compiles the loops, and compiles them again when any of them has changed.

numba keeps machine code on disk by the age of one source file, but a loop contains those that it
calls from other files: after a change in one file the rest would silently go on as before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """A function compiled at its first call, kept on disk for all sources as they are now.

    Division by zero gives inf, as in numpy: a check at every division would cost a third.
    """
    made: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    made._cache._cache_file._source_stamp = _digest(Path(function.__code__.co_filename))
    return made


@cache
def _digest(own: Path) -> str:
    """Of one's own source and all that hold compiled loops or numbers compiled into them."""
    here = Path(__file__).parent
    safety = (here.parent / "deciding" / name for name in ("rss.py", "shield.py"))
    sources = {own, *here.glob("*.py"), *safety} - {here / "environment.py"}  # it holds no loops
    text = b"".join(path.read_bytes() for path in sorted(sources))
    return hashlib.sha256(text).hexdigest()
