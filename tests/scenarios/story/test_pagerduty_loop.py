"""The whole loop: paged, told in Slack, noted on the page, worked on from Slack, told back."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli.company import Company, Plan
from bot.sandbox.pagerduty.directory import service_id
from tests.fakes.pagerduty import ADA, ANIL, ROSA
from tests.fakes.story import Hands, find_element, has, saying, text_of
from tests.scenarios.story.test_trust import Modals, sre_bot

pytestmark = [pytest.mark.story, pytest.mark.long]
PATIENCE_S = 90.0


@pytest.fixture
def company(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Company]:
    home = tmp_path / "company"
    incident, environment = request.param
    company = Company(Plan(home=home, incident=incident, environment=environment, rate=60.0))
    company.start()
    yield company
    company.stop()
    shutil.rmtree(home, ignore_errors=True)


class Pager:
    """What a person sees and does in the sandbox's PagerDuty."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands

    def do(self, deed: str, **more: Any) -> Any:
        answer = self.hands.post("control/pagerduty", {"do": deed, **more})
        assert answer.get("ok"), answer
        return answer["incidents"]

    @property
    def page(self) -> Any:
        return self.hands.get("control/pagerduty")["incidents"][0]


def root(hands: Hands) -> Any:
    messages = hands.get("client/channels/C0INCIDENTS/messages")["messages"]
    return next((m for m in messages if "PagerDuty" in text_of(m)), None)


def until(hands: Hands, done: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := done():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not seen: {what}; the head says:\n{text_of(root(hands) or {})}")


@pytest.mark.parametrize("company", [("decoy-deploy", "prod")], indirect=True)
def test_a_page_in_production_is_told_investigated_noted_and_answered_by_one_person(
    company: Company,
) -> None:
    hands = Hands(company)
    pager = Pager(hands)
    title = "checkout is slow"
    pager.do("open", service=service_id("prod", "checkout"), title=title, priority="PRIO0P2")
    until(hands, lambda: root(hands), "the incident's message")
    until(hands, lambda: "triggered · P2 · with Rosa" in text_of(root(hands)), "the page there")
    assert "prod" in text_of(root(hands))

    until(hands, lambda: pager.page["notes"], "the report as a note")
    (note,) = pager.page["notes"]
    assert note["content"].startswith("sre-bot: ")
    assert "(ref " in note["content"]

    element, _ = find_element(root(hands), "page_acknowledge")
    assert element["text"]["text"] == "Acknowledge"
    assert "In your name: #1 checkout is slow" in json.dumps(element["confirm"])
    hands.click(root(hands), "page_acknowledge", user="U0GUEST")
    hands.wait(root(hands)["ts"], saying("guests and other bots never count"))
    assert pager.page["status"] == "triggered"
    hands.click(root(hands), "page_acknowledge", user="U0RESPONDER")
    until(hands, lambda: pager.page["status"] == "acknowledged", "the acknowledgement")
    (acknowledged,) = pager.page["acknowledgements"]
    assert acknowledged["acknowledger"]["id"] == ROSA
    until(hands, lambda: "acknowledged · P2" in text_of(root(hands)), "acknowledged in the head")
    assert not has(root(hands), "page_acknowledge")

    page = pager.page["id"]
    pager.do("priority", incident=page, value="PRIO0P1", by=ADA)
    pager.do("note", incident=page, value="the pool is too small", by=ADA)
    pager.do("reassign", incident=page, value=ADA, by=ADA)
    words = ("triggered · P1 · with Ada", "Ada Administrator noted: the pool is too small")
    until(hands, lambda: all(w in text_of(root(hands)) for w in words), "what changed there")

    company.kill_bot()
    pager.do("note", incident=page, value="the bot was away", by=ADA)
    pager.do("urgency", incident=page, value="low", by=ADA)
    pager.do("priority", incident=page, value="PRIO0P3", by=ADA)
    company.start_bot()
    words = ("low urgency · P3 · with Ada", "Ada Administrator noted: the bot was away")
    until(hands, lambda: all(w in text_of(root(hands)) for w in words), "what it missed")

    people = {"people": {"people": {"selected_users": ["U0APPROVER"]}},
              "reason": {"text": {"value": "you know the pool"}}}  # fmt: skip
    view = submit(hands, "page_call", people)
    assert f"#{pager.page['incident_number']}" in text_of(view)
    until(hands, lambda: pager.page["incidents_responders"], "the responder")
    assert [r["user"]["id"] for r in pager.page["incidents_responders"]] == [ANIL]

    level = {"text": {"type": "plain_text", "text": "Level 2", "emoji": True}, "value": "2"}
    submit(hands, "page_escalate", {"level": {"select": {"selected_option": level}}})
    until(hands, lambda: "with Anil Approver" in text_of(root(hands)), "who has it now")

    view = submit(hands, "page_resolve", {})
    assert "These are closed in PagerDuty" in text_of(view)
    assert title in text_of(view)
    until(hands, lambda: "recovered" in text_of(root(hands)), "the end in the head")
    assert pager.page["last_status_change_by"]["id"] == ROSA
    assert not has(root(hands), "page_resolve")
    assert len(pager.page["notes"]) == 3  # two of Ada's and one of the bot's
    roots = hands.get("client/channels/C0INCIDENTS/messages")["messages"]
    assert sum("PagerDuty" in text_of(m) for m in roots) == 1
    refused = [d for d in hands.get("control/pagerduty")["deliveries"] if d["status"] >= 400]
    assert refused == []
    lines = sre_bot(company, "audit", "export").stdout.splitlines()
    decided = [e["actor"] for e in map(json.loads, lines) if e["event"] == "decided"]
    assert decided == ["U0RESPONDER"] * 4  # each by the press itself


@pytest.mark.parametrize("company", [("redis-pressure", "prod")], indirect=True)
def test_a_page_that_calls_nobody_does_when_evidence_foretells_an_outage(
    company: Company,
) -> None:
    hands = Hands(company)
    pager = Pager(hands)
    service = service_id("prod", "sessions-cache")
    pager.do("open", service=service, title="sessions-cache memory is high", urgency="low")
    assert hands.get("control/pagerduty")["called"] == []
    until(hands, lambda: hands.get("control/pagerduty")["called"], "somebody who is called")
    called = [{"incident": pager.page["id"], "user": ROSA}]
    assert hands.get("control/pagerduty")["called"] == called
    assert (pager.page["urgency"], pager.page["status"]) == ("high", "triggered")
    ts = root(hands)["ts"]
    hands.wait(ts, saying("I called Rosa Responder: it will break at about"))
    until(hands, lambda: len(pager.page["notes"]) == 2, "the report, and why she is called")
    lines = sre_bot(company, "audit", "export").stdout.splitlines()
    paged = [e for e in map(json.loads, lines) if e["event"] == "paged"]
    assert [e["actor"] for e in paged] == ["sre-bot"]
    company.kill_bot()
    company.start_bot()
    time.sleep(3)
    assert hands.get("control/pagerduty")["called"] == called
    assert len(pager.page["notes"]) == 2


def submit(hands: Hands, button: str, values: Any) -> Any:
    """Open the modal of a button of the head, and submit it with these values."""
    heard = Modals(hands, "U0RESPONDER")
    hands.click(root(hands), button, user="U0RESPONDER")
    view = heard.wait()
    body = {"user": "U0RESPONDER", "view_id": view["id"], "state": {"values": values}}
    answer = hands.post("client/views/submit", body)
    assert answer["ok"], answer
    return view
