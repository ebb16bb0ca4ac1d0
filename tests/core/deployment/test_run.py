"""Runs: where they go, what survives a kill, and when they count as finished."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from core.deployment.results import Measurement
from core.deployment.run import Run, read_results, versions, write_atomically


class P(BaseModel):
    """Parameters."""

    budget: str = "quick"
    seed: int = 3
    out: str = "runs"


def begin(out: Path, fingerprint: str = "a" * 64, **values: object) -> Run:
    parameters = P.model_validate({"out": str(out), **values})
    return Run.start(
        case="tiny", name="story", parameters=parameters, out=out, fingerprint=fingerprint
    )


AUC = Measurement(metric="roc_auc", value=0.8, low=0.7, high=0.9, n=10, split="test", model="m")


def test_the_same_run_comes_back_to_the_same_place_and_another_does_not(tmp_path: Path) -> None:
    first = begin(tmp_path / "one")
    assert begin(tmp_path / "two").id == first.id, "the place is no part of the identity"
    others = {begin(tmp_path, budget="standard").id, begin(tmp_path, "b" * 64).id,
              begin(tmp_path, seed=4).id}  # fmt: skip
    assert len(others | {first.id}) == 4
    assert first.id.startswith("story-")


def test_starting_again_keeps_the_cache_and_nothing_half_done(tmp_path: Path) -> None:
    run = begin(tmp_path)
    (run.cache / "fold-1.json").write_text("done")
    run.bundle.mkdir()
    (run.bundle / "manifest.json").write_text("half")
    run.finish([AUC], {"fingerprint": "a", "rows": 1})
    again = begin(tmp_path)
    assert (again.cache / "fold-1.json").read_text() == "done"
    assert not again.bundle.exists()
    with pytest.raises(FileNotFoundError):
        read_results(again.folder)


def test_results_say_what_it_takes_to_run_it_again(tmp_path: Path) -> None:
    run = begin(tmp_path)
    with run.step("fit"):
        pass
    run.finish([AUC], {"fingerprint": "a" * 64, "rows": 10}, run.bundle)
    found = read_results(run.folder)
    assert found.results == [AUC]
    assert found.seed == 3
    assert found.bundle == "bundle"
    assert {"fit", "total"} <= set(found.timings)
    assert {"python", "casekit", "numpy"} <= set(found.versions)


def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "results.json"
    write_atomically(place, b"old")
    program = (
        "import os, signal, sys, pathlib\n"
        "from core.deployment import run\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "run.write_atomically(pathlib.Path(sys.argv[1]), b'new' * 1000)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(place)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert place.read_bytes() == b"old"
    write_atomically(place, b"new")
    assert place.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_versions_import_nothing() -> None:
    program = (
        "import sys; from core.deployment.run import versions; v = versions(); "
        "print('torch' in v, [m for m in ('torch', 'shap', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout.split() == [b"True", b"[]"]
    assert versions()["python"] == ".".join(map(str, sys.version_info[:3]))
