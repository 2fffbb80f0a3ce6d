"""Over the workspace: a card under attack, and a level that is earned, offered and granted."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli.company import Company, Plan
from bot.domain.action import ActionCall, Level, Proposal, VerificationPlan
from bot.domain.conversation import Judgement, PersonVerdict, Thread
from bot.domain.time import ScaledClock
from bot.storage.actions import Actions
from bot.storage.database import Database
from bot.storage.incidents import Incidents
from bot.storage.people import LevelGrant, Levels
from tests.fakes.story import Hands, Json, saying, text_of, with_button

pytestmark = [pytest.mark.story]
PATIENCE_S = 60.0
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(Plan(home=tmp_path / "company", rate=60.0))
    company.start()
    yield company
    company.stop()


def sre_bot(company: Company, *arguments: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], env={**os.environ, **company.settings()},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def whispered(hands: Hands, ts: str, user: str, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = [m for m in hands.thread(ts, user=user) if m.get("is_ephemeral")]
        if any(words in text_of(m) for m in found):
            return
        time.sleep(0.1)
    raise AssertionError(f"{user} was not told {words!r}: {[text_of(m) for m in found]}")


def level(company: Company, to: Level) -> None:
    async def grant(database: Database) -> None:
        from tools.catalog import actions

        levels = Levels(database, ScaledClock(origin=NOW))
        for name in actions():
            await levels.grant(
                LevelGrant(environment="prod", action=name, level=to, by="test", reason="test")
            )

    in_database(company, grant)


def in_database(company: Company, work: Any) -> None:
    database = Database(company.database_url)
    asyncio.run(work(database))
    database.close()


def begin(hands: Hands, incident: str) -> str:
    hands.start_incident(incident)
    truth = hands.get("control/truth", environment="prod")["truth"]["prod"]
    return hands.ask(truth["question"])


def test_a_card_under_attack_acts_once_and_only_for_who_may(company: Company) -> None:
    hands = Hands(company)
    level(company, Level.L3)
    ts = begin(hands, "pool-exhausted")
    card = hands.card(ts)
    refusals = {
        "U0OBSERVER": "role-needed", "U0GUEST": "people-only", "U0RESPONDER": "prod-approver",
    }  # fmt: skip
    for user, rule in refusals.items():
        assert hands.click(card, "approve", user=user)["ok"]
        whispered(hands, ts, user, rule)
    assert sre_bot(company, "stop", "a drill").returncode == 0
    hands.click(card, "approve", user="U0APPROVER")
    whispered(hands, ts, "U0APPROVER", "kill-switch")
    company.kill_bot()
    company.start_bot()
    hands.click(card, "approve", user="U0ADMIN")
    whispered(hands, ts, "U0ADMIN", "kill-switch")
    assert hands.actions_done() == []
    assert sre_bot(company, "start", "it is over").returncode == 0
    hands.click(card, "approve", user="U0APPROVER")
    hands.wait(ts, saying("recovered after this action"))
    assert hands.executions() == 1
    shown = next(m for m in hands.thread(ts) if m["ts"] == card["ts"])
    assert "approved by" in text_of(shown)
    assert "approve" not in json.dumps([b for b in shown["blocks"] if b["type"] == "actions"])
    entries = [json.loads(e) for e in sre_bot(company, "audit", "export").stdout.splitlines()]
    refused = [e["actor"] for e in entries if e["event"] == "refused"]
    assert refused == [*refusals, "U0APPROVER", "U0ADMIN"]
    assert sre_bot(company, "audit", "verify").returncode == 0


class Modals:
    """Hears which modals are opened for a person, as their client does."""

    def __init__(self, hands: Hands, user: str) -> None:
        self.opened: list[Json] = []
        answer = hands.http.get(
            hands.url("client/events"), params={"user": user}, stream=True, timeout=PATIENCE_S
        )
        self._lines = answer.iter_lines()
        next(self._lines)  # hello
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._lines:
            event = json.loads(line.removeprefix(b"data: ")) if line else {}
            if event.get("type") == "view_opened":
                self.opened.append(event["view"])
                return

    def wait(self) -> Json:
        self._thread.join(PATIENCE_S)
        return self.opened[0]


def earn(company: Company, action: str) -> None:
    """Ten diagnoses that proposed this action, each judged right by a responder."""

    async def write(database: Database) -> None:
        actions, incidents = Actions(database), Incidents(database)
        for number in range(10):
            name = f"inv-past-{number}"
            thread = Thread(team="T0SANDBOX", channel="C0INCIDENTS", ts=f"1.{number}")
            await incidents.open_investigation(name, thread, "U0RESPONDER", "slow", NOW)
            call = ActionCall(action=action, environment="prod", arguments={"number": number})
            await actions.save_proposal(replace(PAST, id=f"{name}-p1", investigation_id=name,
                                                call=call))  # fmt: skip
            await incidents.save_verdict(
                PersonVerdict(
                    investigation_id=name, user="U0RESPONDER", judgement=Judgement.RIGHT,
                    comment="", at=NOW,
                )
            )  # fmt: skip

    in_database(company, write)


PAST = Proposal(
    id="p", investigation_id="i", call=ActionCall(action="a", environment="prod", arguments={}),
    title="Past", reason="", runbook="", trade_off="", confidence=0.9, cause="past", novel=False,
    requester="sre-bot", verification=VerificationPlan(signal=None, threshold=0, window_s=60),
)  # fmt: skip


def test_an_earned_level_reaches_an_administrator_and_is_granted_in_a_modal(
    company: Company,
) -> None:
    hands = Hands(company)
    level(company, Level.L1)
    earn(company, "revert_config")
    ts = begin(hands, "pool-exhausted")
    report = hands.wait(ts, with_button("verdict_right"))
    hands.wait(ts, saying("To run it yourself"))
    assert hands.click(report, "verdict_right", user="U0RESPONDER")["ok"]
    place, offer = direct_message(hands, "U0ADMIN")
    assert "revert config in prod has earned L2" in text_of(offer)
    heard = Modals(hands, "U0ADMIN")
    press(hands, place, offer, "grant_level", "U0ADMIN")
    view = heard.wait()
    values = {"reason": {"text": {"value": "ten of ten were right"}}}
    answer = hands.post(
        "client/views/submit",
        {"user": "U0ADMIN", "view_id": view["id"], "state": {"values": values}},
    )
    assert answer["ok"], answer
    shown = sre_bot(company, "levels").stdout
    assert "prod\trevert_config\tall services\tL2\tby U0ADMIN: ten of ten were right" in shown


def direct_message(hands: Hands, user: str) -> tuple[str, Json]:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for im in hands.get("client/state")["ims"]:
            if im["user"] == user:
                found = hands.get(f"client/channels/{im['id']}/messages", user=user)["messages"]
                if found:
                    return im["id"], found[-1]
        time.sleep(0.1)
    raise AssertionError(f"{user} got no direct message")


def press(hands: Hands, channel: str, message: Json, action_id: str, user: str) -> None:
    from tests.fakes.story import find_element

    element, block_id = find_element(message, action_id)
    body = {
        "user": user, "channel": channel, "message_ts": message["ts"], "block_id": block_id,
        "action_id": action_id, "type": "button", "value": element["value"],
    }  # fmt: skip
    assert hands.post("client/actions", body)["ok"]
