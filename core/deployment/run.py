"""A run: one execution and the folder it leaves behind.

The folder's name follows from what went in, so the same parameters on the same data come back to
the same place: an interrupted run finds its cache there. `results.json` is written last; a folder
without it is an unfinished run.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel

from core.deployment.results import Measurement, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIBRARIES = (
    "numpy", "pandas", "scikit-learn", "torch", "lightgbm", "catboost", "onnxruntime", "shap",
    "captum", "optbinning", "arch", "skfolio",
)  # fmt: skip


@dataclass
class Run:
    """One execution on its way.

    Attributes:
        case: Name of the case.
        name: Name of the notebook or command.
        id: Deterministic: the name and a hash of parameters, data and casekit's version.
        folder: Where everything goes.
        parameters: As they were validated.
        timings: Seconds by step.
    """

    case: str
    name: str
    id: str
    folder: Path
    parameters: dict[str, Any]
    timings: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    @classmethod
    def start(
        cls, *, case: str, name: str, parameters: BaseModel, out: str | Path, fingerprint: str
    ) -> Run:
        """Begin, or begin again, a run.

        Args:
            case: Name of the case.
            name: Name of the notebook or command.
            parameters: Everything that was set; `out` does not count for the identity.
            out: Folder that receives the run's folder.
            fingerprint: SHA-256 of the data.
        """
        values = parameters.model_dump(mode="json")
        identity = {k: v for k, v in values.items() if k != "out"}
        parts = [name, identity, fingerprint, metadata.version("casekit")]
        digest = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()
        run_id = f"{name}-{digest[:10]}"
        folder = Path(out) / run_id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").unlink(missing_ok=True)  # from here on it is unfinished
        (folder / "report.html").unlink(missing_ok=True)
        for product in ("bundle", "figures"):
            shutil.rmtree(folder / product, ignore_errors=True)
        return cls(case, name, run_id, folder, values)

    @property
    def cache(self) -> Path:
        """Folder of finished pieces of work; survives a kill."""
        path = self.folder / "cache"
        path.mkdir(exist_ok=True)
        return path

    @property
    def bundle(self) -> Path:
        """Where the run's bundle goes."""
        return self.folder / "bundle"

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step."""
        begun = time.perf_counter()
        yield
        self.timings[name] = round(time.perf_counter() - begun, 3)

    def figure(self, name: str, figure: Figure) -> Path:
        """Store a matplotlib figure as PNG under figures/; returns its path."""
        path = self.folder / "figures" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, metadata={"Software": None})
        return path

    def results(
        self, measurements: Sequence[Measurement], data: dict[str, Any], bundle: Path | None
    ) -> Results:
        """What `finish` will write, for a report that must be ready before."""
        return Results(
            case=self.case,
            run_id=self.id,
            parameters=self.parameters,
            seed=int(self.parameters.get("seed", 0)),
            versions=versions(),
            data=data,
            results=list(measurements),
            timings=self.timings | {"total": round(time.perf_counter() - self._started, 3)},
            bundle=None if bundle is None else os.path.relpath(bundle, self.folder),
        )

    def finish(
        self, measurements: Sequence[Measurement], data: dict[str, Any], bundle: Path | None = None
    ) -> Results:
        """Write `results.json`, atomically and last: from here on the run is finished."""
        results = self.results(measurements, data, bundle)
        write_atomically(
            self.folder / "results.json",
            orjson.dumps(results.model_dump(mode="json"), option=orjson.OPT_INDENT_2),
        )
        return results


def versions() -> dict[str, str]:
    """Versions of Python, casekit and the libraries that matter; imports none of them."""
    found = {"python": platform.python_version(), "casekit": metadata.version("casekit")}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def read_results(folder: Path) -> Results:
    """The results of a finished run's folder; raises FileNotFoundError for an unfinished one."""
    return Results.model_validate_json((folder / "results.json").read_bytes())


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
