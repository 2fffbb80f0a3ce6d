"""Facts of a team's weeks by hand, and a digest of them, for what shows digests."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.action import Choice, Outcome
from bot.domain.conversation import Judgement
from bot.domain.kpis import (
    ActionFact,
    DiagnosisFact,
    Facts,
    IncidentFact,
    OfferFact,
    Scope,
)
from bot.reports.digest import Digest, digest
from bot.reports.weeks import weeks_until

ZONE = ZoneInfo("Europe/Paris")
LAST = date(2026, 11, 23)
MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)  # of the week that is told
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def incident(number: int = 1, **changes: Any) -> IncidentFact:
    made = IncidentFact(
        id=f"inc-{number}", environment="prod", service="checkout", title="checkout is slow",
        channel="C0INCIDENTS", thread_ts="1.0", origin="pagerduty", severity=3,
        opened_at=MONDAY + timedelta(hours=number), began_at=MONDAY + timedelta(hours=number - 0.1),
        acknowledged_at=MONDAY + timedelta(hours=number + 0.1), escalated_at=None,
        closed_at=MONDAY + timedelta(hours=number + 1), quiet="", alerts=3,
    )  # fmt: skip
    return replace(made, **changes)


def diagnosis(number: int = 1, **changes: Any) -> DiagnosisFact:
    made = DiagnosisFact(
        id=f"inv-{number}", incident_id=f"inc-{number}", environment="prod",
        started_at=MONDAY + timedelta(hours=number), status="root_cause", cause="bad_release",
        service="checkout", judged=Judgement.RIGHT,
    )  # fmt: skip
    return replace(made, **changes)


def action(number: int = 1, **changes: Any) -> ActionFact:
    made = ActionFact(
        key=f"x-{number}", incident_id=f"inc-{number}", environment="prod", action="rollback",
        service="checkout", started_at=MONDAY + timedelta(hours=number + 0.2),
        outcome=Outcome.RECOVERED, undone=False, decided=True, asked=False, step=False, judged=None,
    )  # fmt: skip
    return replace(made, **changes)


def offer(number: int = 1, **changes: Any) -> OfferFact:
    made = OfferFact(
        id=f"p-{number}", incident_id=f"inc-{number}", environment="prod", service="checkout",
        title="Roll back checkout to v2.40", offered_at=MONDAY + timedelta(hours=number),
        expires_at=MONDAY + timedelta(hours=number + 0.5), choice=Choice.APPROVE,
        decided_at=MONDAY + timedelta(hours=number, minutes=4),
        carried_out_at=MONDAY + timedelta(hours=number + 0.2),
    )  # fmt: skip
    return replace(made, **changes)


def busy() -> Facts:
    """A week with a bit of everything, and one before it."""
    earlier = timedelta(days=-7)
    return Facts(
        incidents=(
            *(incident(n) for n in range(1, 9)),
            *(incident(n, opened_at=MONDAY + earlier, closed_at=MONDAY + earlier / 8,
                       began_at=None, acknowledged_at=None) for n in range(20, 31)),
            incident(40, title="search returns errors", service="search", closed_at=None,
                     severity=4, escalated_at=MONDAY + timedelta(hours=41)),
            *(incident(50 + n, quiet=f"recovered by itself after {n + 20} s", service=s,
                       thread_ts="")
              for n, s in enumerate(("cart", "cart", "search"))),
            incident(60, quiet="flapping: it changed 9 times in 12 min", service="mail", alerts=31,
                     thread_ts=""),
            incident(70, quiet="not an incident, as <@U1> said"),
        ),
        diagnoses=(
            *(diagnosis(n) for n in range(1, 5)),
            *(diagnosis(n, cause="memory_leak", service="cart") for n in range(5, 7)),
            diagnosis(7, status="unknown", cause="", service="", judged=None),
            diagnosis(8, judged=Judgement.WRONG),
            *(diagnosis(n, started_at=MONDAY + earlier) for n in range(20, 25)),
        ),
        actions=(
            *(action(n) for n in range(1, 4)), action(4, decided=False),
            action(5, outcome=Outcome.WORSE, undone=True),
        ),
        offers=(
            *(offer(n) for n in range(1, 4)),
            offer(5, choice=Choice.REJECT, carried_out_at=None),
            offer(6, choice=None, decided_at=None, carried_out_at=None),
            offer(7, choice=None, decided_at=None, carried_out_at=None, title="Scale search to 6",
                  expires_at=NOW + timedelta(minutes=25)),
        ),
    )  # fmt: skip


def digest_of(facts: Facts, scope: Scope | None = None) -> Digest:
    """The digest of the week before Monday, 23 November 2026, in Paris."""
    scope = scope or Scope(environments=("prod",))
    return digest(facts, weeks_until(LAST, ZONE, 13), ZONE.key, scope, NOW)
