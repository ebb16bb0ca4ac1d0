"""The traffic environment with Gymnasium's interfaces: one road, or many at once.

Every environment has its own random streams, so that the n-th of many behaves to the bit as a
single one with the same seed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from core.errors import ParameterError
from verticals.driving.deciding.perception_error import ERROR_SHAPES, PerceptionError, errors_of
from verticals.driving.deciding.rss import Duties
from verticals.driving.traffic import batch
from verticals.driving.traffic.columns import (
    ACTIONS,
    BLAMED,
    COLUMNS,
    CRASHED,
    CULPRIT,
    HARD,
    JERK,
    NEAREST,
    REASON,
    RED,
    TIME,
    UNSAFE,
    WORLD,
    S,
    V,
)  # fmt: skip
from verticals.driving.traffic.layouts import Layout, layout
from verticals.driving.traffic.motion import OFF
from verticals.driving.traffic.records import packed
from verticals.driving.traffic.roads import SHAPES, Floats
from verticals.driving.traffic.seeing import FEATURES

ROWS = 16  # of the observation: the ego and its nearest 15


def streams(seed: int) -> NDArray[np.uint64]:
    """(2, 1) starts of the two random streams of an environment: traffic and perception."""
    drawn: Any = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    return drawn[:, None]


@dataclass
class State:
    """Everything an environment is made of; a copy of it goes on exactly alike."""

    actors: Floats  # (n, m, columns)
    world: Floats  # (n, numbers)
    begun: Floats  # (n,) time at which the episode began, s
    random: NDArray[np.uint64]  # (n, 2, 1)

    def copy(self) -> State:
        """An independent copy."""
        return State(self.actors.copy(), self.world.copy(), self.begun.copy(), self.random.copy())


class Traffic(VectorEnv):
    """n environments that step together; a finished one begins anew in the same step.

    Args:
        road: A layout or its name.
        n: How many environments.
        shield: OFF, WATCHING (counts unsafe seconds) or ON (overrules the actions).
        errors: How perception errs; None is perfect sight.
        rows: Of the observation table.
        duties: Parameters of the shield.

    `seen`, `rewards`, `ended` and `cut` hold what came of the last decision, one entry each.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}  # noqa: RUF012

    def __init__(
        self, road: str | Layout, n: int = 1, *, shield: int = OFF,
        errors: PerceptionError | None = None, rows: int = ROWS, duties: Duties | None = None,
    ) -> None:  # fmt: skip
        if n < 1:
            raise ParameterError(f"{n} environments", where="n", remedy="Take at least 1")
        self.layout = layout(road) if isinstance(road, str) else road
        self.shield = shield
        self.records = (
            packed(self.layout.roads, SHAPES), packed(self.layout.rules, {}), self.layout.speeds,
            packed(duties or Duties(), {}),
        )  # fmt: skip
        self.errors = packed(errors_of(errors), ERROR_SHAPES)
        self.num_envs, m = n, self.layout.rules.actors
        self.state = State(
            np.zeros((n, m, COLUMNS)), np.zeros((n, WORLD)), np.zeros(n),
            np.zeros((n, 2, 1), np.uint64),
        )  # fmt: skip
        self.single_observation_space = spaces.Box(
            -np.inf, np.inf, (rows, len(FEATURES)), np.float32
        )
        self.single_action_space = spaces.Discrete(len(ACTIONS))
        self.observation_space = batch_space(self.single_observation_space, n)
        self.action_space = batch_space(self.single_action_space, n)
        self.seen = np.zeros((n, rows, len(FEATURES)), np.float32)
        self.rewards, self._seeded = np.zeros(n), False
        self.ended, self.cut = np.zeros(n, bool), np.zeros(n, bool)

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode everywhere; environment i of many takes seed + i, or the i-th seed."""
        if seed is not None or not self._seeded:
            first = secrets.randbits(31) if seed is None else seed
            many = range(first, first + self.num_envs) if isinstance(first, int) else first
            self.state.random[:] = [streams(one) for one in many]
            self._seeded = True
        self.start(np.ones(self.num_envs, bool))
        return self.seen.copy(), {}

    def start(self, which: NDArray[np.bool_]) -> None:
        """Begin an episode in some environments."""
        state = self.state
        batch.start_all(*self.records, self.errors, state.actors, state.world, state.random,
                        which, self.seen)  # fmt: skip
        state.begun[which] = state.world[which, TIME]

    def play(self, actions: NDArray[np.integer[Any]]) -> None:
        """One decision everywhere, without beginning finished episodes anew."""
        state = self.state
        batch.step_all(
            *self.records, self.shield, self.errors,
            state.actors, state.world, state.begun, state.random, np.asarray(actions, np.int64),
            self.seen, self.rewards, self.ended, self.cut,
        )  # fmt: skip

    def look(self) -> None:
        """Let the sensors look once more, without time passing."""
        state = self.state
        batch.look_all(*self.records[:3], self.errors, state.actors, state.world, state.random,
                       self.seen)  # fmt: skip

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.float32], Floats, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One decision everywhere; `final_obs` and `final_info` hold the ends of episodes."""
        self.play(actions)
        rewards, ended, cut = self.rewards.copy(), self.ended.copy(), self.cut & ~self.ended
        info = self.report()
        over = ended | cut
        if over.any():
            info["final_obs"], info["_final_obs"] = self.seen.copy(), over
            self.start(over)
        return self.seen.copy(), rewards, ended, cut, info

    def report(self) -> dict[str, Any]:
        """What there is to know of the step just made, one array for each name."""
        actors, world = self.state.actors, self.state.world
        return {
            "speed": actors[:, 0, V].copy(), "crashed": actors[:, 0, CRASHED] == 1.0,
            "s": actors[:, 0, S].copy(), "reason": world[:, REASON].astype(int),
            "blamed": world[:, BLAMED].astype(int), "culprit": world[:, CULPRIT].astype(int),
            "red": world[:, RED] == 1.0, "jerk": world[:, JERK].copy(),
            "braking": world[:, HARD].copy(), "time_to_collision": world[:, NEAREST].copy(),
            "unsafe_s": world[:, UNSAFE].copy(),
        }  # fmt: skip


class TrafficEnv(gymnasium.Env):
    """One environment with Gymnasium's single interface; see `Traffic` for the arguments."""

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, road: str | Layout = "highway", **settings: Any) -> None:
        self.many = Traffic(road, 1, **settings)
        self.observation_space = self.many.single_observation_space
        self.action_space = self.many.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        seen, _ = self.many.reset(seed=seed, options=options)
        return seen[0], {}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """One decision."""
        many = self.many
        many.play(np.array([action]))
        info = {name: value[0] for name, value in many.report().items()}
        ended, cut = bool(many.ended[0]), bool(many.cut[0])
        return many.seen[0].copy(), float(many.rewards[0]), ended, cut and not ended, info
