"""The first steps of the home case: read home and recordings, describe them, part the speakers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import DataError, ParameterError
from verticals.voice.home.model import Home
from verticals.voice.home.timers import ENTITY as TIMERS
from verticals.voice.parameters import HomeParameters
from verticals.voice.recordings import MOST_S, Recording, fingerprint, read_recordings
from verticals.voice.stages import Checked, Loaded, Split

REQUESTS = "requests"
_SPOKEN = {"quick": 12, "standard": 36, "thorough": None}  # requests; None for all
_SHORT_S, _LONG_S = 0.3, 30.0
_QUIET_DB, _LOUD, _NOISY_DB = -45.0, 0.999, 6.0


def load(
    parameters: HomeParameters, *, progress: Callable[[int, int], None] | None = None
) -> Loaded:
    """Read the home and its recordings; the embedded ones are spoken once and kept in `out`.

    Args:
        parameters: What to read.
        progress: Told how many of how many requests are spoken.

    Raises:
        DataError: Home or labels cannot be read, or name devices that the home does not have.
    """
    home = Home.open(parameters.home)
    licence = ""
    if parameters.data == REQUESTS:
        from verticals.voice.spoken import LICENCE, speak_requests

        place = speak_requests(
            Path(parameters.out) / "recordings", wake_phrase=parameters.wake_phrase,
            seed=parameters.seed, threads=parameters.threads, progress=progress,
            most=_SPOKEN[parameters.budget],
        )  # fmt: skip
        licence = LICENCE
    else:
        place = Path(parameters.data)
    recordings = read_recordings(place)
    _known(recordings, home)
    return Loaded(parameters, home, recordings, parameters.data, fingerprint(recordings), licence)


def check(loaded: Loaded) -> Checked:
    """Look into every recording: length, level, clipping, noise.

    One that cannot be read is left out and named among the findings.
    """
    from core.data.audio import SAMPLE_RATE, read_audio

    rows, good, broken = [], [], []
    for recording in loaded.recordings:
        try:
            sound = read_audio(recording.path, max_seconds=MOST_S)
        except DataError as error:
            broken.append(f"{recording.id}: {error}")
            continue
        good.append(recording)
        level, noise = _levels(sound)
        seconds = len(sound) / SAMPLE_RATE
        rows.append({
            "recording": recording.id, "speaker": recording.speaker, "seconds": seconds,
            "level dB": level, "above noise dB": level - noise,
            "clipped": float(np.mean(np.abs(sound) >= _LOUD)),
            "finding": _finding(seconds, level, level - noise, sound),
        })  # fmt: skip
    if not good:
        raise DataError("none can be read", where=loaded.source, remedy=broken[0])
    clips = pd.DataFrame(rows)
    return Checked(loaded, tuple(good), clips, _findings(loaded, clips, broken))


def split(checked: Checked) -> Split:
    """Part the recordings into dev and test; no speaker is in both.

    Raises:
        ParameterError: All recordings are of one speaker.
    """
    speakers = sorted({r.speaker for r in checked.recordings})
    if len(speakers) < 2:
        raise ParameterError(
            "all recordings are of one speaker, so nothing can be measured on another",
            where="data, speaker", remedy="Record at least two people",
        )  # fmt: skip
    random.Random(checked.loaded.parameters.seed).shuffle(speakers)  # noqa: S311 - not a secret
    tuning = set(speakers[: len(speakers) // 2])
    dev = tuple(r for r in checked.recordings if r.speaker in tuning)
    return Split(checked, dev, tuple(r for r in checked.recordings if r.speaker not in tuning))


def _known(recordings: Sequence[Recording], home: Home) -> None:
    """Refuse labels of devices that the home does not have."""
    there = {entity.id for entity in home.entities} | {TIMERS}
    for recording in recordings:
        meant = [name for e in recording.expected or () for name in e.entities]
        for name in (*meant, *(recording.states or {})):
            if name not in there:
                raise DataError(
                    f"the home has no device {name!r}", where=f"{recording.id}, expected or states",
                    remedy=f"Use the ids of the home's YAML, such as {min(there)}",
                )  # fmt: skip


def _levels(sound: np.ndarray) -> tuple[float, float]:
    """Level of the loud and of the quiet frames in dB of full scale (20 ms frames)."""
    frames = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    power = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    return float(np.quantile(power, 0.95)), float(np.quantile(power, 0.05))


def _finding(seconds: float, level: float, above: float, sound: np.ndarray) -> str:
    if seconds < _SHORT_S:
        return "shorter than a word"
    if seconds > _LONG_S:
        return "longer than a command"
    if level < _QUIET_DB:
        return "hardly audible"
    if np.mean(np.abs(sound) >= _LOUD) > 0.001:
        return "clipped"
    return "noisy" if above < _NOISY_DB else ""


def _findings(loaded: Loaded, clips: pd.DataFrame, broken: list[str]) -> pd.DataFrame:
    """What was left out or may hurt, one row each."""
    remedies = {
        "shorter than a word": "Listen; leave out", "longer than a command": "Cut",
        "hardly audible": "Speak closer, or raise the gain", "clipped": "Lower the gain",
        "noisy": "Keep: homes are noisy; report noise apart",
    }  # fmt: skip
    counts = clips["finding"].value_counts()
    rows = [(name, int(counts[name]), "", remedy) for name, remedy in remedies.items()
            if name in counts.index]  # fmt: skip
    if broken:
        rows.insert(0, ("not readable", len(broken), broken[0], "Export as WAV or FLAC"))
    unlabelled = sum(r.expected is None and r.states is None for r in loaded.recordings)
    if unlabelled:
        rows.append(("without what should happen", unlabelled, "only hearing is judged",
                     "Add `expected` or `states`"))  # fmt: skip
    rows = rows or [("nothing wrong", len(clips), "", "")]
    return pd.DataFrame(rows, columns=["finding", "recordings", "detail", "remedy"])
