"""Texts to vectors: a sentence encoder in ONNX Runtime, int8 on processors.

The ONNX file is made once from the weights and kept in the cache; after that torch is not needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson

from core.errors import ModelError
from core.models.resolver import cache_folder
from core.models.transformer import (
    load_tokenizer,
    load_transformer,
    mean_pooled,
    model_folder,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Precision = Literal["int8", "float32"]
MOST_TOKENS = 256  # of one text; what MiniLM was trained on
_MODEL, _TOKENIZER, _ABOUT = "encoder.onnx", "tokenizer.json", "encoder.json"
_LAYOUT = "2"  # of the exported file; raise it when the export changes


@dataclass(frozen=True)
class TextEncoder:
    """A sentence encoder: mean of the token states, scaled to length one."""

    id: str  # of weights and settings: two encoders with the same id give the same vectors
    dimension: int
    folder: Path  # holds the exported model
    tokenizer: Tokenizer
    session: Any  # onnxruntime.InferenceSession, safe to share between threads
    threads: int  # texts computed at the same time

    @classmethod
    def open(
        cls,
        name: str = "minilm",
        *,
        precision: Precision = "int8",
        threads: int | None = None,
        adapter: Path | None = None,
        layers: Sequence[int] = (),
    ) -> TextEncoder:
        """Open an encoder, exporting it first if this machine never did.

        Args:
            name: Asset, hub name, folder with weights, or a folder that `save` wrote.
            precision: int8 is about 2.5 times faster; vectors differ by a cosine of about .01.
            threads: Texts computed at once; by default OMP_NUM_THREADS, else the number of cores.
            adapter: LoRA weights (safetensors) to merge, from `core.training.lora`.
            layers: Whose states to take, 1 for the first; each gives a part of length one of the
                vector. The last layer alone if there are none.

        Raises:
            ModelError: The weights are nowhere, or differ from their pin.
        """
        if (Path(name) / _MODEL).is_file():
            return _opened(Path(name), threads)
        source = model_folder(name)
        key = _key(source, precision, adapter, layers)
        folder = cache_folder() / "encoders" / key
        if not (folder / _ABOUT).is_file():
            _export(source, folder, key, precision, adapter=adapter, layers=layers)
        return _opened(folder, threads)

    def encode(
        self,
        texts: Sequence[str],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """Vectors of texts.

        Every text is computed by itself, on as many threads as the encoder has. In int8 the
        scale of a batch depends on all that is in it, so a text's vector would depend on its
        neighbours; and without padding, one by one is no slower on a processor.

        Args:
            texts: Any number; each is read up to `MOST_TOKENS` tokens.
            progress: Called with the number of texts done.

        Returns:
            (n, dimension) float32 of length one, in the order of the texts.
        """
        out = np.empty((len(texts), self.dimension), np.float32)
        rows = [e.ids[:MOST_TOKENS] for e in self.tokenizer.encode_batch_fast(list(texts))]
        with ThreadPoolExecutor(self.threads) as pool:
            run = pool.map if self.threads > 1 and len(rows) > 1 else map
            for done, vector in enumerate(run(self._vector, rows)):
                out[done] = vector
                if progress is not None:
                    progress(done + 1)
        return out

    def save(self, folder: Path) -> None:
        """Copy the exported model, so that `open` takes the folder as a name."""
        folder.mkdir(parents=True, exist_ok=True)
        for file in (_MODEL, _TOKENIZER, _ABOUT):
            shutil.copyfile(self.folder / file, folder / file)

    def _vector(self, row: list[int]) -> np.ndarray:
        ids = np.array([row], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        vectors: np.ndarray = self.session.run(None, given)[0]
        return vectors[0]


def _opened(folder: Path, threads: int | None) -> TextEncoder:
    import onnxruntime

    about = orjson.loads((folder / _ABOUT).read_bytes())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # texts share the cores, not the parts of one text
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(folder / _MODEL), options, providers=["CPUExecutionProvider"]
    )
    return TextEncoder(
        about["id"], about["dimension"], folder, _truncating(load_tokenizer(folder)), session,
        threads or int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1,
    )  # fmt: skip


def _truncating(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.enable_truncation(MOST_TOKENS)
    return tokenizer


def _key(
    source: Path, precision: Precision, adapter: Path | None, layers: Sequence[int] = ()
) -> str:
    """Identity of weights, adapter and settings."""
    digest = hashlib.sha256(" ".join([_LAYOUT, precision, *map(str, layers)]).encode())
    files = sorted([*source.glob("*.safetensors"), source / _TOKENIZER])
    for file in [*files, *([adapter] if adapter else [])]:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:20]


def _export(
    source: Path, folder: Path, key: str, precision: Precision, *, adapter: Path | None,
    layers: Sequence[int],
) -> None:  # fmt: skip
    """Write the ONNX file and what belongs to it; the folder appears when it is complete."""
    import torch

    from core.deployment.onnx_export import export_onnx, quantise_dynamic

    plain, _ = load_transformer(str(source))
    width = int(plain.config.hidden_size) * max(1, len(layers))
    model: torch.nn.Module = plain
    if adapter is not None:
        from core.training.lora import load_adapter

        model = load_adapter(plain, adapter)
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "texts", 1: "tokens"}
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        whole = export_onnx(
            mean_pooled(model, layers), {"input_ids": ids, "attention_mask": ids.clone()},
            fresh / "whole.onnx", outputs=["vectors"],
            dynamic={"input_ids": axes, "attention_mask": axes},
        )  # fmt: skip
        if precision == "int8":
            quantise_dynamic(whole, fresh / _MODEL)
            whole.unlink()
        else:
            whole.rename(fresh / _MODEL)
        shutil.copyfile(source / _TOKENIZER, fresh / _TOKENIZER)
        about = {"id": key, "dimension": width, "precision": precision}
        (fresh / _ABOUT).write_bytes(orjson.dumps(about))
        if folder.exists():  # another process was faster, or an export was killed half-way
            shutil.rmtree(folder)
        fresh.rename(folder)
    except OSError as error:
        raise ModelError(
            f"the encoder cannot be written: {error}", where=str(folder),
            remedy="Free some space, or set CASEKIT_HOME to a folder that can be written",
        ) from error  # fmt: skip
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


class Remembering:
    """An encoder that keeps the vectors of the texts it has seen, up to a number of them.

    Sentences of a corpus come back question after question; encoding them is most of an answer.
    """

    def __init__(self, encoder: TextEncoder, most: int = 50_000) -> None:
        self.encoder, self.most = encoder, most
        self._known: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dimension) vectors as `TextEncoder.encode` gives them; only new texts are encoded."""
        with self._lock:
            found = {t: self._known[t] for t in texts if t in self._known}
        fresh = [t for t in dict.fromkeys(texts) if t not in found]
        if fresh:
            found |= dict(zip(fresh, self.encoder.encode(fresh), strict=True))
            with self._lock:
                self._known |= {t: found[t] for t in fresh}
                for old in list(self._known)[: max(0, len(self._known) - self.most)]:
                    del self._known[old]
        if not texts:
            return np.zeros((0, self.encoder.dimension), np.float32)
        return np.stack([found[t] for t in texts])
