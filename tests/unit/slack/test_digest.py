"""The digest in Slack: one message a week, its picture below, found again after a crash."""

from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.conversation import Thread
from bot.domain.kpis import Facts, Scope
from bot.slack.notifier import SlackNotifier
from bot.slack.views.digest import digest as digest_view
from tests.fakes.team_week import NOW, busy, diagnosis, digest_of, incident, offer
from tests.unit.slack.fakes import CHANNEL, TEAM, FakeSlack, MemoryOutbox, ProcessDied
from tests.unit.slack.test_views import HOSTILE, LONG, is_harmless, shown

PLACE = Thread(team=TEAM, channel=CHANNEL, ts="")
PICTURE = b"\x89PNG"


def notifier_with(client: AsyncWebClient, outbox: MemoryOutbox) -> SlackNotifier:
    return SlackNotifier(client, outbox, lambda chart, suspect: b"", edit_interval_s=0.05)


def test_the_answer_comes_first_and_every_part_has_its_lines() -> None:
    message = digest_view(digest_of(busy()))
    lines = shown(message).splitlines()
    assert lines[0] == "*Week 47, 16 to 22 Nov · prod*"
    assert lines[1].startswith("9 incidents, 11 the week before.")
    assert "*How fast*" in lines
    assert f"⏸ Scale search to 6, until <!date^{int(NOW.timestamp()) + 1500}^" in shown(message)
    assert "search returns errors · prod · <#C0INCIDENTS>, for 4 d 22 h" in lines
    assert (
        lines[-1] == "What each figure means: docs/kpis.md. Weeks begin at midnight, Europe/Paris."
    )
    assert message.text.startswith("Week 47, 16 to 22 Nov · prod: 9 incidents")
    is_harmless(message)


@pytest.mark.parametrize("evil", [HOSTILE, LONG, "\n" * 500, "*" * 500])
def test_names_of_data_have_no_power_and_no_length(evil: str) -> None:
    many = range(1, 30)
    facts = Facts(
        incidents=(
            *(incident(n, title=evil, environment=evil, service=f"{n}{evil}", closed_at=None)
              for n in many),
            *(incident(100 + n, quiet=f"{n}{evil}", environment=evil, service=f"{n}{evil}")
              for n in many),
        ),
        diagnoses=tuple(diagnosis(n, cause=f"{n}{evil}", service=evil) for n in many),
        offers=tuple(
            offer(n, title=evil, choice=None, carried_out_at=None, environment=evil,
                  expires_at=offer().expires_at + timedelta(days=30))
            for n in many
        ),
    )  # fmt: skip
    message = digest_view(digest_of(facts, Scope(environments=(evil,), services=())))
    is_harmless(message)
    assert "Still open" in shown(message)


def test_an_empty_week_is_a_short_message() -> None:
    message = digest_view(digest_of(Facts()))
    assert len(message.blocks) == 2
    is_harmless(message)


async def test_the_week_is_posted_once_with_its_picture_below(
    notifier: SlackNotifier, slack: FakeSlack
) -> None:
    for _ in range(3):
        await notifier.digest(PLACE, digest_of(busy()), PICTURE)
    root, picture = slack.messages
    assert (root.get("thread_ts"), root["channel"]) == (None, CHANNEL)
    assert picture["thread_ts"] == root["ts"]
    assert slack.uploads == [PICTURE]


async def test_another_week_is_another_message(notifier: SlackNotifier, slack: FakeSlack) -> None:
    made = digest_of(busy())
    later = replace(made.week, end=made.week.end + timedelta(days=7))
    await notifier.digest(PLACE, made, b"")
    await notifier.digest(PLACE, replace(made, week=later), b"")
    assert len(slack.messages) == 2


async def test_a_crash_after_the_post_finds_it_in_the_channels_history(
    client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
) -> None:
    made = digest_of(busy())
    made = replace(made, week=replace(made.week, end=made.week.end - timedelta(days=1200)))
    outbox.crash_before_finish = 1
    with pytest.raises(ProcessDied):
        await notifier_with(client, outbox).digest(PLACE, made, PICTURE)
    for number in range(5):  # what else was said meanwhile: more than one page
        slack.messages.append({"ts": f"1700000005.{number:06d}", "channel": CHANNEL})
    await notifier_with(client, outbox).digest(PLACE, made, PICTURE)
    assert len(slack.named("chat.postMessage")) == 1
    assert [m["thread_ts"] for m in slack.messages if m.get("files")] == [slack.messages[0]["ts"]]


async def test_a_crash_before_the_post_posts_it(
    client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
) -> None:
    made = digest_of(busy())
    key = f"digest:{CHANNEL}:{made.week.end:%Y-%m-%dT%H:%MZ}"
    await outbox.begin(key, CHANNEL)
    await notifier_with(client, outbox).digest(PLACE, made, PICTURE)
    assert len(slack.named("chat.postMessage")) == 1


async def test_a_crash_after_the_picture_posts_no_second_one(
    client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
) -> None:
    made = digest_of(busy())
    await notifier_with(client, outbox).digest(PLACE, made, b"")
    outbox.crash_before_finish = 1
    with pytest.raises(ProcessDied):
        await notifier_with(client, outbox).digest(PLACE, made, PICTURE)
    await notifier_with(client, outbox).digest(PLACE, made, PICTURE)
    assert slack.uploads == [PICTURE]


async def test_an_offer_in_a_direct_message_is_not_looked_for_by_a_persons_id(
    client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
) -> None:
    notifier = notifier_with(client, outbox)
    found = [m async for m in notifier._history("U0ADMIN", None)]
    assert (found, slack.calls) == ([], [])
