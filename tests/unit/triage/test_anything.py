"""Whatever comes in, in whatever order: nothing raises, nothing is lost, threads stay few."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.incident import Alert, Incident, Member, Standing, State
from bot.domain.signal import Origin, Phase, Received, Severity, Signal
from bot.triage.absorbing import absorb
from bot.triage.deciding import MOST_THREADS, Scene, decide
from bot.triage.grouping import is_own
from tests.unit.triage.samples import NOW, SERVICES, after, place

NAMES = (
    *sorted(SERVICES),
    "",
    "unknown",
    "checkout-7d9f8b6c5-x2x9k",
    "ÄÖ/ü",
    "a" * 200,
    "-",
    "<!here>",
)
TITLES = ("is slow", "", "x" * 300, "🔥" * 50, "p99 12.5 s > 1 s", "\u202e", "*_~`", "NodeNotReady")
DETAILS: tuple[dict[str, str], ...] = (
    {},
    {"status": "acknowledged"},
    {"status": "RESOLVED"},
    {"status": ""},
    {"priority": "P1"},
)


def anything(rng: random.Random, number: int) -> Received:
    at = after(rng.uniform(-4000, 600))
    signal = Signal(
        key=str(number), origin=rng.choice(list(Origin)), subject=f"s{rng.randrange(40)}",
        phase=rng.choice([Phase.FIRING, Phase.FIRING, Phase.RESOLVED, Phase.UPDATED]),
        title=rng.choice(TITLES), at=at, severity=rng.choice(list(Severity)),
        environment=rng.choice(["prod", "", "LIVE", "nowhere"]),
        services=tuple(rng.sample(NAMES, rng.randrange(3))),
        labels={"namespace": rng.choice(["shop", "", "kube-system"]), "pod": rng.choice(NAMES)},
        details=rng.choice(DETAILS), event=rng.choice(["", "incident.acknowledged"]),
        began=rng.choice([None, at - timedelta(hours=3)]),
    )  # fmt: skip
    return Received(number=number, at=at, signal=signal)


class World:
    """Triage without a database: alerts, incidents, and a round of deciding."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.incidents: dict[str, Incident] = {}

    def take(self, batch: Sequence[Received]) -> None:
        quiet = {i.id for i in self.incidents.values() if i.state is State.QUIET}
        found = absorb(batch, self.alerts, {"prod": place()}, "prod", quiet)
        self.alerts.update({a.subject: a for a in found})

    def decide(self, now: float) -> None:
        pending = [a for a in self.alerts.values() if not a.incident_id]
        scene = Scene(
            place=place(), pending=pending, standing=self._standing(), heard={}, now=after(now)
        )
        plan = decide(scene)
        assert decide(scene) == plan
        self.incidents.update({i.id: i for i in plan.opened})
        assert set(plan.joined.values()) <= set(self.incidents)
        assert {i.id for i in plan.opened} <= set(plan.joined.values())
        for subject, incident_id in plan.joined.items():
            assert not self.alerts[subject].incident_id
            self.alerts[subject] = replace(self.alerts[subject], incident_id=incident_id)
        for incident_id, root in plan.roots.items():
            self.incidents[incident_id] = replace(self.incidents[incident_id], service=root)

    def _standing(self) -> list[Standing]:
        found: dict[str, dict[str, Member]] = {}
        for alert in self.alerts.values():
            if alert.incident_id:
                found.setdefault(alert.incident_id, {})[alert.service] = Member(
                    service=alert.service, alerts=1, firing=int(alert.firing),
                    severity=alert.severity, first_at=alert.first_at, last_at=alert.last_at,
                )  # fmt: skip
        return [Standing(incident=i, members=found.get(i.id, {})) for i in self.incidents.values()]


@pytest.mark.parametrize("seed", range(60))
def test_every_alert_ends_in_one_incident_and_threads_stay_few(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    for turn in range(6):
        world.take([anything(rng, 100 * turn + n) for n in range(rng.randrange(1, 60))])
        world.decide(600 + turn)
    world.decide(900)
    assert all(a.incident_id for a in world.alerts.values())
    told = [i for i in world.incidents.values() if i.state is State.OPEN]
    own = [i for i in told if i.origin == Origin.SELF.value]
    assert len(told) - len(own) <= MOST_THREADS + 1
    assert len(own) <= 1
    assert all(is_own(world.incidents[a.incident_id]) is (a.origin is Origin.SELF)
               for a in world.alerts.values())  # fmt: skip
    assert all(bool(i.quiet) == (i.state is State.QUIET) for i in world.incidents.values())
    assert all(i.opened_at > NOW for i in world.incidents.values())


@pytest.mark.parametrize("seed", range(20))
def test_signals_of_different_subjects_may_come_in_any_order(seed: int) -> None:
    rng = random.Random(seed)
    batch = [anything(rng, n) for n in range(40)]
    batch = list({r.signal.subject: r for r in batch}.values())
    one, other = World(), World()
    one.take(batch)
    other.take(rng.sample(batch, len(batch)))
    assert one.alerts == other.alerts
    one.decide(900)
    other.decide(900)
    mine = {i.service: i.severity for i in one.incidents.values() if i.state is State.OPEN}
    theirs = {i.service: i.severity for i in other.incidents.values() if i.state is State.OPEN}
    assert mine == theirs
