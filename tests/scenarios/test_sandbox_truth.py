"""The reasoning, through the real collector and tools, finds what is wrong in the sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.diagnosis import Budget, Concluded, Diagnosis, Question, Status
from bot.domain.environment import Environment, Tier
from bot.domain.needs import Need
from bot.domain.snapshot import Snapshot
from bot.perception.collector import Collector, Limits
from bot.reasoning.analyzers import discover
from bot.reasoning.investigate import investigate
from bot.reasoning.question import understand
from bot.sandbox.world import catalog, composing
from bot.sandbox.world.truth import Truth
from tests.fakes.world import RunningWorld, running_world
from tools.catalog import read_tools

SYSTEMS = ("kubernetes", "prometheus", "loki", "jaeger", "changes", "flags")
PATIENCE_S = 60.0
ATTEMPTS = 8  # a cold simulation on a busy machine answers too late at first
LATE = ("not done", "timed out", "did not answer")
FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)  # the noise depends on the time: a seed has its own
FEW = (("slow-query", 1), ("grey-failure", 2), ("false-alarm-restart", 3), ("redis-pressure", 1))
FORETOLD = ("redis-pressure",)  # called before anything breaks, with a time
NEVER_WRONG_ABOVE = 0.8


@dataclass(frozen=True)
class Told:
    """What was found, and what is so."""

    truth: Truth
    diagnosis: Diagnosis

    @property
    def found(self) -> list[tuple[str, str]]:
        return [(c.hypothesis.cause, c.hypothesis.object) for c in self.diagnosis.causes]

    @property
    def really(self) -> set[tuple[str, str]]:
        return {(t.cause, t.object) for t in (self.truth, *self.truth.also)}


def begins(seed: int) -> datetime:
    """Return when a seed's story begins: another day, and another time of it."""
    return FIRST_DAY + seed * timedelta(hours=29, minutes=17)


async def told(incident: str, seed: int) -> Told:
    with running_world(incident, seed=seed, origin=begins(seed)) as running:
        truth = catalog.truth(incident, seed)
        concluded = await concluded_in(running, truth.question)
    return Told(truth=truth, diagnosis=concluded.diagnosis)


async def concluded_in(running: RunningWorld, text: str) -> Concluded:
    environment = Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={s: {"url": running.system("prod", s)} for s in SYSTEMS},
    )
    tools = read_tools(environment)
    collector = Collector(
        environment, tools, running.clock, Limits(deadline_s=PATIENCE_S, parallel=4)
    )
    names = await collector.service_names()
    question = understand(
        text,
        environments=[environment],
        services={"prod": names},
        default_environment="prod",
        now=running.clock.now(),
    )
    for _ in range(ATTEMPTS - 1):
        concluded = await _investigated(question, collector.fresh())
        if not any(late in b.reason for b in concluded.snapshot.blind_spots for late in LATE):
            return concluded
    return await _investigated(question, collector.fresh())


async def _investigated(question: Question, collector: Collector) -> Concluded:
    async def collect(wanted: Sequence[Need]) -> Snapshot:
        return (await collector.collect(wanted)).snapshot

    return await investigate(
        question,
        collect,
        analyzers=discover(),
        budget=Budget(seconds=1e6, queries=10**6),
        spent=lambda: Budget(seconds=0.0, queries=0),
    )


async def assert_true(incident: str, seed: int) -> None:
    story = await told(incident, seed)
    if story.truth.healthy:
        assert story.diagnosis.status is Status.HEALTHY, story.diagnosis.summary
    else:
        assert story.found[:1] == [(story.truth.cause, story.truth.object)], story.diagnosis.summary
    if incident in FORETOLD:
        assert story.diagnosis.causes[0].hypothesis.forecast_at is not None, "no time is said"


@pytest.mark.parametrize(("incident", "seed"), FEW)
async def test_the_true_cause_is_found(incident: str, seed: int):
    await assert_true(incident, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 21))
@pytest.mark.parametrize("incident", catalog.incidents())
async def test_every_incident_is_understood(incident: str, seed: int):
    await assert_true(incident, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 51))
async def test_a_random_composition_is_right_or_unknown(seed: int):
    story = await told(composing.NAME, seed)
    wrong = [
        (c.hypothesis.cause, c.hypothesis.object, c.confidence)
        for c in story.diagnosis.causes
        if (c.hypothesis.cause, c.hypothesis.object) not in story.really
    ]
    assert not [w for w in wrong if w[2] > NEVER_WRONG_ABOVE]
    right = story.found and story.found[0] in story.really
    assert right or story.diagnosis.status is Status.UNKNOWN


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 21))
async def test_a_day_without_an_incident_raises_no_false_alarm(seed: int):
    with running_world(None, seed=seed, origin=begins(seed)) as running:
        concluded = await concluded_in(running, "is anything wrong?")
    assert concluded.diagnosis.status is Status.HEALTHY, concluded.diagnosis.summary
