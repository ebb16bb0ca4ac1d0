"""A Wyoming server: recognition, speech, wake word, understanding and acting for Home Assistant.

Over TCP or a Unix socket, without authentication, as the protocol has none: bind it to this
machine or to a network of one's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import CasekitError, ParameterError
from verticals.voice.action.wyoming_services import Services
from verticals.voice.action.wyoming_session import Session
from verticals.voice.action.wyoming_wire import Limits, WireError, read_event

if TYPE_CHECKING:
    from wyoming.event import Event

_log = logging.getLogger(__name__)
_SLOWEST_S = 20.0  # for a client to take what it is sent


class WyomingServer:
    """A server; `await start()` and `await stop()` it, or use `serve`."""

    def __init__(
        self, uri: str, services: Services, *, limits: Limits | None = None, at_once: int = 1
    ) -> None:
        """Describe it.

        Args:
            uri: tcp://127.0.0.1:10300 (port 0: a free one) or unix:///path/of.socket.
            services: What it offers.
            limits: What clients may ask for.
            at_once: How many models may compute at once.

        Raises:
            ParameterError: The address is neither.
        """
        self._services, self._limits = services, limits or Limits()
        self._turn = asyncio.Semaphore(at_once)
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        parts = urlsplit(uri)
        self._path = Path(parts.path) if parts.scheme == "unix" and parts.path else None
        if self._path is None and (parts.scheme != "tcp" or not parts.hostname):
            raise ParameterError(
                "This is no address for a Wyoming server", where=uri,
                remedy="Use tcp://host:port or unix:///path",
            )  # fmt: skip
        self._host = parts.hostname
        self.port = parts.port or 0
        """Where it listens; the free port that was found, once started."""

    async def start(self) -> None:
        """Listen.

        Raises:
            ParameterError: The address cannot be used.
        """
        limit = self._limits.line_bytes + 1024
        try:
            if self._path is not None:
                if self._path.is_socket():
                    self._path.unlink()
                self._server = await asyncio.start_unix_server(
                    self._connected, self._path, limit=limit
                )
                self._path.chmod(0o600)
            else:
                self._server = await asyncio.start_server(
                    self._connected, self._host, self.port, limit=limit
                )
                self.port = int(self._server.sockets[0].getsockname()[1])
        except OSError as error:
            where = str(self._path or f"{self._host}:{self.port}")
            raise ParameterError(
                "The Wyoming server cannot listen there", where=where,
                remedy="Choose another port or path",
            ) from error  # fmt: skip

    async def stop(self) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        for client in tuple(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._clients.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError) as error:
            _log.debug("a Wyoming client left: %s", type(error).__name__)
        finally:
            self._clients.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(event: Event) -> None:
            from wyoming.event import async_write_event

            async with asyncio.timeout(_SLOWEST_S):
                await async_write_event(event, writer)

        if len(self._clients) > self._limits.clients:
            await send(_problem("Too many clients; try again later", "busy"))
            return
        session = Session(self._services, self._limits, send, self._turn)
        while True:
            try:
                event = await read_event(reader, self._limits)
                if event is None:
                    return
                await session.handle(event)
            except WireError as error:
                await send(_problem(str(error), "protocol"))
                return
            except CasekitError as error:
                await send(_problem(str(error), "failed"))
            except (OSError, TimeoutError):
                raise
            except Exception as error:
                # One client's trouble must not end the others'. Its words stay out of the log.
                _log.warning("a Wyoming request failed: %s", type(error).__name__)
                await send(_problem("The request failed", "failed"))


async def serve(
    uri: str, services: Services, *, limits: Limits | None = None, at_once: int = 1
) -> None:
    """Serve until cancelled; see `WyomingServer`."""
    server = WyomingServer(uri, services, limits=limits, at_once=at_once)
    await server.start()
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def _problem(text: str, code: str) -> Event:
    from wyoming.error import Error

    return Error(text=text, code=code).event()
