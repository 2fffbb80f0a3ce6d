"""Over the workspace: what people ask for on a page goes through the one door, as them."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.company import Company, Plan
from bot.domain.environment import Environment
from bot.sandbox.pagerduty.directory import identity
from tests.fakes.pagerduty import ADA, Pager, pager
from tests.fakes.story import Hands, saying, text_of, with_button
from tests.scenarios.story.test_trust import sre_bot, whispered

pytestmark = [pytest.mark.story]
PAGE = identity("incident", "1")


class Paged(Company):
    """The sandbox company with a PagerDuty of its own, which sends no webhooks."""

    pager: Pager

    def environments(self) -> tuple[Environment, ...]:
        paged = self.pager.environment(self.plan.home / "token").connections
        return tuple(
            e if e.name == "dev" else replace(e, connections={**e.connections, **paged})
            for e in super().environments()
        )


@pytest.fixture
def server() -> Iterator[Pager]:
    with pager() as made:
        made.open()
        yield made


@pytest.fixture
def company(tmp_path: Path, server: Pager) -> Iterator[Company]:
    home = tmp_path / "company"
    home.mkdir()
    company = Paged(Plan(home=home, rate=120.0))
    company.pager = server
    company.start()
    yield company
    company.stop()
    shutil.rmtree(home, ignore_errors=True)


def test_people_work_on_a_page_from_their_thread(company: Company, server: Pager) -> None:
    hands, page = Hands(company), server.account.incidents[PAGE]
    ts = hands.say(f"@sre-bot ack {PAGE} in staging")
    card = hands.wait(ts, with_button("run"))
    assert f"Acknowledge {PAGE}" in text_of(card)
    assert page.status == "triggered"
    hands.click(card, "run", user="U0RESPONDER")
    hands.wait(ts, saying("in place: read back as it was set"))
    assert page.status == "acknowledged"
    assert server.writes == [(f"PUT /incidents/{PAGE}", "rosa@sandbox.example")]

    asked = hands.say(f"note on {PAGE}: we look at the pool", thread_ts=ts)
    assert asked
    card = hands.wait(ts, with_button("approve", f"Note on {PAGE}"))
    hands.click(card, "approve", user="U0RESPONDER")
    hands.wait(ts, lambda _: page.notes)
    assert "we look at the pool" in page.notes[0].content

    hands.say(f"call <@U0ADMIN> to {PAGE} because the pool is full", thread_ts=ts)
    card = hands.wait(ts, with_button("approve", f"Call one person more to {PAGE}"))
    hands.click(card, "approve", user="U0RESPONDER")
    hands.wait(ts, lambda _: page.responders)
    assert [r.user for r in page.responders] == [ADA]


def test_in_production_who_is_called_answers_alone_and_nobody_else_may(
    company: Company, server: Pager
) -> None:
    hands = Hands(company)
    ts = hands.say(f"@sre-bot ack {PAGE} in prod")
    card = hands.wait(ts, with_button("run"))
    for user in ("U0GUEST", "U0OBSERVER"):
        hands.click(card, "run", user=user)
        whispered(hands, ts, user, "Not run")
    assert server.writes == []
    hands.click(card, "run", user="U0RESPONDER")  # it was the responder who asked
    hands.wait(ts, saying("in place"))
    assert server.writes == [(f"PUT /incidents/{PAGE}", "rosa@sandbox.example")]
    lines = sre_bot(company, "audit", "export").stdout.splitlines()
    told = [(e["event"], e["actor"]) for e in map(json.loads, lines)]
    assert [who for event, who in told if event == "decided"] == ["U0RESPONDER"]
    assert [who for event, who in told if event == "refused"] == ["U0GUEST", "U0OBSERVER"]
