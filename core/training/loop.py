"""One training loop for every network: any device, any precision, resumable to the bit.

Runs on Hugging Face Accelerate, so the same call works on a laptop, a GPU and under torchrun.
Knows nothing of what is learned: the caller brings the model, the data and the loss.
"""

from __future__ import annotations

import math
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    import torch
    from torch.utils.data import DataLoader

    Loss = Callable[[torch.nn.Module, Any], torch.Tensor]
    Score = Callable[[torch.nn.Module], float]


@dataclass(frozen=True)
class FitSettings:
    """How long and how to train."""

    epochs: int = 10
    learning_rate: float = 2e-3  # peak of a one-cycle schedule
    weight_decay: float = 3e-4
    precision: Literal["no", "bf16", "fp16"] = "no"
    accumulation: int = 1  # batches per optimiser step
    patience: int = 0  # epochs without a better score before stopping; 0 never stops early
    clip_norm: float = 1.0
    seed: int = 0
    checkpoint: Path | None = None  # folder; training resumes from it if it holds a state
    deadline: float | None = None  # monotonic clock reading after which no epoch begins
    progress: bool = False  # a bar on the terminal


@dataclass
class FitHistory:
    """What happened, epoch by epoch."""

    losses: list[float] = field(default_factory=list)  # mean training loss
    scores: list[float] = field(default_factory=list)  # of the validation, higher is better
    best_epoch: int = -1  # whose weights the model holds after an early stop; -1 for the last
    resumed_from: int = 0  # epochs that an earlier, interrupted run had finished


def fit(
    model: torch.nn.Module,
    batches: DataLoader,
    loss: Loss,
    settings: FitSettings,
    *,
    validate: Score | None = None,
) -> FitHistory:
    """Train in place.

    Args:
        model: Any module; left on the CPU, in evaluation mode, with its best weights.
        batches: A DataLoader whose order follows torch's global seed (no generator of its own).
        loss: Scalar loss of the model on one batch.
        settings: How long and how to train.
        validate: Score of the model, higher is better; needed for early stopping.

    Returns:
        Losses and scores. With `settings.checkpoint`, a killed run that is called again with
        the same arguments continues after its last full epoch and ends with the same weights.

    Raises:
        ValueError: Early stopping without a `validate`, or a loss that is not finite.
    """
    import torch

    with warnings.catch_warnings():  # tqdm wishes for widgets that nobody looks at
        warnings.simplefilter("ignore")
        from accelerate import Accelerator
        from accelerate.state import AcceleratorState
        from accelerate.utils import set_seed

    if settings.patience and validate is None:
        raise ValueError("early stopping needs `validate`")
    set_seed(settings.seed)
    AcceleratorState._reset_state()  # an earlier fit of this process may have had another precision
    accelerator = Accelerator(
        mixed_precision=settings.precision, gradient_accumulation_steps=settings.accumulation
    )
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay,
        fused=True,
    )  # fmt: skip
    steps = settings.epochs * max(1, -(-len(batches) // settings.accumulation))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, steps)
    wrapped, optimiser, batches, schedule = accelerator.prepare(model, optimiser, batches, schedule)
    history = _resume(accelerator, settings.checkpoint)
    best = _Best(model, history, settings.patience, settings.checkpoint)
    for epoch in _epochs(len(history.losses), settings):
        set_seed(settings.seed + epoch)  # the order of an epoch depends on nothing before it
        wrapped.train()
        total = torch.zeros((), device=accelerator.device)
        for batch in batches:
            with accelerator.accumulate(wrapped):
                value = loss(wrapped, batch)
                accelerator.backward(value)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(wrapped.parameters(), settings.clip_norm)
                optimiser.step()
                schedule.step()
                optimiser.zero_grad()
            total += value.detach()
        mean = float(total) / len(batches)
        if not math.isfinite(mean):
            raise ValueError(f"the loss is not finite in epoch {epoch}; lower learning_rate")
        history.losses.append(mean)
        if validate is not None:
            wrapped.eval()
            history.scores.append(validate(accelerator.unwrap_model(wrapped)))
        finished = best.update()
        _save(accelerator, settings.checkpoint, history, best)
        if finished:
            break
    # without the wrapper that would go on computing in the precision of the training
    accelerator.unwrap_model(wrapped, keep_fp32_wrapper=False).cpu().eval()
    best.restore()
    return history


def half_precision() -> Literal["no", "bf16"]:
    """The precision that pays here: bf16 where the chip computes in it; emulated it is slower."""
    import torch

    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
    known = torch.cpu.get_capabilities()
    return "bf16" if any(known.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else "no"


def _epochs(first: int, settings: FitSettings) -> Any:
    """Epoch numbers still to do, with a bar if asked for, until the deadline."""
    from rich.progress import track

    numbers = range(first, settings.epochs)
    for epoch in track(numbers, "training", transient=True) if settings.progress else numbers:
        if settings.deadline is not None and epoch and time.monotonic() > settings.deadline:
            return
        yield epoch


class _Best:
    """Keeps the weights of the best epoch, and says when to give up waiting for a better one."""

    def __init__(
        self, model: torch.nn.Module, history: FitHistory, patience: int, checkpoint: Path | None
    ) -> None:
        from safetensors.torch import load_file

        self.model, self.history, self.patience = model, history, patience
        kept = checkpoint / "best.safetensors" if checkpoint else None
        self.weights = load_file(kept) if kept is not None and kept.exists() else {}

    def update(self) -> bool:
        """Take note of the epoch just done; True when it is time to stop."""
        if not self.patience:
            return False
        scores = self.history.scores
        if self.history.best_epoch < 0 or scores[-1] > scores[self.history.best_epoch]:
            self.history.best_epoch = len(scores) - 1
            self.weights = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
        return len(scores) - 1 - self.history.best_epoch >= self.patience

    def restore(self) -> None:
        """Give the model its best weights back."""
        if self.weights:
            self.model.load_state_dict(self.weights)


def _save(accelerator: Any, folder: Path | None, history: FitHistory, best: _Best) -> None:
    """Replace the checkpoint in one step: a kill leaves the old one or the new one."""
    if folder is None or not accelerator.is_main_process:
        return
    from safetensors.torch import save_file

    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    for stale in (fresh, old):
        shutil.rmtree(stale, ignore_errors=True)
    accelerator.save_state(str(fresh))
    (fresh / "history.json").write_bytes(orjson.dumps(vars(history)))
    if best.weights:
        save_file(best.weights, fresh / "best.safetensors")
    if folder.exists():
        folder.replace(old)
    fresh.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _resume(accelerator: Any, folder: Path | None) -> FitHistory:
    """Load the checkpoint, if there is a whole one."""
    if folder is None:
        return FitHistory()
    old = folder.with_name(folder.name + ".old")
    if not folder.exists() and old.exists():  # killed between the two renames of `_save`
        old.replace(folder)
    if not (folder / "history.json").exists():
        return FitHistory()
    accelerator.load_state(str(folder))
    history = FitHistory(**orjson.loads((folder / "history.json").read_bytes()))
    history.resumed_from = len(history.losses)
    return history
