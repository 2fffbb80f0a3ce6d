"""The inbox: a signal that was taken is never lost, never twice, and kept in order."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bot.domain.codec import encode
from bot.domain.errors import Malformed, Unavailable
from bot.domain.signal import DeadLetter, Origin, Phase, Severity, Signal
from bot.storage.database import Database
from bot.storage.inbox import MOST_ATTEMPTS, SignalInbox
from bot.storage.signal_tables import AlertRow
from tests.unit.remediation.office import FakeClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = "a\x00\ud800‮<!channel> password=hunter22 " + "x" * 5_000


def a_signal(key: str = "webhook:1", **changes: object) -> Signal:
    facts: dict[str, object] = {
        "key": key, "origin": Origin.WEBHOOK, "subject": f"{key}:s", "phase": Phase.FIRING,
        "title": "Checkout is slow", "at": NOW, "severity": Severity.HIGH,
        "labels": {"a": "b"}, "services": ("checkout",),
    }  # fmt: skip
    return Signal(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(moment=NOW)


@pytest.fixture
def inbox(database: Database, clock: FakeClock) -> SignalInbox:
    return SignalInbox(database, clock)


def nothing(letter: DeadLetter) -> Sequence[Signal]:
    raise Malformed(f"cannot read {letter.number}")


async def test_what_was_put_is_taken_as_it_was_and_in_order(inbox: SignalInbox) -> None:
    signals = [a_signal(f"webhook:{n}") for n in range(1_203)]
    assert await inbox.put(signals, NOW) == 1_203
    taken = await inbox.take(2_000)
    assert [r.signal for r in taken] == signals
    assert [r.number for r in taken] == sorted(r.number for r in taken)
    assert taken[0].at == NOW
    assert await inbox.oldest() == NOW


async def test_a_known_key_does_nothing_also_within_one_delivery(inbox: SignalInbox) -> None:
    assert await inbox.put([a_signal("webhook:1"), a_signal("webhook:1", title="b")], NOW) == 1
    assert await inbox.put([a_signal("webhook:1"), a_signal("webhook:2")], NOW) == 1
    assert await inbox.waiting() == 2
    assert inbox.put_now([(a_signal("webhook:2"), NOW), (a_signal("webhook:3"), NOW)]) == [1]


async def test_the_same_delivery_to_many_at_once_is_kept_once(
    inbox: SignalInbox, url: str, clock: FakeClock
) -> None:
    other = Database(url)
    replicas = [inbox, SignalInbox(other, clock)]
    signals = [a_signal(f"webhook:{n}") for n in range(20)]
    new = await asyncio.gather(*(r.put(signals, NOW) for r in replicas * 4))
    assert sum(new) == 20 or await inbox.waiting() == 20
    assert await inbox.waiting() == 20
    other.close()


async def test_what_was_dealt_with_is_not_taken_again(inbox: SignalInbox) -> None:
    await inbox.put([a_signal(f"webhook:{n}") for n in range(3)], NOW)
    first, second, third = await inbox.take(10)
    await inbox.done([first.number, third.number])
    assert [r.number for r in await inbox.take(10)] == [second.number]
    assert await inbox.put([first.signal], NOW) == 0


async def test_a_signal_that_fails_too_often_becomes_a_dead_letter(inbox: SignalInbox) -> None:
    await inbox.put([a_signal("webhook:bad"), a_signal("webhook:good")], NOW)
    bad = (await inbox.take(1))[0]
    for n in range(MOST_ATTEMPTS):
        assert (await inbox.take(1))[0].attempts == n
        await inbox.failed(bad.number, "triage: token=abcdefgh12345 broke")
    assert [r.signal.key for r in await inbox.take(10)] == ["webhook:good"]
    (letter,) = await inbox.dead_letters()
    assert letter.origin == "webhook"
    assert "abcdefgh12345" not in letter.error
    await inbox.failed(bad.number, "again")
    await inbox.failed(99_999, "never was")
    assert len(await inbox.dead_letters()) == 1


async def test_a_replayed_signal_comes_again_once_at_the_end(inbox: SignalInbox) -> None:
    await inbox.put([a_signal("webhook:bad"), a_signal("webhook:good")], NOW)
    bad = (await inbox.take(1))[0]
    for _ in range(MOST_ATTEMPTS):
        await inbox.failed(bad.number, "broke")
    (letter,) = await inbox.dead_letters()
    assert await inbox.replay(letter.number, nothing) == (bad.signal,)
    taken = await inbox.take(10)
    assert [(r.signal.key, r.attempts) for r in taken] == [("webhook:good", 0), ("webhook:bad", 0)]
    assert await inbox.dead_letters() == ()
    assert len(await inbox.dead_letters(replayed=True)) == 1
    with pytest.raises(Malformed, match="was replayed"):
        await inbox.replay(letter.number, nothing)
    with pytest.raises(Malformed, match="no dead letter 77"):
        await inbox.replay(77, nothing)


async def test_what_could_not_be_parsed_is_kept_without_secrets_and_once(
    inbox: SignalInbox,
) -> None:
    body = json.dumps({"password": "hunter22", "note": "a\x00b", "n": [1]})
    for _ in range(2):
        await inbox.bury("pagerduty", body, "no event", NOW)
    await inbox.bury("pagerduty", "token=abcdefgh12345 {" + "x" * 100_000 + "\ud800", "cut", NOW)
    cut, letter = await inbox.dead_letters()
    assert json.loads(letter.body) == {"password": "[redacted]", "note": "ab", "n": [1]}
    assert len(cut.body) == 65_536
    assert "abcdefgh12345" not in cut.body
    with pytest.raises(Malformed, match="cannot read"):
        await inbox.replay(letter.number, nothing)
    assert (await inbox.dead_letter(letter.number)) == letter
    assert await inbox.replay(letter.number, lambda _: [a_signal()]) == (a_signal(),)


async def test_a_huge_body_is_buried_quickly(inbox: SignalInbox) -> None:
    body = json.dumps([{"password": "hunter22", "note": "token=abcdefgh12345"}] * 100_000)
    async with asyncio.timeout(5):
        await inbox.bury("alertmanager", body, "odd", NOW)
    (letter,) = await inbox.dead_letters()
    assert len(letter.body) <= 65_536
    assert "hunter22" not in letter.body
    assert "abcdefgh12345" not in letter.body


async def test_hostile_texts_are_kept_harmless_and_short(inbox: SignalInbox) -> None:
    hostile = a_signal(
        HOSTILE, subject=HOSTILE, title=HOSTILE, text=HOSTILE, event=HOSTILE, link=HOSTILE,
        environment=HOSTILE, services=(HOSTILE,) * 50, at=NOW + timedelta(days=9),
        labels={f"{n}{HOSTILE}": HOSTILE for n in range(100)}, details={"token": "abcdefgh"},
        began=NOW + timedelta(days=8),
    )  # fmt: skip
    await inbox.put([hostile, hostile], NOW)
    (received,) = await inbox.take(5)
    kept = received.signal
    assert (len(kept.key), kept.subject, kept.link) == (64, kept.key, "")
    assert (kept.at, kept.began, len(kept.labels), len(kept.services)) == (NOW, NOW, 64, 1)
    assert len(kept.title) <= 300
    assert len(kept.text) <= 3_000
    assert kept.details == {"token": "[redacted]"}
    for said in (kept.title, kept.text, *kept.labels.values(), kept.environment):
        assert "hunter22" not in said
        assert said.isprintable()
    assert await inbox.put([hostile], NOW) == 0, "equal keys stay equal"


async def test_a_row_of_another_version_blocks_nothing(
    inbox: SignalInbox, database: Database
) -> None:
    await inbox.put([a_signal("webhook:1"), a_signal("webhook:2")], NOW)
    change = text("UPDATE inbox SET body = '{\"colour\": 3}' WHERE key = 'webhook:1'")
    await database.run(lambda session: session.execute(change) and None)
    assert [r.signal.key for r in await inbox.take(5)] == ["webhook:2"]
    assert "cannot read" in (await inbox.dead_letters())[0].error
    assert await inbox.waiting() == 1


async def test_what_is_old_and_done_is_forgotten_and_what_waits_is_not(
    inbox: SignalInbox, clock: FakeClock
) -> None:
    await inbox.put([a_signal("webhook:1"), a_signal("webhook:2")], NOW)
    await inbox.done([(await inbox.take(1))[0].number])
    await inbox.bury("pagerduty", "x", "y", NOW)
    clock.moment = NOW + timedelta(days=10)
    assert await inbox.prune(timedelta(days=20)) == 0
    assert await inbox.prune(timedelta(days=5)) == 2
    assert [r.signal.key for r in await inbox.take(5)] == ["webhook:2"]


async def test_without_a_database_nothing_is_said_to_be_kept(
    database: Database, inbox: SignalInbox
) -> None:
    drop = text("DROP TABLE inbox")
    await database.run(lambda session: session.execute(drop) and None)
    with pytest.raises(Unavailable):
        await inbox.put([a_signal()], NOW)


async def test_nothing_to_put_is_nothing(inbox: SignalInbox) -> None:
    assert await inbox.put([], NOW) == 0
    await inbox.done([])
    assert (await inbox.take(5), await inbox.oldest(), await inbox.waiting()) == ([], None, 0)


async def test_what_still_fires_is_told_by_its_newest_signal(
    inbox: SignalInbox, database: Database
) -> None:
    burning = a_signal("objective:1", origin=Origin.OBJECTIVE)
    for subject, body, firing in (
        ("a", encode(burning), True), ("b", encode(burning), False), ("c", {"odd": 1}, True),
    ):  # fmt: skip
        row = AlertRow(
            subject=subject, incident_id=None, origin="objective", environment="", service="",
            title="t", severity=2, firing=firing, first_at=NOW, last_at=NOW, count=1, flips=0,
            body=body,
        )  # fmt: skip
        await database.run(lambda session, row=row: session.add(row))  # type: ignore[misc]
    assert await inbox.firing(Origin.OBJECTIVE) == (burning,)
    assert await inbox.firing(Origin.GREY) == ()
