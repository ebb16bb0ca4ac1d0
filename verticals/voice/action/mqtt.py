"""A connection to an MQTT broker that comes back: TLS, password, will, QoS 1, back-off.

It knows nothing of homes. Nothing is queued while the broker is away: the caller is told at once
and tries again with the same id, so that no old command arrives late.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from core.errors import ParameterError
from verticals.voice.action.connector import DeviceError, UnreachableError
from verticals.voice.action.topics import checked_topic

if TYPE_CHECKING:
    import aiomqtt

Received = Callable[[str, bytes], None]
"""Called with topic and payload of every message."""

_REFUSED = (4, 5, 134, 135)  # bad user name or password, not authorised: MQTT 3.1.1 and 5


class MqttSettings(BaseModel):
    """Where the broker is and how to speak to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="localhost", min_length=1)
    port: int = Field(default=1883, ge=1, le=65535, description="8883 is usual with TLS")
    username: str | None = None
    password: SecretStr | None = Field(default=None, description="Never shown, never logged")
    tls: bool = Field(default=False, description="Encrypt, and check the broker's certificate")
    ca_file: Path | None = Field(default=None, description="Own certificate authority, PEM")
    base: str = Field(default="casekit/home", description="First levels of our devices' topics")
    discovery: str = Field(default="homeassistant", description="Home Assistant's prefix")
    timeout_s: float = Field(default=2.0, gt=0, le=60, description="For one answer")
    longest_pause_s: float = Field(default=5.0, gt=0, description="Between tries to reconnect")
    largest_bytes: int = Field(default=262_144, ge=1024, description="Larger messages are dropped")

    @classmethod
    def from_environment(cls) -> MqttSettings:
        """Settings from CASEKIT_MQTT_HOST, _PORT, _USERNAME, _PASSWORD, _TLS (1) and _CA_FILE.

        Raises:
            ParameterError: One of them cannot be used; names it.
        """
        found = {
            name: value
            for name in ("host", "port", "username", "password", "tls", "ca_file")
            if (value := os.environ.get(f"CASEKIT_MQTT_{name.upper()}"))
        }
        try:
            return cls.model_validate(found)
        except ValueError as error:
            names = [n for n in found if n in str(error)] or ["…"]
            # No value is repeated: one of them is a password.
            raise ParameterError(
                "A setting of the broker cannot be used",
                where=", ".join(f"CASEKIT_MQTT_{name.upper()}" for name in names),
            ) from None


class MqttLink:
    """One client of a broker; start it within a running event loop."""

    def __init__(
        self, settings: MqttSettings, received: Received, topics: tuple[str, ...], *,
        connected: Callable[[], Awaitable[None]] | None = None,
        lost: Callable[[], None] | None = None,
        will: tuple[str, bytes] | None = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        """Describe the client; nothing happens before `start`.

        Args:
            settings: The broker.
            received: Takes every message; must not block.
            topics: What to subscribe to.
            connected: Awaited after each connection, once subscribed.
            lost: Called when a connection ends.
            will: Topic and retained payload that the broker publishes if this client vanishes.
            seed: Of the jitter between tries.
        """
        self._settings, self._received, self._topics = settings, received, topics
        self._connected, self._lost, self._will = connected, lost, will
        self._client: aiomqtt.Client | None = None
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._draw = random.Random(seed)  # noqa: S311 - jitter, not secrecy
        self._reason = "not connected yet"
        self._refused = False

    @property
    def ready(self) -> bool:
        """Whether the broker is connected and the subscriptions stand."""
        return self._ready.is_set()

    async def start(self, *, wait_s: float | None = 10.0) -> None:
        """Connect, and stay connected until `stop`.

        Args:
            wait_s: How long to wait for the first connection; None: not at all.

        Raises:
            DeviceError: The broker refuses user name and password.
            UnreachableError: It cannot be reached in time.
        """
        self._task = asyncio.create_task(self._run(), name="mqtt")
        if wait_s is None:
            return
        try:
            await asyncio.wait_for(self._first(), wait_s)
        except TimeoutError:
            await self.stop()
            raise self._away() from None
        if self._refused:
            await self.stop()
            raise DeviceError(
                "The MQTT broker refuses user name and password", where=self._where(),
                remedy="Check CASEKIT_MQTT_USERNAME and CASEKIT_MQTT_PASSWORD",
            )  # fmt: skip

    async def stop(self) -> None:
        """Disconnect in good order."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the broker's receipt.

        Raises:
            UnreachableError: The broker is away, or gave no receipt in time.
        """
        import aiomqtt

        client = self._client
        if client is None:
            raise self._away()
        try:
            await client.publish(
                topic, payload, qos=1, retain=retain, timeout=self._settings.timeout_s
            )
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            self._reason = f"no receipt ({type(error).__name__})"
            raise self._away() from error

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe to more topics, until the connection ends.

        Raises:
            UnreachableError: The broker is away.
        """
        import aiomqtt

        client = self._client
        if client is None:
            raise self._away()
        try:
            await client.subscribe([(topic, 1) for topic in topics])
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise self._away() from error

    async def wait_ready(self, seconds: float) -> bool:
        """Whether it is connected within some seconds."""
        try:
            await asyncio.wait_for(self._ready.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _first(self) -> None:
        while not self._refused and not self._ready.is_set():
            await asyncio.sleep(0.01)

    async def _run(self) -> None:
        import aiomqtt

        pause = 0.05
        while True:
            try:
                async with self._make() as client:
                    await client.subscribe([(topic, 1) for topic in self._topics])
                    self._client, self._refused, pause = client, False, 0.05
                    if self._connected is not None:
                        await self._connected()
                    self._ready.set()
                    async for message in client.messages:
                        body = message.payload
                        if isinstance(body, bytes) and len(body) <= self._settings.largest_bytes:
                            self._received(message.topic.value, body)
            except aiomqtt.MqttCodeError as error:
                self._reason = f"refused or lost, code {error.rc}"
                code = getattr(error.rc, "value", error.rc)
                self._refused = code in _REFUSED
            except (aiomqtt.MqttError, UnreachableError, OSError) as error:
                self._reason = type(error).__name__
            finally:
                self._client = None
                self._ready.clear()
                if self._lost is not None:
                    self._lost()
            await asyncio.sleep(pause * (0.5 + self._draw.random()))
            pause = min(2 * pause, self._settings.longest_pause_s)

    def _make(self) -> aiomqtt.Client:
        import aiomqtt

        s = self._settings
        context = None
        if s.tls:
            context = ssl.create_default_context(cafile=str(s.ca_file) if s.ca_file else None)
        will = None
        if self._will is not None:
            topic, payload = self._will
            will = aiomqtt.Will(checked_topic(topic), payload, qos=1, retain=True)
        client = aiomqtt.Client(
            s.host, s.port, username=s.username,
            password=s.password.get_secret_value() if s.password else None,
            timeout=s.timeout_s, keepalive=10, will=will, tls_context=context,
            max_queued_incoming_messages=10_000,
            # Small packets at once: Nagle's algorithm would hold each back for 40 ms.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )  # fmt: skip
        client.pending_calls_threshold = 1000  # a whole home announces itself at once
        return client

    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _away(self) -> UnreachableError:
        return UnreachableError(
            "The MQTT broker does not answer", where=f"{self._where()}, {self._reason}",
            remedy="Check that it runs and is reachable",
        )  # fmt: skip
