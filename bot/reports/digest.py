"""The weekly digest: a week's figures beside those before it, its causes, and what is left."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.conversation import Judgement
from bot.domain.diagnosis import Status
from bot.domain.kpis import Facts, IncidentFact, OfferFact, Scope
from bot.domain.time import Window
from bot.reports.kpis import Kpis, answers, kpis, open_at, told, waiting, within

WEEKS = 13  # of the trend: a quarter of a year
DETAIL = re.compile(r"(?::|,? (?:after|as)\b).*", re.DOTALL)  # of a reason: "… after 40 s"
LISTED = 20  # causes, reasons, incidents and offers that a digest carries at most


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCount:
    """How often a cause was found at a service in the week; "" is a cause that is not known."""

    cause: str
    service: str
    incidents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A cause of this week that was there before, in this week or another of the trend."""

    cause: str
    service: str
    this_week: int
    in_all: int
    weeks: int  # in how many of the trend's weeks
    first_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietCount:
    """What was kept quiet for one kind of reason: "flapping", "recovered by itself"."""

    reason: str
    incidents: int
    alerts: int
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One team's week, as it is shown. `trend` has the oldest week first and ends with this one."""

    zone: str  # IANA name, in which the week begins and ends
    scope: Scope
    made_at: datetime
    week: Kpis
    trend: tuple[Kpis, ...]
    causes: tuple[CauseCount, ...]
    recurring: tuple[Recurring, ...]
    quiet: tuple[QuietCount, ...]
    still_open: tuple[IncidentFact, ...]  # at the end of the week, the worst first
    waiting: tuple[OfferFact, ...]  # when it was made, what ends first first
    missed: int = 0  # digests before this one that were never told, because no bot ran

    @property
    def before(self) -> Kpis | None:
        """The week before, if the trend reaches back to it."""
        return self.trend[-2] if len(self.trend) > 1 else None

    @property
    def quiet_so_far(self) -> bool:
        """Whether nothing ever happened: there is no trend to show."""
        return all(week.empty for week in self.trend)


def digest(facts: Facts, weeks: Sequence[Window], zone: str, scope: Scope, now: datetime) -> Digest:
    """Return the digest of the last of these weeks (one at least), with what is known at `now`.

    `weeks` follow each other, the oldest first; those before the first in which anything happened
    are left out of the trend.
    """
    ours = within(facts, scope)
    incidents = told(ours)
    trend = [kpis(ours, week, now, incidents) for week in weeks]
    while len(trend) > 1 and trend[0].empty:
        trend.pop(0)
    week = weeks[-1]
    still_open = sorted(open_at(incidents, week.end), key=lambda i: (-i.severity, i.opened_at))
    left = sorted(waiting(ours.offers, now), key=lambda o: (o.expires_at, o.id))
    return Digest(
        zone=zone,
        scope=scope,
        made_at=now,
        week=trend[-1],
        trend=tuple(trend),
        causes=causes(ours, week)[:LISTED],
        recurring=recurring(ours, weeks)[:LISTED],
        quiet=kept_quiet(ours, week)[:LISTED],
        still_open=tuple(still_open[:LISTED]),
        waiting=tuple(left[:LISTED]),
    )


def causes(facts: Facts, week: Window) -> tuple[CauseCount, ...]:
    """Return the causes of the week's incidents, the most frequent first, the unknown last."""
    known = _causes(facts)
    found = Counter(known.get(i.id, ("", "")) for i in _opened(told(facts), week))
    ordered = sorted(found.items(), key=lambda item: (not item[0][0], -item[1], item[0]))
    return tuple(CauseCount(cause=c, service=s, incidents=n) for (c, s), n in ordered)


def recurring(facts: Facts, weeks: Sequence[Window]) -> tuple[Recurring, ...]:
    """Return this week's causes that were there before, the most frequent first."""
    known, seen = _causes(facts), dict[tuple[str, str], list[tuple[int, datetime]]]()
    incidents = told(facts)
    for number, week in enumerate(weeks):
        for incident in _opened(incidents, week):
            if incident.id in known:
                seen.setdefault(known[incident.id], []).append((number, incident.opened_at))
    this = len(weeks) - 1
    found = [
        Recurring(
            cause=cause,
            service=service,
            this_week=sum(number == this for number, _ in times),
            in_all=len(times),
            weeks=len({number for number, _ in times}),
            first_at=min(at for _, at in times),
        )
        for (cause, service), times in seen.items()
        if len(times) > 1 and any(number == this for number, _ in times)
    ]
    return tuple(sorted(found, key=lambda r: (-r.in_all, -r.this_week, r.cause, r.service)))


def kept_quiet(facts: Facts, week: Window) -> tuple[QuietCount, ...]:
    """Return what was not told, by reason, the most frequent first."""
    by_reason: dict[str, list[IncidentFact]] = {}
    for incident in facts.incidents:
        if incident.kept_quiet and week.start <= incident.opened_at < week.end:
            kind = DETAIL.sub("", incident.quiet).strip() or incident.quiet
            by_reason.setdefault(kind, []).append(incident)
    found = [
        QuietCount(
            reason=reason,
            incidents=len(incidents),
            alerts=sum(i.alerts for i in incidents),
            services=tuple(sorted({i.service for i in incidents if i.service})),
        )
        for reason, incidents in by_reason.items()
    ]
    return tuple(sorted(found, key=lambda q: (-q.incidents, q.reason)))


def _opened(incidents: Sequence[IncidentFact], week: Window) -> list[IncidentFact]:
    return [i for i in incidents if week.start <= i.opened_at < week.end]


def _causes(facts: Facts) -> dict[str, tuple[str, str]]:
    """Return each incident's cause and service, where one was found and nobody says it is wrong."""
    return {
        incident: (answer.cause, answer.service)
        for incident, answer in answers(facts).items()
        if answer.status == Status.ROOT_CAUSE.value
        and answer.cause
        and answer.judged is not Judgement.WRONG
    }
