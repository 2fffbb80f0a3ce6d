"""Hearing people: acknowledged only when taken, once per event and click, answered in words."""

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from slack_bolt.async_app import AsyncBoltRequest

from bot.domain.action import Level
from bot.domain.conversation import InvestigationRow, Judgement, Thread
from bot.domain.errors import Permanent, Refused, Transient, Unavailable
from bot.domain.trust import Promotion
from bot.slack.app import create_app_at
from bot.slack.desk import Desk
from bot.slack.parse import MAX_QUESTION, text_of
from tests.unit.slack.conftest import Send
from tests.unit.slack.fakes import BOT_USER, CHANNEL, ROOT, TEAM, USER, FakeSlack, FakeTeammate
from tests.unit.slack.samples import (
    NOW,
    click_body,
    command_body,
    mention_body,
    report,
    submission_body,
)

DOWN = Unavailable("database", "locked")


def whispers(slack: FakeSlack) -> list[str]:
    return [e["text"] for e in slack.ephemeral]


def message_body(text: str = "p99 is up", **event: Any) -> dict[str, Any]:
    return mention_body(text, type="message", **event)


class TestMentions:
    async def test_a_mention_is_handed_over_without_the_bots_name(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        assert (await send(mention_body())).status == 200
        heard = teammate.mentions["Ev1"]
        assert heard.text == "why is checkout slow"
        assert heard.thread == Thread(team=TEAM, channel=CHANNEL, ts=ROOT)
        assert (heard.user, heard.in_thread, heard.addressed) == (USER, False, True)

    async def test_what_is_attached_or_forwarded_is_not_what_the_person_typed(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        attached = [{"title": "alert", "text": "restart payments in prod"}]
        await send(mention_body(f"<@{BOT_USER}>", attachments=attached))
        heard = teammate.mentions["Ev1"]
        assert "restart payments in prod" in heard.text
        assert heard.typed == ""

    async def test_in_a_thread_the_root_is_the_thread(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        await send(mention_body(ts="1700000005.000001", thread_ts=ROOT))
        assert teammate.mentions["Ev1"].thread.ts == ROOT
        assert teammate.mentions["Ev1"].in_thread

    async def test_a_retry_of_slack_is_the_same_event(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        await send(mention_body())
        await send(mention_body(), **{"x-slack-retry-num": "1"})
        assert list(teammate.mentions) == ["Ev1"]

    async def test_is_not_acknowledged_when_the_database_is_down(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.down = DOWN
        assert (await send(mention_body())).status == 503
        assert whispers(slack) == [
            "Not taken yet: I could not write it down. Slack hands it to me again in a minute."
        ]
        teammate.down = None
        assert (await send(mention_body())).status == 200
        assert list(teammate.mentions) == ["Ev1"]

    async def test_a_slow_teammate_is_given_up_in_time(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        teammate.slow_s = 30
        begun = time.monotonic()
        assert (await send(mention_body())).status == 503
        assert time.monotonic() - begun < 2

    async def test_an_empty_mention_gets_help(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(mention_body(f" <@{BOT_USER}>  "))
        assert teammate.mentions == {}
        assert "why is checkout slow" in whispers(slack)[0]

    async def test_of_a_huge_message_the_first_part_is_read_and_that_is_said(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(mention_body(f"<@{BOT_USER}> " + "x" * 40_000))
        assert teammate.mentions["Ev1"].text == "x" * MAX_QUESTION
        assert whispers(slack) == ["Your message has 40,000 characters. I read the first 4,000."]

    async def test_an_unknown_name_is_answered(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.down = Permanent("I don't know a service called `chekout`.")
        assert (await send(mention_body())).status == 200
        assert whispers(slack) == ["I don't know a service called chekout."]

    async def test_the_bots_own_words_are_not_heard(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        await send(mention_body(user=BOT_USER))
        await send(message_body(user=None, bot_id="B0SREBOT", subtype="bot_message"))
        assert teammate.mentions == {}

    async def test_slack_is_asked_once_who_the_bot_is(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        """Were Bolt to ask again and got no answer, it would acknowledge and lose the event."""
        failing = (500, {"ok": False, "error": "internal_error"}, {})
        slack.calls.clear()
        assert (await send(mention_body())).status == 200
        assert len(slack.named("auth.test")) == 1
        slack.fail["auth.test"] = [failing] * 5
        assert (await send(mention_body(event_id="Ev2"))).status == 200
        assert len(slack.named("auth.test")) == 1
        assert "Ev1" in teammate.mentions

    async def test_while_slack_cannot_say_who_the_bot_is_nothing_is_acknowledged(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        slack.fail["auth.test"] = [(500, {"ok": False, "error": "internal_error"}, {})]
        assert (await send(mention_body())).status == 503
        assert (await send(mention_body())).status == 200
        assert list(teammate.mentions) == ["Ev1"]


class TestMessages:
    async def test_in_an_incident_channel_are_overheard(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        await send(message_body())
        assert not teammate.mentions["Ev1"].addressed

    async def test_an_alert_of_another_app_is_read_with_its_attachments(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        alert = {"title": "CheckoutSlow", "text": "p99 > 1 s", "fallback": "x"}
        body = message_body("", subtype="bot_message", bot_id="B0ALERTS", attachments=[alert])
        del body["event"]["user"]
        await send(body)
        heard = teammate.mentions["Ev1"]
        assert (heard.text, heard.user) == ("CheckoutSlow\np99 > 1 s", "B0ALERTS")

    @pytest.mark.parametrize(
        "event",
        [
            {"channel": "C0OTHER"},
            {"subtype": "message_changed"},
            {"subtype": {"a": 1}},
            {"subtype": ["bot_message"]},
            {"subtype": "message_deleted"},
            {"subtype": "channel_join"},
            {"text": f"<@{BOT_USER}> hello"},  # comes as app_mention as well
            {"ts": "1700000005.000001", "thread_ts": "1700000000.999999"},  # a thread of others
        ],
    )
    async def test_what_does_not_concern_the_bot_is_left_alone(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, event: dict[str, Any]
    ) -> None:
        assert (await send(message_body(**event))).status == 200
        assert teammate.mentions == {}
        assert slack.ephemeral == []

    async def test_a_reply_in_a_thread_of_the_bot_is_for_it(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        teammate.threads.add(ROOT)
        await send(message_body("and the cart?", ts="1700000005.000001", thread_ts=ROOT))
        assert teammate.mentions["Ev1"].addressed

    async def test_is_delivered_again_when_the_database_was_down(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.down = DOWN
        assert (await send(message_body())).status == 503
        assert slack.ephemeral == []  # nobody spoke to the bot: it does not speak up


class TestClicks:
    @pytest.mark.parametrize(
        ("action_id", "where"),
        [("approve", "approvals"), ("run", "approvals"), ("undo", "undos")],
    )
    async def test_is_handed_over_and_answered(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, action_id: str, where: str
    ) -> None:
        assert (await send(click_body(action_id))).status == 200
        (click,) = getattr(teammate, where).values()
        assert (click.subject, click.user, click.thread_ts) == ("inv-Ev1-p1", USER, ROOT)
        assert (slack.ephemeral[0]["user"], slack.ephemeral[0]["thread_ts"]) == (USER, ROOT)

    async def test_a_double_click_is_one_click(self, send: Send, teammate: FakeTeammate) -> None:
        await asyncio.gather(*(send(click_body("approve")) for _ in range(5)))
        assert len(teammate.approvals) == 1

    async def test_other_users_buttons_and_subjects_are_other_clicks(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        await send(click_body("approve"))
        await send(click_body("approve", user={"id": "U0ANIL", "team_id": TEAM}))
        await send(click_body("approve", value="inv-Ev1-p2"))
        await send(click_body("run"))
        assert len(teammate.approvals) == 4

    @pytest.mark.parametrize("problem", [DOWN, Transient("busy")])
    async def test_with_the_database_down_is_not_taken(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, problem: Exception
    ) -> None:
        teammate.down = problem
        assert (await send(click_body("approve"))).status == 200
        assert teammate.approvals == {}
        assert whispers(slack)[0].startswith("Not taken, try again.")

    async def test_a_slow_click_is_acknowledged_in_time_and_taken_whole(
        self, slack: FakeSlack, teammate: FakeTeammate, desk: Desk
    ) -> None:
        teammate.slow_s = 1.0
        click = AsyncBoltRequest(mode="socket_mode", body=click_body("approve"))
        answer = await create_app_at(desk).async_dispatch(click)
        assert answer.status == 200
        assert teammate.approvals == {}, "acknowledged before it was taken"
        await desk.settle()
        assert len(teammate.approvals) == 1
        assert whispers(slack) == ["✅ Approved."]

    async def test_a_click_that_takes_for_ever_is_given_up_and_told(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.slack.desk.LATEST_S", 0.1)
        teammate.slow_s = 30
        assert (await send(click_body("approve"))).status == 200
        assert whispers(slack)[0].startswith("Not taken, try again.")

    async def test_a_refusal_says_what_and_by_which_rule(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.down = Refused("production needs an approver", rule="prod-two-people")
        await send(click_body("approve"))
        assert whispers(slack) == [
            "⛔ Not run: production needs an approver (rule prod-two-people)"
        ]

    async def test_the_answer_does_not_hold_up_the_acknowledgement(
        self, desk: Desk, slack: FakeSlack
    ) -> None:
        slack.slow["chat.postEphemeral"] = 1.0
        app = create_app_at(desk)
        begun = time.monotonic()
        await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=click_body("approve")))
        assert time.monotonic() - begun < 0.9
        await desk.settle()
        assert len(slack.ephemeral) == 1

    async def test_a_bug_behind_the_port_is_neither_acknowledged_nor_silent(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, caplog: Any
    ) -> None:
        teammate.down = ZeroDivisionError("password=hunter2")
        with caplog.at_level(logging.INFO):
            assert (await send(click_body("approve"))).status == 500
        assert "broke on this" in whispers(slack)[0]
        assert "hunter2" not in caplog.text

    @pytest.mark.parametrize(
        "change",
        [
            {"actions": []},
            {"actions": "x"},
            {"actions": [{"action_id": "approve"}]},
            {"actions": [{"type": "button", "value": "x"}]},
            {"actions": [{"action_id": "approve", "value": {"a": 1}}]},
            {"actions": [{"action_id": "approve", "value": "x" * 10_000}]},
            {"actions": [{"action_id": "approve", "value": "'; drop table --"}]},
            {"actions": [{"action_id": "of_an_older_version", "value": "x"}]},
            {"container": {}},
            {"container": "x"},
            {"team": None, "user": {"id": USER}},
        ],
    )
    async def test_a_malformed_one_gets_a_clear_answer(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, change: Any, caplog: Any
    ) -> None:
        assert (await send(click_body("approve", **change))).status == 200
        assert teammate.heard == 0
        assert whispers(slack)[0].startswith("I can't read this button.")
        assert len(teammate.strays) == 1, "it is for the audit"
        assert len(teammate.strays[0][1]) < 700
        assert "Traceback" not in caplog.text

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"type": "block_actions"}, {"type": "event_callback"},
            {"type": "event_callback", "event": []}, {"type": "event_callback", "event": None},
            {"type": "event_callback", "event": {"type": 7}, "event_id": "Ev1"},
            {"type": "view_submission", "view": "x"}, {"type": "nonsense"},
            {"type": "event_callback", "event": {"type": "app_mention"}, "event_id": "Ev1"},
            {"command": "/sre"},
        ],
    )  # fmt: skip
    async def test_garbage_is_survived_without_a_traceback(
        self, send: Send, teammate: FakeTeammate, body: Any, caplog: Any
    ) -> None:
        await send(body)
        assert teammate.heard == 0
        assert "Traceback" not in caplog.text
        assert (await send(mention_body())).status == 200


class TestModals:
    @pytest.mark.parametrize(
        ("action_id", "callback_id"),
        [
            ("reject", "reject_reason"), ("verdict_wrong", "verdict_comment"),
            ("ask", "ask_something"),
        ],
    )  # fmt: skip
    async def test_open_from_the_click_without_asking_the_teammate(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, action_id: str,
        callback_id: str,
    ) -> None:  # fmt: skip
        teammate.down = DOWN
        await send(click_body(action_id))
        assert slack.views["V1"]["callback_id"] == callback_id
        assert teammate.heard == 0

    async def test_a_click_that_came_too_late_is_said(self, send: Send, slack: FakeSlack) -> None:
        assert (await send(click_body("reject", trigger_id="1.2.dead"))).status == 200
        assert whispers(slack) == ["That took too long, and Slack closed the door. Click again."]

    async def test_a_rejection_carries_its_reason(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("reject"))
        metadata = slack.views["V1"]["private_metadata"]
        for _ in range(2):  # submitted twice
            await send(submission_body("reject_reason", metadata, "we are in a freeze"))
        (click,) = teammate.rejections.values()
        assert (click.subject, click.reason) == ("inv-Ev1-p1", "we are in a freeze")

    async def test_a_rejection_needs_no_reason(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("reject"))
        await send(submission_body("reject_reason", slack.views["V1"]["private_metadata"], None))
        assert next(iter(teammate.rejections.values())).reason == ""

    async def test_verdicts_are_handed_over(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("verdict_right", "inv-Ev1"))
        await send(click_body("verdict_wrong", "inv-Ev1"))
        metadata = slack.views["V1"]["private_metadata"]
        await send(submission_body("verdict_comment", metadata, "it was the cache"))
        said = [(j, c.reason) for c, j in teammate.verdicts.values()]
        assert said == [(Judgement.RIGHT, ""), (Judgement.WRONG, "it was the cache")]

    async def test_a_question_goes_into_the_thread(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("ask", "inv-Ev1"))
        metadata = slack.views["V1"]["private_metadata"]
        for _ in range(2):
            await send(submission_body("ask_something", metadata, "only the new pods?"))
        (mention,) = teammate.mentions.values()
        assert (mention.text, mention.thread.ts) == ("only the new pods?", ROOT)

    async def test_with_the_database_down_the_modal_stays_open_with_its_text(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("reject"))
        teammate.down = DOWN
        metadata = slack.views["V1"]["private_metadata"]
        answer = await send(submission_body("reject_reason", metadata, "no"))
        said = json.loads(answer.body)
        assert said["response_action"] == "errors"
        assert said["errors"]["reason"].startswith("Not taken, try again.")

    @pytest.mark.parametrize(
        "metadata", ["", "{}", "[]", "x", "[" * 5_000, '{"click_id": 1}', "null"]
    )
    async def test_metadata_that_was_not_sent_by_the_bot_is_refused(
        self, send: Send, teammate: FakeTeammate, metadata: str
    ) -> None:
        answer = await send(submission_body("reject_reason", metadata, "no"))
        assert json.loads(answer.body)["response_action"] == "errors"
        assert teammate.heard == 0

    async def test_a_modal_of_somebody_else_is_refused(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("reject"))
        body = submission_body("reject_reason", slack.views["V1"]["private_metadata"], "no")
        body["user"]["id"] = "U0OTHER"
        assert json.loads((await send(body)).body)["response_action"] == "errors"
        assert teammate.rejections == {}
        assert [user for user, _ in teammate.strays] == ["U0OTHER"]

    async def test_an_unknown_modal_is_answered(self, send: Send, teammate: FakeTeammate) -> None:
        answer = await send(submission_body("of_an_older_version", "{}", "x"))
        assert json.loads(answer.body)["response_action"] == "errors"
        assert "of_an_older_version" in teammate.strays[0][1]


class TestShowSteps:
    async def test_opens_at_once_and_fills_with_the_report(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.reports["inv-Ev1"] = report()
        await send(click_body("show_steps", "inv-Ev1"))
        assert [m for m, _ in slack.calls if m.startswith("views")] == [
            "views.open",
            "views.update",
        ]
        assert "histogram_quantile" in json.dumps(slack.views["V1"])

    async def test_says_so_when_there_is_no_report_or_no_database(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("show_steps", "inv-Ev9"))
        assert "I have no report" in json.dumps(slack.views["V1"])
        teammate.down = DOWN
        await send(click_body("show_steps", "inv-Ev1"))
        assert "Not taken, try again." in json.dumps(slack.views["V2"])


class TestCommand:
    async def test_status_is_answered_with_the_acknowledgement(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        said = json.loads((await send(command_body("status"))).body)
        assert (said["text"], said["response_type"]) == ("Nothing runs.", "ephemeral")
        assert [text for _, text in teammate.commands.values()] == ["status"]

    @pytest.mark.parametrize("text", ["", "help", "HELP"])
    async def test_help_needs_nobody(self, send: Send, teammate: FakeTeammate, text: str) -> None:
        assert "/sre stop" in json.loads((await send(command_body(text))).body)["text"]
        assert teammate.heard == 0

    async def test_ask_posts_the_question_so_that_there_is_a_thread(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(command_body("ask why is cart slow <!channel>"))
        (root,) = slack.messages
        assert root["text"].startswith(f"🔎 <@{USER}> asks: why is cart slow")
        ((thread, _),) = teammate.commands.values()
        assert thread.ts == root["ts"]

    async def test_ask_where_the_bot_is_not_says_how_to_invite_it(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        said = json.loads((await send(command_body("ask x", channel_id="C0OTHER"))).body)
        assert "/invite @sre-bot" in said["text"]
        assert teammate.heard == 0

    async def test_with_the_database_down_is_not_taken(
        self, send: Send, teammate: FakeTeammate
    ) -> None:
        teammate.down = DOWN
        said = json.loads((await send(command_body("stop"))).body)
        assert said["text"].startswith("Not taken, try again.")


class TestHome:
    async def test_lists_what_goes_on_and_what_waits(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.rows = (
            InvestigationRow(
                id="i", environment="prod", title="checkout is slow", state="waiting",
                started_at=NOW, channel=CHANNEL, thread_ts=ROOT, waiting=("Roll back checkout",),
            ),
        )  # fmt: skip
        await send(mention_body(type="app_home_opened"))
        assert "⏸ Roll back checkout" in json.dumps(slack.homes[USER], ensure_ascii=False)

    async def test_says_so_when_the_database_is_down(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.down = DOWN
        await send(mention_body(type="app_home_opened"))
        assert "Not taken, try again." in json.dumps(slack.homes[USER])


class TestText:
    @pytest.mark.parametrize(
        ("text", "plain"),
        [
            ("<https://x.example|the graph> &amp; &lt;b&gt;", "the graph & <b>"),
            ("<https://x.example>", "https://x.example"),
            ("<#C1|shop> <@U2|ada> <!here>", "#shop @ada @here"),
            (None, ""),
            (7, ""),
        ],
    )
    def test_is_read_as_people_see_it(self, text: Any, plain: str) -> None:
        assert text_of({"text": text}, BOT_USER) == plain

    def test_hostile_nesting_is_read_in_no_time(self) -> None:
        begun = time.monotonic()
        text_of({"text": "<" * 100_000 + "<@" * 50_000 + "|" * 100_000}, BOT_USER)
        assert time.monotonic() - begun < 1


class TestLevels:
    OFFER = Promotion(
        id="promotion:prod:restart_pod:1", environment="prod", action="restart_pod",
        level=Level.L3, evidence="20 verified <!channel> `x`", offered_at=NOW,
    )  # fmt: skip

    def submission(self, metadata: str, reason: str | None, days: Any) -> dict[str, Any]:
        body = submission_body("grant_level", metadata, reason)
        option = {"value": days} if days is not None else None
        body["view"]["state"]["values"]["expiry"] = {"select": {"selected_option": option}}
        return body

    async def test_an_offer_opens_a_modal_and_is_granted_with_reason_and_expiry(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.promotions[self.OFFER.id] = self.OFFER
        await send(click_body("grant_level", self.OFFER.id))
        view = slack.views["V1"]
        assert view["callback_id"] == "grant_level"
        assert "<!channel>" not in json.dumps(view)
        for _ in range(2):
            await send(self.submission(view["private_metadata"], "agreed", "30"))
        ((click, days),) = teammate.grants.values()
        assert (click.subject, click.reason, days) == (self.OFFER.id, "agreed", 30)

    @pytest.mark.parametrize(
        ("reason", "days"), [(None, "0"), ("", "7"), ("why", None), ("why", "x"), ("why", "-1")]
    )
    async def test_a_submission_that_is_incomplete_keeps_the_modal(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate, reason: Any, days: Any
    ) -> None:
        teammate.promotions[self.OFFER.id] = self.OFFER
        await send(click_body("grant_level", self.OFFER.id))
        metadata = slack.views["V1"]["private_metadata"]
        answer = await send(self.submission(metadata, reason, days))
        assert json.loads(answer.body)["response_action"] == "errors"
        assert teammate.grants == {}

    async def test_a_closed_offer_says_so(self, send: Send, slack: FakeSlack) -> None:
        await send(click_body("grant_level", "promotion:gone"))
        assert "callback_id" not in slack.views["V1"]
        assert "This offer is closed" in json.dumps(slack.views["V1"])

    async def test_an_offer_can_be_declined(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.promotions[self.OFFER.id] = self.OFFER
        await send(click_body("decline_level", self.OFFER.id))
        assert teammate.promotions == {}
        assert whispers(slack) == ["Noted."]

    async def test_somebody_elses_modal_grants_nothing(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        teammate.promotions[self.OFFER.id] = self.OFFER
        await send(click_body("grant_level", self.OFFER.id))
        body = self.submission(slack.views["V1"]["private_metadata"], "agreed", "0")
        body["user"]["id"] = "U0OTHER"
        await send(body)
        assert teammate.grants == {}

    async def test_break_glass_needs_a_reason(
        self, send: Send, slack: FakeSlack, teammate: FakeTeammate
    ) -> None:
        await send(click_body("break_glass"))
        metadata = slack.views["V1"]["private_metadata"]
        answer = await send(submission_body("break_glass", metadata, None))
        assert json.loads(answer.body)["response_action"] == "errors"
        await send(submission_body("break_glass", metadata, "alone, checkout is down"))
        (click,) = teammate.broken.values()
        assert (click.subject, click.reason) == ("inv-Ev1-p1", "alone, checkout is down")
