"""How suspicious a change is: when it came, and whether only the new version suffers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.diagnosis import Evidence
from bot.domain.snapshot import Change, ChangeKind, Signal
from bot.reasoning.claims import GOOD, HINT, STRONG, at, level_since, said, what
from bot.reasoning.picture import Picture
from bot.reasoning.rollouts import by_pods
from bot.reasoning.series import between, median
from bot.reasoning.thresholds import RED
from bot.reasoning.wording import duration, noun, quantity

EARLY = timedelta(seconds=90)  # an onset is known to within this
SOON = timedelta(minutes=7)  # a rolling update and the rate's own window
LATER = timedelta(minutes=25)
LONG_AGO = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long before the onset a change came; negative: after it."""

    delay: timedelta
    evidence: Evidence

    @property
    def possible(self) -> bool:
        """Whether the change came first."""
        return self.delay >= -EARLY


def timing(change: Change, onset: datetime, picture: Picture) -> Timing:
    """Weigh when a change came against an onset of the trouble it may have caused."""
    delay = onset - change.at
    words = duration(abs(delay.total_seconds()))
    side, weight = _side(delay)
    text = f"{what(change)} at {at(change.at, picture)}, {words} {side}"
    return Timing(delay=delay, evidence=said(text, weight, change.source))


def _side(delay: timedelta) -> tuple[str, float]:
    if delay < -EARLY:
        return "after the onset", -4.0
    if delay <= SOON:
        return "before the onset" if delay >= timedelta(0) else "within the onset", STRONG
    if delay <= LATER:
        return "before the onset", GOOD
    if delay <= LONG_AGO:
        return "before the onset: a long time for it to show", -HINT
    return "before the onset: too long ago", -STRONG


def versions(change: Change, picture: Picture, since: datetime) -> tuple[Evidence, ...]:
    """Compare the new version with the old one while both ran after `since`."""
    if change.kind is not ChangeKind.DEPLOY or change.after in (None, "", change.before):
        return ()
    for signal in (Signal.ERROR_RATIO, Signal.LATENCY_P99):
        if compared := _compared(change, picture, signal, since):
            return (compared,)
    return by_pods(change, picture, since)


def _compared(change: Change, picture: Picture, signal: Signal, since: datetime) -> Evidence | None:
    series = picture.split(signal, change.service, "version")
    new, old = series.get(change.after or ""), series.get(change.before or "")
    sign = picture.sign(signal, change.service)
    if new is None or old is None or sign is None:
        return None
    shared = _shared(new.times, new.values, old.times, old.values, since)
    if shared is None:
        return None
    fresh, stale = shared
    words = (
        f"{noun(signal)} of {change.service} {quantity(fresh, new.unit, signal)} in "
        f"{change.after}, {quantity(stale, new.unit, signal)} in {change.before}, at the same time"
    )
    bad = sign.shift.usual + sign.shift.tolerance
    if fresh > bad >= stale:
        return said(words, STRONG, new.source)
    if min(fresh, stale) > bad:
        return said(f"{words}: the old version suffers too", -STRONG, new.source)
    return None


def _shared(
    new_times: Iterable[float],
    new: Iterable[float],
    old_times: Iterable[float],
    old: Iterable[float],
    since: datetime,
) -> tuple[float, float] | None:
    """Medians of both over the time after `since` in which both have samples."""
    new_t, old_t = tuple(new_times), tuple(old_times)
    if not new_t or not old_t:
        return None
    start = max(since.timestamp(), new_t[0], old_t[0])
    end = min(new_t[-1], old_t[-1]) + 1
    fresh = between(new_t, tuple(new), start, end)
    stale = between(old_t, tuple(old), start, end)
    if fresh.size < 2 or stale.size < 2:
        return None
    return median(fresh), median(stale)


def culprits(
    picture: Picture, service: str, onset: datetime, kinds: Iterable[ChangeKind]
) -> list[tuple[Change, Timing]]:
    """Return the changes of a service that can have caused an onset, the nearest before it first.

    A commit that a deploy brought counts as that deploy. Changes whose diff is known are left to
    the analyzer that reads diffs.
    """
    wanted = frozenset(kinds)
    found = [
        (c, timing(c, onset, picture))
        for c in judged_by_time(picture.snapshot.changes)
        if c.service == service and c.kind in wanted
    ]
    return sorted(
        ((c, t) for c, t in found if t.possible), key=lambda pair: (abs(pair[1].delay), pair[0].id)
    )


def unique(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return each change once, in time order."""
    by_id = {c.id: c for c in changes}
    return tuple(sorted(by_id.values(), key=lambda c: (c.at, c.id)))


def judged_by_time(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return each change once whose deed nobody can read: no diff of it, or of what it brought."""
    every = unique(changes)
    if not placed(every):
        return every
    read = [c.after or c.id for c in every if c.kind is ChangeKind.COMMIT and c.diff]
    return tuple(
        c
        for c in every
        if not (c.kind is ChangeKind.COMMIT and c.diff)
        and not (c.commits and all(_among(sha, read) for sha in c.commits))
    )


def placed(changes: Iterable[Change]) -> bool:
    """Whether it is known where commits run: deploys that don't say what they brought hide it."""
    deploys = [c for c in changes if c.kind is ChangeKind.DEPLOY]
    return not deploys or any(c.commits for c in deploys)


def _among(sha: str, known: Iterable[str]) -> bool:
    return len(sha) >= 7 and any(k.startswith(sha) or sha.startswith(k) for k in known)


def onset_at(picture: Picture, service: str) -> datetime | None:
    """Return when a service's own trouble began: its symptoms, or what it does to others."""
    own = [s.onset for s in picture.symptoms.get(service, ())]
    outward = [s.onset for s in picture.signs if s.service == service and s.signal not in RED]
    return min(own, default=min(outward, default=None))


def suffering(picture: Picture, service: str, since: datetime) -> float | None:
    """Return the share of errors of a service since a moment, None if unknown."""
    series = picture.recent(Signal.ERROR_RATIO, service)
    return level_since(series, since) if series else None
