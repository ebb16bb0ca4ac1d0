"""What a service tells Prometheus: how often, how fast, and how its answers are distributed.

Holds no input and no free text: only numbers, truth values and closed sets of values of answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
STEPS = 20  # buckets of an answer's number between its bounds

Observe = Callable[[Any], None]


class ServiceMetrics:
    """The counters of one service; two services in one process do not share them."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, bundle: str, output_schema: Mapping[str, Any]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "casekit_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self._latency = Histogram(
            "casekit_request_seconds",
            "Time to answer a request.",
            ["route"],
            buckets=LATENCY_S,
            registry=self.registry,
        )
        self._batch = Histogram(
            "casekit_batch_inputs", "Inputs in a request.", buckets=BATCH, registry=self.registry
        )
        info = Gauge("casekit_bundle", "The bundle served.", ["bundle"], registry=self.registry)
        info.labels(bundle=bundle).set(1)
        self._answers = _answer_metrics(output_schema, self.registry)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is the route's pattern, never a caller's text."""
        self._requests.labels(route=route, status=str(status)).inc()
        self._latency.labels(route=route).observe(seconds)

    def answers(self, outputs: Iterable[object]) -> None:
        """Count the answers to one request by their values."""
        n = 0
        for output in outputs:
            n += 1
            for name, observe in self._answers.items():
                value = getattr(output, name, None)
                if value is not None:
                    observe(value)
        self._batch.observe(n)

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _answer_metrics(schema: Mapping[str, Any], registry: CollectorRegistry) -> dict[str, Observe]:
    """How to count each countable field of an answer, by the field's name."""
    found: dict[str, Observe] = {}
    for number, (name, given) in enumerate(schema.get("properties", {}).items()):
        slug = re.sub(r"[^a-z0-9_]", "_", name.lower())
        observe = _observer(
            f"casekit_answer_{number}_{slug}", name, _resolve(given, schema), registry
        )
        if observe is not None:
            found[name] = observe
    return found


def _observer(
    metric: str, name: str, field: Mapping[str, Any], registry: CollectorRegistry
) -> Observe | None:
    """The metric that fits a field: a count by value, a histogram between bounds, or a mean."""
    text = f"Answers by {name!r}."
    if field.get("type") == "boolean" or "enum" in field or "const" in field:
        counter = Counter(metric, text, ["value"], registry=registry)
        return lambda value: counter.labels(value=str(getattr(value, "value", value))).inc()
    if field.get("type") in ("number", "integer"):
        if "minimum" in field and "maximum" in field:
            edges = np.linspace(field["minimum"], field["maximum"], STEPS + 1)[1:]
            bounded = Histogram(metric, text, buckets=edges.tolist(), registry=registry)
            return bounded.observe
        return Summary(metric, text, registry=registry).observe
    return None


def _resolve(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field's schema behind its reference, and without the case that it is null."""
    if "$ref" in field:
        return _resolve(schema.get("$defs", {}).get(field["$ref"].rsplit("/", 1)[-1], {}), schema)
    choices = [choice for choice in field.get("anyOf", []) if choice.get("type") != "null"]
    return _resolve(choices[0], schema) if len(choices) == 1 else field
