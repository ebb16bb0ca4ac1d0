"""The intent network as an ExecuTorch program for small devices, held against its ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from verticals.voice.understanding.model import IntentModel

PROGRAM = "intents.pte"
_LONGEST = {"tokens": 256, "words": 60}  # of a sentence, that the program plans memory for


def write_program(weights: Path, target: Path, *, int8: bool = True) -> Path:
    """Write an intent model's network as an ExecuTorch program.

    Args:
        weights: Folder that `save_network` wrote, or the shipped one.
        target: The .pte.
        int8: Of its linear layers.

    Raises:
        ModelError: Weights are missing, or ExecuTorch is not installed.
    """
    import torch

    from core.deployment.executorch_export import export_executorch
    from core.models.transformer import load_tokenizer
    from verticals.voice.understanding.joint import inputs
    from verticals.voice.understanding.weights import load_network

    network, source = load_network(weights)
    words = ["turn", "off", "the", "kitchen", "lights", "and", "lock", "the", "door"]
    given = inputs([words], load_tokenizer(source))
    return export_executorch(
        network, {name: torch.from_numpy(value) for name, value in given.items()}, target,
        int8=int8, most=_LONGEST,
        dynamic={
            "input_ids": {1: "tokens"}, "attention_mask": {1: "tokens"},
            "pool": {1: "words", 2: "tokens"}, "features": {1: "words"},
        },
    )  # fmt: skip


def compare_reading(
    intents: Path, program: Path, texts: Sequence[str], *, threads: int = 1
) -> dict[str, float]:
    """An ExecuTorch program beside the ONNX file it stands in for, sentence by sentence.

    Args:
        intents: Folder of the exported intent model.
        program: The .pte.
        texts: Sentences.
        threads: Of ONNX Runtime.

    Returns:
        sentences, same_intent and same_slots as shares, largest_difference of a confidence.
    """
    from core.deployment.executorch_export import ExecutorchSession

    onnx = IntentModel.open(intents, threads=threads)
    names = [given.name for given in onnx.session.get_inputs()]
    other = replace(onnx, session=ExecutorchSession(program, names))
    pairs = list(zip(onnx.predict(texts), other.predict(texts), strict=True))
    same = [a.intent == b.intent for a, b in pairs]
    apart = [abs(a.confidence - b.confidence) for (a, b), s in zip(pairs, same, strict=True) if s]
    return {
        "sentences": float(len(pairs)),
        "same_intent": sum(same) / len(pairs),
        "same_slots": sum(a.slots == b.slots for a, b in pairs) / len(pairs),
        "largest_difference": max(apart, default=0.0),
    }
