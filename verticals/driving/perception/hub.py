"""Detectors and segmenters of others, by hub name or folder, behind the same result as ours.

Weights come as safetensors only, and no code comes with them. These models see what COCO,
Cityscapes or ADE20K taught them, translated by `hub_labels`; distances, lanes and light states
they do not know, and their scores are their own, not calibrated on your roads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError, ModelError
from core.models.transformer import model_folder
from core.training.loop import FitHistory, FitSettings, fit
from verticals.driving.frame import SURFACES, UNLABELLED, Boxes2D, Frame
from verticals.driving.perception.hub_labels import objects_of, surfaces_of
from verticals.driving.perception.settings import DETECTED
from verticals.driving.perception.sight import Sight

if TYPE_CHECKING:
    import torch

Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class HubDetector:
    """A detector such as D-FINE or RT-DETR."""

    model: Any  # transformers' PreTrainedModel
    processor: Any  # ... and its image processor
    least: float = 0.3  # score of boxes that are given

    def boxes(self, images: Sequence[Image]) -> list[Boxes2D]:
        """Objects of every (height, width, 3) uint8 RGB image, best first.

        Classes are ours; `details` hold the model's own words. What roads do not need is left out.
        """
        import torch

        ours = objects_of(self.model.config.id2label)
        found = []
        for image in images:
            given = self.processor(images=[image], return_tensors="pt")["pixel_values"]
            with torch.inference_mode():
                seen = self.model(given.to(self.model.device))
            one = self.processor.post_process_object_detection(
                seen, threshold=self.least, target_sizes=[image.shape[:2]]
            )[0]
            labels, scores = one["labels"].cpu().numpy(), one["scores"].float().cpu().numpy()
            kept = np.flatnonzero(ours[labels] >= 0)
            kept = kept[np.argsort(-scores[kept], kind="stable")]
            xyxy = one["boxes"].float().cpu().numpy()[kept].astype(float)
            sides = np.tile(image.shape[1::-1], 2)
            words = tuple(self.model.config.id2label[int(k)] for k in labels[kept])
            found.append(Boxes2D(np.clip(xyxy, 0, sides), ours[labels[kept]],
                                 np.full(len(kept), -1), scores=scores[kept].astype(float),
                                 details=words))  # fmt: skip
        return found

    def save(self, folder: Path) -> Path:
        """Write it as the hub lays it out; `open_detector` reads it back."""
        return _save(self.model, self.processor, folder)


@dataclass(frozen=True, eq=False)
class HubSegmenter:
    """A semantic segmenter such as SegFormer, or a mask classifier such as Mask2Former."""

    model: Any
    processor: Any

    def surfaces(self, images: Sequence[Image]) -> list[tuple[Image, NDArray[np.float32]]]:
        """Surface and its probability in every pixel of (height, width, 3) uint8 RGB images.

        Probabilities of labels that are one surface to us are added first: a lorry that is half
        truck and half bus is surely a car to CamVid.
        """
        import torch

        ours = torch.as_tensor(surfaces_of(self.model.config.id2label))
        found = []
        for image in images:
            given = self.processor(images=[image], return_tensors="pt")["pixel_values"]
            with torch.inference_mode():
                shares = _shares(self.model(pixel_values=given.to(self.model.device))).cpu()
                summed = torch.zeros(1, len(SURFACES) + 1, *shares.shape[2:])
                summed.index_add_(1, ours, shares)
                full = torch.nn.functional.interpolate(
                    summed, image.shape[:2], mode="bilinear", align_corners=False
                )[0]
                confidence, surface = full.max(dim=0)
            found.append((surface.numpy().astype(np.uint8), confidence.numpy()))
        return found

    def save(self, folder: Path) -> Path:
        """Write it as the hub lays it out; `open_segmenter` reads it back."""
        return _save(self.model, self.processor, folder)


def open_detector(
    name: str | Path, *, classes: Sequence[str] | None = None, least: float = 0.3
) -> HubDetector:
    """Open a detector.

    Args:
        name: Hub name such as ustc-community/dfine-small-coco or PekingU/rtdetr_r18vd, a pinned
            asset, or a folder.
        classes: A fresh head for these, to be fine-tuned; by default what it knows.
        least: Score below which boxes are dropped.

    Raises:
        ModelError: It is nowhere, is no detector, or its weights are not safetensors.
    """
    heads: dict[str, Any] = {}
    if classes is not None:
        heads = {
            "id2label": dict(enumerate(classes)), "ignore_mismatched_sizes": True,
            "label2id": {label: number for number, label in enumerate(classes)},
        }  # fmt: skip
    return HubDetector(*_open(name, ("AutoModelForObjectDetection",), heads), least)


def open_segmenter(name: str | Path) -> HubSegmenter:
    """Open a segmenter.

    Args:
        name: Hub name such as nvidia/segformer-b0-finetuned-cityscapes-1024-1024 or
            facebook/mask2former-swin-tiny-cityscapes-semantic, a pinned asset, or a folder.

    Raises:
        ModelError: It is nowhere, is no segmenter, or its weights are not safetensors.
    """
    kinds = ("AutoModelForSemanticSegmentation", "AutoModelForUniversalSegmentation")
    return HubSegmenter(*_open(name, kinds, {}))


def see(
    images: Sequence[Image],
    *,
    detector: HubDetector | None = None,
    segmenter: HubSegmenter | None = None,
) -> list[Sight]:
    """Images as perceived by either or both; what nobody was asked stays unlabelled or empty."""
    nothing = Boxes2D(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    boxes = detector.boxes(images) if detector else [nothing] * len(images)
    if segmenter:
        maps = segmenter.surfaces(images)
    else:
        maps = [(np.full(image.shape[:2], UNLABELLED, np.uint8),
                 np.zeros(image.shape[:2], np.float32)) for image in images]  # fmt: skip
    return [
        Sight(surfaces, confidence, found, unknown=np.zeros(len(found), np.bool_))
        for (surfaces, confidence), found in zip(maps, boxes, strict=True)
    ]


def finetune_detector(
    detector: HubDetector, frames: Sequence[Frame], settings: FitSettings, *, batch: int = 8
) -> FitHistory:
    """Train a detector in place, with its own loss, on the boxes of each frame's main camera.

    Labels are matched to the detector's by name, as `hub_labels` has them, so a head for
    `settings.DETECTED` learns ours and a COCO head keeps learning COCO's. A DETR wants a small
    learning rate (1e-4) and `clip_norm` (0.1).

    Args:
        detector: To be trained; its model holds the new weights afterwards.
        frames: With images and boxes; ignored regions are left out.
        settings: How long and how.
        batch: Images of a step.

    Raises:
        DataError: No frame has a box of a class that the detector knows.
    """
    from torch.utils.data import DataLoader

    examples = [_example(detector, frame) for frame in frames]
    if not any(len(example["labels"]["class_labels"]) for example in examples):
        raise DataError(
            "no frame has a box of a class that the detector knows",
            remedy=f"Open it with classes such as {', '.join(DETECTED[:3])}",
        )

    def loss(model: torch.nn.Module, given: dict[str, Any]) -> torch.Tensor:
        value: torch.Tensor = model(**given).loss
        return value

    detector.model.train()
    batches: Any = DataLoader(examples, batch, shuffle=True, collate_fn=_batched)  # type: ignore[arg-type]
    return fit(detector.model, batches, loss, settings)


def _example(detector: HubDetector, frame: Frame) -> dict[str, Any]:
    """Pixels, and boxes as DETRs want them: centre and size, shares of the image."""
    import torch

    view = next(iter(frame.views.values()))
    pixels = detector.processor(images=[view.image], return_tensors="pt")["pixel_values"][0]
    ours = objects_of(detector.model.config.id2label)
    theirs = {int(kind): number for number, kind in reversed(list(enumerate(ours))) if kind >= 0}
    labels, places = [], []
    if view.boxes is not None:
        left_out = np.zeros(len(view.boxes), bool)
        left_out = left_out if view.boxes.ignore is None else view.boxes.ignore
        sides = np.tile(view.image.shape[1::-1], 2)
        for kind, xyxy in zip(
            view.boxes.classes[~left_out], view.boxes.xyxy[~left_out], strict=True
        ):
            low, high = np.split(np.clip(xyxy, 0, sides) / sides, 2)
            if int(kind) in theirs and (high > low).all():
                labels.append(theirs[int(kind)])
                places.append([*((low + high) / 2), *(high - low)])
    boxes = torch.tensor(places, dtype=torch.float32).reshape(-1, 4)
    return {
        "pixel_values": pixels,
        "labels": {"class_labels": torch.tensor(labels), "boxes": boxes},
    }


def _batched(examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    import torch

    return {
        "pixel_values": torch.stack([example["pixel_values"] for example in examples]),
        "labels": [
            {"class_labels": example["labels"]["class_labels"].long(),
             "boxes": example["labels"]["boxes"]} for example in examples
        ],
    }  # fmt: skip


def _shares(seen: Any) -> torch.Tensor:
    """(1, labels, h, w) probabilities, whichever kind of model gave them."""
    if "masks_queries_logits" not in seen:
        shares: torch.Tensor = seen.logits.float().softmax(dim=1)
        return shares
    import torch

    kinds = seen.class_queries_logits.float().softmax(dim=-1)[..., :-1]  # without "no object"
    masks = seen.masks_queries_logits.float().sigmoid()
    votes = torch.einsum("nqc,nqhw->nchw", kinds, masks)
    return votes / votes.sum(dim=1, keepdim=True).clamp(min=1e-6)


def _open(name: str | Path, kinds: Sequence[str], heads: dict[str, Any]) -> tuple[Any, Any]:
    import transformers

    hub: Any = transformers
    try:
        folder = model_folder(str(name))
    except ModelError as error:
        raise ModelError(error.what, where=str(name), remedy="Connect, give a folder, or build "
                         "one without skill by hub_models") from None  # fmt: skip
    reasons = []
    with _quiet():
        for kind in kinds:
            try:
                model = getattr(hub, kind).from_pretrained(
                    folder, use_safetensors=True, local_files_only=True, trust_remote_code=False,
                    **heads,
                )  # fmt: skip
                processor = hub.AutoImageProcessor.from_pretrained(
                    folder, local_files_only=True, trust_remote_code=False
                )
                return model.eval(), processor
            except (OSError, ValueError, RuntimeError) as error:
                reasons.append(str(error).strip().splitlines()[0])
    raise ModelError(
        f"it cannot be opened: {reasons[0]}", where=str(folder),
        remedy="Give config.json, preprocessor_config.json and safetensors of a model of that kind",
    )  # fmt: skip


def _save(model: Any, processor: Any, folder: Path) -> Path:
    with _quiet():
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bars and its table of what a fresh head lacks."""
    from transformers.utils import logging as chatter

    talk: Any = chatter
    shown, level = talk.is_progress_bar_enabled(), talk.get_verbosity()
    talk.disable_progress_bar()
    talk.set_verbosity_error()
    try:
        yield
    finally:
        talk.set_verbosity(level)
        if shown:
            talk.enable_progress_bar()
