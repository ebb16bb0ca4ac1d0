"""Voices as vectors: the encoder is torch's own, and people are told apart."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.data.audio import SAMPLE_RATE
from core.errors import DataError
from core.models.resolver import resolve
from verticals.voice.people.encoder import encoder_file
from verticals.voice.people.mels import BANDS, HOP, WINDOW, mel_filters, mel_power
from verticals.voice.people.voices import SIZE, Voices

Clips = Callable[..., dict[str, list[np.ndarray]]]


def test_the_filters_are_those_of_torchaudio() -> None:
    from torchaudio.functional import melscale_fbanks

    theirs = melscale_fbanks(
        257, 0.0, SAMPLE_RATE / 2, BANDS, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    )
    assert np.allclose(mel_filters(512).T, theirs.numpy(), atol=1e-7)


def test_mel_power_is_that_of_a_spectrum() -> None:
    import torch

    sound = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    window = torch.hamming_window(WINDOW, periodic=True)
    theirs = torch.stft(torch.from_numpy(sound), 512, HOP, WINDOW, window, center=False,
                        return_complex=True).abs().numpy() ** 2  # fmt: skip
    ours = mel_power(sound, size=512, hamming=True)
    assert np.allclose(ours, (mel_filters(512) @ theirs).T, rtol=1e-3)


def test_the_encoder_gives_what_torch_gives(casekit_home: Path) -> None:
    import onnxruntime
    import torch

    class Theirs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
            self.linear = torch.nn.Linear(256, 256)

        def forward(self, mels: torch.Tensor) -> torch.Tensor:
            found = torch.relu(self.linear(self.lstm(mels)[1][0][-1]))
            return found / found.norm(dim=1, keepdim=True)

    state = torch.load(resolve("resemblyzer"), map_location="cpu", weights_only=True)["model_state"]
    network = Theirs()
    network.load_state_dict({k: v for k, v in state.items() if not k.startswith("similarity")})
    file = encoder_file()
    assert file.is_relative_to(casekit_home)
    mels = np.random.default_rng(1).gamma(0.3, 1.0, (3, 160, 40)).astype(np.float32)
    ours = onnxruntime.InferenceSession(str(file)).run(None, {"mels": mels})[0]
    with torch.no_grad():
        theirs = network(torch.from_numpy(mels)).numpy()
    assert np.abs(ours - theirs).max() < 1e-5


def test_people_are_told_apart(shared_voice: Path, voices: Voices, spoken: Clips) -> None:
    clips = spoken(shared_voice, people=4, each=3)
    found = {name: [voices.hear(sound) for sound in sounds] for name, sounds in clips.items()}
    assert all(
        p.vector.shape == (SIZE,) and np.isclose(np.linalg.norm(p.vector), 1, atol=1e-5)
        for prints in found.values()
        for p in prints
    )
    alike = [a.vector @ b.vector for prints in found.values()
             for a, b in itertools.combinations(prints, 2)]  # fmt: skip
    apart = [a.vector @ b.vector for one, other in itertools.combinations(found.values(), 2)
             for a in one for b in other]  # fmt: skip
    assert min(alike) > max(apart)


def test_how_loud_it_was_hardly_matters(shared_voice: Path, voices: Voices, spoken: Clips) -> None:
    ((sound,),) = spoken(shared_voice, people=1, each=1).values()
    assert voices.hear(sound).vector @ voices.hear(sound * 0.3).vector > 0.97


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros(32_000), np.full(160, 0.5)])
def test_where_nobody_speaks_there_is_no_voice(voices: Voices, sound: np.ndarray) -> None:
    with pytest.raises(DataError, match="speech"):
        voices.hear(sound.astype(np.float32))


def test_noise_alone_is_no_voice(voices: Voices) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    with pytest.raises(DataError, match="close to the microphone"):
        voices.hear(noise)


def test_once_written_it_opens_without_torch(casekit_home: Path) -> None:
    encoder_file()
    program = (
        "import sys, numpy as np\n"
        "from verticals.voice.people.voices import Voices\n"
        "Voices.open().whole(np.zeros(32000, np.float32))\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"CASEKIT_HOME": str(casekit_home), "PATH": ""},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
