"""Schemathesis makes requests up from the service's own document, good ones and bad ones."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from core.serving.app import ServiceLimits


@pytest.fixture
def address(serve: Callable[..., FastAPI]) -> Iterator[str]:
    """A service on a free port of this machine."""
    app = serve(ServiceLimits(rate="1000000/minute"))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.mark.parametrize("key", ["a-key-of-the-tests-0123456789", "not-a-key-of-this-service"])
def test_every_answer_is_one_the_document_promises(address: str, key: str, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{address}/openapi.json", "-H", f"X-API-Key: {key}"),
        *("--checks", "all", "--max-examples", "50", "--seed", "1", "--generation-deterministic"),
        *("--continue-on-failure", "--no-color"),
    ]
    if "not" in key:  # then valid data is refused too
        command += ["--exclude-checks", "positive_data_acceptance"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert "6 passed" in done.stdout
