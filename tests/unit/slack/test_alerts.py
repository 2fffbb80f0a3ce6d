"""Other apps' alerts become signals; people's words stay words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from bot.domain.errors import Unavailable
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.slack.alerts import alert_of
from bot.slack.desk import Desk
from bot.slack.parse import mention_of
from tests.unit.slack.conftest import Send
from tests.unit.slack.fakes import CHANNEL, ROOT, TEAM, FakeTeammate
from tests.unit.slack.samples import mention_body


def posted(text: str = "", **event: Any) -> dict[str, Any]:
    """Return an app's message at the top of a channel."""
    own = {"type": "message", "subtype": "bot_message", "bot_id": "B0ALERTS", **event}
    body = mention_body(text, **own)
    body["event"].pop("user")
    return body


def read(text: str = "", **event: Any) -> Signal | None:
    body = posted(text, **event)
    return alert_of(body["event"], mention_of(body)[0], "prod")


@pytest.mark.parametrize(
    ("text", "phase", "title"),
    [("[FIRING:2] HighLatency (checkout)", Phase.FIRING, "HighLatency (checkout)"),
     ("[RESOLVED] HighLatency (checkout)", Phase.RESOLVED, "HighLatency (checkout)"),
     (":fire: *Triggered:* Disk full on db-1", Phase.FIRING, "Disk full on db-1"),
     ("Recovered: Disk full on db-1", Phase.RESOLVED, "Disk full on db-1"),
     ("🚨 ALERT - queue grows", Phase.FIRING, "queue grows"),
     ("Triggered #1234: Checkout is slow", Phase.FIRING, "Checkout is slow"),
     ("Resolved #1234: Checkout is slow", Phase.RESOLVED, "Checkout is slow"),
     ("OK: ping", Phase.RESOLVED, "ping"), ("CRITICAL", Phase.FIRING, "CRITICAL")],
)  # fmt: skip
def test_the_first_word_says_that_it_is_an_alert(text: str, phase: Phase, title: str) -> None:
    signal = read(text)
    assert signal is not None
    assert (signal.phase, signal.title, signal.origin) == (phase, title, Origin.SLACK)


def test_an_alert_and_its_end_have_one_subject_and_two_keys() -> None:
    fired = read("[FIRING:1] HighLatency (checkout)")
    ended = read("[RESOLVED] HighLatency (checkout)", ts="1700000009.000100")
    other = read("[FIRING:1] HighLatency (cart)")
    assert fired
    assert ended
    assert other
    assert fired.subject == ended.subject != other.subject
    assert fired.key == f"slack:{TEAM}:{CHANNEL}:{ROOT}" != ended.key


def test_fields_and_lines_say_what_it_is_about() -> None:
    attachment = {
        "color": "danger", "title": "p99 of checkout", "title_link": "https://g.example/d/1",
        "text": "*Service:* `checkout`\nenv: production",
        "fields": [{"title": "Severity", "value": "critical"}, {"title": 3}, "x"],
    }  # fmt: skip
    signal = read(attachments=[attachment, 7])
    assert signal is not None
    assert (signal.services, signal.severity) == (("checkout",), Severity.CRITICAL)
    assert (signal.environment, signal.link) == ("prod", "https://g.example/d/1")
    assert signal.labels["env"] == "production"
    assert signal.details == {"team": TEAM, "channel": CHANNEL, "ts": ROOT, "bot": "B0ALERTS"}


@pytest.mark.parametrize(
    "text",
    ["", "Deploy of checkout v2.41 finished", "Okay, build 7 passed", "PR #3 opened by kim",
     "errors were fixed in v2", "Upgrade done", "Warnings are off", "normally quiet"],
)  # fmt: skip
def test_what_apps_say_otherwise_is_no_alert(text: str) -> None:
    assert read(text) is None


@dataclass
class Kept:
    """An inbox that keeps in memory; `down` refuses."""

    signals: list[Signal] = field(default_factory=list)
    down: bool = False

    async def put(self, signals: Sequence[Signal], at: datetime) -> int:
        assert at.tzinfo is not None
        if self.down:
            raise Unavailable("database", "gone")
        self.signals += signals
        return len(signals)


class TestListening:
    @pytest.fixture
    def inbox(self, desk: Desk) -> Kept:
        inbox = Kept()
        desk.inbox = inbox  # type: ignore[assignment] # only what is put
        return inbox

    async def test_an_apps_alert_goes_to_the_inbox_and_is_no_question(
        self, send: Send, inbox: Kept, teammate: FakeTeammate
    ) -> None:
        assert (await send(posted("[FIRING:1] HighLatency"))).status == 200
        assert [s.title for s in inbox.signals] == ["HighLatency"]
        assert teammate.mentions == {}

    async def test_a_persons_message_stays_a_question_whatever_it_looks_like(
        self, send: Send, inbox: Kept, teammate: FakeTeammate
    ) -> None:
        await send(mention_body("[FIRING:1] HighLatency", type="message"))
        assert inbox.signals == []
        assert list(teammate.mentions) == ["Ev1"]

    @pytest.mark.parametrize(
        "body",
        [posted("Deploy finished"), posted("[FIRING:1] x", channel="C0OTHER"),
         posted("[FIRING:1] x", thread_ts="1699999999.000100"),
         posted("[FIRING:1] x", bot_id="")],
    )  # fmt: skip
    async def test_what_is_no_alert_in_an_incident_channel_is_none(
        self, send: Send, inbox: Kept, body: dict[str, Any]
    ) -> None:
        await send(body)
        assert inbox.signals == []

    async def test_the_bots_own_alerting_words_are_not_heard(
        self, send: Send, inbox: Kept, teammate: FakeTeammate
    ) -> None:
        await send(posted("[FIRING:1] x", bot_id="B0SREBOT"))
        assert inbox.signals == []
        assert teammate.mentions == {}

    async def test_without_a_database_slack_delivers_it_again(
        self, send: Send, inbox: Kept, teammate: FakeTeammate
    ) -> None:
        inbox.down = True
        assert (await send(posted("[FIRING:1] x"))).status == 503
        inbox.down = False
        assert (await send(posted("[FIRING:1] x"))).status == 200
        assert len(inbox.signals) == 1
        assert teammate.mentions == {}
