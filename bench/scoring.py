"""How fast a bundle scores a large CSV, and how much memory that takes.

    python -m bench.scoring runs/NAME/bundle --rows 10000000 [--source loans.csv] [--modes ...]

The CSV repeats the rows of `--source`, or the bundle's golden inputs. Each measurement is a fresh
process; its peak memory at a tenth of the rows says whether memory is bounded.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.machine import machine, write_result

MODES = ["nothing", "scores", "reasons"]  # reading and writing alone, then the model, then all


def main() -> None:
    """Measure every mode on a tenth of the rows and on all; write bench/results/scoring.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--source", type=Path, help="CSV whose rows are repeated")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--one", choices=MODES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.bundle, given.source, given.one)))
        return
    result: dict[str, Any] = {"machine": machine("pandas", "pyarrow", "orjson"), "runs": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("tenth", given.rows // 10), ("whole", given.rows)):
            table = Path(folder) / f"{name}.csv"
            megabytes = write_table(given.bundle, given.source, rows, table)
            for one in given.modes:
                run = in_process(given.bundle, table, one)
                result["runs"][f"{name}_{one}"] = run | {"csv_mb": round(megabytes, 1)}
                print(name, one, run, flush=True)
            table.unlink()
    result["ratios"] = ratios(result["runs"])
    print(json.dumps(result["ratios"], indent=2))
    result["headline"] = {
        f"{given.rows:,} rows from CSV to JSON lines, {one}: {what}": result["runs"][
            f"whole_{one}"
        ][key]
        for one in given.modes
        for key, what in (("rows_per_s", "rows a second"), ("peak_mb", "peak MB"))
    }
    print(write_result("scoring", result))


def ratios(runs: dict[str, dict[str, float]]) -> dict[str, float]:
    """What is worth comparing between machines, as far as it was measured."""
    found = {}
    for one in MODES:
        if f"whole_{one}" in runs:
            peaks = runs[f"whole_{one}"]["peak_mb"], runs[f"tenth_{one}"]["peak_mb"]
            found[f"memory_{one}_whole_over_tenth"] = round(peaks[0] / peaks[1], 3)
    for one, other in (("scores", "nothing"), ("reasons", "scores")):
        if f"whole_{one}" in runs and f"whole_{other}" in runs:
            speeds = runs[f"whole_{one}"]["rows_per_s"], runs[f"whole_{other}"]["rows_per_s"]
            found[f"speed_{one}_over_{other}"] = round(speeds[0] / speeds[1], 4)
    return found


def write_table(bundle: Path, source: Path | None, rows: int, target: Path) -> float:
    """Write a CSV of `rows` rows by repeating what there is; returns its size in megabytes."""
    import pandas as pd

    from core.deployment.bundle import Bundle

    if source is None:
        block = pd.DataFrame(Bundle.open(bundle).manifest.golden.inputs)
    else:
        block = pd.read_csv(source, dtype=str, keep_default_na=False)
    header, body = block.iloc[:0].to_csv(index=False), block.to_csv(index=False, header=False)
    lines = body.splitlines(keepends=True)
    with target.open("w", encoding="utf-8") as sink:
        sink.write(header)
        for _ in range(rows // len(lines)):
            sink.write(body)
        sink.writelines(lines[: rows % len(lines)])
    return target.stat().st_size / 1e6


def in_process(bundle: Path, table: Path, one: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "bench.scoring", str(bundle), "--source", str(table)]
    done = subprocess.run([*command, "--one", one], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(bundle: Path, table: Path, one: str) -> dict[str, float]:
    """Score a table with reasons, without, or with a model that answers at once."""
    from core.deployment.batch import predict_stream
    from core.deployment.bundle import Bundle

    predictor: Any = Bundle.open(bundle).predictor()
    if one == "nothing":
        predictor = Constant(predictor)
    with tempfile.TemporaryDirectory() as folder:
        written = predict_stream(predictor, table, folder, reasons=one == "reasons")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scale = 1e6 if sys.platform == "darwin" else 1e3  # macOS counts bytes
    return {
        "rows_per_s": round(written.rows / written.seconds),
        "seconds": round(written.seconds, 2),
        "peak_mb": round(peak / scale, 1),
    }


class Constant:
    """Answers every row as the real model answers the first: reading and writing alone."""

    def __init__(self, real: Any) -> None:
        self.input_model, self.output_model = real.input_model, real.output_model
        self._real, self._first = real, None

    def predict(self, inputs: list[Any]) -> list[Any]:
        """Not used for tables."""
        return self._real.predict(inputs)

    def predict_table(self, frame: Any, *, reasons: bool = True) -> Any:
        """One and the same answer for all rows."""
        if self._first is None:
            self._first = self._real.predict_table(frame.head(1), reasons=False)
        return self._first.iloc[[0] * len(frame)]


if __name__ == "__main__":
    main()
