"""100,000 episodes through the real rules: the promise of the budget holds at every step, and everything ends.

From 20 MB and one worker to 250 GB and 64, with lengths that are missing or lie, bodies that break, and kills. What is
asserted at each step stands in `Simulation`.
"""

from __future__ import annotations

import random
from collections import deque

import pytest

from tests.pipeline.simulation import MB, Episode, Plan, Simulation

GB = 1000 * MB
LARGE = [(seed, 4_000) for seed in range(24)]
SMALL = [(seed, 50) for seed in range(100, 180)]


def drawn(seed: int, episodes: int) -> Plan:
    """Draw a set-up: from 20 MB and one worker to 250 GB and 64."""
    chance = random.Random(seed)
    small = episodes < 1_000
    hard = int(chance.choice((20, 30, 60, 200)) * MB if small else chance.choice((2, 20, 250)) * GB)
    return Plan(
        hard_bytes=hard,
        episodes=episodes,
        downloaders=chance.choice((1, 2, 5, 16, 64)),
        transcribers=chance.choice((1, 2, 4, 16, 64)),
        usual_bytes=int(hard / chance.choice((4, 10, 50, 200) if small else (15, 50, 200, 500))),
        bytes_per_s=hard / chance.choice((50, 500, 5_000)),
        real_time_factor=chance.choice((0.05, 0.5, 2.0)),
        lying=chance.choice((0, 0.1, 0.4)),
        missing=chance.choice((0, 0.2, 0.6)),
        failing=chance.choice((0, 0, 0.02)),
        kills=chance.choice((0, 0, 3)),
        resumable=chance.random() < 0.7,
    )


def expected(episode: Episode, plan: Plan) -> set[str]:
    """Return how an episode may end: what fits and is told truly, in the end, is transcribed."""
    ends = {"transcribed"}
    if plan.failing:
        ends.add("dead")
    if not episode.fits:
        ends.add("held")
    if any(told is not None and told != episode.body_bytes for told in episode.told):
        ends |= {"dead", "held"}
    return ends - {"transcribed"} if episode.cut_short else ends


@pytest.mark.parametrize(("seed", "episodes"), LARGE + SMALL)
def test_committed_never_passes_the_hard_limit_and_everything_ends(seed: int, episodes: int) -> None:
    plan = drawn(seed, episodes)
    simulation = Simulation(plan, random.Random(seed))
    simulation.run()
    wrong = [e.told for e in simulation.episodes.values() if e.outcome not in expected(e, plan)]
    assert not wrong, simulation.told()
    assert simulation.peak <= simulation.limits.ceiling_bytes < plan.hard_bytes
    assert simulation.ledger.outstanding_bytes() == 0
    assert simulation.usage == simulation.standing, "something that ended still takes room"


def test_the_set_ups_add_up_to_100_000_episodes() -> None:
    assert sum(episodes for _, episodes in LARGE + SMALL) == 100_000


@pytest.mark.parametrize("resumable", [True, False])
def test_bodies_of_unknown_length_that_fit_only_one_at_a_time_all_end(*, resumable: bool) -> None:
    """Small ones before them make each look small, so that all start at once, and none may starve the others."""
    plan = Plan(
        hard_bytes=100 * MB,
        episodes=6,
        downloaders=3,
        transcribers=1,
        usual_bytes=MB,
        bytes_per_s=10_000,
        real_time_factor=0.1,
        lying=0,
        missing=1,
        failing=0,
        kills=0,
        resumable=resumable,
    )
    simulation = Simulation(plan, random.Random(1))
    for episode in simulation.episodes.values():
        episode.host, episode.fits = 0, True
        episode.body_bytes, episode.audio_bytes = 55 * MB, 4096
    simulation.sizes[0] = deque([MB])
    simulation.run()
    assert {episode.outcome for episode in simulation.episodes.values()} == {"transcribed"}
    assert simulation.refusals
