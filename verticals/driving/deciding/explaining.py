"""One decision of a policy, chosen and explained, and episodes recorded to be looked at."""

from __future__ import annotations

import numpy as np

from verticals.driving.deciding.judging import unseen
from verticals.driving.deciding.perception_error import DEFAULT, PerceptionError
from verticals.driving.deciding.policies import Decide, network_driver, rule_driver
from verticals.driving.deciding.shield import REASONS, Override
from verticals.driving.deciding.stages import ROADS, Explained, Judged, Loaded
from verticals.driving.deciding.why import explain_decision, explain_policy
from verticals.driving.scenarios.running import Trace
from verticals.driving.scenarios.schema import Case, Ego, Scenario
from verticals.driving.traffic.columns import BLAMED, CAP, PATH, REASON, SLOWER, TIME, S, V
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.layouts import layout
from verticals.driving.traffic.motion import OFF, ON
from verticals.driving.traffic.roads import Floats

_WATCHED = 20  # episodes from which the decision is chosen
_READ = 40  # decisions that say what a policy reads
_NEAR = 0.6  # of the sight of 50 m that the table scales by: someone is that near


def explain(loaded: Loaded, *, road: str | None = None) -> Explained:
    """Explain the surest decision to brake on a road, and what the policy reads there.

    Args:
        loaded: With the policies.
        road: By default the one of the parameters.
    """
    road = road or loaded.parameters.road
    policy = loaded.policies[road]
    traffic = Traffic(road, _WATCHED, errors=DEFAULT)
    traffic.reset(seed=list(unseen(loaded))[:_WATCHED])
    alive = np.ones(_WATCHED, bool)
    seen: list[Floats] = []
    surest, scene, decided = -1.0, None, None
    while alive.any():
        chances = policy(traffic.seen)
        seen.extend(traffic.seen[alive].copy())
        braking = np.where(alive & _somebody(traffic.seen), chances[:, SLOWER], -1.0)
        best = int(braking.argmax())
        if braking[best] > surest:
            surest, decided = float(braking[best]), traffic.seen[best].copy()
            scene = _moment(traffic, best, loaded.parameters.seed)
        traffic.play(chances.argmax(axis=1))
        alive &= ~(traffic.ended | traffic.cut)
    observations = np.array(seen)
    if scene is None or decided is None:  # nobody came near: any decision will do
        scene, decided = _moment(traffic, 0, loaded.parameters.seed), observations[0]
    why = explain_decision(policy, decided, observations, seed=loaded.parameters.seed)
    some = observations[:: max(len(observations) // _READ, 1)][:_READ]
    reads = explain_policy(policy, some, observations, most=256)
    return Explained(road, why, scene, observations, reads)


def record(
    road: str, decide: Decide, seed: int, *, shield: bool = False,
    errors: PerceptionError | None = None,
) -> Trace:  # fmt: skip
    """An episode in traffic as a trace that `scenarios.showing` can draw and film.

    It is there to be looked at: it cannot be replayed, because its traffic is no scenario.
    """
    traffic = Traffic(road, 1, shield=ON if shield else OFF, errors=errors)
    traffic.reset(seed=[seed])
    case = _case(traffic, 0, road, seed)
    begun = float(traffic.state.world[0, TIME])
    states, times = [traffic.state.actors[0].copy()], [0.0]
    actions: list[int] = []
    stepped: list[Override] = []
    while not (traffic.ended[0] or traffic.cut[0]):
        chosen = decide(traffic)
        actions.append(int(chosen[0]))
        traffic.play(chosen)
        world = traffic.state.world[0]
        states.append(traffic.state.actors[0].copy())
        times.append(round(float(world[TIME]) - begun, 6))
        if world[REASON]:
            stepped.append(Override(REASONS[int(world[REASON])], int(world[BLAMED]),
                                    float(world[CAP]), times[-1]))  # fmt: skip
    return Trace(case, shield, tuple(actions), np.array(states), np.array(times), tuple(stepped))


def glimpses(loaded: Loaded) -> list[Trace]:
    """An episode of the rule driver on every road, to see what there is to drive in."""
    seed = unseen(loaded)[0]
    return [record(road, rule_driver, seed, errors=DEFAULT) for road in ROADS]


def record_override(judged: Judged, road: str) -> Trace | None:
    """The episode on a road in which the shield had most to do; None if it had nothing to do."""
    table = judged.overrides
    mine = table[table["road"] == road]
    if mine.empty:
        return None
    counts = mine["seed"].value_counts(sort=False)
    seed = int(counts.index[int(counts.to_numpy().argmax())])
    policy = network_driver(judged.loaded.policies[road])
    return record(road, policy, seed, shield=True, errors=DEFAULT)


def _somebody(seen: Floats) -> np.ndarray:
    """(n,) is anybody present, ahead and near?"""
    others = seen[:, 1:]
    near = (others[..., 0] > 0) & (others[..., 1] > 0) & (others[..., 1] < _NEAR)
    return np.asarray(near.any(axis=1))


def _moment(traffic: Traffic, row: int, seed: int) -> Trace:
    """One environment as it is now, as a trace of a single state."""
    case = _case(traffic, row, traffic.layout.name, seed)
    return Trace(case, False, (), traffic.state.actors[row][None].copy(), np.zeros(1), ())


def _case(traffic: Traffic, row: int, name: str, seed: int) -> Case:
    me = traffic.state.actors[row, 0]
    rules = layout(traffic.layout.name).rules
    return Case(
        scenario=Scenario(
            name=name, title="An episode in traffic", layout=traffic.layout.name,
            ego=Ego(path=int(me[PATH]), s=float(me[S]), speed=float(me[V])),
            light_s=float(traffic.state.world[row, TIME]), duration_s=min(rules.duration, 60.0),
        ),
        values={}, seed=seed,
    )  # fmt: skip
