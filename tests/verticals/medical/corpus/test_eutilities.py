from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import parse_qs

import httpx
import pytest

from core.errors import DataError
from verticals.medical.corpus import eutilities
from verticals.medical.corpus.eutilities import read_search


class Pubmed:
    """Answers as E-utilities do, and notes what it was asked."""

    def __init__(self, records, make_file, failures=()):
        self.records, self.make_file, self.failures = records, make_file, list(failures)
        self.asked, self.slept = [], []

    def __call__(self, request):
        fields = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
        self.asked.append((request.url, fields))
        if self.failures:
            return httpx.Response(self.failures.pop(0))
        if "esearch" in str(request.url):
            result = {"count": str(len(self.records)), "querykey": "1", "webenv": "W"}
            return httpx.Response(200, json={"esearchresult": result})
        start, count = int(fields["retstart"]), int(fields["retmax"])
        return httpx.Response(200, content=self.make_file(*self.records[start : start + count]))

    def read(self, query="gout", skipped=None, **settings):
        client = httpx.Client(transport=httpx.MockTransport(self))
        on_skip = (skipped if skipped is not None else []).append
        return list(read_search(query, on_skip, client=client, sleep=self.slept.append, **settings))


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """No key of the user's, and a clock that stands still: pauses are what is asked for."""
    monkeypatch.delenv("NCBI_API_KEY", raising=False)
    monkeypatch.setattr(eutilities, "time", SimpleNamespace(monotonic=lambda: 100.0))


def test_fetches_page_by_page_within_the_limit(pubmed_file, pubmed_record):
    records = [pubmed_record(pmid=str(n)) for n in range(1, 451)]
    server = Pubmed(records, pubmed_file)
    found = server.read()
    assert [d.pmid for d in found] == [str(n) for n in range(1, 451)]
    assert [f["retmax"] for _, f in server.asked[1:]] == ["200", "200", "50"]
    assert all(pause > 0.3 for pause in server.slept[1:])  # 3 requests a second
    assert len(server.read(limit=10)) == 10


def test_a_key_is_sent_and_never_in_an_address(monkeypatch, pubmed_file, pubmed_record):
    monkeypatch.setenv("NCBI_API_KEY", "sesame")
    server = Pubmed([pubmed_record()], pubmed_file)
    server.read()
    assert all(fields["api_key"] == "sesame" for _, fields in server.asked)
    assert not any("sesame" in str(url) for url, _ in server.asked)
    assert max(server.slept) < 0.2


def test_tries_again_when_pubmed_is_busy(pubmed_file, pubmed_record):
    server = Pubmed([pubmed_record()], pubmed_file, failures=[429, 503])
    assert len(server.read()) == 1
    with pytest.raises(DataError, match="HTTP 500"):
        Pubmed([], pubmed_file, failures=[500] * 9).read()


def test_reports_a_broken_record(pubmed_file, pubmed_record, skipped):
    broken = pubmed_record(pmid="2").replace("</Article>", "")
    found = Pubmed([pubmed_record(), broken], pubmed_file).read(skipped=skipped)
    assert len(found) == len(skipped) == 1
    assert skipped[0].file == "eutils:gout"


def test_one_line_when_there_is_no_network(pubmed_file):
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    server = Pubmed([], pubmed_file)
    client = httpx.Client(transport=httpx.MockTransport(refuse))
    with pytest.raises(DataError, match="ConnectError") as error:
        list(read_search("gout", [].append, client=client, sleep=server.slept.append))
    assert "\n" not in str(error.value)
    assert "download PubMed XML" in error.value.remedy


def test_says_when_nothing_is_found_or_asked(pubmed_file):
    with pytest.raises(DataError, match="finds nothing"):
        Pubmed([], pubmed_file).read()
    with pytest.raises(DataError, match="no query"):
        Pubmed([], pubmed_file).read("  ")
