"""Find a bundle for the demo, or make one: no argument, no model, and still something to see."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from apps.demos.finance_pages.desk import TEXTS
from apps.demos.words import Words
from core.errors import CasekitError

_LOG = logging.getLogger(__name__)


def find_bundle(language: str = "en") -> Path:
    """The newest finance bundle under ./runs, else in casekit's own folder, else a new one.

    Args:
        language: Of the progress shown while a model is trained.
    """
    from core.deployment.signing import casekit_home

    home = casekit_home() / "demos"
    return newest_bundle(Path("runs")) or newest_bundle(home) or train_bundle(home, language)


def newest_bundle(runs: Path) -> Path | None:
    """The bundle of the newest finished finance run in a folder of runs, or None.

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
        if results.case == "finance" and bundle and bundle.exists():
            return bundle
    return None


def train_bundle(out: Path, language: str = "en") -> Path:
    """Train a quick model on German credit into a folder of runs; progress on the terminal.

    Args:
        out: Folder that receives the run.
        language: Of the progress.

    Returns:
        The bundle.

    Raises:
        CasekitError: The data is not installed, or the run left no bundle.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    words = Words.load(*TEXTS)
    console = Console(stderr=True)
    console.print(words("training.start", language))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:

        def tell(step: str) -> None:
            for task in progress.tasks:
                progress.update(task.id, total=1, completed=1)
            progress.add_task(words(f"training.{step}", language), total=None)

        return _chain(out, tell)


def _chain(out: Path, tell: Any) -> Path:
    """Every step, load → check → split → fit → evaluate → explain → pack."""
    from core.deployment.run import Run
    from verticals import finance
    from verticals.finance.parameters import CreditParameters

    parameters = CreditParameters.model_validate(
        {"data": "german_credit", "budget": "quick", "out": str(out)}
    )
    tell("load")
    stage: Any = finance.load(parameters)
    run = Run.start(
        case="finance", name="finance_credit_risk", parameters=parameters, out=out,
        fingerprint=stage.fingerprint,
    )  # fmt: skip
    for step in ("check", "split", "fit", "evaluate", "explain"):
        tell(step)
        with run.step(step):
            further = {"cache": run.cache} if step == "fit" else {}  # a killed training resumes
            stage = getattr(finance, step)(stage, **further)
    tell("pack")
    with run.step("pack"):
        finance.pack(stage, run)
    bundle = newest_bundle(out)
    if bundle is None:
        raise CasekitError(
            "the training finished without a bundle",
            where=str(run.folder),
            remedy="Run `casekit run finance_credit_risk` to see what happened",
        )
    return bundle
