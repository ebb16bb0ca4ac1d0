"""Learns intents and slots from labelled sentences, and writes what the runtime needs.

The encoder stays in its pip package: a folder holds only the adapter, the heads and the labels.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError
from verticals.voice.understanding.calibration import Confidence, fit_confidence
from verticals.voice.understanding.words import Example, bio, split_words

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from verticals.voice.understanding.model import IntentModel

FEWEST = 2  # sentences of an intent
INPUTS = ("input_ids", "attention_mask", "pool", "features")
_FEWEST_HELD = 20  # sentences to calibrate on
_STEP_GAIN = 2.0  # transitions learn this much faster than the encoder


@dataclass(frozen=True)
class IntentSettings:
    """How the joint model learns."""

    encoder: str = "minilm"
    rank: int = 16  # of the adapter; 0 trains the whole encoder
    epochs: int = 6
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    word_dropout: float = 0.05  # words replaced by the unknown one, so that contexts count
    seed: int = 0
    progress: bool = False
    deadline: float | None = None  # monotonic clock reading after which no epoch begins


@dataclass(frozen=True)
class Labels:
    """The names behind the network's numbers."""

    intents: tuple[str, ...]
    tags: tuple[str, ...]  # O first
    slots_of: tuple[tuple[str, ...], ...]  # by intent: the slots seen with it
    shares: tuple[float, ...] = ()  # by intent: of the sentences


@dataclass(frozen=True)
class Row:
    """A sentence as the network learns it."""

    words: tuple[str, ...]
    tags: tuple[int, ...]
    intent: int


def labels_of(examples: Sequence[Example]) -> Labels:
    """The label space of labelled sentences.

    Raises:
        DataError: Fewer than two intents, or an intent with a single sentence.
    """
    counts: dict[str, int] = {}
    slots: dict[str, set[str]] = {}
    for example in examples:
        counts[example.intent] = counts.get(example.intent, 0) + 1
        used = {tag[2:] for tag in example.tags if tag != "O"}
        slots.setdefault(example.intent, set()).update(used)
    rare = [name for name, count in counts.items() if count < FEWEST]
    if len(counts) < 2 or rare:
        what = f"the intent {rare[0]!r} has one sentence" if rare else "there is only one intent"
        raise DataError(what, where="intent", remedy="Give more sentences, or use add_intents")
    intents = tuple(sorted(counts))
    names = sorted(set().union(*slots.values()))
    tags = ("O", *(f"{kind}-{name}" for name in names for kind in "BI"))
    shares = tuple(round(counts[i] / len(examples), 6) for i in intents)
    return Labels(intents, tags, tuple(tuple(sorted(slots[i])) for i in intents), shares)


def rows_of(examples: Sequence[Example], labels: Labels) -> list[Row]:
    """Labelled sentences as words and numbers; sentences without a word are left out."""
    tag_number = {tag: i for i, tag in enumerate(labels.tags)}
    intent_number = {name: i for i, name in enumerate(labels.intents)}
    out = []
    for example in examples:
        places = split_words(example.text)
        if not places:
            continue
        tags = bio(example.spans(), places)
        out.append(Row(
            tuple(example.text[a:b] for a, b in places),
            tuple(tag_number[t] for t in tags), intent_number[example.intent],
        ))  # fmt: skip
    return out


def fit_intents(
    examples: Sequence[Example],
    folder: Path,
    *,
    held: Sequence[Example] = (),
    settings: IntentSettings | None = None,
) -> IntentModel:
    """Learn intents and slots, calibrate, and write a folder that `IntentModel.open` takes.

    Args:
        examples: At least two sentences of every intent.
        folder: For the model; a few MB with an adapter (`settings.rank`).
        held: Sentences that are only used to calibrate; every tenth example if there are none.
        settings: How to learn.

    Raises:
        DataError: Too few sentences or intents, or tokens and text disagree.
    """
    from core.models.transformer import model_folder
    from core.training.lora import merged
    from verticals.voice.understanding.model import About, IntentModel
    from verticals.voice.understanding.weights import export_network, save_network

    chosen = settings or IntentSettings()
    learned, kept = (list(examples), list(held)) if held else _parted(examples, chosen.seed)
    labels = labels_of(learned)
    network, tokenizer, _ = train_network(rows_of(learned, labels), labels, chosen)
    logits, right = _logits(network, tokenizer, kept, labels)
    confidence = fit_confidence(logits, right) if len(right) >= _FEWEST_HELD else Confidence()
    core: Any = network
    steps = (core.transitions * _STEP_GAIN + core.steps).detach().numpy()
    about = About(labels.intents, labels.tags, labels.slots_of, steps, confidence, labels.shares)
    if chosen.rank:
        save_network(network, chosen.encoder, about, folder)
        core.encoder = merged(core.encoder)
        return IntentModel.open(folder)
    export_network(network, model_folder(chosen.encoder), about, folder)
    return IntentModel.open(folder)


def _parted(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Nine tenths to learn from and one tenth to calibrate on; every intent stays learnable."""
    order = np.random.default_rng(seed).permutation(len(examples))
    left = Counter(example.intent for example in examples)
    learned, kept = [], []
    for place, i in enumerate(order):
        example = examples[int(i)]
        if place % 10 == 0 and left[example.intent] > 2 * FEWEST:
            kept.append(example)
            left[example.intent] -= 1
        else:
            learned.append(example)
    return learned, kept


def _logits(
    network: torch.nn.Module, tokenizer: Tokenizer, examples: Sequence[Example], labels: Labels
) -> tuple[np.ndarray, np.ndarray]:
    """Intent logits (n, intents) and right intents (n,) of sentences of known intents."""
    import torch

    from verticals.voice.understanding.joint import inputs

    known = [e for e in examples if e.intent in labels.intents and split_words(e.text)]
    found = []
    with torch.no_grad():
        for example in known:
            words = [example.text[a:b] for a, b in split_words(example.text)]
            given = inputs([words], tokenizer)
            found.append(network(*[torch.from_numpy(given[k]) for k in INPUTS])[0][0].numpy())
    right = np.array([labels.intents.index(e.intent) for e in known], np.int64)
    return np.array(found, np.float32).reshape(len(known), len(labels.intents)), right


def train_network(
    rows: Sequence[Row], labels: Labels, settings: IntentSettings
) -> tuple[torch.nn.Module, Tokenizer, float]:
    """Train the joint network; returns it with its tokenizer and the seconds it took.

    Args:
        rows: From `rows_of`.
        labels: The label space.
        settings: How long and how to train.
    """
    import torch

    from core.models.transformer import load_transformer
    from core.training.loop import FitSettings, fit
    from core.training.lora import add_lora
    from verticals.voice.understanding.joint import chain_loss, inputs, joint_network

    torch.manual_seed(settings.seed)
    plain, tokenizer = load_transformer(settings.encoder)
    encoder: torch.nn.Module = plain
    if settings.rank:
        encoder = add_lora(plain, rank=settings.rank, dropout=0.05)
        encoder.config = plain.config  # type: ignore[assignment]
    else:
        plain.embeddings.requires_grad_(False)
    model = joint_network(encoder, len(labels.intents), labels.tags)
    unknown = np.random.default_rng(settings.seed)

    def together(members: list[Row]) -> dict[str, torch.Tensor]:
        words = [_some_unknown(row.words, settings.word_dropout, unknown) for row in members]
        batch = {k: torch.from_numpy(v) for k, v in inputs(words, tokenizer).items()}
        batch["lengths"] = torch.tensor([len(row.words) for row in members])
        longest = int(batch["lengths"].max())
        batch["tags"] = torch.tensor([[*r.tags, *[0] * (longest - len(r.tags))] for r in members])
        batch["intent"] = torch.tensor([row.intent for row in members])
        return batch

    def loss(network: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        intent, scores, _ = network(*[batch[k] for k in INPUTS])
        core: Any = network
        steps = core.transitions * _STEP_GAIN + core.steps
        said = torch.nn.functional.cross_entropy(intent.float(), batch["intent"])
        return said + chain_loss(scores, batch["tags"], batch["lengths"], steps)

    begun = time.perf_counter()
    loader: Any = torch.utils.data.DataLoader(
        list(rows),  # type: ignore[arg-type]
        batch_sampler=_by_length([len(row.words) for row in rows], settings.batch),
        collate_fn=together,
    )
    fit(
        model, loader, loss,
        FitSettings(
            epochs=settings.epochs, learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay, precision="bf16", seed=settings.seed,
            progress=settings.progress, deadline=settings.deadline,
        ),
    )  # fmt: skip
    return model, tokenizer, time.perf_counter() - begun


def _some_unknown(words: Sequence[str], share: float, random: np.random.Generator) -> list[str]:
    return [w if random.random() >= share else "[UNK]" for w in words]


def _by_length(lengths: Sequence[int], size: int) -> Any:
    """Batches of sentences about as long, in an order that follows torch's seed."""
    import torch

    class ByLength(torch.utils.data.Sampler[list[int]]):
        def __iter__(self) -> Iterator[list[int]]:
            order = torch.randperm(len(lengths)).tolist()
            pile = size * 25
            batches = []
            for start in range(0, len(order), pile):
                some = sorted(order[start : start + pile], key=lengths.__getitem__)
                batches += [some[i : i + size] for i in range(0, len(some), size)]
            for i in torch.randperm(len(batches)).tolist():
                yield batches[i]

        def __len__(self) -> int:
            piles = [min(size * 25, len(lengths) - i) for i in range(0, len(lengths), size * 25)]
            return sum(-(-pile // size) for pile in piles)

    return ByLength()
