"""Thirteen made-up weeks in SQL give the same figures as the stories they were made of."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bot.domain.action import Level, Outcome, Verification
from bot.domain.conversation import Judgement, PersonVerdict, Thread
from bot.domain.kpis import Facts, Scope
from bot.domain.time import Window
from bot.domain.trust import Baseline
from bot.remediation.track_record import record_of
from bot.reports.digest import Digest, digest
from bot.reports.kpis import Kpis, Times, kpis, waiting
from bot.reports.reckoning import reckon
from bot.reports.weeks import midnight, weeks_until
from bot.storage.actions import Actions
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.incidents import Incidents
from bot.storage.kpis import KpiFacts
from bot.storage.records import Records
from tests.fakes.quarter import HOLDER, Story, keep, quarter
from tests.fakes.reckoning import deeds, figures, silence, tally
from tests.unit.remediation.office import KEY, Office

PARIS, CHATHAM, HAVANA = (
    ZoneInfo(n) for n in ("Europe/Paris", "Pacific/Chatham", "America/Havana")
)
# Both quarters hold a change of clocks; Havana's is at midnight itself.
SPRING, AUTUMN = date(2026, 4, 27), date(2026, 11, 23)
EMPTY = (4, 9)


def given(kpis: Kpis) -> dict[str, object]:
    """The figures by name, durations as (count, mean, median)."""
    found = {n: getattr(kpis, n) for n in Kpis.__slots__ if n not in ("start", "end")}
    return {
        n: pytest.approx((v.count, v.mean_s, v.median_s), abs=1e-6) if isinstance(v, Times) else v
        for n, v in found.items()
    }


async def reckoned(database: Database, last: date, zone: ZoneInfo, **of: object) -> Digest:
    weeks = weeks_until(last, zone, 13)
    facts = await KpiFacts(database).facts(Window(start=weeks[0].start, end=weeks[-1].end))
    scope = Scope(**of)  # type: ignore[arg-type]
    return digest(facts, weeks, zone.key, scope, weeks[-1].end + timedelta(hours=9))


def days(last: date, number: int) -> tuple[date, date]:
    first = last - timedelta(days=7 * (13 - number))
    return first, first + timedelta(days=7)


@pytest.mark.parametrize(
    ("zone", "last", "seed"),
    [(CHATHAM, SPRING, 2), (HAVANA, AUTUMN, 3)],
)
async def test_every_figure_of_thirteen_weeks_equals_a_direct_reckoning(
    database: Database, zone: ZoneInfo, last: date, seed: int
) -> None:
    stories = quarter(seed, zone, last, empty=EMPTY)
    keep(database, stories)
    found = await reckoned(database, last, zone)
    now = found.made_at
    assert len(found.trend) == 13
    for number, week in enumerate(found.trend):
        assert figures(stories, days(last, number), zone, now) == given(week), number
    assert {(c.cause, c.service): c.incidents for c in found.causes} == tally(
        stories, days(last, 12), zone
    )
    assert {q.reason: (q.incidents, q.alerts) for q in found.quiet} == silence(
        stories, days(last, 12), zone
    )
    recurs(found, stories, last, zone)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 125))
async def test_every_figure_of_many_quarters_in_many_zones(database: Database, seed: int) -> None:
    names = ("America/St_Johns", "Asia/Kathmandu", "Africa/Cairo", "Australia/Lord_Howe", "UTC")
    zone = ZoneInfo(names[seed % len(names)])
    last = SPRING + timedelta(days=37 * (seed - 100))  # any weekday of any season
    stories = quarter(seed, zone, last, busy=30, empty=(0, seed % 13))
    keep(database, stories)
    found = await reckoned(database, last, zone)
    for number, week in enumerate(found.trend, start=13 - len(found.trend)):
        assert figures(stories, days(last, number), zone, found.made_at) == given(week), number
    recurs(found, stories, last, zone)


def recurs(found: Digest, stories: list[Story], last: date, zone: ZoneInfo) -> None:
    """What comes again is what the weeks' own tallies say."""
    tallies = [tally(stories, days(last, number), zone) for number in range(13)]
    expected = {
        key: (n, sum(t.get(key, 0) for t in tallies), sum(key in t for t in tallies))
        for key, n in tallies[-1].items()
        if key != ("", "") and sum(t.get(key, 0) for t in tallies) > 1
    }
    got = {(r.cause, r.service): (r.this_week, r.in_all, r.weeks) for r in found.recurring}
    assert got == expected


async def test_a_digest_of_some_services_in_one_environment_is_of_their_stories_alone(
    database: Database,
) -> None:
    stories = quarter(7, PARIS, SPRING)
    keep(database, stories)
    found = await reckoned(
        database, SPRING, PARIS, environments=("prod",), services=("checkout", "cart")
    )
    ours = [
        s
        for s in stories
        if s.environment == "prod"
        and ({s.service} | {k.service for k in s.looks}) & {"checkout", "cart"}
    ]
    assert 0 < len(ours) < len(stories)
    for number, week in enumerate(found.trend, start=13 - len(found.trend)):
        assert figures(ours, days(SPRING, number), PARIS, found.made_at) == given(week)


async def test_a_later_verdict_changes_the_week_it_is_about(database: Database) -> None:
    stories = quarter(5, PARIS, SPRING)
    keep(database, stories)
    late = next(
        look for s in stories for look in s.looks
        if look.status and not look.said and s.opened.astimezone(PARIS).date() < days(SPRING, 9)[0]
    )  # fmt: skip
    before = (await reckoned(database, SPRING, PARIS)).trend
    verdict = PersonVerdict(
        investigation_id=late.id, user=HOLDER, judgement=Judgement.RIGHT, comment="",
        at=datetime(2026, 4, 27, 8, tzinfo=UTC),
    )  # fmt: skip
    await Incidents(database).save_verdict(verdict)
    after = (await reckoned(database, SPRING, PARIS)).trend
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert [(b.start <= late.at < b.end, b.right - a.right) for a, b in changed] == [(True, 1)]


async def test_the_figures_agree_with_the_record_of_trust(database: Database) -> None:
    # The last week is left for what came of the stories of the weeks before.
    stories = quarter(6, PARIS, SPRING - timedelta(days=7), weeks=12)
    for deed in (d for s in stories for d in deeds(s)):
        deed.asked = False  # what people ask for proves nothing of the bot's own proposals
    keep(database, stories)
    trend = (await reckoned(database, SPRING, PARIS)).trend
    records = Records(database)
    nothing = Baseline(recovered=0, seen=0)
    found = [
        record_of(await records.runs(environment, action), nothing)
        for environment, action in await records.pairs()
    ]
    assert sum(k.actions for k in trend) == sum(r.executions for r in found)
    assert sum(k.verified for k in trend) == sum(r.verified for r in found)
    assert sum(k.false_actions for k in trend) == sum(r.false_actions for r in found)


async def test_an_empty_database_gives_empty_weeks(database: Database) -> None:
    found = await reckoned(database, SPRING, PARIS)
    assert len(found.trend) == 1
    assert found.week.empty
    assert found.before is None
    assert (found.causes, found.quiet, found.still_open, found.waiting) == ((), (), (), ())


def test_weeks_tile_time_where_clocks_change() -> None:
    for zone in (PARIS, CHATHAM, HAVANA, ZoneInfo("Africa/Cairo"), ZoneInfo("Asia/Beirut")):
        weeks = weeks_until(date(2026, 12, 28), zone, 110)
        assert all(a.end == b.start for a, b in pairwise(weeks))
        assert {round(w.seconds / 3600) for w in weeks} == {167, 168, 169}
        assert all(w.start.astimezone(zone).weekday() == 0 for w in weeks)


def test_a_day_begins_once() -> None:
    begun = midnight(date(2026, 3, 8), HAVANA)  # 00:00 does not exist there
    assert begun == datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
    assert begun.astimezone(HAVANA).hour == 1


def test_what_is_not_known_is_no_duration() -> None:
    week = Window(start=datetime(2026, 1, 5, tzinfo=UTC), end=datetime(2026, 1, 12, tzinfo=UTC))
    assert kpis(Facts(), week, week.end).resolution == Times()


async def test_what_goes_through_the_real_gateway_is_an_offer_a_decision_and_an_action(
    database: Database,
) -> None:
    office = Office(actions=Actions(database), audit=AuditLog(database))  # type: ignore[arg-type]
    start, incidents = office.clock.now(), Incidents(database)
    thread = Thread(team="T1", channel="C1", ts="1.0")
    await incidents.open_investigation("inv-1", thread, "U1", "why is checkout slow", start)
    week = Window(start=start - timedelta(days=1), end=start + timedelta(days=1))

    async def figures_now() -> tuple[Kpis, Facts]:
        facts = await KpiFacts(database).facts(week)
        return kpis(facts, week, office.clock.now()), facts

    await office.staged_at(Level.L3)
    offered, facts = await figures_now()
    assert (offered.offered, offered.ran_out, offered.actions) == (1, 0, 0)
    assert [o.title for o in waiting(facts.offers, office.clock.now())] == ["Set checkout to 40"]
    office.clock.pass_(240)
    assert (await office.approve()).complete
    assert (await office.execute()).execution is not None
    verification = Verification(
        execution_key=KEY, outcome=Outcome.RECOVERED, statement="", value=None,
        checked_at=office.clock.now(),
    )  # fmt: skip
    await office.gateway().settle(verification)
    done, facts = await figures_now()
    assert waiting(facts.offers, office.clock.now()) == []
    assert (done.approved, done.actions, done.verified, done.false_actions) == (1, 1, 1, 0)
    assert (done.decision.count, done.decision.mean_s) == (1, pytest.approx(240.0, abs=0.01))
    assert [(a.incident_id, a.decided, a.outcome) for a in facts.actions] == [
        ("inc-C1-1.0", True, Outcome.RECOVERED)
    ]


async def test_what_was_offered_this_morning_waits_when_last_week_is_told(
    database: Database,
) -> None:
    office = Office(actions=Actions(database), audit=AuditLog(database))  # type: ignore[arg-type]
    await office.staged_at(Level.L3)  # on Sunday, 1 March
    made = await reckon(KpiFacts(database), date(2026, 3, 1), PARIS, Scope(), office.clock.now())
    assert [offer.title for offer in made.waiting] == ["Set checkout to 40"]
    assert made.week.offered == 0


async def test_what_the_bot_may_not_do_or_does_by_itself_asks_nobody(database: Database) -> None:
    for number, level in enumerate((Level.L1, Level.L4)):
        office = Office(
            environment="dev",
            actions=Actions(database),
            audit=AuditLog(database),  # type: ignore[arg-type]
        )
        await office.staged_at(level, id=f"inv-1-p{number}")
    start = office.clock.now()
    week = Window(start=start - timedelta(days=1), end=start + timedelta(days=1))
    assert kpis(await KpiFacts(database).facts(week), week, start).offered == 0
