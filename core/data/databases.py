"""Reads tables and queries from databases through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from core.data.sources import safe_source
from core.errors import DataError


def sql_parts(source: str, rows: int) -> Iterator[pd.DataFrame]:
    """Parts of at most `rows` rows.

    Args:
        source: `dialect://…::table` or `dialect://…::select …`.
        rows: Rows of a part.

    Raises:
        DataError: No such driver, database, table or column; never with user or password.
    """
    import sqlalchemy as sa

    url, _, item = source.partition("::")
    shown = safe_source(source).rpartition("::")[2][:60]
    name = f"{url.partition('://')[0]} database, {shown!r}"
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() == "sqlite" and not _exists(parsed.database):
            raise DataError(
                "there is no such database file",
                where=name,
                remedy="Check the path: sqlite:///relative.db or sqlite:////absolute.db",
            )
        engine = sa.create_engine(parsed)
        with engine.connect().execution_options(stream_results=True) as connection:
            yield from pd.read_sql(_statement(item), connection, chunksize=rows)
    except ImportError:
        raise DataError(
            "the driver of this database is not installed",
            where=name,
            remedy="pip install it, e.g. psycopg for PostgreSQL, or export the table as Parquet",
        ) from None
    except (sa.exc.SQLAlchemyError, pd.errors.DatabaseError) as error:
        # A driver's own words may quote the connection string, so only SQLite's are repeated.
        cause = error.__cause__ if isinstance(error, pd.errors.DatabaseError) else error
        words = str(getattr(cause, "orig", "")) if url.startswith("sqlite") else ""
        raise DataError(
            f"the database refused ({words or type(error).__name__})",
            where=name,
            remedy="Check address, table or query, and the rights of the user",
        ) from None


def _exists(path: str | None) -> bool:
    return path in (None, "", ":memory:") or Path(str(path)).is_file()


def _statement(item: str):  # type: ignore[no-untyped-def]  # sqlalchemy's own union
    """A query as it is; a table's name, with or without schema, as its rows."""
    import sqlalchemy as sa

    if any(c.isspace() for c in item.strip()) and item.lower().lstrip().startswith(
        ("select", "with", "values")
    ):
        return sa.text(item)
    schema, _, table = item.strip().rpartition(".")
    return sa.select(sa.text("*")).select_from(sa.table(table, schema=schema or None))
