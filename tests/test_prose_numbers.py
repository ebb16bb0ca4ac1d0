"""No number in prose that nobody measured: those in README and notebooks are in a results file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

# What reads as a measurement: a share such as 0.79, or an amount with a unit of speed or size.
METRIC = re.compile(
    r"(?<![\w.,/-])(0?\.\d{2,4})(?![\w%]|\.\d)"
    r"|(?<![\w.,/-])(\d[\d,]*(?:\.\d+)?)\s?(?:ms|rows/s|rows per second|MiB|GiB|s)\b"
)
CONVENTIONS = {"0.05", "0.01"}  # levels of significance, which nobody measures
CODE = re.compile(r"```.*?```|`[^`]*`|<!--.*?-->|https?://\S+", re.DOTALL)


def claims(text: str) -> set[str]:
    """Numbers that a text states as measured."""
    found = {m.group(1) or m.group(2) for m in METRIC.finditer(CODE.sub(" ", text))}
    return found - CONVENTIONS


def numbers(value: Any) -> Iterator[float]:
    """Every number in a results file."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def backed(claim: str, measured: list[float]) -> bool:
    """Whether a results file holds the number, rounded as the text rounds it."""
    plain = claim.replace(",", "")
    digits = len(plain.partition(".")[2])
    significant = len(plain.replace(".", "").lstrip("0").rstrip("0")) or 1
    return any(
        round(m, digits) == float(plain) or float(f"{m:.{significant}g}") == float(plain)
        for m in measured
    )


def texts(repo: Path) -> dict[str, str]:
    """All prose a client reads, by where it stands."""
    found = {"README.md": (repo / "README.md").read_text(encoding="utf-8")}
    for path in sorted((repo / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found[path.name] = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    return found


def test_every_measured_number_in_prose_is_in_a_results_file(repo: Path) -> None:
    files = sorted((repo / "bench" / "results").glob("*.json"))
    measured = [n for f in files for n in numbers(json.loads(f.read_text(encoding="utf-8")))]
    unbacked = {
        where: sorted(c for c in claims(text) if not backed(c, measured))
        for where, text in texts(repo).items()
    }
    assert not {where: found for where, found in unbacked.items() if found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("an AUC of 0.7953 (0.761 to .83)", {"0.7953", "0.761", ".83"}),
        ("120,000 rows/s in 1.5 GiB, p95 12.5 ms", {"120,000", "1.5", "12.5"}),
        ("Python 3.11, issue 0.6.1, 10.24432/C5NC77, 95% interval, `0.79`", set()),
    ],
)
def test_what_counts_as_a_claim(text: str, expected: set[str]) -> None:
    assert claims(text) == expected


def test_a_claim_may_be_rounded_but_not_wrong() -> None:
    assert backed("0.795", [0.79528])
    assert backed("120,000", [119_873.2])
    assert not backed("0.796", [0.79528])
