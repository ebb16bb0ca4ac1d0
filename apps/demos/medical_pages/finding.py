"""Find a bundle for the demo, or make one: no argument, no bundle, and still something to ask."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from apps.demos.medical_pages.desk import TEXTS
from apps.demos.words import Words
from core.errors import CasekitError

_LOG = logging.getLogger(__name__)
CASE = "medical"


def find_bundle(language: str = "en") -> Path:
    """The newest medical bundle under ./runs, else in casekit's own folder, else a new one.

    Args:
        language: Of the progress shown while the guidelines are read.
    """
    from core.deployment.signing import casekit_home

    home = casekit_home() / "demos"
    return newest_bundle(Path("runs")) or newest_bundle(home) or make_bundle(home, language)


def newest_bundle(runs: Path) -> Path | None:
    """The bundle of the newest finished medical run in a folder of runs, or None.

    A run counts once its results.json, written last, names a bundle that is there.
    """
    from core.deployment.results import Results

    found = sorted(runs.glob("*/results.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found:
        try:
            results = Results.model_validate_json(path.read_bytes())
        except ValueError as error:
            _LOG.warning("%s is not a results file and is passed over: %s", path, error)
            continue
        bundle = path.parent / results.bundle if results.bundle else None
        if results.case == CASE and bundle and bundle.exists():
            return bundle
    return None


def make_bundle(out: Path, language: str = "en") -> Path:
    """Read the embedded guidelines into a folder of runs; progress on the terminal.

    Args:
        out: Folder that receives the run.
        language: Of the progress.

    Raises:
        CasekitError: The guidelines are not installed, or the run left no bundle.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    words = Words.load(*TEXTS)
    console = Console(stderr=True)
    console.print(words("making.start", language))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:

        def tell(step: str) -> None:
            for task in progress.tasks:
                progress.update(task.id, total=1, completed=1)
            progress.add_task(words(f"making.{step}", language), total=None)

        return _chain(out, tell)


def _chain(out: Path, tell: Any) -> Path:
    """Every step, load → check → split → fit → evaluate → explain → pack."""
    from core.deployment.run import Run
    from verticals import medical
    from verticals.medical.parameters import LiteratureParameters

    parameters = LiteratureParameters.model_validate({"out": str(out)})
    tell("load")
    stage: Any = medical.load(parameters)
    run = Run.start(
        case=CASE, name="medical_literature", parameters=parameters, out=out,
        fingerprint=stage.fingerprint,
    )  # fmt: skip
    for step in ("check", "split", "fit", "evaluate", "explain"):
        tell(step)
        with run.step(step):
            stage = getattr(medical, step)(stage)
    tell("pack")
    with run.step("pack"):
        medical.pack(stage, run)
    bundle = newest_bundle(out)
    if bundle is None:
        raise CasekitError(
            "the run finished without a bundle",
            where=str(run.folder),
            remedy="Run `casekit run medical_literature` to see what happened",
        )
    return bundle
