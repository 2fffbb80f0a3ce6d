"""An incident's one message: posted once in its channel, edited, six lines at most."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.conversation import Mark
from bot.domain.diagnosis import Status
from bot.domain.errors import Permanent
from bot.domain.incident import Face, Incident, Member, Stage, State
from bot.domain.signal import Severity
from bot.sandbox.workspace.blockkit import check
from bot.slack.notifier import SlackNotifier
from bot.slack.views.blocks import Message
from bot.slack.views.root import NOT_AN_INCIDENT, root
from tests.unit.slack.fakes import CHANNEL, TEAM, FakeSlack, MemoryOutbox, ProcessDied
from tests.unit.slack.samples import NOW, diagnosis, head

INCIDENT = Incident(
    id="sig-1", environment="prod", title="ledger refuses connections", state=State.OPEN,
    severity=Severity.CRITICAL, service="ledger", origin="alertmanager", opened_at=NOW,
    began_at=NOW - timedelta(seconds=60), alerts=14, version=3,
)  # fmt: skip


def member(service: str, alerts: int, at: float) -> Member:
    moment = NOW + timedelta(seconds=at)
    return Member(
        service=service, alerts=alerts, firing=alerts, severity=Severity.HIGH, first_at=moment,
        last_at=moment,
    )  # fmt: skip


def face(**changes: Any) -> Face:
    incident = replace(INCIDENT, **changes.pop("incident", {}))
    members = (member("front", 3, 20), member("ledger", 10, 0), member("payments", 1, 5))
    made = Face(incident=incident, members=members, origins=("ledger",))
    return replace(made, **changes)


def lines(message: Message) -> list[str]:
    text: str = message.blocks[0]["text"]["text"]
    return text.split("\n")


class TestWords:
    def test_it_counts_the_alerts_and_names_where_it_begins(self) -> None:
        shown = lines(root(face()))
        assert shown[0] == "🔎 *ledger refuses connections* · prod · looking into it"
        assert shown[1].startswith("14 alerts of 3 services since <!date^")
        assert shown[1].endswith(": ledger, payments, front · critical")
        assert shown[2] == "Begins at `ledger`: nothing that it calls alerts"

    def test_the_investigations_progress_and_verdict_show_in_it(self) -> None:
        running = lines(root(face(head=head())))
        assert running[0].endswith("· investigating, 6 s")
        assert any(line.startswith("Looked at: ") for line in running)
        ended = lines(root(face(head=head(diagnosis()))))
        assert ended[0].startswith(
            "🔴 *ledger refuses connections* · prod · root cause found, 91 %"
        )
        assert any("one query per cart item" in line for line in ended)
        assert len(ended) <= 6

    def test_the_answer_stands_first_and_where_it_begins_is_guessed_no_more(self) -> None:
        ended = lines(root(face(head=head(diagnosis(), action_line="⏸ Roll back? waiting"))))
        assert "one query per cart item" in ended[1]
        assert ended[2].startswith("14 alerts of 3 services")
        assert not any(line.startswith("Begins at") for line in ended)
        assert ended[-1] == "⏸ Roll back? waiting"

    def test_when_it_is_over_it_says_so_and_keeps_the_answer(self) -> None:
        over = {"state": State.RESOLVED, "closed_at": NOW + timedelta(minutes=11)}
        message = root(face(incident=over, head=head(diagnosis())))
        shown = lines(message)
        assert shown[0].startswith(
            f"{Mark.HEALTHY} *ledger refuses connections* · prod · recovered"
        )
        assert shown[0].endswith("after 12 min")
        assert any("one query per cart item" in line for line in shown)
        assert len(message.blocks) == 1

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"stage": Stage.SHED}, "not investigated: too much at once"),
            ({"stage": Stage.WAITING, "ahead": 4}, "waiting, 4 that are worse or older come first"),
            ({"twin": "payment is slow"}, "Same cause as *payment is slow*"),
            ({"flapping": 2}, "2 of them on and off"),
            (
                {"pager": {"status": "acknowledged", "priority": "P2", "assignees": "Rosa"}},
                "PagerDuty: acknowledged · P2 · with Rosa",
            ),
            (
                {"pager": {"status": "triggered"}, "link": "https://x.pagerduty.com/i/P1"},
                "<https://x.pagerduty.com/i/P1|PagerDuty>: triggered",
            ),
        ],
    )
    def test_it_says_what_else_there_is(self, changes: dict[str, Any], words: str) -> None:
        assert words in "\n".join(lines(root(face(**changes))))

    @pytest.mark.parametrize(
        ("who", "shown"),
        [("U0ADA", "On call: <@U0ADA>"), ("S0SRE", "On call: <!subteam^S0SRE>")],
    )
    def test_who_is_on_call_is_mentioned_while_it_is_open(self, who: str, shown: str) -> None:
        assert shown in lines(root(face(on_call=who)))
        over = face(on_call=who, incident={"state": State.RESOLVED, "closed_at": NOW})
        assert who not in str(root(over))
        beside = face(on_call=who, pager={"status": "triggered"})
        assert (
            lines(root(beside))[-1] == f"PagerDuty: triggered · {shown.removeprefix('On call: ')}"
        )

    @pytest.mark.parametrize(
        "who", ["", "@here", "!channel", "here", "U0<!here>", "S0|x", "C0SHOP"]
    )
    def test_nobody_else_is_ever_mentioned(self, who: str) -> None:
        assert root(face(on_call=who)) == root(face())

    def test_one_that_was_none_names_who_said_so(self) -> None:
        dismissed = {"state": State.RESOLVED, "quiet": "not an incident, says <@U0ROSA>"}
        assert "not an incident, says <@U0ROSA>" in lines(root(face(incident=dismissed)))[0]

    def test_an_open_one_can_be_called_none(self) -> None:
        (button,) = root(face()).blocks[1]["elements"]
        assert (button["action_id"], button["value"]) == (NOT_AN_INCIDENT, "sig-1")

    @pytest.mark.parametrize(
        "text",
        [
            "<!channel> *bold* `code` <https://evil|click>",
            "a" * 5000,
            "x\ny\n\x00z",
            "password=hunter22",
        ],
    )
    def test_whatever_an_alert_says_is_inert_text_within_slacks_limits(self, text: str) -> None:
        hostile = face(
            incident={"title": text, "service": text}, members=(member(text, 1, 0),) * 30,
            origins=(text,) * 20, pager={"status": text, "assignees": text, "html_url": text},
            link=f"javascript:{text}",
        )  # fmt: skip
        message = root(hostile)
        shown = "\n".join(lines(message)) + message.text
        assert check(list(message.blocks), surface="message") == []
        assert "<!channel>" not in shown
        assert "<https://evil" not in shown
        assert "hunter22" not in shown
        assert len(lines(message)) <= 6

    def test_an_unknown_answer_is_six_lines_at_most(self) -> None:
        unknown = diagnosis(status=Status.UNKNOWN, causes=())
        busy = face(head=head(unknown), pager={"status": "triggered"}, flapping=3)
        assert len(lines(root(busy))) <= 6


class TestPosting:
    async def test_it_is_one_message_of_the_channel_and_edited(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        thread = await notifier.root(CHANNEL, face())
        again = await notifier.root(CHANNEL, face(stage=Stage.SHED))
        (message,) = slack.messages
        assert thread == again
        assert (thread.team, thread.channel, thread.ts) == (TEAM, CHANNEL, message["ts"])
        assert "thread_ts" not in message
        assert "not investigated" in message["text"]

    async def test_a_crash_after_the_post_posts_nothing_twice(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        def born() -> SlackNotifier:
            return SlackNotifier(client, outbox, lambda c, s: b"", edit_interval_s=0.01)

        then = {"opened_at": datetime.fromtimestamp(1_700_000_000, UTC)}
        outbox.crash_before_finish = 1
        with pytest.raises(ProcessDied):
            await born().root(CHANNEL, face(incident=then))
        for n in range(5):  # more than one page of other incidents
            await born().root(CHANNEL, face(incident={"id": f"sig-other-{n}"}))
        thread = await born().root(CHANNEL, face(stage=Stage.SHED, incident=then))
        mine = [m for m in slack.messages if "sig-1/root" in str(m["metadata"])]
        assert [m["ts"] for m in mine] == [thread.ts]
        assert "not investigated" in mine[0]["text"]

    async def test_one_that_a_person_deleted_is_not_posted_again(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        await notifier.root(CHANNEL, face())
        slack.messages.clear()
        await notifier.root(CHANNEL, face(stage=Stage.SHED))
        assert slack.messages == []


class TestCalling:
    """Who is on call is called once: by the first post, or by a reply when it becomes grave."""

    async def test_what_was_grave_from_the_first_calls_nobody_twice(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        thread = await notifier.root(CHANNEL, face(on_call="S0SRE"))
        await notifier.call(thread, face(on_call="S0SRE"))
        await notifier.root(CHANNEL, face(on_call="S0SRE", stage=Stage.SHED))
        await notifier.call(thread, face(on_call="S0SRE"))
        assert len(slack.messages) == 1

    @pytest.mark.parametrize("crashes", [0, 1])
    async def test_what_becomes_grave_calls_in_the_thread_once_whatever_crashes(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack, crashes: int
    ) -> None:
        def born() -> SlackNotifier:
            return SlackNotifier(client, outbox, lambda c, s: b"", edit_interval_s=0.01)

        thread = await born().root(CHANNEL, face(incident={"severity": Severity.WARNING}))
        await born().call(thread, face())  # nobody is
        outbox.crash_before_finish = crashes
        for _ in range(crashes):
            with pytest.raises(ProcessDied):
                await born().call(thread, face(on_call="U0ADA"))
        for _ in range(3):
            assert await born().root(CHANNEL, face(on_call="U0ADA")) == thread
            await born().call(thread, face(on_call="U0ADA"))
        _, reply = slack.messages
        assert reply["thread_ts"] == thread.ts
        said = reply["blocks"][0]["text"]["text"]
        assert said == "Now critical: *ledger refuses connections*. On call: <@U0ADA>"

    async def test_a_first_post_that_comes_late_makes_the_call_alone(
        self, client: AsyncWebClient, outbox: MemoryOutbox, slack: FakeSlack
    ) -> None:
        def born() -> SlackNotifier:
            return SlackNotifier(client, outbox, lambda c, s: b"", edit_interval_s=0.01)

        refused = (200, {"ok": False, "error": "not_in_channel"}, {})
        slack.fail["chat.postMessage"] = [refused, refused]
        with pytest.raises(Permanent):  # it would not have called, had it been posted
            await born().root(CHANNEL, face(incident={"severity": Severity.WARNING}))
        with pytest.raises(Permanent):
            await born().root(CHANNEL, face(on_call="U0ADA"))
        outbox.crash_before_finish = 1
        with pytest.raises(ProcessDied):
            await born().root(CHANNEL, face(on_call="U0ADA"))
        for _ in range(2):
            thread = await born().root(CHANNEL, face(on_call="U0ADA"))
            await born().call(thread, face(on_call="U0ADA"))
        (message,) = slack.messages
        assert "<@U0ADA>" in str(message["blocks"])

    @pytest.mark.parametrize("evil", ["<!channel> <@U0EVE>", "*x* @here https://evil.example"])
    async def test_nothing_but_who_is_on_call_is_mentioned(
        self, notifier: SlackNotifier, slack: FakeSlack, evil: str
    ) -> None:
        thread = await notifier.root(CHANNEL, face())
        await notifier.call(thread, face(on_call="U0ADA", incident={"title": evil}))
        said = str(slack.messages[-1]["blocks"])
        assert "<@U0ADA>" in said
        assert not any(w in said for w in ("<!channel>", "<@U0EVE>", "@here", "https://evil"))

    async def test_what_is_over_calls_nobody(
        self, notifier: SlackNotifier, slack: FakeSlack
    ) -> None:
        thread = await notifier.root(CHANNEL, face())
        over = face(on_call="U0ADA", incident={"state": State.RESOLVED, "closed_at": NOW})
        await notifier.call(thread, over)
        assert len(slack.messages) == 1
