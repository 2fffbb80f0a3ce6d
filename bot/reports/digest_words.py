"""The digest in words, the same in Slack and in the terminal: the answer first, then why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.conversation import Mark
from bot.domain.kpis import IncidentFact, OfferFact
from bot.reports.digest import Digest, QuietCount, Recurring
from bot.reports.kpis import Kpis, Times

SHOWN = 5  # lines of one list
SERVICES = 3  # names in one line
WHERE = "What each figure means: docs/kpis.md."
Safe = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How the reader's medium wants it written."""

    safe: Safe  # makes a text from data harmless and short
    moment: Callable[[datetime], str]  # a time of day, with its day
    place: Callable[[IncidentFact], str]  # where an incident is talked about, or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A few lines under a title."""

    title: str
    lines: tuple[str, ...]


def title(digest: Digest, safe: Safe) -> str:
    """Return "Week 47, 16 to 22 Nov · prod"."""
    place = digest.scope.environments, digest.scope.services
    words = [_days(digest), *(_few(names, safe) for names in place if names)]
    return " · ".join(words)


def answer(digest: Digest) -> str:
    """Return the week in one sentence or two."""
    week, before = digest.week, digest.before
    if week.empty:
        return "Nothing happened: no incident, no question about trouble, nothing kept quiet."
    count = "No incident" if not week.incidents else _count(week.incidents, "incident")
    lines = f"{count}{_was(before.incidents if before else None)}."
    if week.resolved:
        how = "half of them within" if week.resolved > 1 else "after"
        lines += f" {week.resolved} ended, {how} {lasting(week.resolution.median_s)}."
    if week.open_at_end:
        verb = "was" if week.open_at_end == 1 else "were"
        lines += f" {week.open_at_end} {verb} still open at the end of the week."
    return lines


def parts(digest: Digest, hand: Hand) -> tuple[Part, ...]:
    """Return what is worth a look; what there was nothing of is left out."""
    week, before, safe = digest.week, digest.before, hand.safe
    found = (
        ("Waiting for a person now", _listed(_waiting(o, hand) for o in digest.waiting)),
        ("Still open", _listed(_open(i, hand, digest) for i in digest.still_open)),
        ("How fast", _speed(week, before)),
        ("What I did", _did(week)),
        ("Was I right", _right(week)),
        ("People", _people(week)),
        ("Causes", _listed(_causes(digest, safe))),
        ("Again", _listed(_again(r, safe, digest) for r in digest.recurring)),
        ("Kept quiet", _quiet(digest, safe)),
    )
    made = (Part(title=name, lines=tuple(lines)) for name, lines in found)
    return tuple(part for part in made if part.lines)


def note(digest: Digest, safe: Safe) -> str:
    """Return what the figures rest on, and which weeks were never told."""
    late = ""
    if digest.missed:
        weeks = "week before was" if digest.missed == 1 else f"{digest.missed} weeks before were"
        late = f"The {weeks} never told, because I did not run; the trend has them. "
    return f"{late}{WHERE} Weeks begin at midnight, {safe(digest.zone)}."


def lasting(seconds: float | None) -> str:
    """Return "40 s", "41 min", "5 h 10 min", "3 d 4 h" or "12 d"; "-" if it is not known."""
    if seconds is None:
        return "-"
    if seconds < 100:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    days = hours // 24
    return f"{days} d {hours % 24} h" if hours % 24 and days < 7 else f"{days} d"


def share(part: int, whole: int) -> str:
    """Return "9 of 10 (90 %)"; a share of few says no percentage."""
    return f"{part} of {whole}" + (f" ({round(100 * part / whole)} %)" if whole >= 10 else "")


def _speed(week: Kpis, before: Kpis | None) -> Iterator[str]:
    names = (("MTTD", "detection"), ("MTTA", "acknowledgement"), ("MTTR", "resolution"))
    for short, name in names:
        times: Times = getattr(week, name)
        earlier: Times = getattr(before, name) if before else Times()
        if times.count:
            compared = f", week before {lasting(earlier.mean_s)}" if earlier.count else ""
            median = f" · median {lasting(times.median_s)} of {times.count}"
            yield f"{short} {lasting(times.mean_s)}{compared}{median if times.count > 1 else ''}"


def _did(week: Kpis) -> Iterator[str]:
    healed = week.resolved_by_itself + week.resolved_approved
    if week.resolved:
        by = f", {week.resolved_by_itself} by myself, {week.resolved_approved} approved"
        yield f"Recovered after my action: {share(healed, week.resolved)}{by if healed else ''}"
    if week.actions:
        undone = f", {week.undone} undone" if week.undone else ""
        yield f"False actions: {share(week.false_actions, week.actions)} carried out"
        yield f"Verified: {share(week.verified, week.actions)}{undone}"


def _right(week: Kpis) -> Iterator[str]:
    if week.dismissed:
        yield f"No incident at all, as you said: {week.dismissed} that I told you of"
    judged = week.right + week.wrong
    if judged:
        yield f"Right by your verdicts: {share(week.right, judged)}, of {week.diagnoses} diagnoses"
    elif week.diagnoses:
        unjudged = _count(week.diagnoses, "diagnosis", "diagnoses")
        yield f"Nobody judged my {unjudged}: Right or Wrong below a report is enough"
    if week.diagnoses:
        yield f"Named a cause: {share(week.causes_found, week.diagnoses)}"


def _people(week: Kpis) -> Iterator[str]:
    if week.escalations:
        yield f"Escalated: {_count(week.escalations, 'incident')}"
    if not week.offered:
        return
    ended = ((week.approved, "approved"), (week.rejected, "rejected"), (week.ran_out, "ran out"))
    what = ", ".join(f"{n} {word}" for n, word in ended if n)
    yield f"Asked to decide {_count(week.offered, 'time')}{f': {what}' if what else ''}"
    if week.decision.count:
        yield f"Decided within {lasting(week.decision.median_s)} (median)"


def _waiting(offer: OfferFact, hand: Hand) -> str:
    return f"{Mark.WAITING.value} {hand.safe(offer.title)}, until {hand.moment(offer.expires_at)}"


def _causes(digest: Digest, safe: Safe) -> Iterator[str]:
    for found in digest.causes:
        yield f"{_cause(found.cause, found.service, safe)}: {found.incidents}"


def _again(found: Recurring, safe: Safe, digest: Digest) -> str:
    since = _day(found.first_at.astimezone(ZoneInfo(digest.zone)).date())
    weeks = f" in {found.weeks} weeks" if found.weeks > 1 else ""
    cause = _cause(found.cause, found.service, safe)
    return f"{cause}: {found.this_week} this week, {found.in_all}{weeks} since {since}"


def _quiet(digest: Digest, safe: Safe) -> Iterator[str]:
    if not digest.week.quiet:
        return
    alerts = _count(digest.week.quiet_alerts, "alert")
    yield f"{digest.week.quiet} that I did not tell you of, with {alerts}:"
    yield from _listed(_reason(found, safe) for found in digest.quiet)


def _reason(found: QuietCount, safe: Safe) -> str:
    services = f" ({_few(found.services, safe)})" if found.services else ""
    return f"{safe(found.reason)}: {found.incidents}{services}"


def _open(incident: IncidentFact, hand: Hand, digest: Digest) -> str:
    seconds = (digest.week.end - incident.opened_at).total_seconds()
    words = (hand.safe(incident.title), hand.safe(incident.environment), hand.place(incident))
    return f"{' · '.join(word for word in words if word)}, for {lasting(seconds)}"


def _cause(cause: str, service: str, safe: Safe) -> str:
    if not cause:
        return "not known"
    name = safe(cause.replace("_", " "))
    return f"{name} at {safe(service)}" if service else name


def _listed(lines: Iterator[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:SHOWN]
    if len(every) > SHOWN:
        yield f"… and {len(every) - SHOWN} more"


def _few(names: tuple[str, ...], safe: Safe) -> str:
    more = f" and {len(names) - SERVICES} more" if len(names) > SERVICES else ""
    return ", ".join(safe(name) for name in names[:SERVICES]) + more


def _was(count: int | None) -> str:
    return "" if count is None else f", {count or 'none'} the week before"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _days(digest: Digest) -> str:
    zone = ZoneInfo(digest.zone)
    first = digest.week.start.astimezone(zone).date()
    last = (digest.week.end - timedelta(microseconds=1)).astimezone(zone).date()
    days = f"{first.day if first.month == last.month else _day(first)} to {_day(last)}"
    if first == last:
        days = _day(last)
    is_week = first.weekday() == 0 and (last - first).days < 7
    return f"Week {first.isocalendar().week}, {days}" if is_week else days


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
