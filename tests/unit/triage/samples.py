"""Signals, alerts and places for the tests of triage."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.environment import Environment, Tier
from bot.domain.incident import Alert, Incident, Member, Standing, State
from bot.domain.signal import Origin, Phase, Received, Severity, Signal
from bot.triage.absorbing import absorb
from bot.triage.calls import Calls
from bot.triage.places import Place

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
CALLS = Calls.of(
    [
        ("front", "checkout"), ("front", "cart"), ("checkout", "payments"),
        ("payments", "ledger"), ("cart", "store"), ("search", "index"),
    ]
)  # fmt: skip
PROD = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), aliases=("live",))
SERVICES = frozenset(
    {"front", "checkout", "cart", "payments", "ledger", "store", "search", "index"}
)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def place(**changes: Any) -> Place:
    return replace(Place(environment=PROD, services=SERVICES, calls=CALLS), **changes)


def signal(service: str = "checkout", at: float = 0.0, **changes: Any) -> Signal:
    made = Signal(
        key=f"test:{service}:{at}:{changes.get('phase', '')}",
        origin=Origin.ALERTMANAGER,
        subject=f"alertmanager:{service}",
        phase=Phase.FIRING,
        title=f"{service} is slow",
        at=after(at),
        severity=Severity.HIGH,
        environment="prod",
        services=(service,) if service else (),
    )
    return replace(made, **changes)


def received(*signals: Signal) -> list[Received]:
    return [Received(number=n, at=s.at, signal=s) for n, s in enumerate(signals, start=1)]


def absorbed(
    *signals: Signal, known: Iterable[Alert] = (), quiet: Iterable[str] = ()
) -> list[Alert]:
    before = {a.subject: a for a in known}
    places = {"prod": place()}
    return list(absorb(received(*signals), before, places, "prod", frozenset(quiet)))


def alert(service: str = "checkout", at: float = 0.0, **changes: Any) -> Alert:
    (made,) = absorbed(signal(service, at))
    return replace(made, **changes)


def standing(incident_id: str, *services: str, at: float = 0.0, **changes: Any) -> Standing:
    """Return an open incident that begins at the first of the services."""
    incident = Incident(
        id=incident_id, environment="prod", title=f"{services[0]} is slow", state=State.OPEN,
        severity=Severity.HIGH, service=services[0], origin="alertmanager", opened_at=after(at),
        began_at=after(at),
    )  # fmt: skip
    members = {
        s: Member(
            service=s, alerts=1, firing=1, severity=Severity.HIGH, first_at=after(at),
            last_at=after(at),
        )
        for s in services
    }  # fmt: skip
    return Standing(incident=replace(incident, **changes), members=members)
