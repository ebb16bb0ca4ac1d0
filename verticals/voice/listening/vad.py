"""Whether somebody speaks: Silero's voice activity detection (Silero Team, 2024), streamed.

Runs on ONNX Runtime alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import onnxruntime

WINDOW = 512  # samples: 32 ms
WINDOW_S = WINDOW / SAMPLE_RATE
_BEFORE = 64  # samples of the window before, which the network wants to see again
# The network finds speech in digital silence that follows speech; a floor of noise, 80 dB below
# full scale and the same every time, is what every microphone has.
_FLOOR = 1e-4


@dataclass(frozen=True)
class Vad:
    """The network; every recording gets a stream of its own."""

    network: onnxruntime.InferenceSession

    @classmethod
    def open(cls) -> Vad:
        """The network of the offline pack, on one thread.

        Raises:
            ModelError: It is not installed, or not the pinned file.
        """
        import onnxruntime

        from core.models.resolver import resolve

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = str(resolve("silero_vad"))
        return cls(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))

    def stream(self) -> VadStream:
        """For one recording, from its beginning."""
        return VadStream(self.network)

    def probabilities(self, sound: np.ndarray) -> np.ndarray:
        """How likely speech is in every window of 32 ms: (ceil(n / 512),).

        Args:
            sound: (n,) float32 at 16 kHz; its last window is filled up with silence.
        """
        padded = np.pad(sound, (0, -len(sound) % WINDOW))
        return np.array(self.stream().push(padded), np.float32)


class VadStream:
    """The state of one recording."""

    def __init__(self, network: onnxruntime.InferenceSession) -> None:
        self._network = network
        self._state = np.zeros((2, 1, 128), np.float32)
        self._before = np.zeros(_BEFORE, np.float32)
        self._rest = np.zeros(0, np.float32)
        self._rate = np.array(SAMPLE_RATE, np.int64)
        self._random = np.random.default_rng(0)

    def push(self, block: np.ndarray) -> list[float]:
        """Take (n,) samples of any number; give the probability of every window now complete."""
        sound = np.concatenate([self._rest, block.astype(np.float32, copy=False)])
        whole = len(sound) // WINDOW * WINDOW
        self._rest = sound[whole:]
        found = []
        for window in sound[:whole].reshape(-1, WINDOW):
            heard = window + self._random.normal(0, _FLOOR, WINDOW).astype(np.float32)
            given = np.concatenate([self._before, heard])
            probability, self._state = self._network.run(
                None, {"input": given[None], "state": self._state, "sr": self._rate}
            )
            self._before = heard[-_BEFORE:]
            found.append(float(probability[0, 0]))
        return found
