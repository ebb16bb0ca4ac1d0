"""The process on the edge box: opens the chain part by part and runs recordings, without torch.

    CASEKIT_HOME=FOLDER python -m verticals.voice.edge_run FOLDER ASKED.json TOLD.json

It cannot import torch even where that is installed: what it measures is a machine that has none.
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import CasekitError, DataError, ModelError

if TYPE_CHECKING:
    import numpy as np

    from verticals.voice.assistant import Assistant
    from verticals.voice.listening.vad import Vad
    from verticals.voice.people.voices import Voices
    from verticals.voice.wake.detector import WakeWord

ABSENT = ("torch", "torchaudio", "transformers", "executorch")
BLOCK_S = 0.08  # of sound, as a microphone gives it
_AROUND_S = 0.3  # before and after an utterance, that the recogniser hears too


class Without:
    """A finder of modules that does not find some of them, as where they are not installed."""

    def __init__(self, finder: Any, absent: Sequence[str]) -> None:
        self._finder, self._absent = finder, frozenset(absent)

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As the finder says, but nothing for what is absent."""
        if name.partition(".")[0] in self._absent:
            return None
        spec: importlib.machinery.ModuleSpec | None = self._finder.find_spec(name, path, target)
        return spec

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


@dataclass
class Box:
    """The opened chain, and what opening each part took."""

    opened: list[dict[str, float | str]] = field(default_factory=list)
    vad: Vad | None = None
    wake: WakeWord | None = None
    voices: Voices | None = None
    assistant: Assistant | None = None


def main() -> None:
    """Read what is asked, measure, write what was found."""
    folder, asked, told = map(Path, sys.argv[1:4])
    begun = time.perf_counter()
    sys.meta_path[:] = [Without(finder, ABSENT) for finder in sys.meta_path]
    request = json.loads(asked.read_bytes())
    try:
        found = run(folder, request["recordings"], request["threads"], begun)
    except CasekitError as error:
        found = {"error": [error.what, error.where, error.remedy]}
    told.write_text(json.dumps(found), encoding="utf-8")


def run(folder: Path, recordings: Sequence[str], threads: int, begun: float) -> dict[str, Any]:
    """Open everything, hear every recording once, and say what it took."""
    if hasattr(os, "sched_setaffinity"):  # no library takes more processors than it was given
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    box = opened(folder, threads, begun)
    from core.data.audio import SAMPLE_RATE, read_audio

    turns: list[dict[str, Any]] = []
    for number, recording in enumerate([*recordings[:1], *recordings]):
        sound = read_audio(recording)
        row = heard(box, sound)
        if number:  # the first time sets things up; it is run once before
            turns.append({"recording": Path(recording).name, "audio_s": len(sound) / SAMPLE_RATE,
                          **row})  # fmt: skip
    there = sorted(set(ABSENT) & set(sys.modules))
    if there:
        raise ModelError(f"{', '.join(there)} was imported", where="the edge process",
                         remedy="Import it inside the functions that train")  # fmt: skip
    now, peak = memory_mb()
    if box.assistant is not None:
        box.assistant.close()
    return {"opened": box.opened, "turns": turns, "memory_mb": now, "peak_mb": peak,
            "modules": len(sys.modules)}  # fmt: skip


def opened(folder: Path, threads: int, begun: float) -> Box:
    """The chain, opened in the order in which it works, with memory and seconds after each part."""
    from verticals.voice.assistant import Assistant, Parts
    from verticals.voice.edge import read_edge
    from verticals.voice.home.model import Home

    about, box = read_edge(folder), Box()
    _note(box, "python", begun)
    with _opening(box, "recognition"):
        from verticals.voice.recognition.whisper import Recogniser

        home = Home.open(folder / about.home)
        plain = Recogniser.open(str(folder / about.recogniser), threads=threads)
        recogniser = plain.at_home(home)
    with _opening(box, "listening"):
        from verticals.voice.listening.vad import Vad

        box.vad = Vad.open()
    if about.wake:
        with _opening(box, "wake"):
            from verticals.voice.wake.detector import WakeWord

            box.wake = WakeWord.open(folder / about.wake, plain)
    with _opening(box, "understanding"):
        from verticals.voice.understanding.model import IntentModel
        from verticals.voice.understanding.understand import Understander

        read = IntentModel.open(folder / about.intents, threads=threads)
        understander = Understander.open(home, model=read)
        understander.understand("turn on the light")  # grammars are read when they are first used
    if about.people:
        with _opening(box, "people"):
            from verticals.voice.people.voices import Voices

            box.voices = Voices.open(threads=threads)
    voice = None
    if about.voice:
        with _opening(box, "speech"):
            from verticals.voice.speech.voice import open_voice

            voice = open_voice(about.voice, threads=threads)
    with _opening(box, "action"):
        box.assistant = Assistant(Parts(home, understander, recogniser, voice))
    return box


def heard(box: Box, sound: np.ndarray) -> dict[str, Any]:
    """One recording through the chain: seconds of each stage, and of each block where it streams.

    Args:
        box: The opened chain.
        sound: (n,) float32 at 16 kHz.
    """
    import numpy as np

    from core.data.audio import SAMPLE_RATE
    from verticals.voice.listening.endpoint import Endpointer

    if box.vad is None or box.assistant is None:
        raise ValueError("the box is not open")
    size, quiet = int(BLOCK_S * SAMPLE_RATE), np.zeros(SAMPLE_RATE, np.float32)
    stream = np.concatenate([sound, quiet])  # a microphone goes on after the last word
    blocks = [stream[i : i + size] for i in range(0, len(stream), size)]
    row: dict[str, Any] = {"streams_s": len(stream) / SAMPLE_RATE, "woken": 0}
    if box.wake is not None:
        woken, row["wake"] = _streamed(box.wake.stream().push, blocks)
        row["woken"] = len(woken)
    ends = Endpointer(box.vad)
    events, row["listening"] = _streamed(ends.push, blocks)
    times = [event.time_s for event in (*events, *ends.finish())]
    row["utterances"], row["answers"] = len(times) // 2, []
    box.assistant.reset()
    for begin, end in zip(times[::2], times[1::2], strict=True):
        first = max(0, int((begin - _AROUND_S) * SAMPLE_RATE))
        part = sound[first : int((end + _AROUND_S) * SAMPLE_RATE)]
        turn = box.assistant.hear(part)
        seconds = dict(turn.seconds) | _after(box, part, turn.reply)
        row["answers"].append({
            "audio_s": len(part) / SAMPLE_RATE, "seconds": seconds, "reply": turn.reply,
            "heard": turn.transcript.text, "done": [outcome.status for outcome in turn.outcomes],
        })  # fmt: skip
    return row


def _after(box: Box, sound: np.ndarray, reply: str) -> dict[str, float]:
    """Seconds of what an answer does not wait for: who spoke, and the reply's first sound."""
    from verticals.voice.speech.streaming import speech

    seconds: dict[str, float] = {}
    if box.voices is not None:
        begun = time.perf_counter()
        with suppress(DataError):  # too short to say anything about a voice
            box.voices.hear(sound)
        seconds["people"] = time.perf_counter() - begun
    voice = box.assistant.parts.voice if box.assistant else None
    if voice is not None and reply:
        begun = time.perf_counter()
        next(speech(reply, voice), None)
        seconds["speech"] = time.perf_counter() - begun
    return seconds


def memory_mb() -> tuple[float, float]:
    """Resident memory of this process now, and the most it ever had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # the other way counts what the process that started this one had
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        now, peak = (int(lines[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
        return now, peak
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # bytes on a Mac
    return most, most


def _streamed(
    push: Callable[[np.ndarray], list[Any]], blocks: Sequence[np.ndarray]
) -> tuple[list[Any], list[float]]:
    """What came out of a stream, and the seconds of every block."""
    found, seconds = [], []
    for block in blocks:
        begun = time.perf_counter()
        found += push(block)
        seconds.append(time.perf_counter() - begun)
    return found, seconds


@contextmanager
def _opening(box: Box, stage: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    _note(box, stage, begun)


def _note(box: Box, stage: str, begun: float) -> None:
    took = time.perf_counter() - begun
    box.opened.append({"stage": stage, "seconds": took, "memory_mb": memory_mb()[0]})


if __name__ == "__main__":
    main()
