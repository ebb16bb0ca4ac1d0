"""Batch prediction: a table, JSON lines or a folder of files in, one JSON object a row out.

Memory stays bounded.

The result appears under its name only when it is complete, so a killed run is simply run again.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from pydantic import BaseModel, ValidationError

from core.deployment.predictor import FilePredictor, PicturePredictor, Predictor, TablePredictor
from core.errors import DataError, ModelError

if TYPE_CHECKING:
    import pandas as pd

    from core.deployment.bundle import Bundle

PREDICTIONS = "predictions.jsonl"
CHECKED_ROWS = 20  # of each part are held against the output model; checking all is the slow part
_CELL = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_LINE = _CELL | orjson.OPT_APPEND_NEWLINE
_MARK = "\x1e"  # ASCII's record separator
_MARK_BETWEEN = b"," + orjson.dumps(_MARK) + b","


@dataclass(frozen=True)
class Written:
    """What a batch prediction wrote."""

    path: Path  # predictions.jsonl
    rows: int
    seconds: float


@dataclass(frozen=True)
class Where:
    """Where a part of a table stands, for errors: the source's name and its first row."""

    name: str
    start: int


def predict_stream(
    bundle_or_predictor: Bundle | Predictor,
    source: str | Path,
    out: str | Path,
    *,
    reasons: bool = True,
    rows: int = 50_000,
    id_column: str | None = None,
    on_rows: Callable[[int], None] | None = None,
) -> Written:
    """Predict every row of a table and write `OUT/predictions.jsonl`.

    A `TablePredictor` gets whole parts of the table; the columns of a CSV arrive as text, as
    `core.data.sources.iter_table` reads them. Any other predictor gets lists of checked inputs.

    Args:
        bundle_or_predictor: An opened bundle, or the predictor itself.
        source: Path or URL of CSV, TSV, Parquet, JSON lines or whatever `iter_table` reads; a
            folder of recordings or pictures for a `FilePredictor`, its rows named by their paths.
        out: Folder that receives the file.
        reasons: Whether to compute the explanation fields, the slow part of an answer.
        rows: Rows held in memory at a time.
        id_column: Column whose values name the rows; by default they are numbered from 0.
        on_rows: Called with the number of rows written so far, after each part.

    Returns:
        Where the answers are: one `{"id": ..., "output": ...}` a row, in the order of the rows.

    Raises:
        DataError: The source cannot be read, or a row is not a valid input; names file and row.
        ModelError: The predictor breaks its own promise.
    """
    from core.data.sources import source_name

    predictor = _predictor(bundle_or_predictor)
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise DataError(
            "the place for the answers is a file", where=str(folder), remedy="Name a folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    target, partial = folder / PREDICTIONS, folder / f"{PREDICTIONS}.partial"
    start, total = time.perf_counter(), 0
    with partial.open("wb") as sink:
        for frame, named in _parts(predictor, source, rows, id_column):
            where = Where(source_name(source), total)
            ids = _ids(frame, named, where)
            sink.writelines(_lines(predictor, frame, ids, where, reasons=reasons, folder=folder))
            total += len(frame)
            if on_rows is not None:
                on_rows(total)
        sink.flush()
        os.fsync(sink.fileno())
    partial.replace(target)
    return Written(target, total, time.perf_counter() - start)


def _parts(
    predictor: Predictor, source: str | Path, rows: int, id_column: str | None
) -> Iterator[tuple[pd.DataFrame, str | None]]:
    """Parts of the source, and the column that names their rows."""
    from core.data.folders import NAME, iter_files
    from core.data.sources import iter_table

    if isinstance(predictor, FilePredictor) and Path(source).is_dir():
        files = iter_files(source, field=predictor.file_field, suffixes=predictor.file_suffixes)
        wanted = {}
        if isinstance(predictor, PicturePredictor):
            wanted = {predictor.pictures_wanted: True}
        yield from ((frame.assign(**wanted), NAME) for frame in files)
    else:
        yield from ((frame, id_column) for frame in iter_table(source, rows=rows))


def _predictor(given: Bundle | Predictor) -> Predictor:
    """The predictor, loaded if a bundle was given."""
    from core.deployment.bundle import Bundle

    return given.predictor() if isinstance(given, Bundle) else given


def _ids(frame: pd.DataFrame, id_column: str | None, where: Where) -> Sequence[Any]:
    """What the rows of a part are called."""
    if id_column is None:
        return range(where.start, where.start + len(frame))
    if id_column not in frame.columns:
        raise DataError(
            f"there is no column {id_column!r} to name the rows",
            where=where.name,
            remedy=f"Columns: {', '.join(map(str, frame.columns[:20]))}",
        )
    return frame[id_column].tolist()


def _lines(
    predictor: Predictor,
    frame: pd.DataFrame,
    ids: Sequence[Any],
    where: Where,
    *,
    reasons: bool,
    folder: Path,
) -> Iterator[bytes]:
    """One line an answer; its pictures as files in the folder."""
    if not isinstance(predictor, TablePredictor):
        outputs = predictor.predict(_inputs(predictor.input_model, frame, where))
        _expect(len(outputs), len(frame))
        if isinstance(predictor, PicturePredictor):
            shown = predictor.picture_fields
            outputs = [_filed(answer, shown, str(name), folder)
                       for name, answer in zip(ids, outputs, strict=True)]  # fmt: skip
        return (
            orjson.dumps({"id": name, "output": answer}, _plain, _LINE)
            for name, answer in zip(ids, outputs, strict=True)
        )
    table = predictor.predict_table(frame, reasons=reasons)
    _expect(len(table), len(frame))
    for row in table.head(CHECKED_ROWS).to_dict("records"):
        _check(predictor.output_model, {str(name): value for name, value in row.items()})
    # Whole columns are written as JSON and cut up: several times faster than objects row by row.
    columns = [_encode_list(ids), *(_encode(table[name]) for name in table.columns)]
    fields = b",".join(orjson.dumps(str(n)).replace(b"%", b"%%") + b":%b" for n in table.columns)
    template = b'{"id":%b,"output":{' + fields + b"}}\n"
    return (template % cells for cells in zip(*columns, strict=True))


def _filed(answer: BaseModel, fields: Sequence[str], name: str, folder: Path) -> BaseModel:
    """An answer whose pictures are PNG files named by its id, beside the answers."""
    kept = {}
    for field in fields:
        if (text := getattr(answer, field)) is not None:
            kept[field] = f"pictures/{name}.{field}.png"
            place = folder / kept[field]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(base64.b64decode(text))
    return answer.model_copy(update=kept)


def _encode(column: pd.Series) -> list[bytes]:
    """The cells of a column, each as JSON."""
    import pandas as pd

    kind = getattr(column.dtype, "kind", "O")
    if isinstance(column.dtype, np.dtype) and kind in "fiub":
        if not len(column):
            return []
        values = np.ascontiguousarray(column.to_numpy())
        return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    if isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
        codes, distinct = pd.factorize(column)
        cells = [*_encode_list(distinct.tolist()), b"null"]  # a missing cell has the code -1
        return [cells[code] for code in codes.tolist()]
    return _encode_list(column.tolist())


def _encode_list(values: Sequence[Any]) -> list[bytes]:
    """Values one by one as JSON."""
    # One text with a mark between the values, then cut: a call of orjson per value takes a fresh
    # kilobyte each time, ten times slower. A value that holds the mark itself makes too many cells.
    marked: list[Any] = [_MARK] * (2 * len(values) - 1) if len(values) else []
    marked[::2] = values
    cells = orjson.dumps(marked, _plain, _CELL)[1:-1].split(_MARK_BETWEEN)
    if len(cells) == len(values):
        return cells
    return [orjson.dumps(value, _plain, _CELL) for value in values]


def _inputs(model: type[BaseModel], frame: pd.DataFrame, where: Where) -> list[BaseModel]:
    """Every row of a part as a checked input; columns the model does not know are left out."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    columns = [name for name in frame.columns if name in known]
    if not columns:
        raise DataError(
            "no column is one that the model knows",
            where=where.name,
            remedy=f"It takes: {', '.join(sorted(known))}",
        )
    present = frame[columns].notna().to_numpy()
    inputs = []
    for number, values in enumerate(zip(*(frame[name].tolist() for name in columns), strict=True)):
        # A cell that is empty is a field that was not given.
        row = {c: v for c, v, p in zip(columns, values, present[number], strict=True) if p}
        try:
            inputs.append(model.model_validate(row))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise DataError(
                first["msg"][0].lower() + first["msg"][1:],
                where=f"{where.name}, row {where.start + number}, "
                f"column {'.'.join(map(str, first['loc']))}",
                remedy="Correct the row, or leave it out",
            ) from error
    return inputs


def _expect(found: int, wanted: int) -> None:
    """Refuse answers that cannot be matched to their rows."""
    if found != wanted:
        raise ModelError(
            f"the predictor gave {found} answers to {wanted} rows",
            remedy="This is a fault of the case, not of the data",
        )


def _check(model: type[BaseModel], row: dict[str, Any]) -> None:
    """Hold an answer against what the bundle promises."""
    try:
        model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ModelError(
            f"an answer is not what the bundle promises: {first['msg']}",
            where=".".join(map(str, first["loc"])),
            remedy="This is a fault of the case, not of the data",
        ) from error


def _plain(value: Any) -> Any:
    """A value that orjson has no form for: models inside answers, dates of pandas."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    import pandas as pd

    return None if value is pd.NA or value is pd.NaT else str(value)
