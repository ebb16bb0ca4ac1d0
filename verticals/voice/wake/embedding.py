"""A frozen embedding of speech, on which wake-word heads are trained.

Lin et al., 2020, "Training keyword spotters with limited and synthesized speech data".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import onnxruntime

WIDTH = 96
HOP = 1_280  # samples between two frames: 80 ms
REACH = 12_400  # samples that one frame sees
FRAMES = 12  # that a head sees at once
SPAN = REACH + (FRAMES - 1) * HOP  # samples that a head sees: 1.66 s
SPAN_S = SPAN / SAMPLE_RATE


@dataclass(frozen=True)
class SpeechEmbedding:
    """The network; it holds no state."""

    network: onnxruntime.InferenceSession

    @classmethod
    def open(cls) -> SpeechEmbedding:
        """The network of the offline pack, on one thread.

        Raises:
            ModelError: It is not installed, or not the pinned file.
        """
        import onnxruntime

        from core.models.resolver import resolve

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = str(resolve("speech_embedding"))
        return cls(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))

    def frames(self, sound: np.ndarray) -> np.ndarray:
        """One vector every 80 ms.

        Args:
            sound: (n,) float32 at 16 kHz; shorter than a frame's reach gives no frame.

        Returns:
            (floor((n - 12400) / 1280) + 1, 96) float32.
        """
        if len(sound) < REACH:
            return np.zeros((0, WIDTH), np.float32)
        given = sound[None].astype(np.float32, copy=False)
        found: np.ndarray = self.network.run(None, {self.network.get_inputs()[0].name: given})[0]
        return found[0, :, 0]

    def windows(self, sound: np.ndarray) -> np.ndarray:
        """Every stretch of `FRAMES` frames: (m, FRAMES, 96); none if the sound is too short."""
        frames = self.frames(sound)
        if len(frames) < FRAMES:
            return np.zeros((0, FRAMES, WIDTH), np.float32)
        stretches = np.lib.stride_tricks.sliding_window_view(frames, FRAMES, axis=0)
        return np.ascontiguousarray(stretches.transpose(0, 2, 1))
