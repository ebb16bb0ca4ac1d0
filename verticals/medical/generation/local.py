"""A language model on this machine, through transformers; small enough for a laptop's processor."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ModelError
from core.models.resolver import assets, cache_folder, resolve
from verticals.medical.answer import Evidence
from verticals.medical.generation.prompts import messages

NEW_TOKENS = 96
PIECES = 3  # of evidence that a small model can keep apart


@dataclass(frozen=True)
class LocalModel:
    """A causal language model and its tokenizer."""

    model: Any  # transformers.PreTrainedModel
    tokenizer: Any

    @classmethod
    def open(cls, name: str = "smollm2") -> LocalModel:
        """Load a model; no code of its own is ever run.

        Args:
            name: A pinned asset (smollm2, read from its GGUF file), a `.gguf` file, a folder of
                weights, or a hub name.

        Raises:
            ModelError: Not found, or transformers cannot read it.
        """
        where, settings = _place(name)
        if "gguf_file" not in settings:
            return _loaded(name, where, settings)
        kept = _converted(Path(where) / settings["gguf_file"])
        if not kept.is_dir():
            _keep(_loaded(name, where, settings), kept)
        return _loaded(name, str(kept), {"local_files_only": True})

    def answer(self, question: str, evidence: Sequence[Evidence]) -> str:
        """Its wording of the evidence, greedy and therefore repeatable; unverified."""
        import torch

        if not evidence:
            return ""
        chat = messages(question, evidence[:PIECES])
        prompt = self.tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        before = prompt["input_ids"].shape[1]
        with torch.inference_mode():
            written = self.model.generate(
                **prompt,
                max_new_tokens=NEW_TOKENS,
                do_sample=False,
                pad_token_id=self.tokenizer.eos_token_id,
            )
        text: str = self.tokenizer.decode(written[0, before:], skip_special_tokens=True)
        return text.strip()


def _loaded(name: str, where: str, settings: dict[str, Any]) -> LocalModel:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    chatter = io.StringIO()  # a bar for every tensor would fill a notebook
    try:
        with contextlib.redirect_stderr(chatter):
            tokenizer = AutoTokenizer.from_pretrained(where, **settings)
            model = AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, **settings)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise ModelError(
            f"the language model cannot be loaded ({type(error).__name__})",
            where=name,
            remedy="Use smollm2, a folder of transformers weights, or an endpoint's URL",
        ) from None
    model.train(False)
    return LocalModel(model, tokenizer)


def _converted(gguf: Path) -> Path:
    """Where a GGUF file is kept as safetensors: unpacking it takes ten times as long."""
    state = gguf.stat()
    key = hashlib.sha256(f"{gguf.resolve()} {state.st_size} {state.st_mtime_ns}".encode())
    return cache_folder() / "generation" / f"{gguf.stem}-{key.hexdigest()[:12]}"


def _keep(loaded: LocalModel, place: Path) -> None:
    """Write a model in half precision; the folder appears when it is complete."""
    from safetensors.torch import save_file

    place.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=place.parent) as scratch,
        contextlib.redirect_stderr(io.StringIO()),
    ):
        fresh = Path(scratch) / place.name
        fresh.mkdir()
        config = copy.deepcopy(loaded.model.config)
        config.quantization_config = None  # it is unpacked now
        config.dtype = "float16"
        tied = {"lm_head.weight"} if config.tie_word_embeddings else set()
        weights = loaded.model.state_dict().items()
        halves = {key: value.half().contiguous() for key, value in weights if key not in tied}
        save_file(halves, fresh / "model.safetensors", metadata={"format": "pt"})
        config.save_pretrained(fresh)
        loaded.model.generation_config.save_pretrained(fresh)
        loaded.tokenizer.save_pretrained(fresh)
        with contextlib.suppress(OSError):  # another process was faster
            fresh.rename(place)


def _place(name: str) -> tuple[str, dict[str, Any]]:
    """Folder or hub name, and what `from_pretrained` needs to know beside it."""
    path = resolve(name) if name in assets() else Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError("the model file is not there", where=name, remedy="Check the path")
        return str(path.parent), {"gguf_file": path.name, "local_files_only": True}
    if path.is_dir():
        return str(path), {"local_files_only": True}
    offline = os.environ.get("HF_HUB_OFFLINE", "") not in {"", "0"}
    return name, {"local_files_only": offline}
