"""Over the workspace: what people ask for on a page goes through the one door, as them."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.company import Company, Plan
from bot.domain.environment import Environment
from tests.fakes import pagerduty_incidents
from tests.fakes.loopback import loopback
from tests.fakes.pagerduty_incidents import CHIEF, KEY, PERSON, PagerDutyServer
from tests.fakes.story import Hands, has, saying, text_of, with_button
from tests.scenarios.story.test_trust import sre_bot, whispered

pytestmark = [pytest.mark.story]


class Paged(Company):
    """The sandbox company with a PagerDuty of its own in two environments."""

    pagerduty = ""

    def environments(self) -> tuple[Environment, ...]:
        settings = {
            "url": self.pagerduty, "token_file": str(self.plan.home / "token"),
            "from": "bot@shop.example", "services": {"checkout": "PSHOP01"},
        }  # fmt: skip
        return tuple(
            e if e.name == "dev"
            else replace(e, connections={**e.connections, "pagerduty": settings})
            for e in super().environments()
        )  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> PagerDutyServer:
    users = {"rosa": PERSON, "anil": "PAPPR01", "ada": CHIEF}
    for name, number in users.items():
        monkeypatch.setitem(pagerduty_incidents.USERS, f"{name}@sandbox.example", number)
    return PagerDutyServer()


@pytest.fixture
def company(tmp_path: Path, server: PagerDutyServer) -> Iterator[Company]:
    home = tmp_path / "company"
    home.mkdir()
    (home / "token").write_text(KEY)
    company = Paged(Plan(home=home, rate=120.0))
    with loopback(server) as there:
        company.pagerduty = there.url
        company.start()
        yield company
        company.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_people_work_on_a_page_from_their_thread(company: Company, server: PagerDutyServer) -> None:
    hands = Hands(company)
    ts = hands.say("@sre-bot ack PT4KHLK in staging")
    card = hands.wait(ts, with_button("run"))
    assert "Acknowledge PT4KHLK" in text_of(card)
    assert server.incident["status"] == "triggered"
    hands.click(card, "run", user="U0RESPONDER")
    hands.wait(ts, saying("in place: read back as it was set"))
    assert server.incident["status"] == "acknowledged"
    assert server.writes == [("PUT /incidents/PT4KHLK", "rosa@sandbox.example")]

    asked = hands.say("note on PT4KHLK: we look at the pool", thread_ts=ts)
    assert asked
    card = hands.wait(ts, with_button("approve"))
    hands.click(card, "approve", user="U0RESPONDER")
    hands.wait(ts, lambda _: server.notes)
    assert "we look at the pool" in server.notes[0]

    hands.say("call <@U0ADMIN> to PT4KHLK because the pool is full", thread_ts=ts)
    hands.wait(ts, saying("Call one person more to PT4KHLK"))
    card = hands.wait(ts, with_button("approve"))
    hands.click(card, "approve", user="U0RESPONDER")
    hands.wait(ts, lambda _: server.incident["incidents_responders"])
    assert server.incident["incidents_responders"] == [{"user": {"id": CHIEF}}]


def test_in_production_a_page_takes_a_second_person(
    company: Company, server: PagerDutyServer
) -> None:
    hands = Hands(company)
    ts = hands.say("@sre-bot escalate PT4KHLK to level 2 in prod", user="U0APPROVER")
    shown = hands.wait(ts, saying("Escalate PT4KHLK to level 2"))
    assert not has(shown, "run")  # at L1 a person does it themselves
    company_levels = sre_bot(
        company, "levels", "set", "prod", "escalate_incident", "L3", "--reason", "test"
    )
    assert company_levels.returncode == 0
    ts = hands.say("@sre-bot escalate PT4KHLK to level 2 in prod", user="U0APPROVER")
    card = hands.wait(ts, with_button("approve"))
    hands.click(card, "approve", user="U0APPROVER")
    whispered(hands, ts, "U0APPROVER", "prod-two-people")
    assert server.writes == []
    hands.click(card, "approve", user="U0ADMIN")
    hands.wait(ts, saying("in place"))
    assert server.incident["assignments"] == [{"assignee": {"id": CHIEF}}]
    lines = sre_bot(company, "audit", "export").stdout.splitlines()
    decided = [e for e in map(json.loads, lines) if e["event"] == "decided"]
    assert [e["actor"] for e in decided] == ["U0ADMIN"]
