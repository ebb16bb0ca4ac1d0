"""What every page of the voice demo reads: one home's opened parts, never changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps.demos.words import Words

if TYPE_CHECKING:
    from apps.demos.voice_pages.ear import Ear
    from apps.demos.voice_pages.visits import Visits
    from core.deployment.manifest import Manifest
    from verticals.voice.assistant import Parts

TEXTS = (Path(__file__).with_name("texts.yaml"), Path(__file__).with_name("names.yaml"))


@dataclass(frozen=True)
class Clip:
    """An example recording."""

    text: str
    speaker: str
    path: Path


@dataclass(frozen=True)
class Desk:
    """Opened parts and the texts around them; shared by all visitors.

    Attributes:
        parts: Home, recogniser, understanding and voice.
        words: The demo's texts.
        visits: The conversations that are open; guards itself.
        ear: The recordings that are being made; guards itself.
        clips: Example recordings.
        manifest: What the bundle says about itself; None without one.
        card: The bundle's model card.
        signer: Public key of who signed the bundle, in hexadecimal; empty if nobody did.
        own: Whether that is this user's key.
    """

    parts: Parts
    words: Words
    visits: Visits
    ear: Ear
    clips: tuple[Clip, ...] = ()
    manifest: Manifest | None = None
    card: str = ""
    signer: str = ""
    own: bool = False
