"""A Whisper of nothing but noise, small enough to be trained in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from verticals.voice.recognition.learning import Clip
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro
from verticals.voice.understanding.normalise import plain_words


@pytest.fixture(scope="session")
def toy_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CTranslate2 folder of random weights: one encoder layer, three decoder layers."""
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    from core.models.resolver import resolve
    from verticals.voice.recognition.convert import write_recogniser

    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=51_864, d_model=32, encoder_layers=1, decoder_layers=3,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_ffn_dim=64, decoder_start_token_id=50_257, bos_token_id=50_256,
        eos_token_id=50_256, pad_token_id=50_256,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("toy") / "whisper"
    module = WhisperForConditionalGeneration(config)
    return write_recogniser(
        module, folder, like=resolve("whisper_tiny_en"), storage="float32", layers=(0, 1, 2)
    )


@pytest.fixture(scope="session")
def toy_clips() -> list[Clip]:
    """Twenty clips by five people: two sentences, told apart by their pitch."""
    random = np.random.default_rng(0)
    clips = []
    for number in range(20):
        high = number % 2 == 0
        time = np.arange(16_000) / 16_000
        sound = 0.3 * np.sin(2 * np.pi * (900 if high else 200) * time)
        sound += random.normal(0, 0.01, len(time))
        text = "turn on the light" if high else "stop the music now"
        clips.append(Clip(sound.astype(np.float32), text, f"person {number % 5}"))
    return clips


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """The embedded recogniser on one thread."""
    return Recogniser.open(threads=1)


@pytest.fixture(scope="session")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Kokoro:
    """A made-up voice, its cache in a folder of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(tmp_path_factory.mktemp("home")))
        return Kokoro.open(threads=1)


@pytest.fixture(scope="session")
def spoken(voice: Kokoro) -> dict[str, np.ndarray]:
    """Sentences as that voice says them, under their plain words."""
    said = ("Turn off the kitchen light.", "Set a timer for ten minutes.")
    return {plain_words(text): voice.say(text, speaker="jm_kumo") for text in said}
