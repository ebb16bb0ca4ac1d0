"""Speech programs of the system, espeak-ng and flite, each run as a process of its own.

Their licences stay theirs: nothing of them is imported. What is said goes through the standard
input, so that no sentence becomes an option, appears in a list of processes, or lies on disk.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ModelError
from verticals.voice.speech.numbers import spelled_out
from verticals.voice.speech.voice import chosen

SPEAKERS = {
    "espeak-ng": ("en-us", "en-us+f3", "en-us+m3", "en-gb", "en-gb+f2"),
    "flite": ("slt", "rms", "awb", "kal16"),
}
_WORDS_A_MINUTE = 175  # espeak-ng's normal
_SLOWEST, _FASTEST = 0.5, 2.5  # times normal, that both still speak clearly
_PATIENCE_S = 20.0


@dataclass(frozen=True)
class Program:
    """A program that speaks English."""

    name: str
    path: str
    timeout_s: float = _PATIENCE_S

    @classmethod
    def find(cls, name: str) -> Program:
        """The program, if the system has it.

        Raises:
            ModelError: It is not installed.
        """
        return cls(name, found(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Its speakers."""
        return SPEAKERS[self.name]

    def say(
        self, text: str, *, speaker: str | None = None, speed: float = 1.0, seed: int = 0
    ) -> np.ndarray:
        """A sentence as (n,) float32 at 16 kHz; the same every time, whatever the seed.

        Raises:
            ModelError: The program failed or took too long.
            ParameterError: No such speaker.
        """
        from core.data.audio import SAMPLE_RATE, AudioError, read_audio

        del seed  # nothing varies
        who, pace = chosen(self.names, speaker), min(max(speed, _SLOWEST), _FASTEST)
        words = spelled_out(text)
        if not any(c.isalnum() for c in words):
            return np.zeros(SAMPLE_RATE // 10, np.float32)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "said.wav"
            spoken(self.path, self._options(who, pace, target), words, timeout_s=self.timeout_s)
            try:
                return read_audio(target)
            except AudioError as error:
                raise ModelError(
                    f"{self.name} said nothing", where=self.path,
                    remedy="Install it again, or use another voice",
                ) from error  # fmt: skip

    def _options(self, speaker: str, pace: float, target: Path) -> list[str]:
        if self.name == "flite":
            stretch = f"duration_stretch={1 / pace:.3f}"
            return ["-voice", speaker, "--setf", stretch, "-f", "/dev/stdin", "-o", str(target)]
        rate = str(round(_WORDS_A_MINUTE * pace))
        return ["--stdin", "-z", "-v", speaker, "-s", rate, "-w", str(target)]


def found(name: str) -> str:
    """The path of a program.

    Raises:
        ModelError: It is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise ModelError(
            f"the program {name} is not installed", where="voice",
            remedy=f"Install it (apt install {name}), or use a voice that pip installs",
        )  # fmt: skip
    return path


def spoken(path: str, options: Sequence[str], text: str, *, timeout_s: float = _PATIENCE_S) -> str:
    """What a program writes about a text; for espeak-ng, its sounds.

    Args:
        path: The program.
        options: Its options; the text is none of them.
        text: Given on its standard input.
        timeout_s: After which it is stopped.

    Raises:
        ModelError: It failed or took too long.
    """
    # [[…]] would be read as phonemes by espeak-ng, and a zero byte ends a text.
    plain = text.translate({ord(c): " " for c in "[]\0"})
    try:
        done = subprocess.run(
            [path, *options], input=plain.encode(), capture_output=True, timeout=timeout_s,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(path, type(error).__name__) from None
    if done.returncode:
        raise _failed(path, f"status {done.returncode}")
    return done.stdout.decode(errors="replace")


def _failed(path: str, how: str) -> ModelError:
    # Not what it printed: that may repeat what was to be said.
    return ModelError(
        f"the speech program failed ({how})", where=path, remedy="Try it by hand, or use another"
    )
