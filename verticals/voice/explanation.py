"""Speaks the run's own request, hears it, does it in the simulated home, and explains it."""

from __future__ import annotations

import numpy as np

from verticals.voice.speech.voice import open_voice
from verticals.voice.spoken import in_a_room
from verticals.voice.stages import Evaluated, Explained
from verticals.voice.why import explain_turn
from verticals.voice.why_read import Reader

_SNR_DB = 20.0  # a quiet room


def explain(evaluated: Evaluated) -> Explained:
    """Speak the parameters' request in a room, and say why it was understood as it was.

    Raises:
        ModelError: The voice is not installed.
    """
    fitted = evaluated.fitted
    assistant = fitted.assistant
    parameters = fitted.split.checked.loaded.parameters
    assistant.reset()
    # Kokoro says a sentence the same every time; Piper's voices do not.
    said = open_voice("kokoro", threads=parameters.threads).say(parameters.request)
    sound = in_a_room(said, np.random.default_rng(parameters.seed), snr_db=_SNR_DB)
    turn = assistant.hear(sound)
    why = explain_turn(assistant, turn, sound, reader=Reader())
    return Explained(evaluated, sound, turn, why)
