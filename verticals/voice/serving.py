"""A home's bundle as a Wyoming server over its real devices: what Home Assistant's voice needs.

    CASEKIT_MQTT_HOST=broker casekit serve BUNDLE --wyoming tcp://127.0.0.1:10300

Devices are reached over MQTT (CASEKIT_MQTT_HOST and its like) or through Home Assistant
(CASEKIT_HOME_ASSISTANT_URL and _TOKEN); without either they are simulated. Commands go through an
outbox on disk, and what a restart left open is finished first.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.deployment.bundle import Bundle
from core.deployment.signing import casekit_home
from core.errors import ParameterError
from verticals.voice.action.connector import Connector
from verticals.voice.action.journal import Journal
from verticals.voice.action.wyoming_home import home_services
from verticals.voice.action.wyoming_server import WyomingServer
from verticals.voice.assistant import Assistant, Parts
from verticals.voice.home.model import Home
from verticals.voice.speech.cache import SpokenCache

MQTT, HOME_ASSISTANT = "CASEKIT_MQTT_HOST", "CASEKIT_HOME_ASSISTANT_URL"


def connector(home: Home) -> Connector | None:
    """What the environment says of the way to the home's devices; None for simulated ones.

    Raises:
        ParameterError: It says too much, or something that cannot be used.
    """
    mqtt, url = os.environ.get(MQTT), os.environ.get(HOME_ASSISTANT)
    if mqtt and url:
        raise ParameterError("devices are reached one way", where=f"{MQTT}, {HOME_ASSISTANT}",
                             remedy="Set only one of them")  # fmt: skip
    if mqtt:
        from verticals.voice.action.mqtt import MqttSettings
        from verticals.voice.action.mqtt_connector import MqttConnector

        return MqttConnector(MqttSettings.from_environment(), home)
    if url:
        from verticals.voice.action.home_assistant import HomeAssistantConnector

        return HomeAssistantConnector(url)
    return None


def serve_home(
    parts: Parts, uri: str, *, started: Callable[[str], None], folder: Path | None = None
) -> None:
    """Serve a home until interrupted.

    Args:
        parts: The opened chain.
        uri: tcp://host:port or unix:///path.
        started: Told the address once it listens.
        folder: Of the outbox; this user's casekit folder by default.

    Raises:
        CasekitError: The devices, the outbox or the address cannot be used.
    """
    journal = Journal.open((folder or casekit_home()) / "journal.db")
    with Assistant(parts, connector=connector(parts.home), journal=journal) as assistant:
        services = home_services(assistant, cache=SpokenCache.open())
        asyncio.run(_serve(WyomingServer(uri, services), uri, started))
    journal.close()


def serve_wyoming(bundle: str | Path, uri: str, *, started: Callable[[str], None]) -> None:
    """Serve a verified bundle, spoken by this machine's voice; see `serve_home`."""
    from verticals.voice.people.people import People
    from verticals.voice.predictor import HomePredictor
    from verticals.voice.speech.voice import first_voice

    predictor = Bundle.open(bundle).predictor()
    if not isinstance(predictor, HomePredictor):
        raise ParameterError("this is no bundle of a home", where=str(bundle),
                             remedy="Give one that `casekit run voice` wrote")  # fmt: skip
    parts = predictor.parts
    serve_home(replace(parts, voice=first_voice(), people=People.open()), uri, started=started)


async def _serve(server: WyomingServer, uri: str, started: Callable[[str], None]) -> None:
    await server.start()
    try:
        started(uri.replace(":0", f":{server.port}") if uri.endswith(":0") else uri)
        await asyncio.Event().wait()
    finally:
        await server.stop()
