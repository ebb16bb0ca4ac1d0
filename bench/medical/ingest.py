"""How fast literature is taken in, and how much memory that takes.

    python -m bench.medical.ingest --passages 1000000 [--words]

Made-up abstracts are written as JSON lines; each measurement is a fresh process that takes them
in, with copies and retractions among them, and with `--words` indexes them for BM25 as well. Its
peak memory at a tenth of the passages says whether memory is bounded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from bench.machine import machine, write_result

VOCABULARY, WORDS = 30_000, 185  # of all abstracts, and of each on average
BLOCK = 1000
COPIES, RETRACTED = 100, 1000  # one abstract in so many


def main() -> None:
    """Measure a tenth and the whole; write bench/results/medical_ingest.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--words", action="store_true", help="index for BM25 too")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.words)))
        return
    result: dict[str, Any] = {"machine": machine("orjson", "rensa", "bm25s"), "runs": {}}
    for name, count in (("tenth", given.passages // 10), ("whole", given.passages)):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "abstracts.jsonl"
            write_abstracts(source, count)
            run = in_process(source, given.words)
            result["runs"][name] = run | {"source_mb": round(source.stat().st_size / 1e6, 1)}
        print(name, result["runs"][name], flush=True)
    whole, tenth = result["runs"]["whole"], result["runs"]["tenth"]
    grown = whole["peak_mb"] - tenth["peak_mb"]
    result["ratios"] = {
        "memory_whole_over_tenth": round(whole["peak_mb"] / tenth["peak_mb"], 3),
        "bytes_more_per_passage": round(1e6 * grown / (whole["passages"] - tenth["passages"]), 1),
    }
    title = f"{given.passages:,} abstracts taken in"
    result["headline"] = {
        f"{title}: passages a second": whole["passages_per_s"],
        f"{title}: peak MB": whole["peak_mb"],
    }
    if given.words:
        result["headline"][f"{title} and indexed: passages a second"] = whole["with_words_per_s"]
    print(json.dumps(result["ratios"], indent=2))
    print(write_result("medical_ingest", result))


def write_abstracts(target: Path, count: int) -> None:
    """Write so many made-up abstracts, a block in memory at a time."""
    with target.open("wb") as sink:
        for entry in abstracts(count):
            sink.write(orjson.dumps(entry))
            sink.write(b"\n")


def abstracts(count: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Abstracts of words that are as unevenly common as those of a language (Zipf)."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghilmnoprstuvy"))
    sizes = rng.integers(3, 13, VOCABULARY)
    words = ["".join(rng.choice(letters, size)) for size in sizes]
    weights = 1 / np.arange(2, VOCABULARY + 2)
    heights = np.cumsum(weights / weights.sum())
    previous = ""
    for start in range(0, count, BLOCK):
        lengths = rng.integers(WORDS - 60, WORDS + 60, min(BLOCK, count - start))
        picks = np.searchsorted(heights, rng.random(int(lengths.sum()))).tolist()
        place = 0
        for n, length in enumerate(lengths.tolist(), start):
            chosen = [words[min(w, VOCABULARY - 1)] for w in picks[place : place + length]]
            place += length
            parts = [" ".join(chosen[i : i + 20]).capitalize() for i in range(0, length, 20)]
            body = f"{'. '.join(parts)}. We saw {n} patients."
            text = previous if n % COPIES == COPIES - 1 else body
            previous = text
            yield {
                "id": f"pmid:{n + 1}",
                "pmid": str(n + 1),
                "doi": f"10.1234/made.up.{n}",
                "title": " ".join(chosen[:10]).capitalize() if text is body else "A copy",
                "text": text,
                "year": 1970 + n % 55,
                "journal": f"Journal {n % 997}",
                "publication_types": ["Journal Article"],
                "retracted": n % RETRACTED == 0,
            }


def in_process(source: Path, words: bool) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.medical.ingest", "--one", str(source)]
    command += ["--words"] if words else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(source: Path, words: bool) -> dict[str, float]:
    """Take the abstracts in; memory is read before the word index is built."""
    from verticals.medical.corpus.ingest import ingest
    from verticals.medical.corpus.store import FILE

    folder = source.parent / "corpus"
    busy = time.process_time()
    report = ingest(source, folder)
    busy = time.process_time() - busy
    found: dict[str, float] = {
        "passages": report.passages,
        "searchable": len(report.corpus),
        "copies": report.duplicates,
        "retracted": report.retracted,
        "seconds": round(report.seconds, 1),
        "passages_per_s": round(report.passages / report.seconds),
        "passages_per_cpu_s": round(report.passages / busy),  # whatever else the machine does
        "peak_mb": peak_mb(),
        "corpus_mb": round((folder / FILE).stat().st_size / 1e6, 1),
    }
    began = time.perf_counter()
    found["unchanged"] = ingest(source, folder).unchanged
    found["again_s"] = round(time.perf_counter() - began, 2)
    if words:
        from verticals.medical.retrieval.lexical import LexicalIndex

        began, idle = time.perf_counter(), time.process_time() - busy
        LexicalIndex.open(report.corpus, folder)
        seconds, busy = time.perf_counter() - began, time.process_time() - idle
        found["words_s"] = round(seconds, 1)
        found["with_words_per_s"] = round(report.passages / (report.seconds + seconds))
        found["with_words_per_cpu_s"] = round(report.passages / busy)
        found["with_words_peak_mb"] = peak_mb()
    return found


def peak_mb() -> float:
    """The most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)  # macOS counts bytes


if __name__ == "__main__":
    main()
