"""A retrieval set in BEIR's layout: corpus.jsonl, queries.jsonl and qrels (Thakur et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from core.errors import DataError


def corpus_file(folder: Path) -> Path | None:
    """The corpus of a BEIR folder, or None if this is not one."""
    names = ("corpus.jsonl", "corpus.jsonl.gz")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_queries(folder: str | Path) -> dict[str, str]:
    """Questions by identifier.

    Raises:
        DataError: The file is not there, or a line of it cannot be read.
    """
    from verticals.medical.corpus.streams import Skipped, lines, opened

    def refuse(skipped: Skipped) -> None:
        raise DataError(skipped.reason, where=f"{skipped.file}, {skipped.position}")

    files = [Path(folder) / name for name in ("queries.jsonl", "queries.jsonl.gz")]
    path = next((file for file in files if file.is_file()), files[0])
    found = {}
    with opened(str(path)) as stream:
        for number, line in lines(stream, path.name, refuse):
            try:
                entry = orjson.loads(line)
                found[str(entry["_id"])] = str(entry["text"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                where = f"{path.name}, line {number}"
                remedy = 'Write {"_id": ..., "text": ...}'
                raise DataError("a query is not readable", where=where, remedy=remedy) from None
    return found


def read_qrels(path: str | Path) -> Mapping[str, dict[str, int]]:
    """Judgements: relevance by document, by query.

    Args:
        path: A qrels file with the columns query-id, corpus-id and score, split by tabs.

    Raises:
        DataError: A line lacks a column, or its score is not a whole number.
    """
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and cells[-1].strip() == "score"):
            continue
        try:
            query, document, score = cells
            found.setdefault(query, {})[document] = int(score)
        except ValueError:
            where = f"{Path(path).name}, line {number}"
            raise DataError("three columns are expected", where=where) from None
    return found
