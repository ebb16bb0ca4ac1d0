"""How long every notebook takes from start to end, with its own parameters, one after another.

    python -m bench.notebooks

Wall-clock seconds of an otherwise idle machine, the kernel's start included. They belong on 2 cores
under 240; as a test this would measure whatever runs beside it, so it stands here.
"""

from __future__ import annotations

import tempfile

from bench.machine import machine, write_result
from core.cases import case_names, get_case
from core.notebooks.runner import run_notebook


def main() -> None:
    """Run them; write bench/results/notebooks.json."""
    notebooks = {
        path: (name, kind)
        for name in case_names() for kind, path in get_case(name).NOTEBOOKS.items()
    }  # fmt: skip
    before = machine("jupyterlab", "papermill")
    seconds = {}
    for path, (name, kind) in sorted(notebooks.items()):
        with tempfile.TemporaryDirectory() as out:
            done = run_notebook(path, {"out": out}, get_case(name).PARAMETERS[kind])
        seconds[f"{path.stem}, seconds"] = round(done.seconds, 1)
        print(path.stem, seconds, flush=True)
    print(write_result("notebooks", {"machine": before, "headline": seconds}))


if __name__ == "__main__":
    main()
