"""`casekit predict`, `serve` and `bundle` on a bundle of a client's own case."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import typer
from typer.testing import CliRunner

from apps.cli.bundle import bundle_app
from apps.cli.predict import predict
from apps.cli.serve import _listen, serve
from core.deployment.bundle import write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.results import Measurement
from core.deployment.signing import own_key, public_key
from core.errors import BundleError, CasekitError, ParameterError

app = typer.Typer()
app.command()(predict)
app.command()(serve)
app.add_typer(bundle_app, name="bundle")


@pytest.fixture
def tiny_case(repo: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A client's own case, installed for the time of one test."""
    monkeypatch.syspath_prepend(str(repo / "tests" / "core" / "tiny_case"))
    import tiny_case

    return tiny_case


@pytest.fixture
def bundle(tiny_case: ModuleType, tmp_path: Path) -> Path:
    """A zipped bundle of the tiny case."""
    auc = Measurement(
        metric="roc_auc", value=0.8123, low=0.79, high=0.83, n=300, split="test", model="logit",
        baseline=0.75, baseline_model="scorecard",
    )  # fmt: skip
    predictor = tiny_case.TinyPredictor(tiny_case.WEIGHTS)
    manifest = Manifest(
        case="tiny",
        task="the risk of one applicant",
        measurements=[auc],
        data=DataRecord(fingerprint="f" * 64, rows=1000, licence="CC BY 4.0 [bold]"),
        licences={"weights": "Apache-2.0"},
        **promise(predictor, [tiny_case.TinyInput(income=1, age=30)]),
    )
    weights = json.dumps(tiny_case.WEIGHTS).encode()
    return write_bundle(tmp_path / "b.zip", manifest=manifest, files={"weights.json": weights})


def run(*arguments: object) -> str:
    """What a command prints; its error is raised."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "150"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_predict_writes_the_answers(bundle: Path, tmp_path: Path) -> None:
    source = tmp_path / "loans.csv"
    source.write_text("loan,income,age\nA,1000,30\nB,90000,50\n")
    output = run("predict", bundle, source, "-o", tmp_path / "out", "--id", "loan", "--no-reasons")
    assert "2 rows answered by tiny-" in output
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").open()]
    assert [line["id"] for line in lines] == ["A", "B"]
    assert [line["output"]["decision"] for line in lines] == ["decline", "approve"]
    assert all("reasons" not in line["output"] for line in lines)


def test_verify_replays_and_trusts(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = public_key(own_key())
    assert "1 golden inputs: largest difference 0" in run("bundle", "verify", bundle, "--replay")
    monkeypatch.setenv("CASEKIT_HOME", str(bundle.parent / "someone-else"))
    with pytest.raises(BundleError, match="do not trust"):
        run("bundle", "verify", bundle)
    assert "trusted from now on" in run("bundle", "verify", bundle, "--trust", signer)
    run("bundle", "verify", bundle)


def test_show_tells_what_the_manifest_says(bundle: Path) -> None:
    output = run("bundle", "show", bundle)
    for text in (
        "the risk of one applicant", "0.8123", "0.79 to 0.83", "0.75 (scorecard)", "weights.json",
        public_key(own_key()), "Apache-2.0", "CC BY 4.0 [bold]", "1,000 rows",
    ):  # fmt: skip
        assert text in output


def test_serve_answers_and_ends_cleanly(
    bundle: Path, repo: Path, tmp_path: Path, casekit_home: Path
) -> None:
    program = "import typer; from apps.cli.serve import serve; typer.run(serve)"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    service = subprocess.Popen(
        [sys.executable, "-c", program, str(bundle), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {
            "PYTHONPATH": f"{repo}{os.pathsep}{repo / 'tests' / 'core' / 'tiny_case'}",
            "TMPDIR": str(temporary),
        },
    )
    assert service.stderr is not None
    try:
        place = re.search(r"http://[\d.:]+", service.stderr.readline())
        key = re.search(r"only now: (\S+)", service.stderr.readline())
        assert place is not None
        assert key is not None
        with httpx.Client(base_url=place[0], headers={"X-API-Key": key[1]}, timeout=10) as client:
            body = client.get("/v1/example").json()
            answer = client.post("/v1/predict", json=body)
        assert answer.status_code == 200
        assert answer.json()["outputs"][0]["decision"] == "decline"
        assert "server" not in answer.headers
    finally:
        service.send_signal(signal.SIGTERM)
        log = service.communicate(timeout=20)[1]
    assert service.returncode == 0
    assert key[1] not in log
    assert "route=/v1/predict" in log
    assert not list(temporary.iterdir()), "the unpacked bundle was left behind"


def test_serve_on_a_taken_port_says_so(bundle: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ParameterError, match=f"cannot listen.*127.0.0.1:{port}.*--port"):
            run("serve", bundle, "--port", port)


def test_only_a_home_speaks_wyoming(bundle: Path) -> None:
    found = CliRunner().invoke(app, ["serve", str(bundle), "--wyoming", "tcp://127.0.0.1:0"])
    assert isinstance(found.exception, CasekitError)
    assert "tiny" in str(found.exception)


def test_small_answers_are_sent_at_once() -> None:
    # asyncio turns Nagle's algorithm off only for sockets that name TCP: 40 ms an answer.
    with _listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_short_keys_are_refused(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEKIT_API_KEYS", "short")
    with pytest.raises(ParameterError, match="at least 16 characters"):
        run("serve", bundle, "--port", 0)


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys, apps.cli.predict, apps.cli.serve, apps.cli.bundle; "
        "print([m for m in ('pandas', 'numpy', 'fastapi', 'uvicorn', 'pydantic', 'cryptography') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
