"""Recordings of every kind become the same: one channel, 16 kHz; what is none is refused."""

from __future__ import annotations

import io
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.audio import (
    AudioError,
    from_pcm16,
    iter_audio,
    read_audio,
    resample,
    to_pcm16,
    write_wav,
)


def tone(seconds: float, rate: int, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype("f4")


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
def test_every_rate_and_sample_form_is_the_same_sound(
    tmp_path: Path, rate: int, subtype: str
) -> None:
    path = tmp_path / "tone.wav"
    sound = tone(1.5, rate)
    soundfile.write(path, np.stack([sound, sound], axis=1), rate, subtype=subtype)
    read = read_audio(path)
    assert read.dtype == np.float32
    assert len(read) == 24_000
    inner = slice(800, -800)
    assert np.abs(read[inner] - tone(1.5, 16_000)[inner]).max() < 0.01


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(0.5, 16_000), tone(0.5, 16_000, 880.0)
    soundfile.write(tmp_path / "two.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    assert np.allclose(read_audio(tmp_path / "two.wav"), (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_blocks_join_to_the_whole(tmp_path: Path, rate: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, int(5.3 * rate)).astype("f4")
    soundfile.write(tmp_path / "long.wav", noise, rate, subtype="FLOAT")
    whole = read_audio(tmp_path / "long.wav")
    joined = np.concatenate(list(iter_audio(tmp_path / "long.wav", block_s=0.7)))
    assert len(joined) == len(whole)
    assert np.abs(joined - whole).max() < 1e-4


def test_hours_are_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "hours.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1, subtype="PCM_U8") as file:
        for _ in range(180):
            file.write(np.zeros(8_000 * 60, "f4"))  # three hours
    tracemalloc.start()
    seconds = sum(len(block) for block in iter_audio(path)) / 16_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds == 3 * 3600
    assert peak < 40e6
    with pytest.raises(AudioError, match="at most 60 s"):
        read_audio(path, max_seconds=60)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"this is a text file, not a sound", "not a recording"),
        (b"", "not a recording"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a recording"),
        (write_wav(None, np.zeros(0, "f4")), "no sound"),
        (write_wav(None, np.zeros(16, "f4")), r"1\.0 ms"),
    ],
    ids=["text", "empty", "cut short", "no samples", "one millisecond"],
)
def test_what_is_no_speech_is_refused_by_name(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=says) as caught:
        read_audio(path)
    assert "bad.wav" in str(caught.value)
    with pytest.raises(AudioError, match=says):
        read_audio(content)


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    sound = tone(1, 16_000)
    sound[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", sound, 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match="not numbers"):
        read_audio(tmp_path / "nan.wav")
    with pytest.raises(AudioError, match="not numbers"):
        list(iter_audio(tmp_path / "nan.wav"))


def test_a_missing_file_is_said() -> None:
    with pytest.raises(AudioError, match="no such recording"):
        read_audio("nowhere.wav")


def test_samples_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", 4 * tone(0.2, 16_000), 16_000, subtype="FLOAT")
    assert np.abs(read_audio(tmp_path / "loud.wav")).max() == 1


def test_other_formats_and_open_files_are_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(0.5, 16_000), 16_000)
    soundfile.write(tmp_path / "a.ogg", tone(0.5, 16_000), 16_000)
    data = (tmp_path / "a.flac").read_bytes()
    assert np.array_equal(read_audio(data), read_audio(tmp_path / "a.flac"))
    assert np.array_equal(read_audio(io.BytesIO(data)), read_audio(data))
    assert len(read_audio(tmp_path / "a.ogg")) == pytest.approx(8_000, abs=200)


def test_a_rate_of_no_recorder_is_refused() -> None:
    with pytest.raises(AudioError, match="100"):
        resample(np.zeros(1000, "f4"), 100)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_sixteen_bit_samples_come_back(samples: list[int]) -> None:
    data = np.array(samples, "<i2").tobytes()
    back = np.frombuffer(to_pcm16(from_pcm16(data)), "<i2")
    assert np.abs(back.astype(int) - samples).max() <= 1
    assert len(from_pcm16(data + b"\x01")) == len(samples)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_sound_or_a_clear_refusal(data: bytes) -> None:
    for prefix in (b"", b"RIFF", b"fLaC", b"OggS"):
        with suppress(AudioError):
            assert np.isfinite(read_audio(prefix + data)).all()
