"""Telling people: once per key over crashes, at a polite pace, and never a vendor's error."""

import asyncio
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.conversation import CardState, Head, Mark, Notice, Thread
from bot.domain.diagnosis import ChartData
from bot.domain.errors import NotConfigured, Permanent, SreBotError, Transient, Unavailable
from bot.slack.notifier import SlackNotifier
from tests.unit.slack.fakes import (
    CHANNEL,
    ROOT,
    TOKEN,
    USER,
    FakeSlack,
    MemoryOutbox,
    ProcessDied,
)
from tests.unit.slack.samples import THREAD, card, chart, diagnosis, head, report

NOTICE = Notice(mark=Mark.HEALTHY, text="Nothing is wrong now.")


def running(elapsed_s: float) -> Head:
    made = head()
    return replace(made, progress=replace(made.progress, elapsed_s=elapsed_s))


def drawn(data: ChartData, suspect: str) -> bytes:
    return f"png of {data.series.service}, suspect {suspect}".encode()


class TestPosting:
    async def test_the_head_is_one_message_in_the_thread_and_edited(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await notifier.head(THREAD, running(1))
        await notifier.head(THREAD, head(diagnosis()))
        (message,) = slack.messages
        assert message["thread_ts"] == ROOT
        assert "root cause found" in message["text"]
        assert message["metadata"] == {
            "event_type": "sre_bot_post",
            "event_payload": {"key": "inv-Ev1/head"},
        }

    async def test_report_card_and_notice_are_messages_of_their_own(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await notifier.report(THREAD, report())
        await notifier.card(THREAD, card())
        await notifier.say(THREAD, NOTICE, key="k")
        await notifier.say(THREAD, NOTICE, key="k")
        assert len(slack.messages) == 3

    async def test_the_same_again_is_no_call(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        for _ in range(3):
            await notifier.card(THREAD, card())
        assert len(slack.named("chat.postMessage")) == 1
        assert slack.named("chat.update") == []

    async def test_a_whisper_is_for_one_person(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await notifier.whisper(CHANNEL, USER, NOTICE, ROOT)
        assert (slack.ephemeral[0]["user"], slack.messages) == (USER, [])

    async def test_the_chart_is_uploaded_once_and_marks_the_suspect(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        notifier = SlackNotifier(client, outbox, drawn)
        for _ in range(2):
            await notifier.report(THREAD, report(chart=chart()))
        assert slack.uploads == [b"png of checkout, suspect c1"]
        assert slack.named("files.completeUploadExternal")[0]["thread_ts"] == ROOT

    async def test_a_deleted_message_is_said_again(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await notifier.card(THREAD, card())
        slack.messages.clear()
        await notifier.card(THREAD, card(state=CardState.ACTING))
        (message,) = slack.messages
        assert "acting" in message["text"]


class TestExactlyOnce:
    async def test_a_crash_between_post_and_record_posts_nothing_twice(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        outbox.crash_before_finish = 1
        for n in range(5):  # other messages of the thread, more than one page
            await _notifier(client, MemoryOutbox()).say(THREAD, NOTICE, key=f"other-{n}")
        with pytest.raises(ProcessDied):
            await _notifier(client, outbox).card(THREAD, card())
        await _notifier(client, outbox).card(THREAD, card(state=CardState.ACTING))
        cards = [
            m for m in slack.messages if m["metadata"]["event_payload"]["key"].endswith("card")
        ]
        assert len(cards) == 1
        assert "acting" in cards[0]["text"]

    async def test_a_crash_before_the_post_posts_it(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        await outbox.begin("k", CHANNEL)  # the intent of a bot that died then
        await _notifier(client, outbox).say(THREAD, NOTICE, key="k")
        assert len(slack.messages) == 1

    async def test_an_answer_that_got_lost_is_found_in_the_thread(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        slack.swallow.add("chat.postMessage")
        with pytest.raises(Unavailable):
            await notifier.say(THREAD, NOTICE, key="k")
        await notifier.say(THREAD, NOTICE, key="k")
        assert len(slack.messages) == 1

    async def test_a_chart_whose_upload_was_not_recorded_is_not_uploaded_again(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        await _notifier(client, outbox).report(THREAD, report())
        outbox.crash_before_finish = 1
        for crash in (True, False):
            with pytest.raises(ProcessDied) if crash else _nothing():
                await _notifier(client, outbox).report(THREAD, report(chart=chart()))
        assert len(slack.uploads) == 1

    async def test_two_at_the_same_time_are_one_post(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await asyncio.gather(*(notifier.say(THREAD, NOTICE, key="k") for _ in range(5)))
        assert len(slack.messages) == 1

    async def test_somebody_elses_metadata_is_not_taken_for_the_bots_own(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        payload = {"event_type": "sre_bot_post", "event_payload": {"key": "k"}}
        slack.messages.append({"ts": "1.1", "thread_ts": ROOT, "user": USER, "metadata": payload})
        await outbox.begin("k", CHANNEL)
        await _notifier(client, outbox).say(THREAD, NOTICE, key="k")
        assert outbox.rows["k"].ts != "1.1"


class TestPace:
    async def test_edits_are_coalesced_and_the_last_state_is_always_sent(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        notifier = SlackNotifier(client, outbox, drawn, edit_interval_s=0.2)
        begun = time.monotonic()
        for n in range(30):
            await notifier.head(THREAD, running(n))
            await asyncio.sleep(0.01)
        await notifier.head(THREAD, head(diagnosis()))
        elapsed = time.monotonic() - begun
        assert "root cause found" in slack.messages[0]["text"]
        times = [at for method, at in slack.at if method.startswith("chat.")]
        gaps = [b - a for a, b in pairwise(times)]
        assert 2 <= len(times) <= 3 + elapsed / 0.2
        assert min(gaps) >= 0.18

    async def test_progress_does_not_wait_for_its_turn(
        self, client: AsyncWebClient, outbox: MemoryOutbox
    ) -> None:
        notifier = SlackNotifier(client, outbox, drawn, edit_interval_s=30)
        await notifier.head(THREAD, running(1))
        begun = time.monotonic()
        await notifier.head(THREAD, running(2))
        assert time.monotonic() - begun < 1
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if "_drain" in repr(task):
                task.cancel()
        await asyncio.sleep(0)

    async def test_different_messages_do_not_wait_for_each_other(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        notifier = SlackNotifier(client, outbox, drawn, edit_interval_s=30)
        await notifier.card(THREAD, card())
        await notifier.report(THREAD, report())
        assert len(slack.messages) == 2

    async def test_retry_after_is_obeyed(self, notifier: SlackNotifier, slack: FakeSlack) -> None:
        slack.fail["chat.postMessage"] = [_limited(0.3)]
        begun = time.monotonic()
        await asyncio.gather(
            notifier.say(THREAD, NOTICE, key="a"), notifier.say(THREAD, NOTICE, key="b")
        )
        assert time.monotonic() - begun >= 0.3
        assert len(slack.messages) == 2

    async def test_a_long_wait_is_left_to_the_workflow(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        slack.fail["chat.postMessage"] = [_limited(3600)]
        with pytest.raises(Transient) as raised:
            await notifier.say(THREAD, NOTICE, key="a")
        assert raised.value.retry_after_s > 3000


class TestFailures:
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            ((500, {"ok": False, "error": "internal_error"}, {}), Unavailable),
            ((200, {"ok": False, "error": "fatal_error"}, {}), Unavailable),
            ((200, {"ok": False, "error": "invalid_auth"}, {}), NotConfigured),
            ((200, {"ok": False, "error": "missing_scope", "needed": "chat:write"}, {}),
             NotConfigured),
            ((200, {"ok": False, "error": "is_archived"}, {}), Permanent),
            ((200, {"ok": False}, {}), Unavailable),
        ],
    )  # fmt: skip
    async def test_are_ours_and_not_the_vendors(
        self, notifier: SlackNotifier, slack: FakeSlack, answer: Any, kind: type[SreBotError]
    ) -> None:
        slack.fail["chat.postMessage"] = [answer]
        with pytest.raises(kind):
            await notifier.say(THREAD, NOTICE, key="k")

    async def test_slack_being_away_is_unavailable(self, outbox: MemoryOutbox) -> None:
        nobody = AsyncWebClient(token=TOKEN, base_url="http://127.0.0.1:9/api/")
        with pytest.raises(Unavailable):
            await _notifier(nobody, outbox).say(THREAD, NOTICE, key="k")

    async def test_slack_being_silent_is_unavailable(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        slack.slow["chat.postMessage"] = 1.0
        notifier = SlackNotifier(client, outbox, drawn, timeout_s=0.2)
        with pytest.raises(Unavailable):
            await notifier.say(THREAD, NOTICE, key="k")

    async def test_a_channel_that_is_not_there_is_permanent(self, notifier: SlackNotifier) -> None:
        nowhere = Thread(team="T", channel="C0NOWHERE", ts=ROOT)
        with pytest.raises(Permanent):
            await notifier.say(nowhere, NOTICE, key="k")

    async def test_a_failed_edit_is_raised_where_it_matters_and_made_up_for(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await notifier.card(THREAD, card())
        slack.fail["chat.update"] = [(500, {"ok": False, "error": "internal_error"}, {})]
        with pytest.raises(Unavailable):
            await notifier.card(THREAD, card(state=CardState.ACTING))
        await notifier.card(THREAD, card(state=CardState.ACTING))
        assert "acting" in slack.messages[0]["text"]


def _notifier(client: AsyncWebClient, outbox: MemoryOutbox) -> SlackNotifier:
    return SlackNotifier(client, outbox, drawn, edit_interval_s=0.01)


def _limited(seconds: float) -> tuple[int, dict[str, Any], dict[str, str]]:
    return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)}


class _nothing:  # noqa: N801 - reads as a function
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def test_of_those_who_change_one_message_one_is_at_it_however_many_others_there_are(
    notifier: SlackNotifier,
) -> None:
    inside: list[int] = []

    async def change() -> None:
        async with notifier._lock("inv-1/head"):
            inside.append(1)
            await asyncio.sleep(0.01)
            assert len(inside) == 1
            inside.pop()

    async with asyncio.TaskGroup() as tasks:
        async with notifier._lock("inv-1/head"):
            tasks.create_task(change())
            await asyncio.sleep(0)
        for number in range(1_100):  # while the first was told that it is its turn
            notifier._lock(f"inv-{number}/report")
        tasks.create_task(change())

    assert len(notifier._locks) == 0
