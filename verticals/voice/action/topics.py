"""MQTT topics that names cannot break out of: segments made safe, foreign topics checked."""

from __future__ import annotations

import hashlib
import re

from core.errors import DataError

_LONGEST = 256
_SAFE = re.compile(r"[a-z0-9_-]{1,64}")
_BAD = re.compile(r"[#+\x00-\x1f\x7f]")


def segment(text: str) -> str:
    """One level of a topic from any text: lower case letters, digits, `_` and `-` only.

    Different texts give different segments: what had to be changed is followed by a hash.
    """
    if _SAFE.fullmatch(text):
        return text
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:48]
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{mark}" if plain else f"x-{mark}"


def entity_segment(entity_id: str) -> str:
    """The level that stands for an entity: `light.kitchen` → `light-kitchen`."""
    domain, _, name = entity_id.partition(".")
    return f"{segment(domain)}-{segment(name)}"


def checked_topic(topic: object, *, where: str = "topic") -> str:
    """A topic that may be published to or subscribed to as it stands.

    Raises:
        DataError: It is no text, empty, too long, has wildcards or control characters, or
            belongs to the broker (`$…`).
    """
    good = isinstance(topic, str) and 0 < len(topic) <= _LONGEST and not _BAD.search(topic)
    if not isinstance(topic, str) or not good or topic.startswith(("$", "/")):
        raise DataError(
            "This is not a usable MQTT topic", where=where,
            remedy="Use levels separated by /, without wildcards and control characters",
        )  # fmt: skip
    return topic
