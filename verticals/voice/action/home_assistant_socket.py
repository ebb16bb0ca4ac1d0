"""Home Assistant's WebSocket: authentication, commands with numbered answers, events."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from verticals.voice.action.connector import DeviceError, UnreachableError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_LARGEST_BYTES = 32 * 1024 * 1024  # all states of a large home in one message
_MOST_EVENTS = 10_000


class Socket:
    """One connection, in an `async with`; answers are read by whoever asks."""

    def __init__(self, url: str, token: SecretStr, timeout_s: float) -> None:
        """Describe it.

        Args:
            url: Of Home Assistant, http or https.
            token: A long-lived access token.
            timeout_s: For one answer.
        """
        self._url = f"ws{url.removeprefix('http')}/api/websocket"
        self._token, self._timeout_s = token, timeout_s
        self._numbers = itertools.count(1)
        self._events: deque[dict[str, Any]] = deque(maxlen=_MOST_EVENTS)
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Socket:
        """Connect and authenticate.

        Raises:
            DeviceError: The token is refused.
            UnreachableError: Nothing answers.
        """
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        try:
            self._socket = await connect(
                self._url, open_timeout=self._timeout_s, max_size=_LARGEST_BYTES, proxy=None
            )
        except (OSError, WebSocketException, TimeoutError) as error:
            raise self._away(error) from error
        try:
            await self._authenticate()
        except DeviceError:
            await self._socket.close()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Disconnect."""
        if self._socket is not None:
            await self._socket.close()

    async def ask(self, kind: str, **data: Any) -> Any:
        """Send a command and wait for its result; events that come before are kept.

        Raises:
            DeviceError: Home Assistant refuses it.
            UnreachableError: The connection ended, or no answer came.
        """
        number = next(self._numbers)
        await self._send({"id": number, "type": kind, **data})
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    message = await self._receive()
                    if message.get("type") == "event":
                        self._events.append(message.get("event") or {})
                    elif message.get("id") == number and message.get("type") == "result":
                        break
        except TimeoutError as error:
            raise self._away(error) from error
        if not message.get("success"):
            reason = message.get("error") or {}
            raise DeviceError(
                "Home Assistant refuses a command",
                where=f"{kind}: {str(reason.get('code', ''))[:60]}",
            )
        return message.get("result")

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Events as they come, for as long as the connection stands.

        Raises:
            UnreachableError: It ended.
        """
        while True:
            while self._events:
                yield self._events.popleft()
            message = await self._receive()
            if message.get("type") == "event":
                yield message.get("event") or {}

    async def _authenticate(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                first = await self._receive()
                if first.get("type") == "auth_required":
                    secret = self._token.get_secret_value()
                    await self._send({"type": "auth", "access_token": secret})
                    first = await self._receive()
        except TimeoutError as error:
            raise self._away(error) from error
        if first.get("type") == "auth_invalid":
            raise DeviceError(
                "Home Assistant refuses the token", where=self._url,
                remedy="Make a new long-lived access token",
            )  # fmt: skip
        if first.get("type") != "auth_ok":
            raise DeviceError("This does not answer as Home Assistant does", where=self._url)

    async def _send(self, message: dict[str, Any]) -> None:
        from websockets.exceptions import WebSocketException

        if self._socket is None:
            raise UnreachableError("Home Assistant is not connected", where=self._url)
        try:
            await self._socket.send(json.dumps(message))
        except (OSError, WebSocketException) as error:
            raise self._away(error) from error

    async def _receive(self) -> dict[str, Any]:
        from websockets.exceptions import WebSocketException

        if self._socket is None:
            raise UnreachableError("Home Assistant is not connected", where=self._url)
        try:
            message = json.loads(await self._socket.recv())
        except (OSError, WebSocketException) as error:
            raise self._away(error) from error
        except (ValueError, RecursionError) as error:
            raise DeviceError("Home Assistant's message is not JSON", where=self._url) from error
        if not isinstance(message, dict):
            raise DeviceError("Home Assistant's message makes no sense", where=self._url)
        return message

    def _away(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            "Home Assistant does not answer", where=f"{self._url}, {type(error).__name__}",
            remedy="Check that it runs, and the address",
        )  # fmt: skip
