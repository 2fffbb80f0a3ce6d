"""Who is called for an incident: of where it begins, else of all, a victim's for want of both."""

from dataclasses import replace

import pytest

from bot.domain.incident import STORM, Face
from bot.domain.signal import Severity
from bot.triage.on_call import on_call
from tests.unit.triage.samples import PROD, standing

ADA, BEA, ALL = "U0ADA", "U0BEA", "S0SRE"
BOTH = {"payments": ADA, "checkout": BEA}


def face(origin: str = "alertmanager", severity: Severity = Severity.HIGH) -> Face:
    """Return an incident that begins at payments and hits checkout first; a storm's nowhere."""
    members = standing("sig-1", "checkout", "payments").members
    service = "" if origin == STORM else "payments"
    found = standing("sig-1", service, origin=origin, severity=severity)
    return Face(incident=found.incident, members=tuple(members.values()))


@pytest.mark.parametrize(
    ("people", "origin", "who"),
    [
        (BOTH | {"*": ALL}, "alertmanager", ADA),
        (BOTH, "alertmanager", ADA),
        ({"checkout": BEA, "*": ALL}, "alertmanager", ALL),
        ({"checkout": BEA}, "alertmanager", BEA),
        ({"store": ADA}, "alertmanager", ""),
        ({}, "alertmanager", ""),
        (BOTH | {"*": ALL}, STORM, ALL),
        (BOTH, STORM, ""),  # any one of them would answer for all
    ],
)
def test_who_answers_for_where_it_begins_is_called(
    people: dict[str, str], origin: str, who: str
) -> None:
    assert on_call(face(origin), replace(PROD, on_call=people)) == who


def test_nobody_is_called_for_less_or_where_nothing_is_known() -> None:
    prod = replace(PROD, on_call={"*": ALL})
    assert on_call(face(severity=Severity.WARNING), prod) == ""
    assert on_call(face(severity=Severity.CRITICAL), prod) == ALL
    assert on_call(face(), None) == ""
