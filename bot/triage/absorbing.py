"""Signals become alerts: deduplicated by subject, in the order of arrival, with their flips."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.incident import Alert
from bot.domain.signal import Origin, Phase, Received, Severity, Signal
from bot.triage.places import Place, place_of, service_of

LIFE = timedelta(minutes=30)  # silent for longer, and it is new trouble
FLIPS = 4  # from firing to resolved or back, from which an alert flaps
STEADY = timedelta(minutes=10)  # without a flip, and it flaps no more
LASTING = timedelta(seconds=60)
OFTEN = 3  # signals; an event is told again when its count has doubled
OVER = frozenset({"resolved", "closed"})


def absorb(
    batch: Sequence[Received],
    known: Mapping[str, Alert],
    places: Mapping[str, Place],
    default: str,
    quiet: Collection[str] = (),
) -> tuple[Alert, ...]:
    """Return the alerts that changed.

    `quiet`: incidents that are kept quiet; an alert leaves them when it fires anew or gets worse.
    """
    now_known: dict[str, Alert] = {}
    for received in batch:
        signal = received.signal
        before = now_known.get(signal.subject) or known.get(signal.subject)
        after = _next(before, signal, places, default)
        if before is not None and after is not None and before.incident_id in quiet:
            after = _loud(before, after)
        if after is not None:
            now_known[signal.subject] = after
    return tuple(now_known.values())


def flaps(alert: Alert, now: datetime) -> bool:
    """Whether an alert goes on and off too often to be believed."""
    if alert.flips < FLIPS or alert.flipped_at is None:
        return False
    return now - alert.flipped_at < STEADY


def passes(alert: Alert) -> bool:
    """Whether it is a mere event so far, which nobody says the end of: often it was nothing."""
    is_event = alert.origin is Origin.KUBERNETES and alert.severity <= Severity.WARNING
    lasts = alert.count >= OFTEN and alert.last_at - alert.first_at >= LASTING
    return is_event and not lasts


def _next(
    before: Alert | None, signal: Signal, places: Mapping[str, Place], default: str
) -> Alert | None:
    if before is None:
        return _first(signal, places, default) if _begins(signal) else None
    if signal.phase is Phase.FIRING and _is_new_life(before, signal):
        return _first(signal, places, default)
    if signal.at < before.last_at:  # overtaken on its way by what came later
        return replace(before, count=before.count + 1)
    details = {**before.signal.details, **signal.details}
    firing = _fires(before, signal)
    flipped = firing is not before.firing
    return replace(
        before,
        firing=firing,
        flips=before.flips + flipped,
        flipped_at=signal.at if flipped else before.flipped_at,
        severity=signal.severity if signal.phase is Phase.FIRING else before.severity,
        last_at=signal.at,
        count=before.count + 1,
        signal=replace(signal, details=details, link=signal.link or before.signal.link),
    )


def _begins(signal: Signal) -> bool:
    """Whether a signal about something unknown tells of trouble that is there now."""
    if signal.phase is Phase.UPDATED:
        return signal.details.get("status", "resolved").lower() not in OVER
    return signal.phase is Phase.FIRING


def _is_new_life(before: Alert, signal: Signal) -> bool:
    return not before.firing and signal.at - before.last_at > LIFE


def _fires(before: Alert, signal: Signal) -> bool:
    if signal.phase is Phase.UPDATED:
        status = signal.details.get("status", "").lower()
        return before.firing if not status else status not in OVER
    return signal.phase is Phase.FIRING


def _first(signal: Signal, places: Mapping[str, Place], default: str) -> Alert:
    environment = place_of(signal, places, default)
    place = places.get(environment)
    began = min(signal.at, signal.began) if signal.began else signal.at
    return Alert(
        subject=signal.subject,
        origin=signal.origin,
        environment=environment,
        service=service_of(signal, place) if place else next(iter(signal.services), "")[:200],
        title=signal.title,
        severity=signal.severity,
        firing=True,
        first_at=began,
        last_at=signal.at,
        count=1,
        flips=0,
        flipped_at=None,
        signal=signal,
    )


def _loud(before: Alert, after: Alert) -> Alert:
    """Take an alert out of a quiet incident when there is a new reason to look at it."""
    worse = after.severity > before.severity
    anew = after.firing and not before.firing and not flaps(after, after.last_at)
    steady = after.firing and before.firing and flaps(before, before.last_at)
    steady = steady and not flaps(after, after.last_at)
    lasts = passes(before) and not passes(after)
    return replace(after, incident_id="") if worse or anew or steady or lasts else after
