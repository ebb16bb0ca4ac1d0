"""Trains the models that the kit ships, on data whose licence lets a company use them.

    python -m bench.medical.train [--data ../shared/data/medical] [--out verticals/medical/weights]

It measures first (`bench.medical.retrieval`). Then reranker and support learn from all of SciFact's
training claims; abstention from what was seen of every question by models that had not seen it.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from bench.machine import RESULTS
from bench.medical.retrieval import SEED, measure
from bench.medical.scifact import DATA, WORK, SciFact, foreign_questions
from verticals.medical.evidence.support import fit_support
from verticals.medical.retrieval.reranker import fit_trees

OUT = Path("verticals") / "medical" / "weights"
_CARD = """# {title}

{what}

- Made by `python -m bench.medical.train`, seed {seed}, {seconds:.0f} s on two cores, \
LightGBM {lightgbm}.
- Data: SciFact training claims (Wadden et al., 2020; CC BY 4.0) over its corpus \
(S2ORC, ODC-By 1.0){more}.
- Measured by `python -m bench.medical.retrieval` in 5-fold cross-validation, claims that cite \
the same abstract in one fold; see `bench/results/medical_retrieval.json`:
{numbers}
- Limits: claims of one source, in English; a client's own labelled questions are better.
"""


def main() -> None:
    """Train and write the weights with their cards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    begun = time.perf_counter()
    scifact = SciFact.open(given.data, given.work)
    signals = measure(scifact, foreign_questions(given.data))
    features, names, owner = scifact.ranking
    labels = np.array([n in scifact.relevant[o] for n, o in zip(names, owner, strict=True)])
    groups = np.unique(owner, return_counts=True)[1]
    fit_trees(features, labels, groups, seed=SEED).save(given.out / "reranker")
    read = scifact.rationale
    fit_support(read.features, read.labels, seed=SEED).save(given.out / "support")
    signals.fitted().save(given.out / "abstain")
    write_cards(given.out, time.perf_counter() - begun)


def write_cards(out: Path, seconds: float) -> None:
    """A card beside every model; its numbers come from the benchmark's result."""
    found = json.loads((RESULTS / "medical_retrieval.json").read_text(encoding="utf-8"))
    foreign = found["abstention"]["foreign_questions"]
    abstention = found["abstention"]
    what = {
        "reranker": "Trees (XE-NDCG) over what BM25, vectors and shared words say of a passage.",
        "support": "Trees that say whether a sentence bears on a question.",
        "abstain": "Logistic regression over what a search found: does the corpus answer?",
    }
    measured = {
        "reranker": {"nDCG@10": found["ranking"]},
        "support": {
            "sentence F1, abstracts with evidence": found["rationale"],
            "sentence F1, all cited abstracts (these weights)": found["rationale"]["all_cited"],
        },
        "abstain": {
            "AUROC, foreign questions": abstention["foreign"],
            "AUROC, claims without evidence": abstention["no_evidence"],
            "AUROC, claims whose abstracts were taken out": abstention["emptied"],
        },
    }
    more = {"abstain": f", and {foreign} questions of MedQuAD (CC BY 4.0) as foreign ones"}
    for name, about in what.items():
        numbers = "\n".join(
            f"  - {metric} {m['ours']['value']:.3f} "
            f"[{m['ours']['low']:.3f}, {m['ours']['high']:.3f}]"
            for metric, m in measured[name].items()
        )
        text = _CARD.format(
            title=name.capitalize(), what=about, more=more.get(name, ""), numbers=numbers,
            seed=SEED, seconds=seconds, lightgbm=version("lightgbm"),
        )  # fmt: skip
        (out / name / "card.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
