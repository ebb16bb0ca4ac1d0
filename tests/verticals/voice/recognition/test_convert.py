"""The same Whisper on both sides: weights, states and words agree, there and back."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
import torch
from faster_whisper.audio import pad_or_trim
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer

from core.errors import ModelError
from core.models.resolver import resolve
from verticals.voice.recognition.convert import (
    TOKENIZER,
    read_variables,
    whisper_module,
    write_recogniser,
)
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.speech.kokoro import Kokoro
from verticals.voice.understanding.normalise import plain_words


@pytest.fixture(scope="module")
def source() -> Path:
    return resolve("whisper_tiny_en")


@pytest.fixture(scope="module")
def module(source: Path) -> Any:
    torch.set_num_threads(1)
    return whisper_module(source)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return Kokoro.open(threads=1).say("Turn off the kitchen light.", speaker="jm_kumo")


def test_both_sides_see_and_say_the_same(source: Path, module: Any, sound: np.ndarray) -> None:
    features = pad_or_trim(FeatureExtractor()(sound))[None].astype(np.float32)
    fast = ctranslate2.models.Whisper(str(source), compute_type="float32", intra_threads=1)
    given = ctranslate2.StorageView.from_array(features)
    with torch.no_grad():
        states = module.model.encoder(torch.from_numpy(features))
    assert np.abs(np.array(fast.encode(given)) - states.last_hidden_state.numpy()).max() < 1e-3

    tokenizer = Tokenizer.from_file(str(source / TOKENIZER))
    ids = [tokenizer.token_to_id(f"<|{t}|>") for t in ("startoftranscript", "notimestamps")]
    right = fast.generate(given, [ids], beam_size=1)[0].sequences_ids[0]
    found = []
    while len(found) < 30:
        with torch.no_grad():
            logits = module(
                encoder_outputs=states, decoder_input_ids=torch.tensor([ids + found])
            ).logits
        if (token := int(logits[0, -1].argmax())) == module.config.eos_token_id:
            break
        found.append(token)
    assert found == right
    assert plain_words(tokenizer.decode(found)) == "turn off the kitchen light"


@pytest.mark.parametrize("storage", ["int8", "float16"])
def test_what_is_written_can_be_read_and_heard_with(
    storage: Any, source: Path, module: Any, sound: np.ndarray, tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in module.state_dict().items()}
    folder = write_recogniser(module, tmp_path / storage, like=source, storage=storage)
    again = whisper_module(folder).state_dict()
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])  # the module was only read
        rows = value.abs().amax(dim=tuple(range(1, value.ndim)), keepdim=True)
        step = 0.0 if storage == "float16" else rows / 254 + 1e-6  # half of a step of 127
        assert (again[name] - value).abs().le(step * 1.001).all(), name
    heard = Recogniser.open(str(folder), threads=1).transcribe(sound)
    assert plain_words(heard.text) == "turn off the kitchen light"


def test_what_is_no_whisper_is_said(source: Path, module: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        read_variables(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes((source / "model.bin").read_bytes()[:50_000])
    with pytest.raises(ModelError, match=r"ends too early.*Convert it again"):
        read_variables(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes(b"RIFF and no model at all")
    with pytest.raises(ModelError, match="binary version"):
        whisper_module(tmp_path)
    for name in ("config.json", TOKENIZER):
        shutil.copyfile(source / name, tmp_path / name)
    (tmp_path / "vocabulary.txt").write_text("one\ntwo\n")
    with pytest.raises(ModelError, match="Vocabulary has size 2"):
        write_recogniser(module, tmp_path / "out", like=tmp_path)
