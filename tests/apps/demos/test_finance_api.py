import pandas as pd
import pytest

from core.deployment.parity import largest_difference


@pytest.fixture(scope="module")
def client(served):
    from gradio_client import Client

    return Client(served, verbose=False)


def test_only_named_endpoints_are_offered(client):
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {"/answer", "/batch", "/cutoff", "/market"} == set(offered)


def test_answer_is_the_predictors_own(client, desk):
    for applicant, expected in zip(desk.examples, desk.manifest.golden.outputs, strict=True):
        told = client.predict(applicant, "en", api_name="/answer")
        for answer in (expected, told):  # reasons are worded again, in the caller's language
            answer["reasons"] = [reason | {"text": ""} for reason in answer["reasons"]]
        assert largest_difference(expected, told) < 1e-9


def test_a_bad_applicant_is_told_the_field(client):
    with pytest.raises(Exception, match="shoe_size"):
        client.predict({"shoe_size": 43}, "en", api_name="/answer")


def test_batch_gives_a_page_and_a_file(client, desk, tmp_path):
    from gradio_client import handle_file

    path = tmp_path / "applicants.csv"
    pd.DataFrame(desk.examples).to_csv(path, index=False)
    page, file = client.predict(handle_file(str(path)), "en", api_name="/batch")
    answers = pd.read_csv(file["value"] if isinstance(file, dict) else file)
    assert "3 applicants" in page
    assert list(answers["answer_pd"]) == pytest.approx(
        [o["pd"] for o in desk.manifest.golden.outputs]
    )


def test_batch_says_what_is_wrong_with_a_file(client, tmp_path):
    from gradio_client import handle_file

    path = tmp_path / "applicants.csv"
    path.write_text("a,b\n1,2\n")
    page, _ = client.predict(handle_file(str(path)), "en", api_name="/batch")
    assert "duration_in_month" in page


def test_market_tells_hits_and_tests(client):
    told = client.predict("wti", 0.95, "hs", 250, api_name="/market")
    assert told["hits"] == sum(
        loss > var for loss, var in zip(told["losses"], told["var"], strict=True)
    )
    assert "kupiec" in told["p_values"]


def test_cutoff_approves_more_when_it_is_looser(client):
    tight = client.predict(0.1, api_name="/cutoff")
    loose = client.predict(0.5, api_name="/cutoff")
    assert tight["approval_rate"] < loose["approval_rate"]
    assert tight["best_cutoff"] == loose["best_cutoff"]
    with pytest.raises(Exception, match="probability"):
        client.predict(7, api_name="/cutoff")
