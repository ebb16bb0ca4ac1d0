"""What the labels of COCO, Cityscapes and ADE20K are in our words, by their names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS, SURFACES, UNLABELLED

# Things. A bicycle alone is a cyclist's: frames count rider and bicycle as one.
_OBJECTS = {
    "person": "pedestrian", "rider": "cyclist", "bicycle": "cyclist", "bike": "cyclist",
    "motorbike": "motorcycle", "minibike": "motorcycle", "traffic light": "traffic_light",
    "traffic sign": "traffic_sign", "stop sign": "traffic_sign", "signboard": "traffic_sign",
    "train": "other", "dog": "other", "cat": "other", "horse": "other", "sheep": "other",
    "cow": "other", "animal": "other",
} | {name: name for name in OBJECTS}  # fmt: skip

# Stuff, as the eleven classes of CamVid group its thirty-two (Badrinarayanan et al., 2017).
_SURFACES = {
    "wall": "building", "house": "building", "skyscraper": "building", "bridge": "building",
    "tunnel": "building", "streetlight": "pole", "street light": "pole", "parking": "road",
    "sidewalk": "pavement", "path": "pavement", "vegetation": "tree", "terrain": "tree",
    "grass": "tree", "plant": "tree", "palm": "tree", "traffic light": "sign",
    "traffic sign": "sign", "stop sign": "sign", "signboard": "sign", "guard rail": "fence",
    "railing": "fence", "truck": "car", "bus": "car", "van": "car", "train": "car",
    "person": "pedestrian", "rider": "bicyclist", "bicycle": "bicyclist", "bike": "bicyclist",
    "motorcycle": "bicyclist", "motorbike": "bicyclist", "minibike": "bicyclist",
} | {name: name for name in SURFACES}  # fmt: skip


def objects_of(labels: Mapping[int, str]) -> NDArray[np.int64]:
    """(labels,) index into OBJECTS of each label of a model; -1 for what roads do not need."""
    return _table(labels, _OBJECTS, OBJECTS, -1)


def surfaces_of(labels: Mapping[int, str]) -> NDArray[np.int64]:
    """(labels,) index into SURFACES of each label of a model; UNLABELLED for the rest."""
    return _table(labels, _SURFACES, SURFACES, UNLABELLED)


def _table(
    labels: Mapping[int, str], words: Mapping[str, str], names: tuple[str, ...], none: int
) -> NDArray[np.int64]:
    found = np.full(max(labels, default=-1) + 1, none, np.int64)
    for number, label in labels.items():
        # ADE20K lists synonyms, the commonest first: "sidewalk, pavement", "door;double door".
        plain = label.replace(";", ",").split(",")[0].strip().lower()
        ours = words.get(plain) or words.get(plain.replace(" ", "_"))
        if ours is not None:
            found[number] = names.index(ours)
    return found
