"""Signals become alerts: one per subject, with their flips, in the environment that they mean."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.signal import Phase, Severity
from bot.triage.absorbing import flaps
from bot.triage.alike import alike, signature
from bot.triage.places import Place, place_of, service_of
from tests.unit.triage.samples import PROD, SERVICES, absorbed, after, alert, place, signal

RESOLVED = Phase.RESOLVED


class TestAbsorbing:
    def test_the_same_subject_is_one_alert_that_counts(self) -> None:
        (made,) = absorbed(signal(), signal(at=30), signal(at=60))
        assert (made.count, made.flips, made.firing) == (3, 0, True)
        assert (made.first_at, made.last_at) == (after(0), after(60))

    def test_it_began_when_its_source_says(self) -> None:
        (made,) = absorbed(signal(at=10, began=after(-300)))
        assert made.first_at == after(-300)

    def test_a_resolved_one_that_nobody_knew_is_nothing(self) -> None:
        assert absorbed(signal(phase=RESOLVED)) == []

    def test_what_overtook_another_on_its_way_stands(self) -> None:
        known = absorbed(signal(), signal(at=20, phase=RESOLVED))
        (made,) = absorbed(signal(at=10), known=known)
        assert not made.firing
        assert made.last_at == after(20)

    def test_it_flaps_after_four_flips_until_it_is_steady_for_ten_minutes(self) -> None:
        phases = [Phase.FIRING, RESOLVED, Phase.FIRING, RESOLVED, Phase.FIRING]
        (made,) = absorbed(*(signal(at=30.0 * n, phase=p) for n, p in enumerate(phases)))
        assert made.flips == 4
        assert flaps(made, after(130))
        assert not flaps(made, after(120 + 601))

    def test_after_half_an_hour_of_silence_it_is_a_new_trouble(self) -> None:
        known = absorbed(signal(), signal(at=20, phase=RESOLVED))
        (made,) = absorbed(signal(at=3000), known=[replace(known[0], incident_id="sig-1")])
        assert (made.count, made.flips, made.incident_id) == (1, 0, "")

    def test_one_that_fires_again_soon_stays_in_its_incident(self) -> None:
        known = absorbed(signal(), signal(at=20, phase=RESOLVED))
        (made,) = absorbed(signal(at=60), known=[replace(known[0], incident_id="sig-1")])
        assert (made.incident_id, made.firing) == ("sig-1", True)

    def test_an_update_changes_details_and_nothing_else(self) -> None:
        first = signal(details={"status": "triggered", "priority": "P2"})
        update = signal(
            at=5, phase=Phase.UPDATED, severity=Severity.INFO,
            details={"status": "acknowledged", "assignees": "Rosa"},
        )  # fmt: skip
        (made,) = absorbed(first, update)
        assert made.firing
        assert made.severity is Severity.HIGH
        assert made.signal.details == {
            "status": "acknowledged", "priority": "P2", "assignees": "Rosa",
        }  # fmt: skip

    @pytest.mark.parametrize(("status", "begins"), [("acknowledged", 1), ("resolved", 0), ("", 0)])
    def test_an_update_of_something_unknown_begins_it_only_if_it_is_open(
        self, status: str, begins: int
    ) -> None:
        details = {"status": status} if status else {}
        assert len(absorbed(signal(phase=Phase.UPDATED, details=details))) == begins

    def test_a_quiet_alert_that_gets_worse_is_looked_at_again(self) -> None:
        known = replace(alert(severity=Severity.INFO), incident_id="sig-q")
        (same,) = absorbed(signal(at=5, severity=Severity.INFO), known=[known], quiet=["sig-q"])
        assert same.incident_id == "sig-q"
        (worse,) = absorbed(signal(at=5), known=[known], quiet=["sig-q"])
        assert worse.incident_id == ""


class TestPlaces:
    @pytest.mark.parametrize(
        ("changes", "found"),
        [
            ({"environment": "PROD"}, "prod"),
            ({"environment": "live"}, "prod"),
            ({"environment": "", "labels": {"env": "staging"}}, "staging"),
            ({"environment": "", "labels": {"namespace": "shop"}}, "prod"),
            ({"environment": "elsewhere"}, "staging"),
        ],
    )
    def test_the_environment_is_found_by_name_alias_label_or_namespace(
        self, changes: dict[str, Any], found: str
    ) -> None:
        staging = Environment(name="staging", tier=Tier.STAGING, namespaces=("stage",))
        places = {"prod": place(), "staging": Place(environment=staging)}
        assert place_of(signal(**changes), places, "staging") == found

    @pytest.mark.parametrize(
        ("named", "found"),
        [
            ("checkout", "checkout"),
            ("Checkout", "checkout"),
            ("checkout-7d9f8b6c5-x2x9k", "checkout"),
            ("ledger-0", "ledger"),
            ("checkout-service", "checkout"),
            ("shop/checkout", "checkout"),
            ("kasse", "checkout"),
            ("mainframe", "mainframe"),
        ],
    )
    def test_a_service_is_found_by_what_sources_call_it(self, named: str, found: str) -> None:
        shop = replace(PROD, service_aliases={"checkout": ("Kasse",)})
        here = Place(environment=shop, services=SERVICES)
        assert service_of(signal(services=(named,)), here) == found

    def test_labels_help_where_the_source_names_no_service(self) -> None:
        labels = {"job": "node-exporter", "pod": "cart-0"}
        assert service_of(signal("", labels=labels), place()) == "cart"
        assert service_of(signal("", labels={"job": "node-exporter"}), place()) == ""


class TestAlike:
    def test_what_differs_from_case_to_case_does_not_count(self) -> None:
        one = signature("checkout-7d9f8b6c5-x2x9k restarted 3 times at 14:03", "checkout")
        other = signature("checkout-7d9f8b6c5-aaaa1 restarted 12 times at 15:10", "checkout")
        assert one == other != ""

    def test_a_name_in_one_word_is_read_as_words(self) -> None:
        assert signature("HighErrorRate") == "high error rate"

    def test_different_complaints_are_not_alike(self) -> None:
        assert not alike("latency is high", "certificate expires")
        assert not alike("", "")
        assert alike("p99 latency is too high", "latency is too high")

    @pytest.mark.parametrize("title", ["", "\x00", "🔥" * 300, "a" * 10_000, "0x1 2 3", "((("])
    def test_any_title_has_a_signature(self, title: str) -> None:
        assert len(signature(title, "svc")) <= 120
