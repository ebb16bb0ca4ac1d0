"""A home through Home Assistant's own interfaces: REST for states and calls, WebSocket for events.

After developers.home-assistant.io/docs/api (REST, WebSocket). The token comes from an environment
variable and is never shown. Home Assistant knows no command ids: what must not be done twice is
not sent again when its answer was lost.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.errors import ParameterError
from verticals.voice.action.connector import (
    DeviceError,
    ServiceCall,
    StateChanged,
    UncertainError,
    UnreachableError,
)
from verticals.voice.action.home_assistant_home import home_of, translated
from verticals.voice.action.home_assistant_socket import Socket
from verticals.voice.home.model import Home

if TYPE_CHECKING:
    import httpx

TOKEN = "CASEKIT_HOME_ASSISTANT_TOKEN"  # noqa: S105 - the variable's name
_REMEDY_TOKEN = f"Put a long-lived access token into {TOKEN}"


class HomeAssistantConnector:
    """One Home Assistant; `await start()` it within the loop that uses it."""

    def __init__(
        self, url: str, token: SecretStr | None = None, *, timeout_s: float = 5.0,
        longest_pause_s: float = 10.0,
    ) -> None:  # fmt: skip
        """Describe the connection.

        Args:
            url: Such as http://homeassistant.local:8123.
            token: A long-lived access token; from CASEKIT_HOME_ASSISTANT_TOKEN if None.
            timeout_s: For one answer.
            longest_pause_s: Between tries to reconnect.

        Raises:
            ParameterError: The address is no http(s) address, or there is no token.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise ParameterError(
                "This is no address of a Home Assistant", where="url",
                remedy="Give it as http://host:8123, without user name and password",
            )  # fmt: skip
        self._token = token or SecretStr(os.environ.get(TOKEN, ""))
        if not self._token.get_secret_value():
            raise ParameterError("There is no token", where=TOKEN, remedy=_REMEDY_TOKEN)
        self._url, self._timeout_s, self._pause_s = url.rstrip("/"), timeout_s, longest_pause_s
        self._http: httpx.AsyncClient | None = None
        self._listeners: list[StateChanged] = []
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    @property
    def remembers(self) -> bool:
        """Home Assistant knows no command ids."""
        return False

    async def start(self) -> None:
        """Check address and token, then listen to events until `stop`.

        Raises:
            DeviceError: The token is refused.
            UnreachableError: Nothing answers there.
        """
        import httpx

        secret = self._token.get_secret_value()
        self._http = httpx.AsyncClient(
            base_url=self._url, timeout=self._timeout_s, trust_env=False,
            headers={"Authorization": f"Bearer {secret}"},
        )  # fmt: skip
        try:
            await self._ask("GET", "/api/")
        except DeviceError:
            await self.stop()
            raise
        self._task = asyncio.create_task(self._listen(), name="home-assistant")

    async def stop(self) -> None:
        """Disconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def listening(self, seconds: float = 5.0) -> bool:
        """Whether events arrive, within some seconds."""
        try:
            await asyncio.wait_for(self._listening.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def home(self) -> Home:
        """The home as Home Assistant's registries and states describe it.

        Raises:
            DeviceError: The token is refused, or an answer is not what it should be.
            UnreachableError: Nothing answers.
        """
        kinds = ("floor", "area", "device", "entity")
        async with Socket(self._url, self._token, self._timeout_s) as socket:
            registries = {kind: await socket.ask(f"config/{kind}_registry/list") for kind in kinds}
            states = await socket.ask("get_states")
        return home_of(registries, states)

    async def state(self, entity_id: str) -> dict[str, Any]:
        """The present state; see `Connector.state`.

        Raises:
            DeviceError: There is no such entity.
            UnreachableError: Nothing answers.
        """
        answer = await self._ask("GET", f"/api/states/{_checked(entity_id)}")
        if not isinstance(answer, dict):
            raise DeviceError("Home Assistant's answer makes no sense", where=entity_id)
        return translated(answer)

    async def apply(self, command_id: str, call: ServiceCall) -> None:
        """Make a call; see `Connector.apply`. The id stays here: there is no place for it."""
        # An unknown entity is no error to a service: Home Assistant answers 200 and does nothing.
        if call.domain not in {"scene", "script", "notify"}:
            await self.state(call.entity_id)
        body = {"entity_id": call.entity_id, **call.data}
        path = f"/api/services/{_checked(call.domain)}/{_checked(call.service)}"
        await self._ask("POST", path, body, once=not call.repeatable)

    def subscribe(self, callback: StateChanged) -> Callable[[], None]:
        """Hear of every change of state, in order; returns what ends it."""
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, once: bool = False
    ) -> Any:
        import httpx

        if self._http is None:
            raise UnreachableError("Home Assistant is not connected", where=self._url)
        try:
            answer = await self._http.request(method, path, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._away(error) from error
        except httpx.HTTPError as error:
            if once:
                raise UncertainError(
                    "Home Assistant gave no answer", where=path, remedy="Look whether it was done"
                ) from error
            raise self._away(error) from error
        self._judge(answer, path)
        try:
            return answer.json()
        except ValueError as error:
            raise DeviceError("Home Assistant's answer makes no sense", where=path) from error

    def _judge(self, answer: httpx.Response, path: str) -> None:
        code = answer.status_code
        if code in (401, 403):
            raise DeviceError(
                "Home Assistant refuses the token", where=f"{self._url}, {code}",
                remedy=_REMEDY_TOKEN,
            )  # fmt: skip
        if code == 404 and path.startswith("/api/states/"):
            raise DeviceError(
                "Home Assistant has no such entity", where=path.removeprefix("/api/states/")
            )
        if code in (429, 502, 503, 504):
            raise UnreachableError("Home Assistant is busy or starting", where=f"{path}, {code}")
        if code >= 400:
            raise DeviceError("Home Assistant refuses the call", where=f"{path}, {code}")

    def _away(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            "Home Assistant does not answer", where=f"{self._url}, {type(error).__name__}",
            remedy="Check that it runs, and the address",
        )  # fmt: skip

    async def _listen(self) -> None:
        """Pass events on; reconnect with back-off, then tell every state anew."""
        pause = 0.1
        while True:
            try:
                async with Socket(self._url, self._token, self._timeout_s) as socket:
                    await socket.ask("subscribe_events", event_type="state_changed")
                    for state in await socket.ask("get_states"):
                        self._tell(state)
                    self._listening.set()
                    pause = 0.1
                    async for event in socket.events():
                        new = event.get("data", {}).get("new_state")
                        if isinstance(new, dict):
                            self._tell(new)
            except DeviceError:
                self._listening.clear()
            # Jitter, so that not all assistants of a house return at once.
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311
            pause = min(2 * pause, self._pause_s)

    def _tell(self, state: dict[str, Any]) -> None:
        entity_id = state.get("entity_id")
        if isinstance(entity_id, str):
            for listener in tuple(self._listeners):
                listener(entity_id, translated(state))


def _checked(part: str) -> str:
    """A part of a path that cannot lead elsewhere."""
    plain = part.replace("_", "").replace(".", "")
    if not plain.isascii() or not plain.isalnum() or ".." in part or len(part) > 255:
        raise DeviceError("This is no name of Home Assistant's", where=repr(part[:80]))
    return part
