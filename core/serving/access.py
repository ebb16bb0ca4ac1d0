"""Who may call a service and how often: API keys compared in constant time, a rate for each."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Iterable

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core.errors import ParameterError
from core.serving.problems import ProblemError

SHORTEST_KEY = 16  # characters


class Access:
    """Checks a caller's key and rate. Holds hashes of the keys, not the keys."""

    def __init__(self, keys: Iterable[str], rate: str) -> None:
        given = list(keys)
        if not given or any(len(key) < SHORTEST_KEY for key in given):
            raise ParameterError(
                f"a service needs API keys of at least {SHORTEST_KEY} characters",
                where="keys",
                remedy="Make one: python -c 'import secrets; print(secrets.token_urlsafe())'",
            )
        self._digests = [_digest(key) for key in given]
        self._rate = _parse(rate)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def admit(self, key: str | None) -> None:
        """Let a request pass.

        Args:
            key: The value of the header X-API-Key, if it was sent.

        Raises:
            ProblemError: 401 without a valid key; 429 when this key calls too often.
        """
        digest = _digest(key or "")
        # Every key is compared to its end, so that time tells nothing about any.
        known = [hmac.compare_digest(digest, one) for one in self._digests]
        if not key or not any(known):
            raise ProblemError(
                401,
                "The API key is missing or not valid",
                "Send a valid key in the header X-API-Key",
                headers={"WWW-Authenticate": "ApiKey"},
            )
        name = digest.hex()
        if not self._limiter.hit(self._rate, name):
            reset = self._limiter.get_window_stats(self._rate, name).reset_time
            wait = max(1, math.ceil(reset - time.time()))
            raise ProblemError(
                429,
                f"More than {self._rate} for this key",
                f"Wait {wait} seconds, or send more inputs in one request",
                headers={"Retry-After": str(wait)},
            )


def _digest(key: str) -> bytes:
    """SHA-256 of a key; long random keys need no slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _parse(rate: str) -> RateLimitItem:
    """A rate as `limits` reads it, such as 600/minute."""
    try:
        return parse(rate)
    except ValueError as error:
        raise ParameterError(
            f"{rate!r} is not a rate", where="rate", remedy="Write it as 600/minute or 10/second"
        ) from error
