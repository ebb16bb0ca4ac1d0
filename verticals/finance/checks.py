"""What only a loan book needs checked: dates that lie ahead, and identifiers that repeat."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from core.data.quality import Finding
from core.data.schema import TableSchema
from core.errors import DataError
from verticals.finance.stages import Roles

# Dates that were already known when the loan was asked for.
_KNOWN_THEN = re.compile(
    r"(?i)(^|[_\W])(appl\w*|request\w*|submit\w*|birth\w*|dob|opened|antrag\w*|geburts\w*|申请\w*)"
    r"|applicationdate|birthdate"
)
_ONE_EACH = 0.9  # share of distinct identifiers from which each was meant to be unique


def dates_to_check(schema: TableSchema, roles: Roles) -> dict[str, bool]:
    """Date columns, and whether a date ahead of today is an error there."""
    return {
        name: name == roles.time or bool(_KNOWN_THEN.search(name)) for name in schema.names("date")
    }


def check_dates(
    frame: pd.DataFrame, columns: dict[str, bool], *, today: pd.Timestamp | None = None
) -> list[Finding]:
    """Findings for dates after today where they may be (a maturity), errors where not.

    Args:
        frame: Typed table.
        columns: As `dates_to_check` returns them.
        today: Start of today; the clock's by default. A day is granted for time zones.

    Raises:
        DataError: An application date lies in the future; names row and column.
    """
    limit = (today or pd.Timestamp.now().normalize()) + pd.Timedelta(days=2)
    found = []
    for name, strict in columns.items():
        ahead = (frame[name] >= limit).to_numpy()
        if not ahead.any():
            continue
        row = int(np.flatnonzero(ahead)[0])
        detail = (
            f"{int(ahead.sum())} date(s) lie in the future, first {frame[name].iloc[row]:%Y-%m-%d}"
        )
        if strict:
            raise DataError(
                detail,
                where=f"row {row + 1}, column {name!r}",
                remedy="Correct the date, or the order of day and month with "
                f"columns={{{name!r}: 'date:%d.%m.%Y'}}",
            )
        rows = tuple(int(i) for i in np.flatnonzero(ahead)[:20])
        found.append(
            Finding("future", name, "warning", detail, "Check that these are due dates", rows)
        )
    return found


def check_identifiers(
    frame: pd.DataFrame, outcome: pd.Series, schema: TableSchema, roles: Roles
) -> list[Finding]:
    """Findings for identifiers that repeat as customers do; an error where each was unique.

    Raises:
        DataError: Nearly every row has its own identifier, yet some share one and differ.
    """
    found = []
    for name in schema.names("identifier"):
        if name in (roles.group, roles.time):
            continue
        ids = frame[name]
        repeated = ids.duplicated(keep=False).to_numpy() & ids.notna().to_numpy()
        if not repeated.any():
            continue
        if ids.nunique() < _ONE_EACH * ids.notna().sum():
            found.append(
                Finding(
                    "identifier",
                    name,
                    "warning",
                    "the same identifier stands in several rows",
                    f"Set group={name!r} so that one customer is never in train and test",
                    tuple(int(i) for i in np.flatnonzero(repeated)[:20]),
                )
            )
            continue
        rows = frame[repeated].assign(**{"": outcome[repeated].astype("str")})
        differing = ids[repeated][~rows.duplicated(keep=False)]
        if len(differing):
            same = np.flatnonzero((ids == differing.iloc[0]).to_numpy())
            places = " and ".join(str(i + 1) for i in same[:3])
            raise DataError(
                f"{differing.nunique()} identifier(s) stand in several rows that differ",
                where=f"rows {places}, column {name!r}",
                remedy=f"Remove the wrong rows; or set group={name!r} if these are several loans "
                f"of one customer; or columns={{{name!r}: 'drop'}} to ignore the column",
            )
    return found
