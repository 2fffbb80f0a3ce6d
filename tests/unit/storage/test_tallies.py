"""What the tables say of the bot's work, and which incidents are about the bot itself."""

from datetime import UTC, datetime, timedelta

from bot.domain.conversation import Thread
from bot.domain.own_incident import Failed
from bot.domain.signal import Origin, Phase, Signal
from bot.domain.time import ScaledClock
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.incidents import Incidents
from bot.storage.outbox import Messages
from bot.storage.signal_tables import AlertRow
from bot.storage.switches import Switches
from bot.storage.tables import IncidentRow
from bot.storage.tallies import OwnAlert, Tallies

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
THREAD = Thread(team="T1", channel="C1", ts="1.0")


def signal(number: int) -> Signal:
    return Signal(
        key=f"k{number}", origin=Origin.WEBHOOK, subject=f"s{number}", phase=Phase.FIRING,
        title="It burns", at=NOON,
    )  # fmt: skip


async def test_an_empty_database_has_nothing_to_tell(database: Database) -> None:
    tally = await Tallies(database).now(NOON)
    assert (tally.inbox_waiting, tally.inbox_age_s, tally.dead_letters, tally.unsent) == (
        0,
        0,
        0,
        0,
    )
    assert not tally.stopped
    assert not tally.investigations


async def test_what_waits_and_what_was_done_is_counted(database: Database) -> None:
    inbox = SignalInbox(database, ScaledClock(origin=NOON))
    await inbox.put([signal(1), signal(2)], NOON - timedelta(seconds=90))
    await inbox.put([signal(3)], NOON)
    await inbox.bury("webhook", "x", "not JSON", NOON)
    await Messages(database).begin("k", "C1")
    await Switches(database).set_stopped(True, by="U1", reason="", at=NOON)
    await Incidents(database).open_investigation("inv-1", THREAD, "U1", "why", NOON)
    tally = await Tallies(database).now(NOON)
    assert (tally.inbox_waiting, tally.inbox_age_s) == (3, 90.0)
    assert (tally.dead_letters, tally.unsent, tally.stopped) == (1, 1, True)
    assert tally.investigations == {("",): 1}
    assert tally.incidents == {("open",): 1}


async def test_its_own_alerts_that_still_fire_are_recalled(database: Database) -> None:
    def alert(subject: str, origin: Origin, *, firing: bool) -> AlertRow:
        return AlertRow(
            subject=subject, incident_id=None, origin=origin.value, environment="", service="",
            title="I am not ready", severity=3, firing=firing, first_at=NOON, last_at=NOON, count=1,
            flips=0, body={},
        )  # fmt: skip

    rows = [
        alert("self:a:Slack", Origin.SELF, firing=True),
        alert("self:inbox", Origin.SELF, firing=False),
        alert("pagerduty:1", Origin.PAGERDUTY, firing=True),
    ]
    await database.run(lambda session: session.add_all(rows))
    tally = await Tallies(database).now(NOON)
    assert tally.own_alerts == {"self:a:Slack": OwnAlert(title="I am not ready", at=NOON)}


async def test_only_an_incident_that_the_bot_opened_about_itself_is_about_itself(
    database: Database,
) -> None:
    incidents = Incidents(database)
    for number, origin in enumerate((Origin.SELF, Origin.PAGERDUTY), start=1):
        thread = Thread(team="T1", channel="C1", ts=f"{number}.0")
        row = IncidentRow(
            id=f"inc-{number}", team="T1", channel="C1", thread_ts=thread.ts, title="x",
            environment="prod", state="open", opened_at=NOON, origin=origin.value,
        )  # fmt: skip
        await database.run(lambda session, row=row: session.add(row))  # type: ignore[misc]
        await incidents.open_investigation(f"inv-{number}", thread, "sre-bot", "what", NOON)
    assert await incidents.about_itself("inv-1")
    assert not await incidents.about_itself("inv-2")
    failed = {
        "begun": Failed(kind="investigate", workflow="a", investigation="inv-1"),
        "not begun": Failed(kind="investigate", workflow="b", incident="inc-1"),
        "another": Failed(
            kind="investigate", workflow="c", incident="inc-2", investigation="inv-2"
        ),
        "none": Failed(kind="digest", workflow="d"),
    }
    others = await Tallies(database).of_others(tuple(failed.values()))
    assert [f.workflow for f in others] == ["c", "d"]
    assert not await incidents.about_itself("inv-none")
