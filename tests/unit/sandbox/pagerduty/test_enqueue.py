"""The make-believe Events API: monitoring's own keys, and what it does not take."""

import json
from typing import Any

import pytest

from bot.sandbox.pagerduty.account import Account
from bot.sandbox.pagerduty.calls import Answer, Call
from bot.sandbox.pagerduty.enqueue import enqueue
from tests.fakes.pagerduty import SERVICE, an_account

PAYLOAD = {"summary": "disk at 99 %", "severity": "critical", "source": "db-1"}


def send(account: Account, **body: Any) -> Answer:
    event = {"routing_key": account.directory.services[SERVICE].routing_key, **body}
    raw = json.dumps({k: v for k, v in event.items() if v is not None}).encode()
    return enqueue(account, Call(method="POST", path="/v2/enqueue", body=raw))


def test_one_key_is_one_incident_from_its_trigger_to_its_end() -> None:
    account = an_account()
    for _ in range(3):
        answer = send(account, event_action="trigger", dedup_key="db-1/disk", payload=PAYLOAD)
        assert (answer.status, answer.body["dedup_key"]) == (202, "db-1/disk")
    (incident,) = account.incidents.values()
    assert (incident.urgency, len(incident.alerts)) == ("high", 1)
    send(account, event_action="acknowledge", dedup_key="db-1/disk")
    assert incident.status == "acknowledged"
    send(account, event_action="resolve", dedup_key="db-1/disk")
    assert (incident.status, incident.alerts[0].status) == ("resolved", "resolved")
    send(account, event_action="trigger", dedup_key="db-1/disk", payload=PAYLOAD)
    assert len(account.incidents) == 2


def test_a_warning_is_of_low_urgency_and_calls_nobody() -> None:
    account = an_account()
    send(account, event_action="trigger", payload={**PAYLOAD, "severity": "warning"})
    assert [i.urgency for i in account.incidents.values()] == ["low"]
    assert account.called == []


@pytest.mark.parametrize(
    "body",
    [
        {"event_action": "trigger"}, {"event_action": "trigger", "payload": {}},
        {"event_action": "trigger", "payload": {**PAYLOAD, "severity": "bad"}},
        {"event_action": "trigger", "payload": {**PAYLOAD, "summary": "x" * 2_000}},
        {"event_action": "resolve"}, {"event_action": "dance", "payload": PAYLOAD},
        {"event_action": "trigger", "payload": PAYLOAD, "routing_key": "wrong"},
        {"event_action": "trigger", "payload": PAYLOAD, "colour": "red"},
        {"event_action": "trigger", "payload": PAYLOAD, "dedup_key": "x" * 300},
    ],
)  # fmt: skip
def test_what_the_events_api_refuses_is_refused(body: dict[str, Any]) -> None:
    account = an_account()
    answer = send(account, **body)
    assert answer.status == 400
    assert answer.body["errors"]
    assert account.incidents == {}


def test_resolving_what_is_unknown_is_accepted_and_does_nothing() -> None:
    account = an_account()
    assert send(account, event_action="resolve", dedup_key="never seen").status == 202
    assert account.events == []
