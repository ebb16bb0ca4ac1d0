"""The recogniser, opened once."""

from __future__ import annotations

import pytest

from verticals.voice.recognition.whisper import Recogniser


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """Whisper tiny.en of the offline pack on one thread."""
    return Recogniser.open(threads=1)
