from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.demos.medical_pages.desk import Desk
from verticals.medical.answer import Answer


@pytest.fixture(scope="module")
def client(served: str) -> Any:
    from gradio_client import Client

    return Client(served, verbose=False)


def test_only_the_named_endpoint_is_offered(client: Any) -> None:
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(offered) == {"/answer"}


def test_answers_are_the_engines_own(client: Any, desk: Desk) -> None:
    from apps.demos.medical_pages.asking import ask

    question = "Is apixaban versus warfarin better?"
    told = client.predict({"question": question}, api_name="/answer")
    assert Answer.model_validate(told) == ask(desk, question).answer


@pytest.mark.parametrize(
    ("question", "named"),
    [({"question": " "}, "empty"), ({"ask": "x"}, "ask|question"),
     ({"question": "x", "filters": {"year_from": 3}}, "year_from")],
)  # fmt: skip
def test_what_is_wrong_is_named(client: Any, question: dict[str, Any], named: str) -> None:
    with pytest.raises(Exception, match=named):
        client.predict(question, api_name="/answer")


def test_the_page_names_no_other_host(served: str) -> None:
    html = httpx.get(served).text
    links = [part.split('"')[0] for part in html.split('src="')[1:] + html.split('href="')[1:]]
    assert [x for x in links if x.startswith(("http", "//")) and served not in x] == []


def test_runs_of_this_case_are_found(tmp_path: Path) -> None:
    from apps.demos.medical_pages.finding import newest_bundle
    from core.deployment.results import Results

    for name, case in (("a", "finance"), ("b", "medical")):
        (tmp_path / name / "bundle").mkdir(parents=True)
        results = Results(case=case, run_id=name, parameters={}, seed=1, versions={}, data={},
                          results=[], timings={}, bundle="bundle")  # fmt: skip
        (tmp_path / name / "results.json").write_text(results.model_dump_json())
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "results.json").write_text("{")
    assert newest_bundle(tmp_path) == tmp_path / "b" / "bundle"
    assert newest_bundle(tmp_path / "nowhere") is None
