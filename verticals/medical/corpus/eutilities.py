"""Searches PubMed over the network with NCBI's E-utilities (Sayers, 2010), within their limits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from core.errors import DataError
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.pubmed import parse_pubmed
from verticals.medical.corpus.streams import OnSkip

if TYPE_CHECKING:
    import httpx

BASE = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
KEY_VARIABLE = "NCBI_API_KEY"
PAGE = 200  # records a request
MOST = 10_000  # what esearch gives for one query
TRIES = 3
_OFFLINE = "Check the network, or download PubMed XML elsewhere and give the file"


def read_search(
    query: str,
    on_skip: OnSkip,
    *,
    limit: int = 2000,
    client: httpx.Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Document]:
    """The articles that PubMed finds, best match first.

    At most 3 requests a second are sent, or 10 with a key in NCBI_API_KEY.

    Args:
        query: In PubMed's own syntax.
        on_skip: Told of records that cannot be read.
        limit: Most articles to fetch, up to 10,000.
        client: Sends the requests; one of its own by default.
        sleep: Waits so many seconds.

    Raises:
        DataError: No network, PubMed refuses the query, or nothing matches it.
    """
    if not query.strip():
        raise DataError("there is no query", where="eutils:", remedy="Write eutils:QUERY")
    session = _Session(client or _client(), sleep)
    wanted = min(limit, MOST)
    found = session.json(
        "esearch.fcgi", db="pubmed", term=query, retmax=0, usehistory="y", retmode="json"
    )
    result = found.get("esearchresult", {})
    problem = result.get("ERROR") or result.get("errorlist", {}).get("fieldsnotfound")
    if problem:
        raise DataError(f"PubMed refuses the query ({problem})", where=query, remedy="Rephrase it")
    total = min(int(result.get("count", 0)), wanted)
    if not total:
        raise DataError("PubMed finds nothing", where=query, remedy="Rephrase the query")
    name = f"eutils:{query}"
    for start in range(0, total, PAGE):
        page = session.get(
            "efetch.fcgi",
            db="pubmed",
            query_key=result["querykey"],
            WebEnv=result["webenv"],
            retstart=start,
            retmax=min(PAGE, total - start),
            retmode="xml",
        )
        yield from parse_pubmed([page], name, on_skip)


class _Session:
    """Requests no faster than NCBI allows, tried again when it is busy."""

    def __init__(self, client: httpx.Client, sleep: Callable[[float], None]) -> None:
        self.client, self.sleep = client, sleep
        self.key = os.environ.get(KEY_VARIABLE, "")
        self.pause_s = 0.11 if self.key else 0.34
        self.next = 0.0

    def get(self, page: str, **fields: Any) -> bytes:
        import httpx

        if self.key:
            fields["api_key"] = self.key
        problem = ""
        for attempt in range(TRIES):
            self.sleep(max(0.0, self.next - time.monotonic()))
            self.next = time.monotonic() + self.pause_s * (10**attempt)
            try:
                # POST keeps the key out of addresses, which end in logs.
                answer = self.client.post(f"{BASE}/{page}", data={"tool": "casekit", **fields})
            except httpx.HTTPError as error:
                problem = type(error).__name__
                continue
            if answer.status_code == httpx.codes.OK:
                return answer.content
            problem = f"HTTP {answer.status_code}"
            if answer.status_code not in {429, 500, 502, 503, 504}:
                break
        raise DataError(f"PubMed does not answer ({problem})", where=page, remedy=_OFFLINE)

    def json(self, page: str, **fields: Any) -> dict[str, Any]:
        import orjson

        try:
            found = orjson.loads(self.get(page, **fields))
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise DataError("PubMed's answer is not JSON", where=page, remedy=_OFFLINE)
        return found


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(timeout=30, follow_redirects=True)
