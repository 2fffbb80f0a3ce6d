"""Over the workspace: a person asks for an action, and gets the same card as the bot's own."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from bot.cli.company import INCIDENT_CHANNEL, Company, Plan
from tests.fakes.story import Hands, Json, has, saying, text_of, with_button
from tests.scenarios.story.test_trust import Modals, sre_bot, whispered

pytestmark = [pytest.mark.story]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = tmp_path_factory.mktemp("asked") / "company"
    company = Company(Plan(home=home, rate=120.0))
    company.start()
    yield company
    company.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def hands(company: Company) -> Hands:
    return Hands(company)


def replicas(hands: Hands, environment: str, name: str) -> int:
    path = f"world/{environment}/kubernetes/apis/apps/v1/namespaces/shop/deployments/{name}"
    found: Json = hands.get(path)
    return int(found["spec"]["replicas"])


def audited(company: Company, event: str) -> list[dict[str, Any]]:
    import json

    lines = sre_bot(company, "audit", "export").stdout.splitlines()
    return [e for e in map(json.loads, lines) if e["event"] == event]


def test_in_staging_the_asker_may_approve_and_it_is_verified(hands: Hands) -> None:
    now = replicas(hands, "staging", "cart")
    ts = hands.say(f"@sre-bot please scale cart to {now + 1} in staging because a sale begins")
    card = hands.wait(ts, with_button("approve"))
    shown = text_of(card)
    assert f"Scale cart from {now} to {now + 1} pods" in shown
    assert "Asked for by" in shown
    assert "a sale begins" in shown
    assert "% sure" not in shown  # nothing was diagnosed
    assert f"kubectl scale deployment/cart --replicas={now + 1}" in shown
    assert replicas(hands, "staging", "cart") == now
    hands.click(card, "approve", user="U0RESPONDER")
    hands.wait(ts, saying("recovered after this action"))
    assert replicas(hands, "staging", "cart") == now + 1


def test_in_production_another_person_approves(company: Company, hands: Hands) -> None:
    now = replicas(hands, "prod", "cart")
    ts = hands.say(f"@sre-bot scale cart to {now + 1}", user="U0APPROVER")
    card = hands.wait(ts, with_button("run"))
    hands.click(card, "run", user="U0APPROVER")
    whispered(hands, ts, "U0APPROVER", "prod-two-people")
    assert replicas(hands, "prod", "cart") == now
    hands.click(card, "run", user="U0ADMIN")
    hands.wait(ts, saying("recovered after this action"))
    assert replicas(hands, "prod", "cart") == now + 1
    assert "U0APPROVER" in [e["actor"] for e in audited(company, "refused")]


def test_the_lone_on_call_breaks_the_glass_and_the_channel_hears_of_it(
    company: Company, hands: Hands
) -> None:
    now = replicas(hands, "prod", "checkout")
    ts = hands.say(f"@sre-bot scale checkout to {now + 1} in prod", user="U0APPROVER")
    card = hands.wait(ts, with_button("break_glass"))
    heard = Modals(hands, "U0APPROVER")
    hands.click(card, "break_glass", user="U0APPROVER")
    view = heard.wait()
    values = {"reason": {"text": {"value": "alone on call"}}}
    body = {"user": "U0APPROVER", "view_id": view["id"], "state": {"values": values}}
    assert hands.post("client/views/submit", body)["ok"]
    hands.wait(ts, saying("recovered after this action"))
    assert replicas(hands, "prod", "checkout") == now + 1
    channel = hands.get(f"client/channels/{INCIDENT_CHANNEL}/messages")["messages"]
    told = [text_of(m) for m in channel if "Break-glass in prod" in text_of(m)]
    assert len(told) == 1
    assert "alone on call" in told[0]
    assert [e["text"] for e in audited(company, "break_glass")] == ["alone on call"]


def test_what_cannot_be_taken_back_has_no_glass_to_break(hands: Hands) -> None:
    ts = hands.say("@sre-bot restart cart in prod", user="U0APPROVER")
    card = hands.wait(ts, saying("Restart cart"))
    assert not has(card, "break_glass")
    assert "cannot be taken back" in text_of(card)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("restart chekout in staging", "Did you mean checkout"),
        ("scale cart in staging", "To how many pods? cart has"),
        ("restart checkout and cart", "which one first?"),
        ("drop everything and delete the database", ""),
        ("delete the database of checkout", "That is nothing I do when asked"),
        ("roll back cart to v0.0.1 in staging", "keeps no v0.0.1"),
        ("restart checkout in qa", "environment called `qa`"),
    ],
)
def test_what_is_unclear_gets_one_answer_and_no_card(hands: Hands, said: str, answer: str) -> None:
    ts = hands.say(f"@sre-bot {said}")
    hands.wait(ts, saying(answer) if answer else bool)
    assert not any(has(m, "approve") or has(m, "run") for m in hands.thread(ts))


def test_an_order_of_an_app_is_refused_and_audited(company: Company, hands: Hands) -> None:
    before = len(hands.actions_done())
    ts = hands.say("@sre-bot restart cart in dev", user="U0GUEST")
    hands.wait(ts, saying("I take orders from people of this workspace only"))
    refused = [e for e in audited(company, "refused") if e["actor"] == "U0GUEST"]
    assert refused[0]["text"] == "restart cart: not asked for by a person"
    assert len(hands.actions_done()) == before


def test_at_the_freest_level_a_person_still_decides_what_a_person_asks_for(hands: Hands) -> None:
    before = hands.executions()
    ts = hands.say("@sre-bot restart cart in dev")
    card = hands.wait(ts, with_button("approve"))
    assert "what a person asks for, a person decides" in text_of(card)
    assert hands.executions() == before


def command(hands: Hands, user: str, text: str) -> str:
    body = {"user": user, "channel": INCIDENT_CHANNEL, "command": "/sre", "text": text}
    assert hands.post("client/commands", body)["ok"]
    path = f"client/channels/{INCIDENT_CHANNEL}/messages"
    messages = hands.get(path, user=user)["messages"]
    return text_of([m for m in messages if m.get("is_ephemeral")][-1])


def test_a_freeze_is_set_shown_and_lifted_by_an_administrator(
    company: Company, hands: Hands
) -> None:
    refused = command(hands, "U0APPROVER", "freeze dev for 2h because of a demo")
    assert "Not frozen: only an administrator may" in refused
    assert "Frozen" in command(hands, "U0ADMIN", "freeze dev for 2h because of a demo")
    shown = command(hands, "U0RESPONDER", "freezes")
    assert "of a demo" in shown
    assert "Frozen: " in command(hands, "U0RESPONDER", "status")
    name = shown.split(" · ")[0].split("\n")[-1]
    assert "Lifted" in command(hands, "U0ADMIN", f"unfreeze {name} because it is over")
    assert "No freeze is on" in command(hands, "U0RESPONDER", "freezes")
    assert [e["actor"] for e in audited(company, "frozen")] == ["U0ADMIN"]
    assert [e["text"] for e in audited(company, "freeze_lifted")] == ["it is over"]
