"""Which environment and service of ours a page is about: the settings name them."""

from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.signal import Origin, Phase, Signal
from bot.triage.places import Place, place_of, service_of
from tests.unit.triage.samples import NOW


def place(name: str, services: Any) -> Place:
    connections = {"pagerduty": {"services": services}}
    environment = Environment(
        name=name, tier=Tier.PRODUCTION, namespaces=(), connections=connections
    )
    return Place(environment=environment, services=frozenset({"checkout", "cart"}))


def page(details: dict[str, str], origin: Origin = Origin.PAGERDUTY) -> Signal:
    return Signal(
        key="k", origin=origin, subject="pagerduty:PT4KHLK", phase=Phase.FIRING, title="slow",
        at=NOW, services=("Shop checkout",), details=details,
    )  # fmt: skip


PLACES = {
    "prod": place("prod", {"checkout": "PSHOP01", "cart": ["PCART01", "Shop cart"]}),
    "staging": place("staging", {"checkout": "PSTAGE1"}),
}


@pytest.mark.parametrize(
    ("details", "environment", "service"),
    [
        ({"service_id": "PSTAGE1"}, "staging", "checkout"),
        ({"service_id": "PCART01"}, "prod", "cart"),
        ({"service": "Shop cart"}, "prod", "cart"),
        ({"service_id": "PNONE01"}, "dev", "Shop checkout"),
        ({}, "dev", "Shop checkout"),
    ],
)
def test_a_page_is_where_the_settings_name_its_service(
    details: dict[str, str], environment: str, service: str
) -> None:
    signal = page(details)
    found = place_of(signal, PLACES, "dev")
    assert found == environment
    assert service_of(signal, PLACES.get(found, place("dev", None))) == service


def test_what_is_no_page_is_not_read_as_one() -> None:
    assert place_of(page({"service_id": "PSTAGE1"}, Origin.WEBHOOK), PLACES, "dev") == "dev"


@pytest.mark.parametrize("services", [None, "checkout", ["checkout"], 7])
def test_odd_settings_name_nothing(services: Any) -> None:
    assert (
        place_of(page({"service_id": "PSHOP01"}), {"prod": place("prod", services)}, "dev") == "dev"
    )
