"""Reads fitted tree ensembles into flat arrays, from the text and JSON the libraries write.

Knows nothing of Shapley values. A model with something other than plain numeric splits is not
read: the caller then asks the library itself.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from catboost import CatBoost
    from lightgbm import Booster

PLAIN, ZERO_RIGHT, ZERO_LEFT = 0, 1, 2  # where a condition sends a zero: as any number, or so
_ZERO_MISSING, _NAN_MISSING = 1, 2  # LightGBM's missing types; the third, none, is 0
_WORDS = ("split_feature", "decision_type", "left_child", "right_child", "internal_count",
          "leaf_count")  # fmt: skip


@dataclass(frozen=True)
class Conditions:
    """Tests of one feature against a cut point, (conditions,) each.

    Attributes:
        feature: Column of the matrix.
        cut: A value up to and including it goes left.
        nan_left: Whether a missing value goes left.
        zero: Where a zero goes: PLAIN, or for models that read it as missing one of the others.
    """

    feature: np.ndarray
    cut: np.ndarray
    nan_left: np.ndarray
    zero: np.ndarray


@dataclass(frozen=True)
class Forest:
    """Binary trees, one after another.

    Nodes and leaves are numbered through the forest. A child below zero is the leaf `~child`; a
    tree without nodes is a constant and lives in `bias`.

    Attributes:
        width: Columns of the matrix.
        conditions: Nodes may share one, as in an oblivious tree.
        condition: (nodes,) which one a node tests.
        left: (nodes,) child of rows that meet it.
        right: (nodes,) child of the others.
        share_left: (nodes,) share of the training weight that went left, 0 to 1.
        share_right: (nodes,) ... and right; both are 0 where no training row arrived.
        roots: (trees,) first node of each tree.
        leaf: (leaves,) values, in log-odds.
        bias: Added to every score.
        single_precision: Whether the library rounds the matrix to float32 first.
    """

    width: int
    conditions: Conditions
    condition: np.ndarray
    left: np.ndarray
    right: np.ndarray
    share_left: np.ndarray
    share_right: np.ndarray
    roots: np.ndarray
    leaf: np.ndarray
    bias: float
    single_precision: bool


def read_lightgbm(booster: Booster) -> Forest | None:
    """The trees of a booster; None where it has categories, linear leaves or several outputs."""
    head, *trees = booster.model_to_string().split("\nTree=")
    said = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    if said["num_tree_per_iteration"] != "1":
        return None
    texts: dict[str, list[str]] = {name: [] for name in (*_WORDS, "threshold", "leaf_value")}
    nodes, bias = [], 0.0
    for tree in trees:
        lines = dict(
            line.split("=", 1) for line in tree.split("\n\n", 1)[0].splitlines() if "=" in line
        )
        if lines["num_cat"] != "0" or lines.get("is_linear", "0") != "0":
            return None
        if lines["num_leaves"] == "1":
            bias += float(lines["leaf_value"])
            continue
        for name, found in texts.items():
            found.append(lines[name])
        nodes.append(int(lines["num_leaves"]) - 1)
    whole = {name: np.array(" ".join(texts[name]).split(), dtype=np.int64) for name in _WORDS}
    cut = np.array(" ".join(texts["threshold"]).split(), dtype=float)
    count = np.array(nodes, dtype=np.int64)
    first_node = np.repeat(np.cumsum(count) - count, count)
    first_leaf = np.repeat(np.cumsum(count + 1) - count - 1, count)
    left, right = (
        np.where(child < 0, ~(~child + first_leaf), child + first_node)
        for child in (whole["left_child"], whole["right_child"])
    )
    shares = [
        np.where(
            c < 0, whole["leaf_count"][np.maximum(~c, 0)], whole["internal_count"][np.maximum(c, 0)]
        )
        / np.maximum(whole["internal_count"], 1)
        for c in (left, right)
    ]
    default_left = (whole["decision_type"] & 2) > 0
    missing = (whole["decision_type"] >> 2) & 3
    zero = np.where(missing == _ZERO_MISSING, np.where(default_left, ZERO_LEFT, ZERO_RIGHT), PLAIN)
    # A model that saw no missing value reads one as zero.
    nan_left = np.where(
        (missing == _NAN_MISSING) | (missing == _ZERO_MISSING), default_left, cut >= 0
    )
    return Forest(
        int(said["max_feature_idx"]) + 1,
        Conditions(whole["split_feature"], cut, nan_left, zero.astype(np.int8)),
        np.arange(len(cut)), left, right, shares[0], shares[1], np.cumsum(count) - count,
        np.array(" ".join(texts["leaf_value"]).split(), dtype=float), bias, False,
    )  # fmt: skip


def read_catboost(model: CatBoost) -> Forest | None:
    """The trees of a CatBoost model; None where they are not oblivious or not only of numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        said = json.loads(path.read_text(encoding="utf-8"))
    scale, bias = said["scale_and_bias"]
    if "oblivious_trees" not in said or len(bias) != 1 or said["features_info"].get("ctrs"):
        return None
    numbers = {f["feature_index"]: f for f in said["features_info"].get("float_features", [])}
    width = 1 + max((f["flat_feature_index"] for f in numbers.values()), default=-1)
    tests: list[tuple[int, float, bool]] = []
    parts: list[tuple[np.ndarray, ...]] = []
    roots, leaves = [0], 0
    for tree in said["oblivious_trees"]:
        splits = tree["splits"] or []
        if any(s["split_type"] != "FloatFeature" for s in splits) or (
            len(tree.get("leaf_weights", ())) != len(tree["leaf_values"])
        ):
            return None
        parts.append(_oblivious(tree, len(tests), roots[-1], leaves))
        tests += [_test(split, numbers) for split in splits]
        roots.append(roots[-1] + len(parts[-1][0]))
        leaves += len(tree["leaf_values"])
    condition, left, right, share_left, share_right, leaf = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    nodes = np.diff(roots)
    constant = np.array([t["leaf_values"][0] for t in said["oblivious_trees"]])[nodes == 0].sum()
    conditions = Conditions(
        np.array([t[0] for t in tests], dtype=np.int64),
        np.array([t[1] for t in tests], dtype=float),
        np.array([t[2] for t in tests], dtype=bool),
        np.zeros(len(tests), dtype=np.int8),
    )
    return Forest(
        width, conditions, condition, left, right, share_left, share_right,
        np.array(roots[:-1])[nodes > 0], leaf * scale, float(bias[0] + scale * constant), True,
    )  # fmt: skip


def _test(split: dict[str, Any], numbers: dict[int, dict[str, Any]]) -> tuple[int, float, bool]:
    """Feature, cut point and whether a missing value goes left; greater goes right."""
    feature = numbers[split["float_feature_index"]]
    cut = float(np.float32(split["border"]))
    return feature["flat_feature_index"], cut, feature["nan_value_treatment"] != "AsTrue"


def _oblivious(
    tree: dict[str, Any], first_test: int, first_node: int, first_leaf: int
) -> tuple[np.ndarray, ...]:
    """An oblivious tree as a binary one; the last split is the root, the first is leaf bit 0."""
    depth = len(tree["splits"] or [])
    weight = [np.asarray(tree["leaf_weights"], dtype=float)]
    for _ in range(depth):
        weight.append(weight[-1].reshape(-1, 2).sum(axis=1))
    weight = weight[::-1]  # by level, the root first
    count = 2**depth - 1
    level = np.repeat(np.arange(depth), 2 ** np.arange(depth))
    within = np.arange(count) - (2**level - 1)
    child = [2 * within + side for side in (0, 1)]
    at = np.concatenate([[], *weight[:-1]]) if depth else np.zeros(0)
    below = np.concatenate([[], *weight[1:]]) if depth else np.zeros(0)
    share = [
        np.divide(below[2 ** (level + 1) - 2 + c], at, out=np.zeros(count), where=at > 0)
        for c in child
    ]
    deepest = level == depth - 1
    target = [
        np.where(deepest, ~(first_leaf + c), first_node + 2 ** (level + 1) - 1 + c) for c in child
    ]
    return (
        first_test + depth - 1 - level, target[0], target[1], share[0], share[1],
        np.asarray(tree["leaf_values"], dtype=float),
    )  # fmt: skip
