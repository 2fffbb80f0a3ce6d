"""Over the workspace: a delivered runbook's plan of two steps, approved as one card."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.company import Company, Plan
from bot.domain.action import Level
from tests.fakes.story import Hands, Json, saying, text_of
from tests.scenarios.story.test_trust import level

pytestmark = [pytest.mark.story]
SHOP = "world/prod/kubernetes/api/v1/namespaces/shop"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    company = Company(Plan(home=tmp_path / "company", rate=60.0))
    company.start()
    yield company
    company.stop()


def quota(hands: Hands) -> Json:
    (found,) = hands.get(f"{SHOP}/resourcequotas")["items"]
    return dict(found)


def test_a_quota_without_room_is_raised_before_the_service_is_scaled(company: Company) -> None:
    hands = Hands(company)
    level(company, Level.L3)
    hands.start_incident("traffic-surge")
    tight = quota(hands)
    pods = str(int(tight["status"]["used"]["pods"]) + 1)
    answer = hands.http.patch(
        hands.url(f"{SHOP}/resourcequotas/{tight['metadata']['name']}"),
        json={"spec": {"hard": {"pods": pods}}},
        headers={"Content-Type": "application/merge-patch+json"},
        timeout=20,
    )
    assert answer.ok, answer.text
    truth = hands.get("control/truth", environment="prod")["truth"]["prod"]
    ts = hands.ask(truth["question"])
    card = hands.card(ts)
    shown = text_of(card)
    assert "First, step 1 of 2: Raise quota" in shown
    assert "Then, when that is in place" in shown
    hands.click(card, "approve", user="U0APPROVER")
    hands.wait(ts, saying("recovered after this action"))
    first, last = (a["key"] for a in hands.actions_done() if a["key"])  # the test's own has none
    assert first == f"{last.removesuffix('-x')}-s1-x"
    assert int(quota(hands)["spec"]["hard"]["pods"]) > int(pods)
