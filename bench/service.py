"""How long the service of a bundle takes to answer one applicant with reasons.

    python -m bench.service runs/NAME/bundle [--requests 1000]

Serves the bundle on a free port of this machine only, asks, and stops it again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.machine import machine, write_result

WARM_UP = 50
CALLERS = 4  # at once, in the second measurement
PROGRAM = (
    "import typer; from apps.cli.serve import serve; a = typer.Typer(); a.command()(serve); a()"
)


def main() -> None:
    """Measure one caller and several; write bench/results/service.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--requests", type=int, default=1_000)
    given = parser.parse_args()
    inputs = golden_inputs(given.bundle)
    result: dict[str, Any] = {"machine": machine("fastapi", "uvicorn", "pydantic")}
    direct = percentiles(in_process(given.bundle, given.requests))
    with served(given.bundle) as client:
        health = percentiles(ask(lambda i: client.get("/health"), given.requests))
        one = percentiles(ask(lambda i: predict(client, inputs[i % len(inputs)]), given.requests))
        with ThreadPoolExecutor(CALLERS) as pool:
            start = time.perf_counter()
            parts = pool.map(
                lambda _: ask(
                    lambda i: predict(client, inputs[i % len(inputs)]), given.requests // CALLERS
                ),
                range(CALLERS),
            )
            several = percentiles([second for part in parts for second in part])
            several["requests_per_s"] = round(
                CALLERS * (given.requests // CALLERS + WARM_UP) / (time.perf_counter() - start), 1
            )
    result["milliseconds"] = {
        "predictor_alone": direct, "health": health, "one_caller": one, "four_callers": several,
    }  # fmt: skip
    result["ratios"] = {
        "p95_service_over_predictor": round(one["p95"] / direct["p95"], 2),
        "p95_four_callers_over_one": round(several["p95"] / one["p95"], 2),
    }
    print(json.dumps(result, indent=2))
    result["headline"] = {
        "one applicant with reasons over HTTP: p50, ms": result["milliseconds"]["one_caller"][
            "p50"
        ],
        "one applicant with reasons over HTTP: p95, ms": result["milliseconds"]["one_caller"][
            "p95"
        ],
    }
    print(write_result("service", result))


def golden_inputs(bundle: Path) -> list[dict[str, Any]]:
    """Inputs that the bundle itself offers."""
    from core.deployment.bundle import Bundle

    return Bundle.open(bundle).manifest.golden.inputs


def in_process(bundle: Path, requests: int) -> list[float]:
    """Seconds of the predictor without any service."""
    from core.deployment.bundle import Bundle

    opened = Bundle.open(bundle)
    predictor = opened.predictor()
    rows = [predictor.input_model.model_validate(row) for row in opened.manifest.golden.inputs]
    return ask(lambda i: predictor.predict([rows[i % len(rows)]]), requests)


def ask(call: Callable[[int], object], times: int) -> list[float]:
    """Seconds of each call, after some that are not counted."""
    seconds = []
    for i in range(WARM_UP + times):
        start = time.perf_counter()
        call(i)
        seconds.append(time.perf_counter() - start)
    return seconds[WARM_UP:]


def predict(client: httpx.Client, row: dict[str, Any]) -> None:
    """Ask for one applicant."""
    client.post("/v1/predict", json={"inputs": [row]}).raise_for_status()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds at the median and in the tail."""
    p50, p95, p99 = np.percentile(np.array(seconds) * 1e3, [50, 95, 99])
    return {"p50": round(p50, 2), "p95": round(p95, 2), "p99": round(p99, 2)}


@contextmanager
def served(bundle: Path) -> Iterator[httpx.Client]:
    """A client of the bundle's service, which ends with the block."""
    key = secrets.token_urlsafe(32)
    service = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(bundle), "--port", "0", "--rate", "1000000/minute"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"CASEKIT_API_KEYS": key},
    )
    try:
        assert service.stderr is not None
        place = re.search(r"http://[\d.:]+", service.stderr.readline())
        assert place is not None, service.stderr.read()
        # Nobody reads the log from here on: a full pipe would stop the service.
        drain = ThreadPoolExecutor(1)
        drain.submit(service.stderr.read)
        with httpx.Client(base_url=place[0], headers={"X-API-Key": key}, timeout=30) as client:
            yield client
    finally:
        service.send_signal(signal.SIGTERM)
        try:
            service.wait(timeout=15)
        except subprocess.TimeoutExpired:
            service.kill()


if __name__ == "__main__":
    main()
