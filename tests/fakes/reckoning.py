"""The figures of a week straight from the stories: what the digest must equal, another way."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.quarter import HOLDER, Deed, Look, Story

Days = tuple[date, date]  # the first day, and the one after the last
MICRO = timedelta(microseconds=1)


def figures(stories: Sequence[Story], days: Days, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """Return every figure of the week by its name."""
    on = _within(days, zone)
    opened = [s for s in stories if counts(s) and on(s.opened)]
    alerts = [s for s in stories if counts(s) and s.origin]
    closed = [s for s in alerts if s.closed is not None and on(s.closed)]
    healers = [[d for d in deeds(s) if healed(s, d)] for s in closed]
    done = [(s, d) for s in stories for d in deeds(s) if carried_out(d) and on(d.begun)]
    done = [(s, d) for s, d in done if "-s1" not in d.id or harmful(s, d)]
    answered = [k for s in stories for k in s.looks if k.status and on(k.at)]
    offers = [d for s in stories for d in deeds(s) if for_people(d) and on(d.offered)]
    silent = [s for s in stories if s.quiet and not s.dismissed and on(s.opened)]
    return {
        "incidents": len(opened),
        "asked": len([s for s in opened if s.origin == ""]),
        "alerts": sum(s.alerts for s in opened),
        "open_at_end": len([s for s in alerts if _open(s, days[1], zone)]),
        "detection": took((s.began, s.opened) for s in opened if s.origin),
        "acknowledgement": took((s.opened, s.acknowledged) for s in alerts if on(s.acknowledged)),
        "resolution": took((s.began if s.began else s.opened, s.closed) for s in closed),
        "resolved_by_itself": len([h for h in healers if h and not any(map(_by_person, h))]),
        "resolved_approved": len([h for h in healers if any(map(_by_person, h))]),
        "actions": len(done),
        "verified": len([1 for s, d in done if healed(s, d)]),
        "false_actions": len([1 for s, d in done if harmful(s, d)]),
        "undone": len([1 for _, d in done if d.status == "undone"]),
        "diagnoses": len(answered),
        "causes_found": len([k for k in answered if k.status == "root_cause"]),
        "right": len([k for k in answered if verdict(k) == "right"]),
        "wrong": len([k for k in answered if verdict(k) == "wrong"]),
        "escalations": len([s for s in stories if on(s.escalated)]),
        "offered": len(offers),
        "approved": len([d for d in offers if d.decisions and all(y for _, y in d.decisions)]),
        "rejected": len([d for d in offers if not all(y for _, y in d.decisions)]),
        "ran_out": len([d for d in offers if not d.decisions and d.expires <= now]),
        "decision": took((d.offered, min(d.decisions)[0]) for d in offers if d.decisions),
        "quiet": len(silent),
        "dismissed": len([s for s in stories if s.dismissed and on(s.opened)]),
        "quiet_alerts": sum(s.alerts for s in silent),
    }


def tally(stories: Sequence[Story], days: Days, zone: ZoneInfo) -> dict[tuple[str, str], int]:
    """Return how many of the week's incidents had which cause where; ("", ""): nobody knows."""
    on, found = _within(days, zone), dict[tuple[str, str], int]()
    for story in stories:
        if counts(story) and on(story.opened):
            found[cause(story)] = found.get(cause(story), 0) + 1
    return found


def silence(stories: Sequence[Story], days: Days, zone: ZoneInfo) -> dict[str, tuple[int, int]]:
    """Return (incidents, alerts) that were kept quiet, by the kind of reason."""
    on, found = _within(days, zone), dict[str, tuple[int, int]]()
    for story in stories:
        if story.quiet and not story.dismissed and on(story.opened):
            n, alerts = found.get(story.why, (0, 0))
            found[story.why] = (n + 1, alerts + story.alerts)
    return found


def _within(days: Days, zone: ZoneInfo) -> Callable[[datetime | None], bool]:
    def on(moment: datetime | None) -> bool:
        return moment is not None and days[0] <= moment.astimezone(zone).date() < days[1]

    return on


def _open(story: Story, last: date, zone: ZoneInfo) -> bool:
    begun = story.opened.astimezone(zone).date() < last
    return begun and (story.closed is None or story.closed.astimezone(zone).date() >= last)


def newest(story: Story) -> Look | None:
    ended = [k for k in story.looks if k.status]
    return max(ended, key=lambda k: (k.at, k.id)) if ended else None


def counts(story: Story) -> bool:
    last = newest(story)
    if story.quiet:
        return False
    return story.origin != "" or (last is not None and last.status in ("root_cause", "unknown"))


def cause(story: Story) -> tuple[str, str]:
    last = newest(story)
    if last is None or last.status != "root_cause" or verdict(last) == "wrong":
        return "", ""
    return last.cause, last.service


def verdict(look: Look) -> str:
    if any(not said.right for said in look.said):
        return "wrong"
    return "right" if any(said.user == HOLDER for said in look.said) else ""


def deeds(story: Story) -> list[Deed]:
    return [deed for look in story.looks for deed in look.deeds]


def for_people(deed: Deed) -> bool:
    return deed.verdict in ("one_click", "approval") and "-s1" not in deed.id


def carried_out(deed: Deed) -> bool:
    return deed.begun is not None and deed.status in ("applied", "undone")


def harmful(story: Story, deed: Deed) -> bool:
    look = next(k for k in story.looks if deed in k.deeds)
    return deed.outcome == "worse" or (verdict(look) == "wrong" and not deed.asked)


def healed(story: Story, deed: Deed) -> bool:
    good = carried_out(deed) and deed.status == "applied" and deed.outcome == "recovered"
    return good and "-s1" not in deed.id and not harmful(story, deed)


def _by_person(deed: Deed) -> bool:
    return deed.asked or deed.decisions != []


def took(
    pairs: Iterable[tuple[datetime | None, datetime | None]],
) -> tuple[int, float | None, float | None]:
    """Return (how many, mean, median) in seconds, reckoned in whole microseconds."""
    known = [max(0, (b - a) // MICRO) for a, b in pairs if a is not None and b is not None]
    if not known:
        return 0, None, None
    return len(known), statistics.mean(known) / 1e6, statistics.median(known) / 1e6
