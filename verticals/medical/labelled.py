"""Questions whose answers are known: what a search is judged and re-trained by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson
import yaml

from core.errors import DataError

EMBEDDED = Path(__file__).with_name("questions.yaml")
Part = Literal["dev", "test", ""]


@dataclass(frozen=True)
class LabelledQuestion:
    """A question, and which documents of the corpus answer it."""

    question: str
    documents: tuple[str, ...] = ()  # identifiers; any of them will do
    phrase: str = ""  # words that a right answer quotes, where known
    split: Part = ""  # an agreed part; empty to have one drawn

    @property
    def answerable(self) -> bool:
        """Whether the corpus holds an answer."""
        return bool(self.documents)


def read_labelled(source: str | Path) -> tuple[LabelledQuestion, ...]:
    """Questions of a file or folder.

    Args:
        source: YAML or JSON lines of {question, documents, phrase, split}, or a BEIR folder
            (queries.jsonl and qrels/*.tsv).

    Raises:
        DataError: Not there, or an entry lacks what it needs; names the entry.
    """
    path = Path(source)
    if path.is_dir():
        return _beir(path)
    if not path.is_file():
        raise DataError(
            "the labelled questions are not there", where=str(path), remedy="Check `questions`"
        )
    if path.suffix in {".yaml", ".yml"}:
        entries = _yaml(path)
    else:
        entries = [_json(line, path, n) for n, line in _lines(path)]
    if not isinstance(entries, list) or not entries:
        raise DataError("there is no list of questions in it", where=str(path), remedy=_SHAPE)
    return tuple(_entry(entry, path, n) for n, entry in enumerate(entries, 1))


_SHAPE = "Write entries such as {question: ..., documents: [id, ...]}"


def _entry(entry: Any, path: Path, number: int) -> LabelledQuestion:
    where = f"{path.name}, entry {number}"
    if not isinstance(entry, Mapping) or not str(entry.get("question") or "").strip():
        raise DataError("an entry has no question", where=where, remedy=_SHAPE)
    documents = entry.get("documents") or ()
    if isinstance(documents, str) or not all(isinstance(d, str | int) for d in documents):
        raise DataError("`documents` is not a list of ids", where=where, remedy=_SHAPE)
    if not documents and entry.get("answerable", False):
        raise DataError("an answerable question names no document", where=where, remedy=_SHAPE)
    part = entry.get("split", "")
    if part not in {"dev", "test", ""}:
        raise DataError(f"split {part!r} is unknown", where=where, remedy="Use dev or test")
    names = tuple(str(d) for d in documents)
    return LabelledQuestion(str(entry["question"]), names, str(entry.get("phrase") or ""), part)


def _beir(folder: Path) -> tuple[LabelledQuestion, ...]:
    """Queries with the documents that a judge found relevant (score above zero)."""
    queries = folder / "queries.jsonl"
    tables = sorted((folder / "qrels").glob("*.tsv"))
    if not queries.is_file() or not tables:
        raise DataError(
            "a BEIR folder with queries.jsonl and qrels/*.tsv is expected",
            where=str(folder),
            remedy="Name a file of questions instead",
        )
    relevant: dict[str, list[str]] = {}
    for table in tables:
        for number, line in list(_lines(table))[1:]:
            cells = line.split("\t")
            if len(cells) != 3:
                raise DataError("three columns are expected", where=f"{table.name}, line {number}")
            if float(cells[2]) > 0:
                relevant.setdefault(cells[0], []).append(cells[1])
    rows = [_json(line, queries, n) for n, line in _lines(queries)]
    return tuple(
        LabelledQuestion(str(row["text"]), tuple(relevant[str(row["_id"])]))
        for row in rows
        if str(row.get("_id")) in relevant
    )


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        says = " ".join(str(error).split())
        raise DataError(f"not YAML: {says}", where=path.name, remedy=_SHAPE) from None


def _lines(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(n, line) for n, line in enumerate(lines, 1) if line.strip()]


def _json(line: str, path: Path, number: int) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        where = f"{path.name}, line {number}"
        raise DataError(f"a line is not JSON: {error.msg}", where=where, remedy=_SHAPE) from None
