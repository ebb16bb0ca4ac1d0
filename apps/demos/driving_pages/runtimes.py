"""Perception on whatever it can run here: opened when asked for, one picture at a time each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError
from verticals.driving.deploying.runtimes import available, open_runtime

if TYPE_CHECKING:
    import pandas as pd

    from verticals.driving.perception.eye import Eye, Runtime
    from verticals.driving.perception.network import RoadNetwork

MADE = ("onnx", "onnx_int8", "openvino_bf16", "openvino_int8")  # what `make` exports to
_BEST_FIRST = (  # torch.compile takes minutes to begin: not for a demo
    "openvino_int8", "openvino_bf16", "onnx", "openvino", "onnx_int8", "executorch", "torch",
)  # fmt: skip
_CALIBRATION, _JUDGED = 16, 12  # rendered pictures that set int8's ranges, that judge the exports
_CALIBRATED_ON, _JUDGED_ON = 8_100_000, 8_600_000  # first seeds
_TIMED_S, _MOST_TIMED = 1.5, 60  # how long, and how often, a runtime is timed


@dataclass(frozen=True)
class Speed:
    """How fast a runtime answers here."""

    kind: str
    rate: float  # pictures a second, the median of single ones
    slowest_ms: float
    pictures: int


class Runtimes:
    """The runtimes of one network; safe to share between sessions."""

    def __init__(
        self, eye: Eye, kind: str, folders: Sequence[Path], *, network: RoadNetwork | None = None
    ) -> None:
        """Begin with the one that is open.

        Args:
            eye: Perception on it.
            kind: Its name.
            folders: Where exports may lie; new ones go into the last.
            network: What can be exported; None if only exports are there.
        """
        self._eye, self._folders, self._network = eye, tuple(folders), network
        self._lock, self._making = threading.Lock(), threading.Lock()
        self._open: dict[str, Eye] = {kind: replace(eye, run=_one_by_one(eye.run))}
        self.first, self._tried = kind, False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there is, fastest first as a rule."""
        there = {self.first, *(k for folder in self._folders for k in available(folder))}
        return tuple(kind for kind in _BEST_FIRST if kind in there)

    @property
    def can_make(self) -> bool:
        """Whether some runtimes could still be made."""
        missing = not set(MADE) <= set(self.kinds)
        return self._network is not None and missing and not self._tried

    def eye(self, kind: str) -> Eye:
        """Perception on a runtime; opening one for the first time takes seconds.

        Raises:
            ModelError: It is not there.
        """
        with self._lock:
            if kind not in self._open:
                place = next((f for f in self._folders if kind in available(f)), None)
                if place is None:
                    raise ModelError(f"there is no runtime {kind!r}", where="runtime",
                                     remedy=f"Choose from {', '.join(self.kinds)}")  # fmt: skip
                run = _one_by_one(open_runtime(place, kind))
                settings = self._eye.settings
                run(np.zeros((1, settings.height, settings.width, 3), np.uint8))
                self._open[kind] = replace(self._eye, run=run)
            return self._open[kind]

    def time(self, kind: str, image: Any) -> Speed:
        """How many pictures a second are seen, boxes and surfaces read out of the maps included.

        Args:
            kind: Of the runtime.
            image: (h, w, 3) uint8 RGB.
        """
        eye, taken = self.eye(kind), list[float]()
        eye.see([image])
        begun = time.perf_counter()
        while len(taken) < _MOST_TIMED and time.perf_counter() - begun < _TIMED_S:
            last = time.perf_counter()
            eye.see([image])
            taken.append(time.perf_counter() - last)
        return Speed(kind, 1 / float(np.median(taken)), 1e3 * max(taken), len(taken))

    def make(self) -> pd.DataFrame:
        """Export to the runtimes that are missing; what loses more than it may is refused.

        Returns:
            `deploying.exporting.exports_table`.

        Raises:
            ModelError: There is nothing to export, or somebody else is exporting right now.
        """
        if self._network is None:
            raise ModelError("the trained network is not here, only exports of it", where="runtime",
                             remedy="Open the demo without --bundle")  # fmt: skip
        if not self._making.acquire(blocking=False):
            raise ModelError("the runtimes are being made already", where="runtime",
                             remedy="Wait a minute, then load the page again")  # fmt: skip
        try:
            return self._made(self._network)
        finally:
            self._tried = True  # what was refused once is refused again
            self._making.release()

    def _made(self, network: RoadNetwork) -> pd.DataFrame:
        from verticals.driving.deploying.exporting import export, exports_table
        from verticals.driving.deploying.losing import Frames
        from verticals.driving.perception.dataset import fitted

        settings = self._eye.settings
        judged = list(_streets(_JUDGED_ON, _JUDGED))
        calibration = np.stack([
            fitted(view.image, settings.width, settings.height)[0]
            for view in _streets(_CALIBRATED_ON, _CALIBRATION)
        ])  # fmt: skip
        judge = Frames(judged, [str(k) for k in range(len(judged))], settings, draws=50)
        made = export(network, self._folders[-1], ("torch", *MADE), calibration=calibration,
                      judge=judge, seconds=0.5)  # fmt: skip
        return exports_table(made)


def _streets(first: int, count: int) -> Iterator[Any]:
    """One view of each of so many streets."""
    from verticals.driving.world.dataset import WorldSettings, sequences

    for frame in sequences(range(first, first + count), WorldSettings(frames=1)):
        yield next(iter(frame.views.values()))


def _one_by_one(run: Runtime) -> Runtime:
    """A runtime's requests hold one picture's memory: two visitors must not write to it at once."""
    lock = threading.Lock()

    def guarded(images: Any) -> Any:
        with lock:
            return run(images)

    return guarded
