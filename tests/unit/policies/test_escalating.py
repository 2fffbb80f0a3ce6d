"""A person is called by the bot itself for one reason only: an outage that evidence foretells."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.environment import Tier
from bot.domain.paging import Escalation
from bot.domain.policy import Verdict
from policies.escalating import SOON, escalation

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
CASE = Escalation(
    tier=Tier.PRODUCTION, known=True, confidence=0.9, supports=2,
    breaks_at=NOW + timedelta(hours=2), now=NOW,
)  # fmt: skip


def test_an_outage_that_evidence_foretells_calls_a_person() -> None:
    ruling = escalation(CASE)
    assert ruling.verdict is Verdict.AUTONOMOUS
    assert "05:00 UTC" in ruling.words


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"tier": Tier.STAGING}, "page-production-only"),
        ({"known": False}, "page-needs-evidence"),
        ({"confidence": 0.79}, "page-needs-evidence"),
        ({"supports": 1}, "page-needs-evidence"),
        ({"breaks_at": None}, "page-needs-a-forecast"),
        ({"breaks_at": NOW + SOON + timedelta(seconds=1)}, "page-not-yet"),
        ({"answered": "Rosa"}, "page-answered"),
        ({"called_before": True}, "page-once"),
        ({"calls_last_hour": 3}, "page-hourly"),
    ],
)
def test_each_reason_alone_is_enough_against_it(changed: dict[str, Any], rule: str) -> None:
    ruling = escalation(replace(CASE, **changed))
    assert ruling.denied
    assert [reason.rule for reason in ruling.reasons] == [rule]


@given(
    tier=st.sampled_from(Tier), known=st.booleans(), confidence=st.floats(0, 1),
    supports=st.integers(0, 5), hours=st.none() | st.floats(-10, 48),
    answered=st.sampled_from(("", "Rosa")), before=st.booleans(), calls=st.integers(0, 9),
)  # fmt: skip
def test_whatever_the_case_no_call_is_made_without_all_that_it_takes(
    *, tier: Tier, known: bool, confidence: float, supports: int, hours: float | None,
    answered: str, before: bool, calls: int,
) -> None:  # fmt: skip
    at = None if hours is None else NOW + timedelta(hours=hours)
    case = Escalation(
        tier=tier, known=known, confidence=confidence, supports=supports, breaks_at=at, now=NOW,
        answered=answered, called_before=before, calls_last_hour=calls,
    )  # fmt: skip
    enough = (
        tier is Tier.PRODUCTION and known and confidence >= 0.8 and supports >= 2
        and at is not None and at <= NOW + SOON and not answered and not before and calls < 3
    )  # fmt: skip
    assert (escalation(case).verdict is Verdict.AUTONOMOUS) == enough
