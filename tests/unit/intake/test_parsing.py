"""What each source's delivery says of which trouble."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import Malformed
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.domain.signal_limits import fitted
from bot.intake import alertmanager, generic, pagerduty
from bot.intake.doors import parse_as
from bot.intake.places import Places
from tests.unit.intake.doorway import NOW, PLACES
from tests.unit.intake.samples import REFERENCE, alert, event, incident, notification

KNOWN = Places(PLACES)
KINDS = (  # as PagerDuty documents them, and as it has sent them since
    "acknowledged annotated delegated escalated priority_updated reassigned reopened resolved "
    "responder.added responder.replied status_update_published triggered unacknowledged "
    "conference_bridge.updated custom_field_values.updated workflow.started workflow.completed "
    "action_invocation.created incident_type.changed role.assigned service_updated task.created"
)
OF_INCIDENTS = KINDS.split()

FULL = {
    "id": "q-17", "subject": "queue-orders", "phase": "resolved", "title": "Queue drained",
    "at": "2026-03-01T11:59:00+00:00", "began": "2026-03-01T11:00:00Z", "severity": "high",
    "environment": "production", "services": ["orders", "orders"], "text": "was 9,000",
    "link": "https://queues.example/orders", "labels": {"team": "shop"}, "event": "queue",
}  # fmt: skip


def paged(body: Any) -> Signal:
    (signal,) = pagerduty.signals_of(body, "", NOW)
    return signal


class TestPagerDuty:
    def test_a_triggered_incident_says_what_who_and_how_urgent(self) -> None:
        signal = paged(event())
        assert (signal.origin, signal.phase, signal.severity) == (
            Origin.PAGERDUTY, Phase.FIRING, Severity.CRITICAL,
        )  # fmt: skip
        assert (signal.key, signal.subject) == ("pagerduty:01EVENT", "pagerduty:PINC1")
        assert (signal.title, signal.services) == ("Checkout is slow", ("Checkout",))
        assert signal.at == datetime(2026, 3, 1, 11, 59, 0, 123_000, UTC)
        assert signal.began == datetime(2026, 3, 1, 11, 58, tzinfo=UTC)
        assert signal.link == "https://acme.pagerduty.com/incidents/PINC1"
        assert signal.details == {
            "agent": "Kim", "agent_id": "PUSR1", "agent_type": "user_reference",
            "html_url": "https://acme.pagerduty.com/incidents/PINC1", "status": "triggered",
            "priority": "P1", "urgency": "high", "assignees": "Kim, Ana",
            "assignee_ids": "PUSR1, PUSR2", "assigned": "2", "service": "Checkout",
            "service_id": "PSVC1", "escalation_policy": "Shop", "escalation_policy_id": "PPOL1",
            "number": "7", "incident_key": "k1", "incident_type": "incident_default",
        }  # fmt: skip

    @pytest.mark.parametrize("kind", OF_INCIDENTS)
    def test_every_documented_event_is_about_its_incident(self, kind: str) -> None:
        signal = paged(event(f"incident.{kind}"))
        wanted = {"triggered": Phase.FIRING, "reopened": Phase.FIRING, "resolved": Phase.RESOLVED}
        assert signal.phase is wanted.get(kind, Phase.UPDATED)
        assert (signal.event, signal.subject) == (f"incident.{kind}", "pagerduty:PINC1")

    @pytest.mark.parametrize("kind", ["pagey.ping", "service.updated", "service.deleted", "moon.x"])
    def test_an_event_of_nothing_that_is_wrong_is_no_signal(self, kind: str) -> None:
        assert pagerduty.signals_of(event(kind, data={"type": "ping"}), "", NOW) == ()

    def test_an_unknown_event_of_an_incident_is_kept_as_an_update(self) -> None:
        assert paged(event("incident.danced")).phase is Phase.UPDATED

    def test_a_note_comes_with_its_words_and_its_writer(self) -> None:
        note = {
            "type": "incident_note",
            "id": "PN1",
            "content": "DB is full",
            "incident": REFERENCE,
        }
        signal = paged(event("incident.annotated", data=note))
        assert (signal.subject, signal.title) == ("pagerduty:PINC1", "Checkout is slow")
        assert (signal.text, signal.details["note"]) == ("DB is full", "DB is full")
        assert (signal.details["note_id"], signal.details["agent"]) == ("PN1", "Kim")

    @pytest.mark.parametrize(
        ("priority", "urgency", "severity"),
        [("P1", "low", Severity.CRITICAL), ("P2", "low", Severity.HIGH),
         ("P3", "", Severity.WARNING), ("P5", "high", Severity.INFO), ("", "high", Severity.HIGH),
         ("", "low", Severity.WARNING), ("", "", Severity.WARNING), ("Huge", "", Severity.WARNING)],
    )  # fmt: skip
    def test_the_priority_counts_before_the_urgency(
        self, priority: str, urgency: str, severity: Severity
    ) -> None:
        given = {"summary": priority} if priority else None
        assert paged(event(data=incident(priority=given, urgency=urgency))).severity is severity

    def test_a_resolved_incident_has_nobody(self) -> None:
        signal = paged(event("incident.resolved", data=incident(assignees=[], status="resolved")))
        assert (signal.details["assigned"], "assignees" in signal.details) == ("0", False)

    @pytest.mark.parametrize(
        "kind",
        ["incident_note", "incident_responder", "incident_status_update", "incident_field_values",
         "incident_conference_bridge", "incident_workflow_instance", "incident_task",
         "incident_role_assignment", "incident_action_invocation", "incident"],
    )  # fmt: skip
    def test_each_documented_kind_of_data_is_read(self, kind: str) -> None:
        folder = Path(os.environ.get("SRE_BOT_SHARED", "../shared")) / "data/pagerduty-webhooks"
        if not folder.exists():
            pytest.skip("the shared data is not here")
        data = json.loads((folder / f"doc-data-{kind}.json").read_text())
        signal = paged(event("incident.changed", data=data))
        assert signal.subject.startswith("pagerduty:")
        own = set(signal.details) - {"agent", "agent_id", "agent_type", "html_url"}
        assert own

    @pytest.mark.parametrize(
        "body",
        [None, [], "x", {}, {"event": None}, {"event": {"id": "1"}}, event(data=[]),
         event(data={"type": "incident"}), event(data={"type": "incident_note", "incident": 3}),
         event(data={"incident_role_assignments": [7]}), {"event": {**event()["event"], "id": ""}}],
    )  # fmt: skip
    def test_what_names_no_incident_is_malformed(self, body: Any) -> None:
        with pytest.raises(Malformed):
            pagerduty.signals_of(body, "", NOW)


class TestAlertmanager:
    def test_a_firing_alert_says_since_when_and_of_which_service(self) -> None:
        (signal,) = alertmanager.signals_of(notification(), "", NOW, KNOWN)
        assert signal.subject == "alertmanager:prod:fp-HighLatency"
        assert signal.key == f"{signal.subject}:2026-03-01T11:50:00.123456789Z:firing"
        assert (signal.severity, signal.services) == (Severity.CRITICAL, ("checkout",))
        assert (signal.title, signal.text) == ("HighLatency at checkout", "p99 4.1 s")
        assert signal.began == signal.at == datetime(2026, 3, 1, 11, 50, 0, 123_456, UTC)
        assert signal.link == "https://alerts.example"
        assert signal.event == "HighLatency"

    def test_the_same_alert_again_has_the_same_key_and_its_end_another(self) -> None:
        first, again, ended, later = (
            alertmanager.signals_of(notification(a), "", NOW, KNOWN)[0]
            for a in (
                alert(), alert(), alert(status="resolved", endsAt="2026-03-01T11:59:00Z"),
                alert(startsAt="2026-03-01T11:59:30Z"),
            )
        )  # fmt: skip
        assert first.key == again.key
        assert len({first.key, ended.key, later.key}) == 3
        assert len({s.subject for s in (first, again, ended, later)}) == 1
        assert ended.at == datetime(2026, 3, 1, 11, 59, tzinfo=UTC)

    def test_the_same_alert_of_two_environments_is_two(self) -> None:
        body = notification(alert(labels={"alertname": "A"}))
        keys = {alertmanager.signals_of(body, e, NOW, KNOWN)[0].key for e in ("", "prod", "dev")}
        assert len(keys) == 3

    def test_without_a_fingerprint_the_labels_make_it_the_same(self) -> None:
        def subject(**labels: str) -> str:
            one = alert(labels={"alertname": "A", **labels}, fingerprint="")
            return alertmanager.signals_of(notification(one), "", NOW, KNOWN)[0].subject

        assert subject(a="1", b="2") == subject(b="2", a="1") != subject(a="1")

    def test_the_scrape_job_is_a_service_only_when_nothing_else_is(self) -> None:
        one = alert(labels={"alertname": "A", "job": "node"})
        assert alertmanager.signals_of(notification(one), "", NOW, KNOWN)[0].services == ("node",)

    @pytest.mark.parametrize(
        "body",
        [None, [], {}, notification(version="3"), {"version": "4"}, notification(alerts=[]),
         notification(3), notification({}), notification(alert(status="?")),
         notification(alert(labels={})), notification(alert(labels=None)),
         notification(alert(), None)],
    )  # fmt: skip
    def test_what_is_no_notification_is_malformed(self, body: Any) -> None:
        with pytest.raises(Malformed):
            alertmanager.signals_of(body, "", NOW, KNOWN)

    @pytest.mark.parametrize(
        "at", ["", None, 7, "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00"]
    )
    def test_an_impossible_time_is_when_it_came(self, at: Any) -> None:
        (signal,) = alertmanager.signals_of(notification(alert(startsAt=at)), "", NOW, KNOWN)
        assert signal.at == NOW
        assert fitted(signal, NOW).began in (None, NOW)


class TestGeneric:
    def test_a_signal_is_as_it_was_sent(self) -> None:
        (signal,) = generic.signals_of(FULL, "", NOW, KNOWN)
        assert (signal.key, signal.subject) == ("webhook:q-17:resolved", "webhook:queue-orders")
        assert (signal.phase, signal.severity) == (Phase.RESOLVED, Severity.HIGH)
        assert (signal.environment, signal.services) == ("prod", ("orders",))
        assert signal.labels == {"team": "shop"}
        assert signal.at == datetime(2026, 3, 1, 11, 59, tzinfo=UTC)

    def test_id_and_title_are_enough_and_many_come_at_once(self) -> None:
        body = {"signals": [{"id": str(n), "title": "t"} for n in range(3)]}
        signals = generic.signals_of(body, "dev", NOW, KNOWN)
        assert [s.subject for s in signals] == ["webhook:0", "webhook:1", "webhook:2"]
        assert {(s.phase, s.severity, s.environment, s.at) for s in signals} == {
            (Phase.FIRING, Severity.WARNING, "dev", NOW)
        }

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"id": ""}, "id"),
            ({"id": 3}, "id"),
            ({"title": " "}, "title"),
            ({"title": "x" * 301}, "title"),
            ({"phase": "on"}, "phase"),
            ({"phase": 1}, "phase"),
            ({"at": "now"}, "at"),
            ({"at": 5}, "at"),
            ({"severity": "P1"}, "severity"),
            ({"severity": []}, "severity"),
            ({"services": "a"}, "services"),
            ({"services": [1]}, "services"),
            ({"services": ["a"] * 33}, "services"),
            ({"labels": []}, "labels"),
            ({"labels": {"a": 1}}, "labels"),
            ({"labels": {str(n): "" for n in range(65)}}, "labels"),
            ({"link": "http://x"}, "link"),
            ({"link": "javascript:x"}, "link"),
            ({"colour": "red"}, "colour"),
            ({"environment": "moon"}, "environment"),
            ({"environment": "prod"}, "environment"),
        ],
    )
    def test_a_field_that_is_not_as_documented_is_named(
        self, change: dict[str, Any], said: str
    ) -> None:
        place = "dev" if change.get("environment") == "prod" else ""
        with pytest.raises(Malformed, match=said):
            generic.signals_of({**FULL, **change}, place, NOW, KNOWN)

    @pytest.mark.parametrize(
        "body", [None, [], 3, {}, {"signals": []}, {"signals": 3}, {"signals": [3]},
                 {"signals": [{"id": "1", "title": "t"}] * 1001}],
    )  # fmt: skip
    def test_what_holds_no_signal_is_malformed(self, body: Any) -> None:
        with pytest.raises(Malformed):
            generic.signals_of(body, "", NOW, KNOWN)


def test_a_dead_letter_is_read_as_its_origin_says() -> None:
    assert parse_as("pagerduty", event(), NOW, KNOWN)[0].subject == "pagerduty:PINC1"
    assert len(parse_as("alertmanager", notification(alert("A"), alert("B")), NOW, KNOWN)) == 2
    with pytest.raises(Malformed, match="nothing reads"):
        parse_as("moon", {}, NOW, KNOWN)
