"""The home's regression report on recordings of people, beside the chain without the home's words.

    python -m bench.voice.home_report

Heard in the home that Home Assistant's own tests use. The recordings were made for another home:
those whose devices are not here are judged for hearing only (home_labels.yaml says what the others
ask for). One person and one voice spoke them, so that intervals draw recordings, and say nothing of
other people. No wake phrase is said in them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bench.machine import machine, write_result
from bench.voice.tarred import DATA, read_tar
from core.data.audio import write_wav
from core.deployment.results import Measurement
from verticals.voice.assistant import open_parts
from verticals.voice.comparing import regress, write_regression
from verticals.voice.home.model import Home
from verticals.voice.measures import measure
from verticals.voice.predictor import HomePredictor
from verticals.voice.recognition.whisper import Recogniser
from verticals.voice.recordings import LABELS
from verticals.voice.understanding.understand import Understander

SETS = {"ha_human": "a person", "ha_synthetic": "a voice"}
EXPECTED = Path(__file__).with_name("home_labels.yaml")


def main() -> None:
    """Hear the commands with both; write bench/results/voice_home_report.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--page", type=Path, help="folder for the report's page, too")
    given = parser.parse_args()
    parts = open_parts(Home.open(DATA / "nlu" / "ha_fixtures.yaml"), voice=False,
                       threads=given.threads)  # fmt: skip
    bare = replace(parts, understander=Understander.open(parts.home),
                   recogniser=Recogniser.open(threads=given.threads))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        sources = write_recordings(Path(folder))
        report = regress(HomePredictor(parts), Path(folder), before=HomePredictor(bare))
    if given.page:
        write_regression(report, given.page)
    table = report.recordings
    result: dict[str, Any] = {
        "machine": machine("faster-whisper", "hassil"), "threads": given.threads,
        "recordings": len(table), "labelled": int(table["judged"].sum()),
        "everybody": numbers(report.measurements),
        "changes": report.changes.round(4).to_dict("records"),
        "latency": report.latency.round(4).to_dict("records"),
        "wrong": table.loc[table["done_right"].eq(False), ["said", "heard", "reply"]].to_dict(
            "records"
        ),
    }  # fmt: skip
    for name, who in SETS.items():
        part = table[[sources[r] == name for r in table["recording"]]].reset_index(drop=True)
        result[who] = numbers(measure(part))
    changes = report.changes.set_index("metric")
    result["headline"] = {
        "requests of a person done rightly": result["a person"]["done_right"]["value"],
        "all requests done rightly": result["everybody"]["done_right"]["value"],
        "... without the home's words and the learned model": changes.loc["done_right", "before"],
        "... from perfect hearing, understood": result["everybody"]["frame_right_from_text"][
            "value"
        ],
        "word error rate": result["everybody"]["word_error_rate"]["value"],
        "labelled recordings": result["labelled"],
    }
    print(json.dumps(result["headline"], indent=2))
    print(write_result("voice_home_report", result))


def write_recordings(folder: Path) -> dict[str, str]:
    """A folder of recordings as `casekit regress` takes it; returns the set of every file."""
    expected = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    sources, lines = {}, []
    for row, sound in read_tar("asr"):
        if row["src"] not in SETS:
            continue
        name = f"{Path(row['file']).stem}.wav"
        write_wav(folder / name, sound)
        sources[name] = row["src"]
        label = {"file": name, "text": row["text"], "speaker": row["speaker"]}
        wanted = expected.get(row["text"])
        if wanted is not None:
            label |= wanted if isinstance(wanted, dict) else {"expected": wanted}
        lines.append(json.dumps(label) + "\n")
    (folder / LABELS).write_text("".join(lines), encoding="utf-8")
    return sources


def numbers(measurements: Sequence[Measurement]) -> Mapping[str, dict[str, float | None]]:
    """Value and interval by metric."""
    return {
        m.metric: {"value": round(m.value, 4), "low": m.low, "high": m.high, "n": m.n}
        for m in measurements
    }


if __name__ == "__main__":
    main()
