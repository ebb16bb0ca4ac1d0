"""The spoken answer: sound inside the page, so that nothing said is written to a disk."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from apps.demos.voice_pages.desk import Desk


def wait_html(reply: str, desk: Desk, language: str) -> str:
    """What stands there until the answer can be heard."""
    if desk.parts.voice is None or not reply:
        return note(desk.words("turn.no_voice", language)) if reply else ""
    return note(desk.words("turn.speaking", language))


def spoken_html(reply: str, desk: Desk, language: str) -> str:
    """A player that begins by itself; a note where this machine has no voice."""
    if not reply:
        return ""
    if desk.parts.voice is None:
        return note(desk.words("turn.no_voice", language))
    label = desk.words("turn.play", language)
    return player(desk.parts.voice.say(reply), label, autoplay=True)


def player(sound: np.ndarray, label: str, *, autoplay: bool = False) -> str:
    """A player of (n,) float32 at 16 kHz."""
    from core.data.audio import write_wav

    data = base64.b64encode(write_wav(None, sound)).decode("ascii")
    begins = " autoplay" if autoplay else ""
    return (
        f'<audio class="ck-player" data-testid="player" controls{begins} '
        f'aria-label="{escape(label)}" src="data:audio/wav;base64,{data}"></audio>'
    )


def note(text: str) -> str:
    """A line that a screen reader reads when it appears."""
    return f'<p class="ck-note" role="status">{escape(text)}</p>'
