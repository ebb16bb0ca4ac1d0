"""What a recogniser is told to expect: text that stands before the sentence in its decoder.

Whisper goes on in the manner of what it reads (Radford et al., 2023), so requests come first, which
show the manner, then a home's names.
"""

from __future__ import annotations

from collections.abc import Iterable

from verticals.voice.home.model import Vocabulary

LONGEST = 700  # characters; Whisper's context holds about 220 tokens
# One request for each thing that homes do, in nobody's words and without a home's names.
REQUESTS = (
    "Turn on the light.", "Turn it off.", "Make it brighter.", "Set it to 40 percent.",
    "How warm is it in here?", "Start the vacuum.", "Pause the music.", "Resume the radio.",
    "Next song.", "Turn the volume up.", "Start a timer for ten minutes.",
    "How long is left on my timer?", "Cancel the alarm.", "Add milk to my list.",
    "Tell me the time.", "Will it rain tomorrow?", "Is the window open?",
)  # fmt: skip


def home_hint(vocabulary: Vocabulary) -> str:
    """Requests, then the names of a home that fit.

    Names that are not plain words come first: those are the ones that would not be heard.
    """
    requests = " ".join(REQUESTS)
    names = sorted(vocabulary.names, key=lambda name: name.islower())
    return f"{requests} {listed(names, LONGEST - len(requests) - 1)}".strip()


def listed(names: Iterable[str], room: int = LONGEST) -> str:
    """Names or phrases with commas between them; those that fit, in their order.

    Args:
        names: The most important first.
        room: Characters.
    """
    kept, used = [], 0
    for name in names:
        used += len(name) + 2
        if used > room:
            break
        kept.append(name)
    return ", ".join(kept)
