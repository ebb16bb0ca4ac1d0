"""Answers are counted by what their fields are: bounded, unbounded, closed sets; texts never."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, Field

from core.monitoring.service_metrics import ServiceMetrics


class Colour(Enum):
    """A closed set."""

    RED = "red"


class Answer(BaseModel):
    """One field of each kind."""

    share: float = Field(ge=0, le=1)
    points: float | None = None
    sure: bool = True
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    name: str = "Smith"
    parts: list[float] = []


def samples(metrics: ServiceMetrics) -> dict[tuple[str, str], float]:
    """Every sample by name and last label, as Prometheus itself reads it."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_each_kind_of_field_is_counted_in_its_way() -> None:
    metrics = ServiceMetrics("b-1", Answer.model_json_schema())
    metrics.answers([Answer(share=0.02, points=600), Answer(share=0.9, sure=False, kind="b")])
    found = samples(metrics)
    assert found["casekit_answer_0_share_bucket", "0.05"] == 1
    assert found["casekit_answer_0_share_bucket", "1.0"] == 2
    assert found["casekit_answer_1_points_sum", ""] == 600
    assert found["casekit_answer_1_points_count", ""] == 1
    assert found["casekit_answer_2_sure_total", "False"] == 1
    assert found["casekit_answer_3_colour_total", "red"] == 2
    assert found["casekit_answer_4_kind_total", "b"] == 1
    assert found["casekit_batch_inputs_count", ""] == 1
    assert found["casekit_bundle", "b-1"] == 1
    assert "Smith" not in metrics.render().decode()


def test_two_services_do_not_share_their_counts() -> None:
    one, other = (ServiceMetrics(name, {}) for name in ("one", "other"))
    one.request("/health", 200, 0.001)
    assert samples(one)["casekit_requests_total", "/health,200"] == 1
    assert ("casekit_requests_total", "/health,200") not in samples(other)
