"""Whatever is sent, the door answers below 500, and only what is signed and whole is kept."""

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.signal import Signal
from bot.domain.signal_limits import fitted
from tests.unit.intake.doorway import ALERTS, BEARER, NOW, Door, by_pagerduty, send, stamped
from tests.unit.intake.samples import REFERENCE, alert, event, incident, notification, raw

QUICK, LONG = 500, 5_000  # examples of each of the four properties
PATHS = {
    "pagerduty": by_pagerduty, "alertmanager": lambda _: BEARER, "signals": stamped,
}  # fmt: skip
WORDS = [
    "incident", "incident_note", "incident.triggered", "pagey.ping", "firing", "resolved", "4",
    "critical", "P1", "2026-03-01T12:00:00Z", "9999-12-31T23:59:59.999999-23:59", "prod",
    "x" * 5_000, "\x00", "\ud800", "\ue000", "https://a", "javascript:x", "<!here>", "", " ",
    "-----BEGIN PRIVATE KEY-----", "token=abcdefgh1234",
]  # fmt: skip
NAMES = [
    "event", "id", "event_type", "data", "type", "incident", "title", "service", "summary", "agent",
    "assignees", "priority", "urgency", "occurred_at", "created_at", "version", "alerts", "labels",
    "annotations", "status", "startsAt", "endsAt", "fingerprint", "signals", "severity", "phase",
    "services", "text", "link", "at", "began", "environment", "content", "number", "state",
    "incident_role_assignments", "changed_custom_fields", "custom_fields", "name", "value",
]  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS) | st.text(max_size=8) | st.just(10**400)
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
SLOW = (HealthCheck.too_slow, HealthCheck.large_base_example)
GOOD: tuple[tuple[str, Any], ...] = (
    ("pagerduty", event()),
    ("pagerduty", event("incident.annotated", {"type": "incident_note", "id": "PN1",
                                               "content": "x", "incident": REFERENCE})),
    ("pagerduty", event("incident.resolved", incident(assignees=[], status="resolved"))),
    ("alertmanager", notification(alert("A"), alert("B", status="resolved"))),
    ("signals", {"signals": [{"id": "a", "title": "t", "labels": {"x": "y"}, "services": ["z"]}]}),
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a door and a body of its own with one place replaced, taken away or added to."""
    name, body = draw(st.sampled_from(GOOD))
    copy = json.loads(json.dumps(body))
    place: Any = copy
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys)) if keys else None
        if key is None or not isinstance(place[key], dict | list) or draw(st.booleans()):
            break
        place = place[key]
    if key is None:
        return name, raw(copy)
    if draw(st.integers(0, 3)) == 0:
        del place[key]
    else:
        place[key] = draw(VALUES)
    return name, json.dumps(copy).encode("utf-8", "surrogatepass")


HEADERS = st.dictionaries(
    st.sampled_from(["X-PagerDuty-Signature", "Authorization", "X-Sre-Bot-Signature",
                     "X-Sre-Bot-Timestamp", "Content-Encoding", "Content-Length", "X-Webhook-Id"]),
    st.sampled_from(["v1=" + "0" * 64, "Bearer x", "Basic " + base64.b64encode(b"a:b").decode(),
                     str(int(NOW.timestamp())), "gzip", "identity", "-1", ""])
    | st.text(st.characters(max_codepoint=255), max_size=20), max_size=4,
)  # fmt: skip
BODIES = st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()) | st.sampled_from(
    [raw(body) for _, body in GOOD]
)  # fmt: skip


def sent(
    door: Door, name: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
) -> int:
    answer = asyncio.run(send(door.app, f"/webhooks/{name}", body, headers, method))
    assert answer.status < 500, answer.body
    assert answer.headers["content-type"] == "application/json"
    if answer.status >= 400:
        assert set(answer.json["error"]) == {"code", "message"}
    return answer.status


def kept_well(signal: Signal) -> None:
    """Whatever a body says, what is kept of it can be stored, and stays the same."""
    kept = fitted(signal, NOW)
    assert kept.at <= NOW
    json.dumps([kept.key, kept.subject, kept.title, kept.text, *kept.labels, *kept.details])
    f"{kept.key}{kept.subject}{kept.title}{kept.text}{kept.link}".encode()
    assert len(kept.key) <= 200
    assert len(kept.subject) <= 200


def strangers(examples: int) -> None:
    door = Door()

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.sampled_from(list(PATHS)), BODIES, HEADERS, st.sampled_from(["POST", "GET", "PUT"]))
    def run(name: str, body: bytes, headers: dict[str, str], method: str) -> None:
        assert sent(door, name, body, headers, method) >= 400

    run()
    assert door.untouched


def senders(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.sampled_from(list(PATHS)), BODIES)
    def run(name: str, body: bytes) -> None:
        door = Door()
        status = sent(door, name, body, PATHS[name](body))
        assert status in (202, 400)
        assert status == 202 or door.untouched
        assert not (door.kept and door.buried)

    run()


def spoilers(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=SLOW)
    @given(spoiled())
    def run(named: tuple[str, bytes]) -> None:
        name, body = named
        door = Door()
        assert sent(door, name, body, PATHS[name](body)) in (202, 400)
        for signal in door.kept:
            kept_well(signal)

    run()


def replayers(examples: int) -> None:
    door = Door()

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.sampled_from([g for g in GOOD if g[0] != "alertmanager"]), st.data())
    def run(good: tuple[str, Any], data: st.DataObject) -> None:
        name, body = good[0], raw(good[1])
        place = data.draw(st.integers(0, len(body) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda b: b != body[place]))
        altered = data.draw(
            st.sampled_from([body[:place] + bytes([byte]) + body[place + 1 :], body[:place],
                             body + bytes([byte]), body[place + 1 :], b" " + body])
        )  # fmt: skip
        assert sent(door, name, altered, PATHS[name](body)) == 403

    run()
    assert door.untouched


PROPERTIES = pytest.mark.parametrize("holds", [strangers, senders, spoilers, replayers])


@PROPERTIES
def test_no_body_and_no_header_gets_past_the_door_or_breaks_it(holds: Any) -> None:
    holds(QUICK)


@pytest.mark.long
@PROPERTIES
def test_many_more_do_neither(holds: Any) -> None:
    holds(LONG)


def test_the_secret_itself_is_never_told() -> None:
    answer = asyncio.run(send(Door().app, "/webhooks/alertmanager", b"", {"Authorization": "x"}))
    assert ALERTS.encode() not in answer.body
