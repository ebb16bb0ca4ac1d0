"""Shows on a terminal how far an ingest is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far an ingest is."""

    file: str
    files_done: int
    files: int
    documents: int  # read so far, unchanged ones too
    passages: int  # written so far
    fraction: float | None  # of the bytes; None where nobody knows how many there are


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error, to be given to `ingest(progress=...)`; gone when it ends."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=None, counts="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description=f"Reading {progress.file}",
                total=None if progress.fraction is None else 1.0,
                completed=progress.fraction or 0.0,
                counts=f"{progress.documents:,} documents, {progress.passages:,} passages",
            )

        yield show
