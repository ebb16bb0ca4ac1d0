"""A language model behind an OpenAI-compatible endpoint; personal data is replaced before it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.errors import ModelError, ParameterError
from verticals.medical.answer import Evidence
from verticals.medical.generation.prompts import messages

if TYPE_CHECKING:
    import httpx

KEY_VARIABLE = "CASEKIT_LLM_KEY"
TIMEOUT_S = 60.0
NEW_TOKENS = 300
_REMEDY = "Check the address and the network, or set generator to None or smollm2"


@dataclass(frozen=True)
class EndpointModel:
    """Where to ask, and as whom; the key stays in the environment."""

    url: str  # as far as "/v1"; a model may be named behind "#"
    model: str = ""
    key_env: str = KEY_VARIABLE
    client: httpx.Client | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ParameterError(
                "the endpoint is not an address", where="generator", remedy="Write https://host/v1"
            )
        if parts.username or parts.password:
            raise ParameterError(
                "the endpoint's address holds a password",
                where="generator",
                remedy=f"Put the key into the environment variable {self.key_env}",
            )
        if parts.scheme == "http" and not _private(parts.hostname):
            raise ParameterError(
                "a question about a patient would be sent unencrypted",
                where=f"generator, {parts.hostname}",
                remedy="Use https://",
            )

    def answer(self, question: str, evidence: Sequence[Evidence]) -> str:
        """The model's wording; unverified.

        Raises:
            ModelError: No answer within a minute, refused, or not what such an endpoint sends.
        """
        from verticals.medical.patient.privacy import replace_personal

        if not evidence:
            return ""
        body = {
            "model": self.model or urlsplit(self.url).fragment or "default",
            "messages": messages(replace_personal(question), evidence),
            "temperature": 0,
            "max_tokens": NEW_TOKENS,
        }
        found = self._post(body)
        try:
            return str(found["choices"][0]["message"]["content"] or "").strip()
        except (KeyError, IndexError, TypeError):
            raise ModelError(
                "the endpoint's answer has no message", where=self._host(), remedy=_REMEDY
            ) from None

    def _post(self, body: dict[str, Any]) -> Any:
        import httpx

        key = os.environ.get(self.key_env, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        address = f"{self.url.partition('#')[0].rstrip('/')}/chat/completions"
        try:
            send = self.client.post if self.client else httpx.post
            answer = send(address, json=body, headers=headers, timeout=TIMEOUT_S)
            answer.raise_for_status()
            return answer.json()
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            remedy = f"Set {self.key_env} to a valid key" if status in {401, 403} else _REMEDY
            raise ModelError(
                f"the endpoint refuses (HTTP {status})", where=self._host(), remedy=remedy
            ) from None
        except (httpx.HTTPError, ValueError) as error:
            # What a client raises may quote the request, and so the question.
            raise ModelError(
                f"the endpoint does not answer ({type(error).__name__})",
                where=self._host(),
                remedy=_REMEDY,
            ) from None

    def _host(self) -> str:
        return urlsplit(self.url).hostname or ""


def _private(host: str) -> bool:
    """Whether a name or address lies in one's own network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".local", ".internal"))
    return address.is_private or address.is_loopback
