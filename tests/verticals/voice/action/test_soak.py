"""Ten users, a broker that is killed again and again: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from verticals.voice.action.connector import ServiceCall, UnreachableError
from verticals.voice.action.executor import Executor
from verticals.voice.action.journal import Journal
from verticals.voice.action.mqtt import MqttSettings
from verticals.voice.action.mqtt_connector import MqttConnector
from verticals.voice.command import Command, Slot
from verticals.voice.home.model import Home

USERS, COMMANDS, KILLS = 10, 24, 4

# The devices, in a process of their own: every execution is a line in a file.
_DEVICES = """
import asyncio, sys
from verticals.voice.action.mqtt import MqttSettings
from verticals.voice.action.mqtt_devices import MqttDevices
from verticals.voice.home.model import Home
from verticals.voice.home.simulated import SimulatedHome

class Counting:
    remembers = False
    def __init__(self, home, path):
        self.home, self.file, self.count = home, open(path, "a", buffering=1), 0
    async def state(self, name):
        return await self.home.state(name)
    def subscribe(self, callback):
        return self.home.subscribe(callback)
    async def apply(self, command_id, call):
        self.count += 1
        self.file.write(f"{command_id}\\t{call.service}\\n")
        # Under a new id each time, so that nothing behind this counter can hide a repetition.
        await self.home.apply(f"{command_id}#{self.count}", call)

async def main(port, path):
    home = Home.open()
    devices = MqttDevices(MqttSettings(host="127.0.0.1", port=port, longest_pause_s=0.5), home,
                          Counting(SimulatedHome(home), path))
    await devices.start(wait_s=30)
    await asyncio.Event().wait()

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


def _command(user: int, number: int) -> Command:
    """Three kinds in turn, none of which may be done twice."""
    mark = f"{user}-{number}"
    if number % 3 == 0:
        return Command(
            intent="HassListAddItem",
            entities=("todo.chores",),
            slots=(Slot(name="item", value=mark),),
        )
    if number % 3 == 1:
        timer = (Slot(name="seconds", value=3600.0), Slot(name="name", value=mark))
        return Command(intent="HassStartTimer", slots=timer)
    return Command(intent="HassMediaNext", entities=("media_player.kitchen_radio",))


class _Watched(MqttConnector):
    """Counts the calls that got no answer."""

    unanswered = 0

    async def apply(self, command_id: str, call: ServiceCall) -> None:
        try:
            await super().apply(command_id, call)
        except UnreachableError:
            type(self).unanswered += 1
            raise


async def _user(user: int, port: int, folder: Path, statuses: Counter[str]) -> None:
    home = Home.open()
    settings = MqttSettings(host="127.0.0.1", port=port, longest_pause_s=0.5, timeout_s=1)
    connector = _Watched(settings, home)
    await connector.start(wait_s=30)
    journal = Journal.open(folder / f"user{user}.db")
    executor = Executor(connector, journal, home, seed=user)
    draw = random.Random(user)
    for number in range(COMMANDS):
        command, turn = _command(user, number), f"u{user}n{number}"
        work = asyncio.create_task(executor.run([command], turn_id=turn))
        if user == 0 and number % 6 == 2:
            # The assistant itself crashes mid-command and comes back.
            await asyncio.sleep(draw.uniform(0, 0.02))
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            executor.close()
            journal.close()
            journal = Journal.open(folder / f"user{user}.db")
            executor = Executor(connector, journal, home, seed=user)
            await executor.resume()
            work = asyncio.create_task(executor.run([command], turn_id=turn))
        (outcome,) = await work
        statuses[outcome.status] += 1
        # Said again, as a nervous network layer would: nothing may happen.
        if draw.random() < 0.3:
            await executor.run([command], turn_id=turn)
        await asyncio.sleep(draw.uniform(0, 0.35))
    assert journal.unfinished() == []
    journal.close()
    await connector.stop()


async def _soak(broker: Any, folder: Path) -> Counter[str]:
    statuses: Counter[str] = Counter()
    users = [
        asyncio.create_task(_user(user, broker.port, folder, statuses)) for user in range(USERS)
    ]
    draw = random.Random(1)
    for _ in range(KILLS):
        await asyncio.sleep(draw.uniform(0.6, 1.2))
        broker.kill()
        await asyncio.sleep(draw.uniform(0.0, 0.4))
        await asyncio.to_thread(broker.start)
    await asyncio.gather(*users)
    return statuses


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_done_twice_while_the_broker_dies(
    broker: Any, tmp_path: Path
) -> None:
    log = tmp_path / "executions.tsv"
    devices = subprocess.Popen(
        [sys.executable, "-c", _DEVICES, str(broker.port), str(log)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        statuses = asyncio.run(asyncio.wait_for(_soak(broker, tmp_path), 60))
    finally:
        devices.kill()
        devices.wait(10)
    assert _Watched.unanswered >= KILLS  # commands were under way when the broker died
    executions = Counter(line.split("\t")[0] for line in log.read_text().splitlines())
    assert statuses == {"done": USERS * COMMANDS}
    assert [name for name, times in executions.items() if times > 1] == []
    wanted = {f"u{user}n{number}" for user in range(USERS) for number in range(COMMANDS)}
    assert {name.partition(":")[0] for name in executions} == wanted
    assert len(executions) == USERS * COMMANDS
