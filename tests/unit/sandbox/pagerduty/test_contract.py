"""What the bot sends to PagerDuty, and what the sandbox's answers, keep to PagerDuty's contract."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.domain.errors import Unavailable
from bot.sandbox.pagerduty.calls import ACCEPT, Call
from bot.sandbox.pagerduty.directory import BOT_EMAIL, TOKEN
from bot.sandbox.pagerduty.signing import delivery
from tests.fakes.pagerduty import ADA, ANIL, Pager, pager
from tests.unit.sandbox.pagerduty.contract import ANSWERS, ERROR, EVENT, REQUESTS
from tools.catalog import actions

HEADERS = {
    "authorization": f"Token token={TOKEN}", "accept": ACCEPT, "from": BOT_EMAIL,
    "content-type": "application/json",
}  # fmt: skip
CALLS: dict[str, dict[str, Any]] = {
    "acknowledge_incident": {"on_behalf_of": "rosa@sandbox.example"},
    "resolve_incident": {"on_behalf_of": "rosa@sandbox.example"},
    "add_note": {"text": "rolled back to v2.40"},
    "escalate_incident": {"level": 2},
    "add_responders": {"users": [ADA], "message": "the database needs you"},
}


@pytest.fixture
def server() -> Iterator[Pager]:
    with pager() as running:
        yield running


def shape(method: str, path: str) -> str:
    return f"{method} {re.sub(r'/[PQ][A-Z0-9]{5,}', '/{id}', path)}"


def check(body: Any, schema: Any) -> None:
    jsonschema.Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize("name", CALLS)
async def test_an_action_acts_once_and_speaks_pagerdutys_language(
    server: Pager, tmp_path: Path, name: str
) -> None:
    incident = server.open()
    action = actions()[name].for_environment(server.environment(tmp_path / "key"))
    assert action is not None
    args = action.parse({"incident": incident.id, **CALLS[name]})
    target = await action.target(args)
    assert target.service == "checkout"
    assert (await action.dry_run(args)).ok
    assert server.rest.writes == []
    assert (await action.apply(args, target, "k1")).changed
    assert not (await action.apply(args, target, "k1")).changed
    assert len(server.rest.writes) == 1
    for asked in server.asked:
        if asked.method != "GET":
            check(asked.json, REQUESTS[shape(asked.method, asked.path)])
            assert asked.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_is_lost_is_not_sent_for_again(
    server: Pager, tmp_path: Path, name: str
) -> None:
    incident, server.lost = server.open(), 1
    action = actions()[name].for_environment(server.environment(tmp_path / "key"))
    assert action is not None
    args = action.parse({"incident": incident.id, **CALLS[name]})
    target = await action.target(args)
    with pytest.raises(Unavailable):
        await action.apply(args, target, "k1")
    assert not (await action.apply(args, target, "k1")).changed
    assert len(server.rest.writes) == 1


def ask(server: Pager, method: str, path: str, body: Any = None, **headers: str) -> Any:
    raw = b"" if body is None else json.dumps(body).encode()
    path, _, query = path.partition("?")
    pairs = tuple((k, v) for k, _, v in (pair.partition("=") for pair in query.split("&") if pair))
    call = Call(
        method=method, path=path, query=pairs, headers={**HEADERS, **headers}, body=raw
    )  # fmt: skip
    return server.rest.answer(call)


def test_every_answer_keeps_to_the_contract(server: Pager) -> None:
    incident = server.open(priority="PRIO0P2")
    own = f"/incidents/{incident.id}"
    asked = [
        ("POST", f"{own}/notes", {"note": {"content": "we look at it"}}),
        ("POST", f"{own}/responder_requests", {
            "requester_id": "PSREBOT", "message": "come", "responder_request_targets": [
                {"responder_request_target": {"id": ANIL, "type": "user_reference"}}]}),
        ("PUT", own, {"incident": {"type": "incident_reference", "status": "acknowledged"}}),
        ("PUT", own, {"incident": {"type": "incident_reference", "urgency": "low"}}),
        ("GET", own, None), ("GET", f"{own}/notes", None), ("GET", f"{own}/alerts", None),
        ("GET", "/incidents?statuses[]=acknowledged", None), ("GET", "/change_events", None),
        ("GET", "/oncalls?escalation_policy_ids[]=PSHOPEP&limit=100", None),
        ("GET", "/users?query=rosa", None), ("GET", "/users/PROSA01", None),
        ("POST", "/incidents", {"incident": {
            "type": "incident", "title": "new", "urgency": "low",
            "service": {"id": incident.service, "type": "service_reference"}}}),
    ]  # fmt: skip
    for method, path, body in asked:
        answer = ask(server, method, path, body)
        assert answer.status in (200, 201), (method, path, answer.body)
        check(answer.body, ANSWERS[shape(method, path.partition("?")[0])])
        if body is not None:
            check(body, REQUESTS[shape(method, path)])


@pytest.mark.parametrize(
    ("status", "method", "path", "body", "headers"),
    [
        (401, "GET", "/incidents", None, {"authorization": "Token token=wrong"}),
        (406, "GET", "/incidents", None, {"accept": "application/json"}),
        (400, "POST", "/incidents/{}/notes", {"note": {"content": "x"}}, {"from": "a@b.example"}),
        (415, "POST", "/incidents/{}/notes", {"note": {"content": "x"}}, {"content-type": "x"}),
        (400, "POST", "/incidents/{}/notes", {"content": "x"}, {}),
        (400, "POST", "/incidents/{}/notes", {"note": {"content": " "}}, {}),
        (400, "PUT", "/incidents/{}", {"incident": {"type": "incident", "status": "gone"}}, {}),
        (400, "PUT", "/incidents/{}", {"incident": {"status": "resolved"}}, {}),
        (400, "PUT", "/incidents/{}", {"incident": {"type": "incident", "colour": "red"}}, {}),
        (400, "PUT", "/incidents/{}", {"incident": {"type": "incident",
                                                    "escalation_level": 9}}, {}),
        (404, "GET", "/incidents/PNOTHERE", None, {}),
        (404, "GET", "/incidents/../users", None, {}),
        (404, "DELETE", "/incidents/{}", None, {}),
        (400, "GET", "/incidents?limit=5000", None, {}),
        (400, "GET", "/incidents?statuses[]=odd", None, {}),
    ],
)  # fmt: skip
def test_what_pagerduty_refuses_is_refused_with_its_own_error(
    server: Pager, status: int, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    path = path.format(server.open().id)
    answer = ask(server, method, path, body, **headers)
    assert answer.status == status, answer.body
    check(answer.body, ERROR)
    assert server.rest.writes == []


def test_what_is_resolved_is_over_but_can_be_written_on(server: Pager) -> None:
    incident = server.open()
    server.account.resolve(incident)
    over = {"incident": {"type": "incident", "status": "acknowledged"}}
    answer = ask(server, "PUT", f"/incidents/{incident.id}", over)
    assert answer.body["error"]["errors"] == ["Incident Already Resolved"]
    path = f"/incidents/{incident.id}/notes"
    assert ask(server, "POST", path, {"note": {"content": "after"}}).status == 200


def test_webhooks_keep_to_the_contract_and_carry_both_secrets_signatures(server: Pager) -> None:
    account, incident = server.account, server.open(priority="PRIO0P1")
    account.acknowledge(incident, ANIL)
    account.unacknowledge(incident)
    account.escalate(incident, 2, ADA)
    account.reassign(incident, [ADA], ADA)
    account.prioritise(incident, "PRIO0P3", ADA)
    account.note(incident, "x" * 3_000, ADA)
    account.ask(incident, [ANIL], "come", ADA)
    account.resolve(incident, ADA)
    account.reopen(incident, ADA)
    kinds = [event.kind.removeprefix("incident.") for event in account.events]
    assert kinds == [
        "triggered", "acknowledged", "unacknowledged", "escalated", "reassigned",
        "priority_updated", "annotated", "responder.added", "resolved", "reopened",
    ]  # fmt: skip
    made = [delivery(e, subscription="PSUB001", secrets=("old", "new")) for e in account.events]
    for one in made:
        check(json.loads(one.body), EVENT)
        assert one.headers["X-PagerDuty-Signature"].count("v1=") == 2
    assert len({one.headers["X-Webhook-Id"] for one in made}) == len(made)


def test_a_low_urgency_calls_nobody_until_it_becomes_high(server: Pager) -> None:
    incident = server.open(urgency="low")
    assert server.account.called == []
    server.account.urge(incident, "high", ADA)
    assert server.account.called == [(incident.id, "PROSA01")]
