"""Open what the demo shows: a bundle's assistant or the embedded home's, and recordings to try."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.demos.voice_pages.desk import TEXTS, Clip, Desk
from apps.demos.voice_pages.ear import Ear
from apps.demos.voice_pages.rehearing import rehearings
from apps.demos.voice_pages.visits import Visits
from apps.demos.words import Words
from core.errors import BundleError, CasekitError, ModelError
from verticals.voice.people.voices import Voices

if TYPE_CHECKING:
    from verticals.voice.assistant import Parts

_LOG = logging.getLogger(__name__)
CASE = "voice"
_SEED = 20261124
_SAID = (
    ("ana", "turn on the kitchen light"),
    ("ben", "close the living room curtains"),
    ("leo", "set the thermostat to twenty three degrees"),
    ("maria", "open the garage door"),
)


def find_bundle() -> Path | None:
    """The newest voice bundle under ./runs or in casekit's own folder; None where there is none."""
    from core.deployment.signing import casekit_home

    return newest_bundle(Path("runs")) or newest_bundle(casekit_home() / "demos")


def newest_bundle(runs: Path) -> Path | None:
    """The bundle of the newest finished voice run in a folder of runs, or None."""
    from core.deployment.results import Results

    found = sorted(runs.glob("*/results.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found:
        try:
            results = Results.model_validate_json(path.read_bytes())
        except ValueError as error:
            _LOG.warning("%s is not a results file and is passed over: %s", path, error)
            continue
        bundle = path.parent / results.bundle if results.bundle else None
        if results.case == CASE and bundle and bundle.exists():
            return bundle
    return None


def open_desk(bundle: Path | None = None) -> Desk:
    """Open everything that visitors share, once.

    Args:
        bundle: A bundle's folder or .zip file; None for the embedded home.

    Raises:
        BundleError: The bundle is missing, changed, signed by a stranger, or of another case.
        ModelError: The recogniser is not installed.
    """
    from verticals.voice.assistant import open_parts

    threads = min(2, os.cpu_count() or 1)
    clips = example_clips()
    if bundle is None:
        desk = desk_of(open_parts(threads=threads), clips=clips)
    else:
        desk = _opened(bundle, clips)
    _warm_up(desk.parts, clips)
    return desk


def desk_of(
    parts: Parts,
    *,
    clips: tuple[Clip, ...] = (),
    voices: Callable[[], Any] = Voices.open,
    **about: Any,
) -> Desk:
    """A desk around opened parts.

    Args:
        parts: What visitors share.
        clips: Example recordings.
        voices: Opens what tells voices apart; called when somebody is enrolled first.
        about: What `Desk` keeps of a bundle.
    """
    return Desk(
        parts=parts, words=Words.load(*TEXTS), visits=Visits(parts, voices=voices),
        ear=_ear(parts), clips=clips, **about,
    )  # fmt: skip


def example_clips() -> tuple[Clip, ...]:
    """A few recordings of the embedded home's requests, made at the first opening.

    None where the voice that speaks them is not installed.
    """
    from core.deployment.signing import casekit_home
    from verticals.voice.recordings import read_recordings

    try:
        recordings = read_recordings(spoken_examples(casekit_home() / "demos" / CASE / "examples"))
    except CasekitError as error:
        _LOG.warning("there are no example recordings: %s", error)
        return ()
    return tuple(Clip(r.text or "", r.speaker, r.path) for r in recordings)


def spoken_examples(folder: Path) -> Path:
    """A folder of recordings in which made-up people speak a few requests; made once.

    Raises:
        ModelError: The voice is not installed.
    """
    import orjson

    from core.data.audio import write_wav
    from verticals.voice.recordings import LABELS
    from verticals.voice.speech.kokoro import Kokoro, made_speaker
    from verticals.voice.spoken import in_a_room

    if (folder / LABELS).is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    voice, lines = Kokoro.open(), []
    for number, (speaker, text) in enumerate(_SAID):
        style = made_speaker(voice, _SEED + number)
        said = voice.say_sounds(voice.pronouncer.text(f"{text}."), style)
        name = f"{number}-{speaker}.wav"
        write_wav(folder / name, in_a_room(said, np.random.default_rng([_SEED, number])))
        lines.append({"file": name, "speaker": speaker, "text": text})
    labels = b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)
    (folder / LABELS).write_bytes(labels)
    return folder


def _warm_up(parts: Parts, clips: tuple[Clip, ...]) -> None:
    """Do once what costs seconds the first time; the explanation meanwhile, in the background."""
    from core.data.audio import read_audio
    from verticals.voice.assistant import Assistant
    from verticals.voice.why import explain_turn

    sound = read_audio(clips[0].path) if clips and parts.recogniser else None
    assistant = Assistant(parts)
    turn = assistant.hear("turn on the light" if sound is None else sound)

    def explain() -> None:
        try:
            explain_turn(assistant, turn, sound)
        except CasekitError as error:
            _LOG.warning("answers cannot be explained: %s", error)
        finally:
            assistant.close()

    threading.Thread(target=explain, daemon=True).start()


def _opened(bundle: Path, clips: tuple[Clip, ...]) -> Desk:
    from core.deployment.bundle import Bundle
    from core.deployment.signing import own_key, public_key

    opened = Bundle.open(bundle)
    if opened.manifest.case != CASE:
        raise BundleError(
            f"this bundle belongs to the case {opened.manifest.case!r}", where=str(bundle),
            remedy=f"Open it with `casekit app {opened.manifest.case}`",
        )  # fmt: skip
    predictor: Any = opened.predictor()
    card = opened.folder / "card.md"
    return desk_of(
        predictor.parts, clips=clips, manifest=opened.manifest, signer=opened.signer or "",
        own=opened.signer == public_key(own_key()),
        card=card.read_text(encoding="utf-8") if "card.md" in opened.manifest.files else "",
    )  # fmt: skip


def _ear(parts: Parts) -> Ear:
    """What hears while somebody speaks; without a VAD, the button ends a recording."""
    from verticals.voice.listening.endpoint import Endpointer
    from verticals.voice.listening.vad import Vad

    if parts.recogniser is None:
        return Ear()
    words = rehearings(parts.recogniser)
    try:
        vad = Vad.open()
    except ModelError as error:
        _LOG.warning("recordings end with the button only: %s", error)
        return Ear(words=words)
    return Ear(words=words, endpointer=lambda: Endpointer(vad))
