"""The service answers as the predictor does, and every error names field and remedy, no value."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from core.deployment.bundle import Bundle
from core.errors import BundleError, DataError, ParameterError
from core.serving.app import ServiceLimits, create_app

KEY = {"X-API-Key": "a-key-of-the-tests-0123456789"}
ANNA = {"income": 20_000.5, "age": 40}
Serve = Callable[..., FastAPI]


@pytest.fixture
def client(serve: Serve) -> TestClient:
    """A caller with a key."""
    return TestClient(serve(), headers=dict(KEY))


def ask(client: TestClient, *inputs: object, **keywords: Any) -> Any:
    """Post inputs to be predicted."""
    return client.post("/v1/predict", json={"inputs": list(inputs)}, **keywords)


def test_answers_as_the_predictor_does(
    client: TestClient, bundle: Bundle, tiny_case: ModuleType
) -> None:
    answer = ask(client, ANNA, {"income": 0, "age": 100, "note": "x"})
    assert answer.status_code == 200
    direct = bundle.predictor().predict(
        [tiny_case.TinyInput(**ANNA), tiny_case.TinyInput(income=0, age=100)]
    )
    assert answer.json() == {
        "outputs": [row.model_dump(mode="json") for row in direct],
        "bundle": bundle.id,
    }


def test_shows_what_it_serves(client: TestClient, bundle: Bundle) -> None:
    described = client.get("/v1/manifest").json()
    assert described["manifest"] == json.loads(bundle.manifest.to_bytes())
    assert described["signer"] == bundle.signer
    example = client.get("/v1/example").json()
    assert ask(client, *example["inputs"]).json()["outputs"] == bundle.manifest.golden.outputs
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready"}


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/manifest", "/v1/example"])
@pytest.mark.parametrize("key", [None, "", "wrong", KEY["X-API-Key"] + "x", "\xe9" * 20])
def test_no_entry_without_a_key(serve: Serve, path: str, key: str | None) -> None:
    headers = {} if key is None else {"X-API-Key": key.encode("latin-1")}
    client = TestClient(serve())
    method = client.post if path == "/v1/predict" else client.get
    answer = method(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "ApiKey"
    assert answer.headers["content-type"] == "application/problem+json"


def test_open_routes_need_no_key(serve: Serve) -> None:
    client = TestClient(serve())
    for path in ("/health", "/ready", "/metrics", "/openapi.json"):
        assert client.get(path).status_code == 200
    for path in ("/docs", "/redoc"):  # they would fetch scripts from elsewhere
        assert client.get(path).status_code == 404


SECRET = "Smith-4711"


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ({"income": SECRET, "age": 30}, "inputs[0].income", "valid number"),
        ({"income": "1", "age": 30}, "inputs[0].income", "valid number"),
        ({"income": 1, "age": 4711}, "inputs[0].age", "less than or equal to 120"),
        ({"income": 1}, "inputs[0].age", "required"),
        ({"income": 1, "age": 30, "purpose": SECRET}, "inputs[0].purpose", "'car' or 'home'"),
        ({"income": 1, "age": 30, "incom": SECRET}, "inputs[0].incom", "no such field"),
        ({"income": 1, "age": 30, "note": SECRET * 9}, "inputs[0].note", "at most 50"),
        ([SECRET], "inputs[0]", "object"),
    ],
)
def test_an_invalid_field_is_named_and_its_value_is_not(
    client: TestClient, row: object, field: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = ask(client, row)
    problem = answer.json()
    assert answer.status_code == problem["status"] == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["errors"][0]["field"] == field
    assert says.lower() in problem["errors"][0]["problem"].lower()
    assert problem["remedy"]
    assert "4711" not in answer.text + caplog.text


def test_a_misspelt_field_gets_the_nearest_name(client: TestClient) -> None:
    (error,) = ask(client, ANNA | {"incom": 1}).json()["errors"]
    assert "'income'" in error["remedy"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs":[{"income":NaN,"age":30}]}',
        b'{"inputs":[{"income":Infinity,"age":30}]}',
        b'{"inputs":[{"income":1e999,"age":30}]}',
        b'{"inputs":[{"income":1' + b"0" * 400 + b',"age":30}]}',
        b'{"inputs":[' + b"[" * 100_000,
        b'{"inputs":[{"note":"\xff"}]}',
        b"",
        b"{",
    ],
)
def test_what_is_not_json_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/predict", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, [], 1, "x", {"inputs": []}, {"inputs": [ANNA], "x": 1}])
def test_another_body_is_refused(client: TestClient, body: object) -> None:
    assert client.post("/v1/predict", json=body).status_code == 422


def test_another_media_type_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/predict", content="x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


def test_too_much_is_refused(serve: Serve) -> None:
    client = TestClient(serve(ServiceLimits(body_bytes=300, inputs=3)), headers=dict(KEY))
    assert ask(client, ANNA, ANNA, ANNA).status_code == 200
    assert ask(client, ANNA, ANNA, ANNA, ANNA).status_code == 422
    assert ask(client, *[ANNA] * 20).status_code == 413
    streamed = client.post(  # without a length that could be believed
        "/v1/predict",
        content=(b" " * 100 for _ in range(10)),
        headers={"content-type": "application/json"},
    )
    assert streamed.status_code == 413


def test_a_key_that_calls_too_often_waits(serve: Serve) -> None:
    client = TestClient(serve(ServiceLimits(rate="3/minute")), headers=dict(KEY))
    assert [ask(client, ANNA).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = ask(client, ANNA)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert client.get("/health").status_code == 200


def test_a_slow_answer_is_given_up(serve: Serve) -> None:
    client = TestClient(serve(ServiceLimits(seconds=0.05), slow=0.3), headers=dict(KEY))
    answer = ask(client, ANNA)
    assert answer.status_code == 504
    assert "0.05 seconds" in answer.json()["detail"]


def test_the_loop_answers_while_threads_predict(serve: Serve) -> None:
    limits = ServiceLimits(threads=2, waiting=1)
    with (
        TestClient(serve(limits, slow=0.4), headers=dict(KEY)) as client,
        ThreadPoolExecutor(6) as pool,
    ):
        asked = [pool.submit(ask, client, ANNA) for _ in range(5)]
        time.sleep(0.15)
        start = time.perf_counter()
        assert client.get("/health").status_code == 200
        assert time.perf_counter() - start < 0.2
        assert client.get("/ready").status_code == 503
        statuses = sorted(call.result().status_code for call in asked)
        assert statuses == [200, 200, 200, 503, 503]
        assert client.get("/ready").status_code == 200


def test_never_more_predictions_at_once_than_threads(serve: Serve, tiny_case: ModuleType) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def predict(inputs: list[Any]) -> list[Any]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return [tiny_case.TinyOutput(risk=0.5, decision="approve") for _ in inputs]

    # Time runs out for most: what is given up still counts until its thread is free.
    limits = ServiceLimits(threads=2, waiting=20, seconds=0.06)
    with (
        TestClient(serve(limits, predict=predict), headers=dict(KEY)) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        statuses = {call.status_code for call in pool.map(lambda _: ask(client, ANNA), range(12))}
    assert most == 2
    assert statuses <= {200, 504}


def test_a_fault_is_a_problem_and_tells_no_value(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def predict(inputs: object) -> object:
        raise RuntimeError(f"cannot use {SECRET}")

    caplog.set_level(logging.DEBUG)
    client = TestClient(serve(predict=predict), headers=dict(KEY))
    answer = ask(client, ANNA)
    assert answer.status_code == 500
    assert answer.json()["title"] == "Internal Server Error"
    assert SECRET not in answer.text + caplog.text
    assert "RuntimeError at" in caplog.text
    assert answer.headers["X-Request-ID"] in answer.json()["remedy"]
    assert ask(client, ANNA).status_code == 500  # it goes on


def test_data_that_the_model_refuses_is_the_callers_problem(serve: Serve) -> None:
    def predict(inputs: object) -> object:
        raise DataError(f"bad {SECRET}", where="row 1, column 'age'", remedy="Give a date")

    answer = ask(TestClient(serve(predict=predict), headers=dict(KEY)), ANNA)
    assert answer.status_code == 422
    assert answer.json()["remedy"] == "Give a date"
    assert answer.json()["errors"][0]["field"] == "row 1, column 'age'"
    assert SECRET not in answer.text


def test_unknown_places_and_methods_are_problems(client: TestClient) -> None:
    missing = client.get("/v2/predict")
    assert missing.status_code == missing.json()["status"] == 404
    wrong = client.get("/v1/predict")
    assert wrong.status_code == wrong.json()["status"] == 405
    assert wrong.headers["Allow"] == "POST"


def test_metrics_count_requests_and_answers_and_hold_no_input(client: TestClient) -> None:
    ask(client, ANNA | {"note": SECRET}, {"income": 0, "age": 30})
    ask(client, {"income": SECRET})
    client.get(f"/{SECRET}")
    text = client.get("/metrics").text
    assert 'casekit_requests_total{route="/v1/predict",status="200"} 1.0' in text
    assert 'casekit_requests_total{route="/v1/predict",status="422"} 1.0' in text
    assert 'casekit_requests_total{route="unmatched",status="404"} 1.0' in text
    assert 'casekit_answer_1_decision_total{value="approve"} 1.0' in text
    assert 'casekit_answer_1_decision_total{value="decline"} 1.0' in text
    assert "casekit_answer_0_risk_count 2.0" in text
    assert "casekit_batch_inputs_sum 2.0" in text
    assert SECRET not in text


def test_logs_name_the_route_and_no_query(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="casekit.serving")
    client.get(f"/health?name={SECRET}")
    assert "route=/health status=200" in caplog.text
    assert SECRET not in " ".join(
        record.getMessage() for record in caplog.records if record.name == "casekit.serving"
    )


@pytest.mark.parametrize("keys", [[], ["short"], ["long-enough-for-a-key", ""]])
def test_a_service_without_good_keys_does_not_start(bundle: Bundle, keys: list[str]) -> None:
    with pytest.raises(ParameterError, match="API keys"):
        create_app(bundle, keys=keys)


def test_a_rate_that_cannot_be_read_is_named(bundle: Bundle) -> None:
    with pytest.raises(ParameterError, match="'often' is not a rate"):
        create_app(bundle, keys=[KEY["X-API-Key"]], limits=ServiceLimits(rate="often"))


def test_a_model_that_answers_differently_is_not_served(
    bundle: Bundle, tiny_case: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tiny_case.TinyPredictor(tiny_case.WEIGHTS | {"intercept": 1.01})
    monkeypatch.setattr(tiny_case, "open_predictor", lambda *_: other)
    with pytest.raises(BundleError, match="golden answers differ by"):
        create_app(bundle, keys=[KEY["X-API-Key"]])
