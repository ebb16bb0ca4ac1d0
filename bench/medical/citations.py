"""Whether every quotation stands in its source, over the questions of the public sets.

    python -m bench.medical.citations

Nothing is withheld: evidence and nearest passages are both looked at. SciFact's corpus is also
asked MedQuAD's questions, foreign to it. A quotation counts only if it is, character for character,
at its offsets in the corpus, and if it stands in the source file as this module reads it by itself,
white space apart.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.machine import machine, write_result
from bench.medical.scifact import DATA, WORK
from core.evaluation.bootstrap import wilson
from verticals.medical.answer import Question
from verticals.medical.answering import Engine, answer, open_engine
from verticals.medical.corpus.ingest import ingest
from verticals.medical.labelled import EMBEDDED, read_labelled

_SPACE = re.compile(r"\s+")


def main() -> None:
    """Ask everything; write bench/results/medical_citations.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--foreign-every", type=int, default=4, metavar="N",
        help="of MedQuAD's 14,000 questions ask one in N; 1 takes half an hour",
    )  # fmt: skip
    given = parser.parse_args()
    begun, found = time.perf_counter(), {}
    for name, source, texts, questions in sets(DATA, given.foreign_every):
        corpus = ingest(source, WORK / f"citations-{name}").corpus
        engine = open_engine(corpus, WORK / f"citations-{name}" / "index")
        found[name] = sweep(engine, texts, questions)
        print(name, json.dumps(found[name]), flush=True)
    asked = sum(row["questions"] for row in found.values())
    quoted = sum(row["quotations"] for row in found.values())
    wrong = sum(row["not_in_the_source"] for row in found.values())
    headline = {
        "questions asked of the public sets": asked,
        "quotations given": quoted,
        "quotations that their source does not hold": wrong,
        "... at most, by the upper end of its interval": round(
            wilson(wrong / quoted, quoted)[1], 6
        ),
    }
    print(write_result("medical_citations", {
        "machine": machine("bm25s", "onnxruntime"), "sets": found, "headline": headline,
        "seconds": round(time.perf_counter() - begun, 1),
    }))  # fmt: skip


def sets(
    data: Path, foreign_every: int
) -> Iterator[tuple[str, Any, Mapping[str, str] | None, list[str]]]:
    """Name, what to ingest, the source's texts read independently, and its questions."""
    yield "guidelines", "guidelines", None, [q.question for q in read_labelled(EMBEDDED)]
    scifact = {
        str(row["_id"]): " ".join(row["sentences"])
        for row in lines(data / "scifact" / "corpus.jsonl.gz")
    }
    claims = [row["text"] for row in lines(data / "scifact" / "claims_train.jsonl")]
    foreign = {row["question"]: None for row in lines(data / "medquad" / "qa_dev.jsonl.gz")}
    place = data / "scifact" / "corpus.jsonl.gz"
    yield "scifact", place, scifact, [*claims, *list(foreign)[::foreign_every]]
    rows = list(lines(data / "pubmedqa" / "pqal_dev500.jsonl.gz"))
    contexts = {str(row["pmid"]): " ".join(row["contexts"]) for row in rows}
    place = data / "pubmedqa" / "pqal_dev500.jsonl.gz"
    yield "pubmedqa", place, contexts, [row["question"] for row in rows]
    place = data / "evidence_inference" / "abstracts.jsonl.gz"
    trials = {str(row["_id"]): row["text"] for row in lines(place)}
    prompts = [
        f"Does {row['intervention']} change {row['outcome']} compared with {row['comparator']}?"
        for row in lines(data / "evidence_inference" / "prompts.jsonl.gz")
    ]
    yield "evidence_inference", place, trials, prompts


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, plain or gzip."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def sweep(engine: Engine, texts: Mapping[str, str] | None, questions: list[str]) -> dict[str, int]:
    """Ask the questions and look every quotation up."""
    squeezed = {name: _SPACE.sub("", text) for name, text in (texts or {}).items()}
    result = {"questions": 0, "quotations": 0, "not_in_the_source": 0, "answered": 0}
    for asked in questions:
        said = answer(Question(question=asked[:2000]), engine)
        result["questions"] += 1
        result["answered"] += said.status == "answered"
        for piece in [*said.evidence, *said.nearest]:
            text = engine.corpus.document(piece.document).text
            good = bool(piece.quote) and text[piece.start : piece.end] == piece.quote
            if texts is not None:
                good &= _SPACE.sub("", piece.quote) in squeezed[piece.pmid or piece.document]
            result["quotations"] += 1
            result["not_in_the_source"] += not good
    return result


if __name__ == "__main__":
    main()
