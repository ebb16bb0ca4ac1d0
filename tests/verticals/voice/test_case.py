"""A client's own recordings, from their folder to a bundle that answers and is compared."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
import uvicorn
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from apps.cli.predict import predict
from apps.cli.regress import regress
from core.deployment.bundle import Bundle
from core.deployment.run import Run
from core.serving.app import ServiceLimits, create_app
from verticals import voice
from verticals.voice.parameters import HomeParameters
from verticals.voice.recordings import LABELS, read_recordings
from verticals.voice.spoken import speak_requests
from verticals.voice.stages import Explained

pytestmark = pytest.mark.slow
KEY = "a-key-of-the-tests-0123456789"
MOST = 8
app = typer.Typer()
app.command()(predict)
app.command()(regress)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and caches that all tests here share."""
    return tmp_path_factory.mktemp("casekit-home")


@pytest.fixture(autouse=True)
def _at_home(home: Path, casekit_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del casekit_home  # takes its place
    monkeypatch.setenv("CASEKIT_HOME", str(home))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight recordings as a client hands them over, one of which is no sound."""
    spoken = speak_requests(
        tmp_path_factory.mktemp("spoken"), wake_phrase="hey juniper", seed=3, threads=1, most=MOST
    )
    folder = tmp_path_factory.mktemp("client") / "recordings"
    shutil.copytree(spoken, folder)
    (folder / "notes.wav").write_text("turn on the light")
    with (folder / LABELS).open("a", encoding="utf-8") as labels:
        labels.write(json.dumps({"file": "notes.wav", "text": "turn on the light"}) + "\n")
    return folder


@pytest.fixture(scope="module")
def good(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without the one that cannot be read."""
    folder = tmp_path_factory.mktemp("good") / "recordings"
    shutil.copytree(recordings, folder)
    lines = (folder / LABELS).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / LABELS).write_text("".join(lines[:-1]), encoding="utf-8")
    (folder / "notes.wav").unlink()
    return folder


@pytest.fixture(scope="module")
def explained(
    home: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Explained, Path, Run]:
    """The chain on the client's folder, up to its explanation, and the packed bundle."""
    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEKIT_HOME", str(home))
        parameters = HomeParameters(
            data=str(recordings), out=str(out), budget="quick", threads=1, wake_phrase="hey juniper"
        )
        loaded = voice.load(parameters)
        run = Run.start(case="voice", name="voice_home", parameters=parameters, out=out,
                        fingerprint=loaded.fingerprint)  # fmt: skip
        found = voice.explain(voice.evaluate(voice.fit(voice.split(voice.check(loaded)))))
        return found, voice.pack(found, run).bundle, run


@pytest.fixture
def bundle(explained: tuple[Explained, Path, Run]) -> Path:
    return explained[1]


def said(*words: object, code: int = 0) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "150"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_what_cannot_be_read_is_named_and_left_out(
    explained: tuple[Explained, Path, Run],
) -> None:
    split = explained[0].evaluated.fitted.split
    findings = split.checked.findings.set_index("finding")
    assert findings.loc["not readable", "recordings"] == 1
    assert "notes.wav" in findings.loc["not readable", "detail"]
    assert {r.speaker for r in split.dev}.isdisjoint({r.speaker for r in split.test})
    assert len(split.dev) + len(split.test) == MOST


def test_the_request_is_heard_done_and_explained(explained: tuple[Explained, Path, Run]) -> None:
    found = explained[0]
    assert [o.status for o in found.turn.outcomes] == ["done", "done"]
    assert len(found.why.words) == len(found.why.read) == 2
    sound = found.why.certificate.iloc[-1]
    assert sound["test"].startswith("sound")
    assert sound["without the heaviest"] < sound["without as many at random"] < sound["whole"]
    assert sound["random as bad"] <= 0.1


def test_a_bundle_holds_no_voice_of_the_client(bundle: Path, recordings: Path) -> None:
    manifest = Bundle.open(bundle).manifest
    assert all("audio" not in given or not given["audio"] for given in manifest.golden.inputs)
    sizes = {file.stat().st_size for file in recordings.glob("*.flac")}
    kept = [p for p in bundle.rglob("*") if p.is_file()]
    assert not any(p.stat().st_size in sizes for p in kept)
    assert not any(p.name.startswith("examples") for p in kept), "what the wake word learned from"


def test_a_folder_of_recordings_is_answered_file_by_file(
    bundle: Path, good: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    first = read_recordings(good)[0]
    sound, rate = soundfile.read(first.path)
    wide = np.column_stack([np.repeat(sound, 3)] * 2)  # 48 kHz, two channels, 24 bits
    soundfile.write(folder / "1-wide.wav", wide, 3 * rate, subtype="PCM_24")
    (folder / "2-text.wav").write_text("no sound")
    soundfile.write(folder / "3-short.wav", np.zeros(16), 16_000)
    soundfile.write(folder / "4-nan.wav", np.full(16_000, np.nan, "f4"), 16_000, subtype="FLOAT")
    soundfile.write(folder / "5-long.flac", np.zeros(45 * 16_000), 16_000)
    soundfile.write(folder / "6-silent.wav", np.zeros(32_000), 16_000)
    said("predict", bundle, folder, "-o", tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").open()]
    answers = {line["id"].split("-")[0]: line["output"] for line in lines}
    assert list(answers) == list("123456")
    assert answers["1"]["heard"]
    assert answers["1"]["status"] in ("understood", "confirm")
    for bad in "245":
        assert answers[bad]["status"] == "unreadable", answers[bad]
        assert answers[bad]["reply"].startswith("Not read: ")
    for empty in "36":
        assert answers[empty]["heard"] == "", answers[empty]
        assert answers[empty]["commands"] == []


def test_the_service_takes_words_and_sound(bundle: Path, good: Path) -> None:
    sound = base64.b64encode(read_recordings(good)[0].path.read_bytes()).decode()
    with TestClient(create_app(Bundle.open(bundle), keys=[KEY])) as client:
        client.headers["X-API-Key"] = KEY
        body = {"inputs": [
            {"text": "turn on the kitchen light"}, {"audio": sound}, {"audio": "no base64 !"},
            {"text": "turn on the light", "area": "nursery"}, {"text": "?!"},
            {"text": "turn on the light", "area": "attic"},
        ]}  # fmt: skip
        given = client.post("/v1/predict", json=body)
        assert given.status_code == 200, given.text
        answers = given.json()["outputs"]
        assert list(answers[0]["changes"]) == ["light.kitchen"]
        assert answers[0]["changes"]["light.kitchen"]["state"] == "on"
        assert answers[1]["heard"]
        assert answers[2]["status"] == "unreadable"
        assert "base64" in answers[2]["reply"]
        assert list(answers[3]["changes"]) == ["light.night_light"]
        assert answers[4]["commands"] == []
        assert "no room 'attic'" in answers[5]["reply"], "a typo must not switch the whole house"
        assert answers[5]["changes"] == {}
        again = client.post("/v1/predict", json={"inputs": body["inputs"][3::-1]}).json()
        assert again["outputs"] == answers[3::-1], "an answer depends on no other"
        for wrong in ({}, {"text": "a", "audio": "b"}, {"text": "a" * 501}, {"words": "a"}):
            refused = client.post("/v1/predict", json={"inputs": [wrong]})
            assert refused.status_code == 422, wrong


@pytest.fixture
def address(bundle: Path) -> Iterator[str]:
    """The service on a free port of this machine."""
    service = create_app(
        Bundle.open(bundle), keys=[KEY], limits=ServiceLimits(rate="1000000/minute", inputs=20)
    )
    server = uvicorn.Server(uvicorn.Config(service, port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def test_every_answer_of_the_service_is_one_its_document_promises(
    address: str, tmp_path: Path
) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{address}/openapi.json", "-H", f"X-API-Key: {KEY}"),
        *("--checks", "all", "--max-examples", "20", "--seed", "1", "--generation-deterministic"),
        *("--request-timeout", "60"),
        # "Either text or audio" is more than a JSON schema of these fields says.
        *("--exclude-checks", "positive_data_acceptance", "--continue-on-failure", "--no-color"),
    ]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-5000:]


def test_two_bundles_are_compared_on_the_homes_recordings(
    bundle: Path, good: Path, tmp_path: Path
) -> None:
    output = said("regress", bundle, good, "--before", bundle, "--strict", "-o", tmp_path / "out")
    for shown in ("word error rate", "done right", "recognition", "Against the bundle in use"):
        assert shown in output
    found = json.loads((tmp_path / "out" / "regression.json").read_bytes())
    assert found["worse"] == []
    same = {row["metric"]: row["change"] for row in found["changes"]}
    assert same["word_error_rate"] == same["done_right"] == same["wake_missed"] == 0
    assert {m["metric"] for m in found["measurements"]} >= {
        "word_error_rate", "intents_right", "slots_right", "frame_right", "done_right",
        "wake_missed", "false_wakes_an_hour",
    }  # fmt: skip
    assert all(m["low"] <= m["value"] <= m["high"] for m in found["measurements"])
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Against the bundle in use" in page
    assert "http" not in page.replace("http-equiv", "")
    assert len((tmp_path / "out" / "recordings.csv").read_text().splitlines()) == MOST + 1


def test_a_worse_bundle_ends_the_command_with_an_error(
    bundle: Path, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("verticals.voice.comparing.Regression.worse", lambda _: ["done_right"])
    said("regress", bundle, good, "--strict", "-o", tmp_path / "out", code=1)
    assert json.loads((tmp_path / "out" / "regression.json").read_bytes())["worse"] == [
        "done_right"
    ]
