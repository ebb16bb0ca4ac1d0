"""Labelled pairs and comparisons for the direction model, from the public sets.

SciFact (Wadden et al., 2020; claims CC BY 4.0), PubMedQA (Jin et al., 2019; MIT), Evidence
Inference 2.0 (DeYoung et al., 2020; annotations MIT, texts under the papers' own licences).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from verticals.medical.evidence.direction import EFFECTS
from verticals.medical.evidence.direction_fit import LabelledEffect, LabelledPair, negative

DATA = Path(__file__).parents[3] / "shared" / "data" / "medical"
_EFFECT_NAMES = {
    "significantly increased": EFFECTS[0],
    "significantly decreased": EFFECTS[1],
    "no significant difference": EFFECTS[2],
}
_LONGEST = 1200  # characters of a span that are read


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON lines file, gzip or not."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in text.splitlines():
        yield json.loads(line)


def scifact_pairs(data: Path = DATA) -> list[LabelledPair]:
    """A claim and each of its rationales; grouped by abstract."""
    corpus = {d["_id"]: d["sentences"] for d in read_lines(data / "scifact" / "corpus.jsonl.gz")}
    pairs = []
    for claim in read_lines(data / "scifact" / "claims_train.jsonl"):
        for evidence in claim["evidence"]:
            text = " ".join(corpus[evidence["doc_id"]][i] for i in evidence["sentences"])
            supports = evidence["label"] == "SUPPORT"
            said = "supports" if supports else negative(claim["text"], text)
            group = f"scifact:{evidence['doc_id']}"
            pairs.append(LabelledPair(claim["text"], text, said, group, "scifact"))
    return pairs


def pubmedqa_pairs(data: Path = DATA) -> list[LabelledPair]:
    """A question and the conclusion that answers it; those answered "maybe" are left out."""
    pairs = []
    for row in read_lines(data / "pubmedqa" / "pqal_dev500.jsonl.gz"):
        question, text = row["question"], row["long_answer"]
        if row["final_decision"] != "maybe":
            yes = row["final_decision"] == "yes"
            said = "supports" if yes else negative(question, text)
            pairs.append(LabelledPair(question, text, said, f"pubmedqa:{row['pmid']}", "pubmedqa"))
    return pairs


def trial_prompts(data: Path = DATA) -> list[dict[str, Any]]:
    """Prompts of Evidence Inference as they are in the file."""
    return list(read_lines(data / "evidence_inference" / "prompts.jsonl.gz"))


def trial_effects(prompts: Sequence[dict[str, Any]]) -> list[LabelledEffect]:
    """Every prompt with its annotated span; grouped by trial."""
    return [
        LabelledEffect(
            p["intervention"], p["comparator"], p["outcome"], gold_span(p["evidence"]),
            _EFFECT_NAMES[p["label"]], p["pmcid"],
        )
        for p in prompts
    ]  # fmt: skip


def gold_span(quoted: Sequence[str]) -> str:
    """Annotators' quotations as one text, without those that are part of another."""
    plain = {text.strip(): re.sub(r"\W+", "", text) for text in quoted}
    kept: list[str] = []
    for text, letters in plain.items():
        inside = any(letters != other and letters in other for other in plain.values())
        if not inside and letters not in [plain[k] for k in kept]:
            kept.append(text)
    return " ".join(kept)[:_LONGEST]
