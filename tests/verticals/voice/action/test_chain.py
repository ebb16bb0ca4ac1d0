"""The whole chain: a person's recording changes a device behind a real MQTT broker."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from core.data.audio import read_audio
from verticals.voice.action.background import Background
from verticals.voice.action.mqtt import MqttSettings
from verticals.voice.action.mqtt_connector import MqttConnector
from verticals.voice.action.mqtt_devices import MqttDevices
from verticals.voice.assistant import Assistant, open_parts
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome

RECORDING = "ha_human/turn_off_lights_in_the_Office.flac"


@pytest.mark.slow
def test_a_recording_of_a_person_switches_a_light_over_mqtt(
    broker: Any, shared_voice: Path
) -> None:
    with tarfile.open(shared_voice / "asr.tar") as tar:
        stream = tar.extractfile(RECORDING)
        assert stream is not None
        sound = read_audio(stream.read())
    home = Home.open()
    hardware = SimulatedHome(home)
    settings = MqttSettings(host="127.0.0.1", port=broker.port)
    with Background() as elsewhere:
        devices = MqttDevices(settings, home, hardware)
        elsewhere.run(devices.start())
        parts = open_parts(home, model=False, voice=False, threads=1)
        with Assistant(parts, connector=MqttConnector(settings, home)) as assistant:
            assistant.hear("turn on the desk lamp")
            assert hardware.states()["light.desk_lamp"]["state"] == "on"
            turn = assistant.hear(sound)
            assert turn.outcomes, turn.transcript.text
            assert hardware.states()["light.desk_lamp"]["state"] == "off"
        elsewhere.run(devices.stop())
