"""Learns a policy by proximal policy optimisation (Schulman et al., 2017) in our own traffic.

It begins by imitating a teacher on the states that it meets itself (DAgger: Ross et al., 2011):
from chance alone it would learn first that standing still is safe, or that braking seldom pays, and
stay there.
Environments step in threads (their loops hold no lock), the network learns on a GPU if there is
one. Of the networks met on the way the best on seeds of its own is kept, not the last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from verticals.driving.deciding.evaluation import evaluate
from verticals.driving.deciding.lookahead import lookahead
from verticals.driving.deciding.network import PolicyNetwork, torch_network
from verticals.driving.deciding.perception_error import PerceptionError
from verticals.driving.deciding.policies import Decide, network_driver, rule_driver
from verticals.driving.traffic.environment import Traffic
from verticals.driving.traffic.layouts import layout
from verticals.driving.traffic.motion import OFF, WATCHING

if TYPE_CHECKING:
    import torch

CHOOSING_SEEDS = 8_500_000  # and on: the networks met on the way are compared on these
_FEW, _RECENT = 96, 65_536  # environments of a slow teacher; states that are imitated at most


@dataclass(frozen=True)
class PolicySettings:
    """How a policy learns."""

    road: str = "motorway"
    steps: int = 4_000_000  # decisions, over all environments
    environments: int = 512
    threads: int = 1  # that step them
    rollout: int = 32  # decisions of each between two updates
    batch: int = 4096
    epochs: int = 4
    teacher: Literal["rule driver", "looking ahead"] = "rule driver"
    imitation: float = 0.1  # share of the time in which it imitates
    waiting: float = 0.05  # share after it in which only the critic learns
    learning_rate: float = 3e-4  # of the policy; falls linearly to a twentieth
    critic_rate: float = 1e-3  # of the critic, and of imitation
    discount: float = 0.98
    smoothing: float = 0.95  # lambda of the generalised advantage (Schulman et al., 2016)
    clip: float = 0.2
    most_kl: float = 0.02  # an update stops when the policy has changed this much
    entropy: float = 0.003  # falls linearly to a twentieth
    rewards: dict[str, float] = field(default_factory=dict)  # numbers of the layout, while learning
    errors: PerceptionError | None = None
    seed: int = 0
    deadline_s: float = 900.0  # stop learning after this long
    comparisons: int = 15  # of networks on the way
    episodes: int = 400  # of each comparison
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check what would fail late.

        Raises:
            ParameterError: More threads than environments, or nothing to learn from.
        """
        if not 1 <= self.threads <= self.environments:
            raise ParameterError(f"{self.threads} threads for {self.environments} environments",
                                 where="threads", remedy="Take 1 to environments")  # fmt: skip
        if min(self.steps, self.rollout, self.batch, self.epochs, self.episodes) < 1:
            raise ParameterError("steps, rollout, batch, epochs and episodes start at 1",
                                 where="PolicySettings", remedy="Take 1 or more")  # fmt: skip


class Shards:
    """Environments in as many parts as threads; steps all of them at once."""

    def __init__(self, settings: PolicySettings) -> None:
        road = layout(settings.road).changed(**settings.rewards)
        sizes = [len(part) for part in np.array_split(np.arange(settings.environments),
                                                      settings.threads)]  # fmt: skip
        shield = WATCHING if road.rules.for_unsafe else OFF
        self.parts = [Traffic(road, size, shield=shield, errors=settings.errors) for size in sizes]
        self.cuts = np.cumsum(sizes)[:-1]
        self.pool = ThreadPoolExecutor(settings.threads)

    def reset(self, seed: int) -> NDArray[np.float32]:
        """Begin everywhere."""
        firsts = [seed, *(seed + int(cut) for cut in self.cuts)]
        begun = zip(self.parts, firsts, strict=True)
        return np.concatenate([part.reset(seed=first)[0] for part, first in begun])

    def advised(self, teacher: Decide) -> NDArray[np.int64]:
        """What a teacher would do everywhere."""
        return np.concatenate(list(self.pool.map(teacher, self.parts)))

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """What is seen next, reward, ended, cut, and what was seen last where cut."""
        jobs = zip(self.parts, np.split(actions, self.cuts), strict=True)
        done = self.pool.map(lambda job: job[0].step(job[1]), jobs)
        rows = [(seen, rewards, ended, cut, info.get("final_obs", seen))
                for seen, rewards, ended, cut, info in done]  # fmt: skip
        return tuple(np.concatenate(column) for column in zip(*rows, strict=True))


@dataclass(frozen=True)
class Learned:
    """A policy and how it came about."""

    policy: PolicyNetwork
    curve: list[dict[str, float]]  # one entry for each comparison


def train_policy(
    settings: PolicySettings, *, start: PolicyNetwork | None = None,
    keep: Callable[[Learned], None] | None = None,
) -> Learned:  # fmt: skip
    """Learn a policy for a road; keeps the best of the networks compared on the way.

    Args:
        settings: How.
        start: A policy to learn on from.
        keep: Told the best so far after every comparison, so that a run cut off is not in vain.
    """
    import torch

    torch.manual_seed(settings.seed)
    device = torch.device(settings.device)
    net = start.module().train() if start else torch_network()
    net = net.to(device)
    shards = Shards(settings)
    seen = shards.reset(settings.seed * 1_000_003)
    shards.step(np.ones(settings.environments, np.int64))  # compiles before the clock runs
    alone = Traffic(settings.road, 1)
    alone.reset(seed=0)
    _teacher(settings)(alone)
    begun, done, share = time.monotonic(), 0, 0.0
    curve: list[dict[str, float]] = []
    best, weights = -np.inf, {}
    scale = _Scale(settings)
    if settings.imitation > 0 and start is None:
        done = _imitate(settings, shards, net, seen)
        seen = shards.reset(settings.seed * 1_000_003 + 1)
    critic = [weight for name, weight in net.named_parameters() if _judges(name)]
    actor = [weight for name, weight in net.named_parameters() if not _judges(name)]
    optimiser = torch.optim.Adam([{"params": actor}, {"params": critic}], eps=1e-5)
    waits = settings.waiting
    while share < 1.0:
        rows, seen = _rollout(settings, shards, net, seen, scale)
        done += settings.environments * settings.rollout
        passed = time.monotonic() - begun
        share = min(max(done / settings.steps, passed / settings.deadline_s), 1.0)
        waits = waits if curve else share + settings.waiting
        left = 0.05 + 0.95 * (1 - share)
        optimiser.param_groups[0]["lr"] = settings.learning_rate * left * (share > waits)
        optimiser.param_groups[1]["lr"] = settings.critic_rate * left
        _update(settings, net, optimiser, rows, settings.entropy * left)
        if not curve or share >= (len(curve) + 1) / settings.comparisons or share >= 1.0:
            entry, found = _compared(settings, net, scale.value)
            curve.append({"decisions": done, "seconds": round(passed, 1), **entry})
            if entry["return"] > best:
                best, weights = entry["return"], found
            about = {"road": settings.road, "decisions": str(done), "seed": str(settings.seed),
                     "method": "PPO", "data": "generated traffic",
                     "score": f"{best:.3f}"}  # fmt: skip
            learned = Learned(PolicyNetwork(weights, about), curve)
            if keep is not None:
                keep(learned)
    shards.pool.shutdown()
    return learned


def _judges(name: str) -> bool:
    return name.startswith(("critic_", "value"))


def _teacher(settings: PolicySettings) -> Decide:
    return lookahead() if settings.teacher == "looking ahead" else rule_driver


def _imitate(settings: PolicySettings, shards: Shards, net: Any, seen: NDArray[np.float32]) -> int:
    """Learn the teacher's actions, more and more on the states met by the learner itself."""
    import torch

    teacher = _teacher(settings)
    if settings.teacher == "looking ahead":  # takes its time: it is asked about few environments
        shards = Shards(replace(settings, environments=min(settings.environments, _FEW)))
        seen = shards.reset(settings.seed * 1_000_003 + 500_000)

    device = torch.device(settings.device)
    rng = np.random.default_rng(settings.seed)
    optimiser = torch.optim.Adam(net.parameters(), settings.critic_rate)
    begun, done, share = time.monotonic(), 0, 0.0
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []
    while share < 1.0:
        for _ in range(8):
            right = shards.advised(teacher)
            here = torch.from_numpy(seen).to(device)
            kept.append((here, torch.from_numpy(right).to(device)))
            with torch.inference_mode():
                own = net(here).argmax(1).cpu().numpy()
            seen, *_ = shards.step(np.where(rng.random(len(own)) < share, own, right))
        kept = kept[-_RECENT // len(own) :]
        done += 8 * len(own)
        states, labels = (torch.cat(column) for column in zip(*kept, strict=True))
        for _ in range(32):
            some = torch.randint(len(labels), (1024,), device=device)
            loss: Any = torch.nn.functional.cross_entropy(net(states[some]), labels[some],
                                                          label_smoothing=0.04)  # fmt: skip
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        passed = time.monotonic() - begun
        share = max(done / settings.steps, passed / settings.deadline_s) / settings.imitation
    return done


def fit_policy(settings: PolicySettings, *, start: PolicyNetwork | None = None) -> PolicyNetwork:
    """The policy alone; see `train_policy`."""
    return train_policy(settings, start=start).policy


class _Scale:
    """Divides rewards by the spread of the discounted return so far, so that values stay small."""

    def __init__(self, settings: PolicySettings) -> None:
        self.discount, self.running = settings.discount, np.zeros(settings.environments)
        self.count, self.squares, self.sum = 1e-4, 1e-4, 0.0

    def __call__(self, rewards: NDArray[Any], over: NDArray[np.bool_]) -> NDArray[np.float32]:
        self.running = self.running * self.discount + rewards
        self.count += len(rewards)
        self.sum += float(self.running.sum())
        self.squares += float((self.running**2).sum())
        self.running[over] = 0.0
        return np.asarray(rewards / self.value, np.float32)

    @property
    def value(self) -> float:
        return max(float(np.sqrt(self.squares / self.count - (self.sum / self.count) ** 2)), 1e-3)


def _rollout(
    settings: PolicySettings, shards: Shards, net: Any, seen: NDArray[np.float32], scale: _Scale
) -> tuple[dict[str, torch.Tensor], NDArray[np.float32]]:
    """Drive `rollout` decisions everywhere; the rows to learn from, and what is seen now."""
    import torch

    names = ("seen", "action", "logp", "value", "reward", "alive")
    kept: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    device = torch.device(settings.device)
    with torch.inference_mode():
        here = torch.from_numpy(seen).to(device)
        for _ in range(settings.rollout):
            logits, value = net(here).log_softmax(1), net.worth(here)
            noise = -torch.log(-torch.log(torch.rand_like(logits).clamp_(1e-10, 1 - 1e-7)))
            action = (logits + noise).argmax(1)
            seen, rewards, ended, cut, last = shards.step(action.cpu().numpy())
            over = ended | cut
            scaled = scale(rewards, over)
            if cut.any():  # time was up: what would have come still counts
                rest = net.worth(torch.from_numpy(last[cut]).to(device))
                scaled[cut] += settings.discount * rest.cpu().numpy()
            row = (here, action, logits.gather(1, action[:, None])[:, 0], value,
                   torch.from_numpy(scaled).to(device),
                   torch.from_numpy(~over).to(device, torch.float32))  # fmt: skip
            for name, tensor in zip(names, row, strict=True):
                kept[name].append(tensor)
            here = torch.from_numpy(seen).to(device)
        advantage = torch.zeros_like(value)
        following = net.worth(here)
        advantages = []
        for t in reversed(range(settings.rollout)):
            goes_on = kept["alive"][t] * settings.discount
            delta = kept["reward"][t] + goes_on * following - kept["value"][t]
            advantage = delta + goes_on * settings.smoothing * advantage
            advantages.append(advantage)
            following = kept["value"][t]
        advantages.reverse()
    rows = {name: torch.cat(kept[name]).clone() for name in ("seen", "action", "logp", "value")}
    rows["advantage"] = torch.cat(advantages).clone()
    rows["target"] = rows["advantage"] + rows["value"]
    return rows, seen


def _update(
    settings: PolicySettings, net: Any, optimiser: torch.optim.Optimizer,
    rows: dict[str, torch.Tensor], entropy: float,
) -> None:  # fmt: skip
    """Clipped policy gradient, value regression and an entropy bonus, `epochs` times over."""
    import torch

    count = len(rows["action"])
    gain = rows["advantage"]
    rows["advantage"] = (gain - gain.mean()) / (gain.std() + 1e-8)
    for _ in range(settings.epochs):
        order = torch.randperm(count, device=gain.device)
        for some in torch.split(order, settings.batch):
            part = {name: tensor[some] for name, tensor in rows.items()}
            logits, value = net(part["seen"]).log_softmax(1), net.worth(part["seen"])
            logp = logits.gather(1, part["action"][:, None])[:, 0]
            ratio = (logp - part["logp"]).exp()
            clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
            surrogate = torch.min(ratio * part["advantage"], clipped * part["advantage"]).mean()
            spread = -(logits.exp() * logits).sum(1).mean()
            wrong = (value - part["target"]).square().mean()
            loss = -surrogate + 0.5 * wrong - entropy * spread
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            for group in optimiser.param_groups:
                torch.nn.utils.clip_grad_norm_(group["params"], 0.5)
            optimiser.step()
        if float((part["logp"] - logp.detach()).mean()) > settings.most_kl:
            break


def _compared(
    settings: PolicySettings, net: Any, scale: float
) -> tuple[dict[str, float], dict[str, Any]]:
    """How the network drives now, without chance, and its weights with values in reward units."""
    weights = {name: tensor.detach().cpu().numpy().copy()
               for name, tensor in net.state_dict().items()}  # fmt: skip
    weights["value.weight"] *= scale
    weights["value.bias"] *= scale
    road = layout(settings.road).changed(**settings.rewards)
    seeds: Sequence[int] = range(CHOOSING_SEEDS, CHOOSING_SEEDS + settings.episodes)
    driven = evaluate(road, network_driver(PolicyNetwork(weights, {})), seeds,
                      errors=settings.errors)  # fmt: skip
    entry = {"return": float(driven.reward.mean()), "crash_rate": float(driven.crashed.mean()),
             "arrival_rate": float(driven.arrived.mean()), "pace": float(driven.pace.mean()),
             "speed": float(driven.speed.mean())}  # fmt: skip
    return entry, weights
