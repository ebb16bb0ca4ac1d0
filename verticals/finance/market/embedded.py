"""Market prices that come with pip packages, read by path and checksum: nothing is imported."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import DataError


@dataclass(frozen=True)
class EmbeddedPrices:
    """Where a set of prices lies inside an installed package."""

    package: str
    path: str
    sha256: str
    column: str | None  # the one price column to use; None takes all
    label: str
    licence: str
    date_format: str


_ARCH = "NCSA (arch, Kevin Sheppard)"
_SKFOLIO = "BSD-3-Clause (skfolio); for examples only"
_US, _ISO = "%m/%d/%Y", "%Y-%m-%d"

EMBEDDED = {
    "sp500": EmbeddedPrices(
        "arch", "data/sp500/sp500.csv.gz",
        "1e028cbb9c400cc018c816ccc439b33c919387e726c3ed5ca2c05c82746059de",
        "Adj Close", "S&P 500", _ARCH, _US,
    ),
    "nasdaq": EmbeddedPrices(
        "arch", "data/nasdaq/nasdaq.csv.gz",
        "b2009535343ebb14e0aa11ed086788d2997a416ffe4f9450eed9a561ae30ac59",
        "Adj Close", "NASDAQ", _ARCH, _US,
    ),
    "wti": EmbeddedPrices(
        "arch", "data/wti/wti.csv.gz",
        "b83498894138a65cdc14a67fc1716aa90b3cfda274f976bd3692cc3f1500084d",
        "DCOILWTICO", "WTI crude oil", _ARCH, _US,
    ),
    "stocks": EmbeddedPrices(
        "skfolio", "datasets/data/sp500_dataset.csv.gz",
        "ee21cac28befb1d0a739a9ceb22184f995394726aa0cfde9a21941d1ac04ac0d",
        None, "20 US stocks", _SKFOLIO, _ISO,
    ),
    "sp500_index": EmbeddedPrices(
        "skfolio", "datasets/data/sp500_index.csv.gz",
        "894c34431c284f86aa64a467e176e2a3c9b697c857eb9ab35006c2dd55d3fdf2",
        "SP500", "S&P 500 to 2022", _SKFOLIO, _ISO,
    ),
}  # fmt: skip


def read_embedded(name: str) -> pd.DataFrame:
    """Prices by date, one column an asset, holidays without a price left out.

    Raises:
        DataError: The package is not installed or its file is not the one we know.
    """
    entry = EMBEDDED[name]
    path = _locate(entry)
    if hashlib.sha256(path.read_bytes()).hexdigest() != entry.sha256:
        raise DataError(
            f"the prices of {entry.label} are not the ones this kit was checked with",
            where=f"{entry.package}: {entry.path}",
            remedy=f"Reinstall {entry.package}, or pass your own prices as data",
        )
    frame = pd.read_csv(path, na_values=["."])
    dates = pd.to_datetime(frame["Date"], format=entry.date_format)
    columns = [entry.column] if entry.column else [c for c in frame.columns if c != "Date"]
    prices = frame[columns].astype("float64").set_axis(pd.DatetimeIndex(dates, name="date"))
    if entry.column:
        prices.columns = [entry.label]
    return prices.dropna()


def _locate(entry: EmbeddedPrices) -> Path:
    spec = importlib.util.find_spec(entry.package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / entry.path
        if path.is_file():
            return path
    raise DataError(
        f"the prices of {entry.label} come with the package {entry.package}, which is missing",
        where=entry.path,
        remedy="Install it with pip install 'casekit[finance]', or pass your own prices as data",
    )
