"""Whisper between CTranslate2, which runs without torch, and transformers, which learns.

Knows CTranslate2's model.bin (binary versions 4 to 6, `ctranslate2.specs.model_spec`): version,
name, revision, then for each variable its name, dimensions, type and bytes, and aliases at the end.
"""

from __future__ import annotations

import copy
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
import orjson

from core.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

MODEL, CONFIG, TOKENIZER = "model.bin", "config.json", "tokenizer.json"
Storage = Literal["int8", "float16", "float32"]
_TYPES = ("<f4", "|i1", "<i2", "<i4", "<f2", "<u2")  # the last holds the upper half of a float32
_BFLOAT16 = 5
_ATTENTION = {  # of the decoder; in the encoder linear_1 is the output
    "self_attention": ("self_attn", "self_attn_layer_norm"),
    "attention": ("encoder_attn", "encoder_attn_layer_norm"),
}


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """The variables of a model.bin, weights as float32 whatever they are stored in.

    Args:
        path: The file.

    Raises:
        ModelError: It cannot be read as CTranslate2's format.
    """
    try:
        with path.open("rb") as stream:
            (version,) = struct.unpack("<I", stream.read(4))
            if not 4 <= version <= 6:
                raise ValueError(f"binary version {version}")
            _text(stream)
            stream.read(4)  # revision of the specification
            found = dict(_variable(stream) for _ in range(_number(stream, "<I")))
            for _ in range(_number(stream, "<I")):
                alias, name = _text(stream), _text(stream)
                for end in ("", "_scale"):  # the scale of a weight goes with it, unsaid
                    if name + end in found:
                        found[alias + end] = found[name + end]
            if stream.read(1):
                raise ValueError("bytes after the end")
    except (OSError, ValueError, struct.error, KeyError, IndexError) as error:
        raise ModelError(
            f"this is no CTranslate2 model that can be read ({error})", where=str(path),
            remedy="Convert it again with CTranslate2 4",
        ) from error  # fmt: skip
    return _dequantised(found)


def whisper_module(folder: Path) -> WhisperForConditionalGeneration:
    """The Whisper of a CTranslate2 folder as a torch module in float32, in evaluation mode.

    Args:
        folder: With model.bin, config.json and tokenizer.json, such as the offline pack's.

    Raises:
        ModelError: Files are missing or are of another model.
    """
    import torch
    from transformers import WhisperForConditionalGeneration

    variables = read_variables(folder / MODEL)
    if "encoder/conv1/weight" not in variables:
        raise ModelError(
            "this is no Whisper", where=str(folder / MODEL), remedy="Give a Whisper's folder"
        )
    module = WhisperForConditionalGeneration(_configuration(variables, folder))
    states = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in _states(variables).items()}
    try:
        missing, unexpected = module.load_state_dict(states, strict=False)
    except RuntimeError as error:
        raise ModelError(
            "the weights are of another kind of Whisper", where=str(folder), remedy="Convert again"
        ) from error
    if unexpected or set(missing) - {"proj_out.weight"}:
        raise ModelError(
            f"the weights do not fit: {[*missing, *unexpected][:3]}", where=str(folder),
            remedy="Convert the model again",
        )  # fmt: skip
    module.tie_weights()
    module.train(False)
    return module


def write_recogniser(
    module: torch.nn.Module, folder: Path, *, like: Path, storage: Storage = "int8",
    layers: tuple[int, ...] | None = None,
) -> Path:  # fmt: skip
    """Write a Whisper module as a CTranslate2 folder that `Recogniser.open` takes.

    Args:
        module: WhisperForConditionalGeneration, adapters merged.
        folder: Where to; made if it is not there.
        like: The CTranslate2 folder that it came from: tokenizer and settings are taken from it.
        storage: Of its weights in the file.
        layers: Of a student: which of the decoder's layers in `like` its own were made from.

    Raises:
        ModelError: The module does not fit the vocabulary of `like`.
    """
    from ctranslate2.converters.transformers import WhisperLoader

    settings = orjson.loads((like / CONFIG).read_bytes())
    if layers is not None:  # word times come from heads of these layers
        heads = [[layers.index(a), b] for a, b in settings["alignment_heads"] if a in layers]
        width = int(module.config.decoder_attention_heads)  # type: ignore[union-attr, arg-type]
        settings["alignment_heads"] = heads or [[len(layers) - 1, h] for h in range(width)]
    # The quantiser scales weights where they lie: the module itself would be spoilt.
    specification: Any = WhisperLoader().get_model_spec(copy.deepcopy(module))
    specification.register_vocabulary(_vocabulary(like))
    try:
        specification.validate()
    except ValueError as error:
        raise ModelError(
            str(error), where=str(like), remedy="Give the folder that the model came from"
        ) from error
    specification.optimize(quantization=storage)
    folder.mkdir(parents=True, exist_ok=True)
    specification.save(str(folder))
    (folder / CONFIG).write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
    for name in (TOKENIZER, "preprocessor_config.json"):
        if (like / name).is_file():
            shutil.copyfile(like / name, folder / name)
    return folder


def _number(stream: BinaryIO, kind: str) -> int:
    (found,) = struct.unpack(kind, stream.read(struct.calcsize(kind)))
    return int(found)


def _text(stream: BinaryIO) -> str:
    return stream.read(_number(stream, "<H"))[:-1].decode()


def _variable(stream: BinaryIO) -> tuple[str, np.ndarray]:
    name = _text(stream)
    shape = [_number(stream, "<I") for _ in range(_number(stream, "<B"))]
    kind, size = _number(stream, "<B"), _number(stream, "<I")
    raw = stream.read(size)
    if len(raw) != size:
        raise ValueError("the file ends too early")
    values = np.frombuffer(raw, _TYPES[kind]).reshape(shape)
    if kind == _BFLOAT16:
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return name, values


def _dequantised(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights divided by their scales, row by row; scales left out."""
    out: dict[str, np.ndarray] = {}
    for name, values in found.items():
        if name.endswith("_scale") and name.removesuffix("_scale") in found:
            continue
        scale = found.get(f"{name}_scale")
        if scale is not None:
            wide = np.asarray(scale, np.float32)
            rows = wide.reshape(-1, *[1] * (values.ndim - 1)) if wide.ndim else wide
            out[name] = values.astype(np.float32) / rows
        else:
            out[name] = values.astype(np.float32) if values.ndim else values
    return out


def _configuration(variables: Mapping[str, np.ndarray], folder: Path) -> WhisperConfig:
    """Sizes from the shapes of the weights, special tokens from the tokenizer."""
    from tokenizers import Tokenizer
    from transformers import WhisperConfig

    layers = {
        side: sum(n.startswith(f"{side}/layer_") and n.endswith("ffn/linear_0/bias")
                  for n in variables)
        for side in ("encoder", "decoder")
    }  # fmt: skip
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    end = tokenizer.token_to_id("<|endoftext|>")
    start = tokenizer.token_to_id("<|startoftranscript|>")
    if start is None or end is None:
        raise ModelError("this is no tokenizer of Whisper", where=str(folder / TOKENIZER),
                         remedy="Give the folder that the model came from")  # fmt: skip
    vocabulary, width = variables["decoder/embeddings/weight"].shape
    inner = {side: len(variables[f"{side}/layer_0/ffn/linear_0/bias"]) for side in layers}
    return WhisperConfig(
        vocab_size=vocabulary, d_model=width,
        num_mel_bins=variables["encoder/conv1/weight"].shape[1],
        encoder_layers=layers["encoder"], decoder_layers=layers["decoder"],
        encoder_attention_heads=int(variables["encoder/num_heads"]),
        decoder_attention_heads=int(variables["decoder/num_heads"]),
        encoder_ffn_dim=inner["encoder"], decoder_ffn_dim=inner["decoder"],
        max_source_positions=len(variables["encoder/position_encodings/encodings"]),
        max_target_positions=len(variables["decoder/position_encodings/encodings"]),
        decoder_start_token_id=start,
        bos_token_id=end, eos_token_id=end, pad_token_id=end,
    )  # fmt: skip


def _states(variables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same weights under the names that transformers has for them."""
    weights = {name: values for name, values in variables.items() if values.ndim}
    return {k: part for name, values in weights.items() for k, part in _renamed(name, values)}


def _renamed(name: str, values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """One variable as the one to three that transformers has for it."""
    name = name.replace("gamma", "weight").replace("beta", "bias")
    side, rest = name.split("/", 1)
    if rest == "projection/weight":
        return [("proj_out.weight", values)]
    simple = {"embeddings/weight": "embed_tokens.weight",
              "position_encodings/encodings": "embed_positions.weight"}  # fmt: skip
    if not rest.startswith("layer_") or rest.startswith("layer_norm"):
        return [(f"model.{side}.{simple.get(rest, rest.replace('/', '.'))}", values)]
    layer, block, part, *kind = rest.split("/")
    place, last = f"model.{side}.layers.{layer.removeprefix('layer_')}", "/".join(kind)
    if block == "ffn":
        inner = {"linear_0": "fc1", "linear_1": "fc2", "layer_norm": "final_layer_norm"}[part]
        return [(f"{place}.{inner}.{last}", values)]
    attention, norm = _ATTENTION[block]
    if part == "layer_norm":
        return [(f"{place}.{norm}.{last}", values)]
    stacked = {
        ("self_attention", "linear_0"): "qkv", ("self_attention", "linear_1"): "o",
        ("attention", "linear_0"): "q", ("attention", "linear_1"): "kv",
        ("attention", "linear_2"): "o",
    }[block, part]  # fmt: skip
    names = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "out_proj"}
    parts = zip(stacked, np.split(values, len(stacked)), strict=True)
    # Whisper's keys have no bias: CTranslate2 stacks zeros.
    return [(f"{place}.{attention}.{names[which]}.{last}", v) for which, v in parts
            if not (which == "k" and last == "bias")]  # fmt: skip


def _vocabulary(folder: Path) -> list[str]:
    """The tokens of a CTranslate2 folder, in order."""
    plain = folder / "vocabulary.txt"
    if plain.is_file():
        return plain.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    tokens: list[str] = orjson.loads((folder / "vocabulary.json").read_bytes())
    return tokens
