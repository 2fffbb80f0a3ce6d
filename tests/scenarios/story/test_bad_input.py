"""Bad input over real processes: each gets a clear answer, and nothing is lost."""

import concurrent.futures
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from bot.cli.company import INCIDENT_CHANNEL, TEAM, Company, Plan
from bot.domain.action import Level
from bot.sandbox.workspace.webhook import sign
from tests.fakes.story import Hands, Json, find_element, saying, text_of, with_button
from tests.scenarios.story.test_levels import set_level

pytestmark = pytest.mark.story

RATE = 60.0
PATIENCE_S = 120.0
SECRET = "sandbox-signing-secret"


@dataclass
class Place:
    """A company whose bot can be started again with other settings."""

    company: Company
    settings: dict[str, str]
    hands: Hands = field(init=False)
    port: int = 0

    def __post_init__(self) -> None:
        self.hands = Hands(self.company)

    def restart(self, **settings: str) -> None:
        self.company.kill_bot()
        self.settings.clear()
        self.settings.update(settings)
        self.port = int(self.company.start_bot()["port"])

    @property
    def home(self) -> Path:
        return self.company.plan.home

    def whispered(self, words: str, *, user: str = "U0RESPONDER", thread_ts: str = "") -> str:
        """Wait until the bot has told that user, and only them."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if thread_ts:
                messages = self.hands.thread(thread_ts, user=user)
            else:
                path = f"client/channels/{INCIDENT_CHANNEL}/messages"
                messages = self.hands.get(path, user=user)["messages"]
            for message in messages:
                if message.get("is_ephemeral") and words in text_of(message):
                    return text_of(message)
            time.sleep(0.1)
        shown = [text_of(m) for m in messages]
        raise AssertionError(f"{words!r} was not whispered; there is {shown}")

    def answered(self, ts: str, *words: str) -> str:
        found = self.hands.wait(ts, saying(*words), patience_s=PATIENCE_S)
        return text_of(found)

    def begin(self, incident: str, level: Level) -> str:
        set_level(self.company, level)
        self.hands.start_incident(incident, 1)
        truth = self.hands.get("control/truth")["truth"]["prod"]
        return self.hands.ask(truth["question"], patience_s=PATIENCE_S)

    def card(self, ts: str) -> Json:
        return self.hands.card(ts, patience_s=PATIENCE_S)

    def button(self, ts: str, action_id: str) -> Json:
        found: Json = self.hands.wait(ts, with_button(action_id), patience_s=PATIENCE_S)
        return found

    def journaled(self, ids: str = "%") -> int:
        """Return how many workflows the journal knows."""
        path = self.home / "sre-bot-journal.sqlite"
        journal = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        found = journal.execute(
            "SELECT count(*) FROM workflow_status WHERE workflow_uuid LIKE ?", (ids,)
        ).fetchone()
        journal.close()
        return int(found[0])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold both databases as another process would that never lets go."""
        with ExitStack() as stack:
            for name in ("sre-bot.sqlite", "sre-bot-journal.sqlite"):
                held = sqlite3.connect(self.home / name, timeout=30, isolation_level=None)
                stack.callback(held.close)
                held.execute("BEGIN EXCLUSIVE")
            yield

    def post(self, body: bytes, kind: str, secret: str = SECRET, age_s: int = 0) -> Any:
        """Deliver a payload over HTTP, signed."""
        stamp = str(int(time.time()) - age_s)
        return self.hands.http.post(
            f"http://127.0.0.1:{self.port}/slack/events", data=body, timeout=20,
            headers={
                "Content-Type": kind, "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": sign(secret, stamp, body),
            },
        )  # fmt: skip

    def post_event(self, event: Mapping[str, Any], event_id: str, **how: Any) -> Any:
        envelope = {
            "type": "event_callback", "team_id": TEAM, "api_app_id": "A0SREBOT", "event": event,
            "event_id": event_id, "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": "U0SREBOT", "is_bot": True}],
        }  # fmt: skip
        return self.post(json.dumps(envelope).encode(), "application/json", **how)

    def post_interaction(self, payload: Any, **how: Any) -> Any:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        body = urlencode({"payload": text}).encode()
        return self.post(body, "application/x-www-form-urlencoded", **how)

    def mention(self, ts: str, text: str) -> Json:
        return {
            "type": "app_mention", "user": "U0RESPONDER", "text": f"<@U0SREBOT> {text}", "ts": ts,
            "channel": INCIDENT_CHANNEL, "event_ts": ts,
        }  # fmt: skip


def stale_click(message: Json, action_id: str, value: str, user: str = "U0APPROVER") -> Json:
    """Return a click on a button that the message shows no more."""
    return {
        "type": "block_actions", "team": {"id": TEAM}, "user": {"id": user, "team_id": TEAM},
        "api_app_id": "A0SREBOT", "trigger_id": "1.2.3", "channel": {"id": INCIDENT_CHANNEL},
        "container": {
            "type": "message", "message_ts": message["ts"], "channel_id": INCIDENT_CHANNEL,
            "thread_ts": message["thread_ts"],
        },
        "message": {"ts": message["ts"], "thread_ts": message["thread_ts"]},
        "actions": [{
            "type": "button", "action_id": action_id, "block_id": "b", "value": value,
            "action_ts": "1.2",
        }],
    }  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home: Path = tmp_path_factory.mktemp("company")
    settings: dict[str, str] = {}
    company = Company(Plan(home=home, rate=RATE, variables=settings))
    company.start()
    yield Place(company, settings)
    company.stop()
    log = (home / "bot.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[-5000:]
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def socket(place: Place) -> Place:
    if place.settings or place.company.bot is None or place.company.bot.poll() is not None:
        place.restart()
    return place


@pytest.fixture(scope="module")
def over_http(place: Place) -> Place:
    place.restart(SRE_BOT_SLACK_MODE="http")
    return place


def test_an_empty_mention_gets_help(socket: Place) -> None:
    socket.hands.say("@sre-bot")
    assert "/sre status" in socket.whispered("why is checkout slow")


def test_an_unknown_service_is_answered_with_the_nearest_names(socket: Place) -> None:
    ts = socket.hands.say("@sre-bot why is chekout slow?")
    assert "Did you mean checkout" in socket.answered(ts, "I don't know a service", "chekout")


def test_an_unknown_environment_is_answered_with_those_that_exist(socket: Place) -> None:
    ts = socket.hands.say("@sre-bot why is checkout slow in the qa environment?")
    answer = socket.answered(ts, "I don't know", "environment", "qa")
    assert "staging" in answer


def test_a_message_without_a_question_is_told_how_to_ask(socket: Place) -> None:
    ts = socket.hands.say("@sre-bot lorem ipsum dolor")
    assert "why is checkout slow" in socket.answered(ts, "I didn't find a question")


def test_chatter_in_an_incident_channel_is_left_alone(socket: Place) -> None:
    before = socket.hands.say("good morning everybody")
    ts = socket.hands.say("@sre-bot why is chekout slow?")
    socket.answered(ts, "I don't know a service")  # the bot got past the message before
    assert socket.hands.thread(before, user="U0RESPONDER") == []


def test_forty_thousand_characters_are_investigated_and_the_cut_is_told(socket: Place) -> None:
    question = "@sre-bot is anything wrong with checkout in staging? "
    ts = socket.hands.say((question + "log line 4711 failed " * 2_000)[:40_000])
    assert re.search(r"I read the first 4,000", socket.whispered("characters"))
    socket.button(ts, "verdict_right")


def test_a_double_click_acts_once(socket: Place) -> None:
    ts = socket.begin("pool-exhausted", Level.L3)
    card = socket.card(ts)
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        clicks = [
            both.submit(Hands(socket.company).click, card, "approve", user="U0APPROVER")
            for _ in range(2)
        ]
    assert all(click.result()["ok"] for click in clicks)
    socket.answered(ts, "recovered after this action")
    assert len({a["key"] for a in socket.hands.actions_done()}) == 1
    done = [(a["object"], a["what"]) for a in socket.hands.actions_done()]
    assert len(done) == len(set(done))


def test_a_click_while_the_database_is_down_is_not_taken_and_counts_later(socket: Place) -> None:
    ts = socket.begin("decoy-deploy", Level.L3)
    card = socket.card(ts)
    with socket.locked():
        # it waits for the database nearly as long as Slack waits for the acknowledgement
        socket.hands.click(card, "approve", user="U0APPROVER")
        socket.whispered("Not taken, try again", user="U0APPROVER", thread_ts=ts)
        assert socket.hands.actions_done() == []
    assert socket.hands.click(card, "approve", user="U0APPROVER")["ok"]
    socket.answered(ts, "recovered after this action")
    assert len({a["key"] for a in socket.hands.actions_done()}) == 1


def test_a_mention_while_the_database_is_down_is_heard_later_and_once(socket: Place) -> None:
    with socket.locked():
        ts = socket.hands.say("@sre-bot is anything wrong with payment in dev?")
        socket.whispered("Not taken yet")
    socket.button(ts, "verdict_right")
    assert len(socket.hands.thread(ts)) in (1, 2, 3)  # head, report, perhaps a chart


def test_buttons_of_a_previous_database_are_answered_and_the_old_one_goes_on(
    socket: Place,
) -> None:
    ts = socket.begin("bad-flag", Level.L3)
    card, report = socket.card(ts), socket.button(ts, "verdict_right")
    other = socket.home / "other" / "sre-bot.sqlite"
    other.parent.mkdir()
    socket.restart(DATABASE_URL=f"sqlite:///{other}")
    assert socket.hands.click(card, "approve", user="U0APPROVER")["ok"]
    socket.whispered("no proposal that I know", user="U0APPROVER", thread_ts=ts)
    assert socket.hands.click(report, "verdict_right", user="U0APPROVER")["ok"]
    socket.whispered("I don't know that investigation", user="U0APPROVER", thread_ts=ts)
    assert socket.hands.actions_done() == []
    socket.restart()
    assert socket.hands.click(card, "approve", user="U0APPROVER")["ok"]
    socket.answered(ts, "recovered after this action")


def test_a_button_of_an_expired_offer_says_so(place: Place) -> None:
    place.restart(SRE_BOT_APPROVAL_SECONDS="1", SRE_BOT_SLACK_MODE="socket")
    ts = place.begin("pool-exhausted", Level.L3)
    place.answered(ts, "nobody decided in time")
    card = place.hands.thread(ts)[-1]
    report = place.button(ts, "verdict_right")
    investigation = find_element(report, "verdict_right")[0]["value"]
    place.restart(SRE_BOT_SLACK_MODE="http")
    click = stale_click(card, "approve", f"{investigation}-p1")
    assert place.post_interaction(click).status_code == 200
    place.whispered("the offer has expired, ask me again", user="U0APPROVER", thread_ts=ts)
    click = stale_click(card, "undo", f"{investigation}-p1-x")
    assert place.post_interaction(click).status_code == 200
    place.whispered("Not taken back", user="U0APPROVER", thread_ts=ts)
    assert place.hands.actions_done() == []


def test_the_same_event_twice_is_one_investigation(over_http: Place) -> None:
    ts = over_http.hands.say("one question", channel=INCIDENT_CHANNEL)
    event = over_http.mention(ts, "is anything wrong with search in dev?")
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        answers = [both.submit(over_http.post_event, event, "Ev0TWICE") for _ in range(2)]
    assert [a.result().status_code for a in answers] == [200, 200]
    over_http.button(ts, "verdict_right")
    assert over_http.post_event(event, "Ev0TWICE").status_code == 200  # a late retry
    assert over_http.journaled("inv-Ev0TWICE") == 1
    thread = over_http.hands.wait(
        ts, lambda replies: not any("investigating" in text_of(m) for m in replies) and replies
    )
    assert len(thread) in (2, 3)  # head, report, perhaps a chart


def test_a_wrong_signature_is_refused_and_starts_nothing(over_http: Place) -> None:
    ts = over_http.hands.say("forged question")
    event = over_http.mention(ts, "why is checkout slow?")
    assert over_http.post_event(event, "Ev0FORGED", secret="guessed").status_code == 401
    assert over_http.post_event(event, "Ev0OLD", age_s=3_600).status_code == 401
    bare = over_http.hands.http.post(
        f"http://127.0.0.1:{over_http.port}/slack/events", json={"type": "event_callback"},
        timeout=20,
    )  # fmt: skip
    assert bare.status_code == 401
    assert over_http.journaled("inv-Ev0FORGED") == over_http.journaled("inv-Ev0OLD") == 0
    assert over_http.hands.thread(ts, user="U0RESPONDER") == []


MALFORMED: tuple[tuple[str, Any], ...] = (
    ("no action", {"actions": []}),
    ("action is no object", {"actions": ["approve"]}),
    ("no value", {"actions": [{"action_id": "approve", "block_id": "b"}]}),
    ("odd value", {"actions": [{"action_id": "approve", "block_id": "b", "value": "../../x y"}]}),
    ("unknown button", {"actions": [{"action_id": "drop_tables", "block_id": "b", "value": "x"}]}),
    ("team is a list", {"team": ["T"], "user": {"id": "U0APPROVER"}}),
)


@pytest.mark.parametrize(("what", "changes"), MALFORMED, ids=[m[0] for m in MALFORMED])
def test_a_malformed_click_is_answered(over_http: Place, what: str, changes: Json) -> None:
    ts = over_http.hands.say(f"a thread: {what}")
    click = {**stale_click({"ts": ts, "thread_ts": ts}, "approve", "inv-x-p1"), **changes}
    assert over_http.post_interaction(click).status_code == 200
    over_http.whispered("I can't read this button", user="U0APPROVER", thread_ts=ts)


@pytest.mark.parametrize(
    "payload",
    ["not json", "[]", "null", '"x"', "{}", '{"type": "block_actions"}', "[" * 20_000],
    ids=["text", "list", "null", "string", "empty", "bare", "deep"],
)
def test_a_payload_that_is_none_is_refused_quietly(over_http: Place, payload: str) -> None:
    assert over_http.post_interaction(payload).status_code < 500
    raw = over_http.post(payload.encode(), "application/json")
    assert raw.status_code < 500
    healthy = requests.get(f"http://127.0.0.1:{over_http.port}/healthz", timeout=20)
    assert healthy.json() == {"ok": True}


def test_a_missing_token_stops_the_start_with_the_way_out(place: Place) -> None:
    known = {**place.company.settings(), "SRE_BOT_SLACK_BOT_TOKEN": ""}
    ended = run_bot(["run"], known)
    assert ended.returncode == 2
    assert "SRE_BOT_SLACK_BOT_TOKEN" in ended.stderr
    assert "sre-bot doctor" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_token_that_slack_refuses_stops_the_start(place: Place) -> None:
    known = {**place.company.settings(), "SRE_BOT_SLACK_APP_TOKEN": "xapp-wrong"}
    known["SRE_BOT_SLACK_MODE"] = "socket"
    known["DATABASE_URL"] = f"sqlite:///{place.home}/third/sre-bot.sqlite"
    ended = run_bot(["run"], known)
    assert ended.returncode == 2
    assert "invalid_auth" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_doctor_finds_a_configured_company_well(place: Place) -> None:
    ended = run_bot(["doctor"], {**place.company.settings(), "SRE_BOT_SLACK_MODE": "socket"})
    assert ended.returncode == 0, ended.stdout
    assert "✗" not in ended.stdout
    for what in ("Slack: sre-bot in", "prod: ", "staging: ", "dev: ", "roles: ", "levels: "):
        assert f"✓ {what}" in ended.stdout


def test_the_doctor_names_what_does_not_answer(place: Place) -> None:
    wrong = {**place.company.settings(), "SRE_BOT_SLACK_BOT_TOKEN": "xoxb-wrong"}
    ended = run_bot(["doctor"], wrong)
    assert ended.returncode == 1
    assert "✗ Slack: " in ended.stdout
    assert "invalid_auth" in ended.stdout
    assert "xoxb-wrong" not in ended.stdout + ended.stderr


def run_bot(arguments: list[str], settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], env={**os.environ, **settings},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
