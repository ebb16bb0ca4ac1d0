"""The exported encoder gives the model's own vectors, fast, without torch, the same every time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.models.encoder import MOST_TOKENS, TextEncoder
from core.models.transformer import load_transformer, mean_pooled

TEXTS = [
    "Does colchicine reduce recurrent pericarditis?",
    "Metformin lowers glucose.",
    "",
    "ß-blockers & α-agonists: 5 µg/kg, 心臓",
    "Patients were randomly assigned to apixaban or warfarin. " * 12,
    "Inhaled corticosteroids control asthma in most children.",
    "Colchicine lowers the risk that pericarditis comes back.",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the tests of this file share: an export takes seconds."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def encoders(home: Path) -> Iterator[dict[str, TextEncoder]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(home))
        yield {
            "int8": TextEncoder.open(threads=1),
            "float32": TextEncoder.open(precision="float32", threads=1),
        }


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    """Mean-pooled, normalised states as transformers computes them, one text at a time."""
    import torch

    model, tokenizer = load_transformer()
    rows = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer.encode(text).ids[:MOST_TOKENS]])
        with torch.no_grad():
            states = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        mean = states[0].mean(0).numpy()
        rows.append(mean / np.linalg.norm(mean))
    return np.array(rows)


def test_float32_is_the_model_itself(
    encoders: dict[str, TextEncoder], reference: np.ndarray
) -> None:
    found = encoders["float32"].encode(TEXTS)
    assert found.dtype == np.float32
    assert found.shape == (len(TEXTS), encoders["float32"].dimension)
    assert np.abs(found - reference).max() < 1e-5


def test_int8_stays_near_and_orders_alike(
    encoders: dict[str, TextEncoder], reference: np.ndarray
) -> None:
    found = encoders["int8"].encode(TEXTS)
    assert (found * reference).sum(axis=1).min() > 0.97
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (found[1:] @ found[0]).argmax() == (reference[1:] @ reference[0]).argmax() == 5


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_vector_is_the_same_whatever_stands_beside_it(
    encoders: dict[str, TextEncoder], precision: str
) -> None:
    together = encoders[precision].encode(TEXTS)
    assert np.array_equal(encoders[precision].encode(TEXTS[::-1])[::-1], together)
    alone = np.concatenate([encoders[precision].encode([text]) for text in TEXTS])
    assert np.array_equal(alone, together)


def test_what_stands_after_the_last_token_is_not_read(encoders: dict[str, TextEncoder]) -> None:
    words = "pressure " * (2 * MOST_TOKENS)
    first, second = encoders["float32"].encode([words, words + "asthma " * 500])
    assert np.allclose(first, second, atol=1e-5)


def test_progress_counts_every_text_and_nothing_is_no_text(
    encoders: dict[str, TextEncoder],
) -> None:
    seen: list[int] = []
    encoders["int8"].encode(TEXTS, progress=seen.append)
    assert seen == sorted(set(seen))
    assert seen[-1] == len(TEXTS)
    assert encoders["int8"].encode([]).shape == (0, encoders["int8"].dimension)


def test_many_threads_share_one_encoder(encoders: dict[str, TextEncoder]) -> None:
    expected = encoders["float32"].encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encoders["float32"].encode, [TEXTS] * 8):
            assert np.abs(found - expected).max() < 1e-5


def test_a_second_start_needs_no_torch(home: Path, encoders: dict[str, TextEncoder]) -> None:
    code = (
        "import sys; from core.models.encoder import TextEncoder;"
        "e = TextEncoder.open(threads=1); e.encode(['fever']);"
        "assert not {'torch', 'transformers'} & set(sys.modules); print(e.id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"CASEKIT_HOME": str(home), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == encoders["int8"].id, done.stderr
    assert encoders["int8"].id != encoders["float32"].id


def test_a_saved_encoder_opens_as_it_was(tmp_path: Path, encoders: dict[str, TextEncoder]) -> None:
    encoders["int8"].save(tmp_path / "saved")
    again = TextEncoder.open(str(tmp_path / "saved"), threads=1)
    assert (again.id, again.dimension) == (encoders["int8"].id, encoders["int8"].dimension)
    assert np.array_equal(again.encode(TEXTS), encoders["int8"].encode(TEXTS))


def test_an_adapter_is_merged_and_makes_another_encoder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoders: dict[str, TextEncoder]
) -> None:
    import torch

    from core.training.lora import add_lora, save_adapter

    monkeypatch.setenv("CASEKIT_HOME", str(home))
    model, tokenizer = load_transformer()
    adapted = add_lora(model, rank=2)
    with torch.no_grad():
        for name, weights in adapted.named_parameters():
            if "lora_B" in name:
                weights.fill_(0.01)
        ids = torch.tensor([tokenizer.encode(TEXTS[0]).ids])
        expected = mean_pooled(adapted).eval()(ids, torch.ones_like(ids)).numpy()[0]
    adapter = save_adapter(adapted, tmp_path / "changed.safetensors")
    opened = TextEncoder.open(precision="float32", threads=1, adapter=adapter)
    assert opened.id not in {e.id for e in encoders.values()}
    assert np.abs(opened.encode(TEXTS[:1])[0] - expected).max() < 1e-5
    assert np.abs(encoders["float32"].encode(TEXTS[:1])[0] - expected).max() > 1e-3


@pytest.mark.slow
def test_layers_stand_side_by_side(
    home: Path, monkeypatch: pytest.MonkeyPatch, encoders: dict[str, TextEncoder]
) -> None:
    monkeypatch.setenv("CASEKIT_HOME", str(home))
    both = TextEncoder.open(precision="float32", threads=1, layers=(3, 6))
    assert (both.dimension, both.id) != (encoders["float32"].dimension, encoders["float32"].id)
    vectors = both.encode(TEXTS)
    assert np.abs(vectors[:, 384:] - encoders["float32"].encode(TEXTS)).max() < 1e-5
    assert np.allclose(np.linalg.norm(vectors[:, :384], axis=1), 1, atol=1e-5)
    assert np.abs(vectors[:, :384] - vectors[:, 384:]).max() > 1e-2


@pytest.mark.slow
def test_an_export_that_was_killed_is_made_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, encoders: dict[str, TextEncoder]
) -> None:
    monkeypatch.setenv("CASEKIT_HOME", str(home))
    encoder = encoders["int8"]
    (encoder.folder / "encoder.json").unlink()
    again = TextEncoder.open(threads=1)
    assert again.id == encoder.id
    assert np.array_equal(again.encode(TEXTS), encoder.encode(TEXTS))
