"""Runs notebooks as they stand and stores their outputs in them: `make notebooks`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from core.deployment.run import write_atomically
from core.notebooks.runner import execute


def store_outputs(path: Path) -> None:
    """Execute a notebook in a temporary folder and replace it by its executed self.

    Raises:
        CellExecutionError: A cell failed; the notebook stays as it was.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        execute(notebook, Path(folder) / "log.txt", None, budget_s=3600, folder=Path(folder))
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    write_atomically(path, (nbformat.writes(notebook) + "\n").encode())


if __name__ == "__main__":
    # As the tests that compare run them: the number of threads changes the last digits.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in sys.argv[1:]:
        store_outputs(Path(name))
