"""An ordinary request: what counter-examples differ from, and what `policy explain` starts with."""

from datetime import UTC, datetime
from typing import Any

from bot.domain.action import ActionFacts, BlastRadius, Effect, Level, Target
from bot.domain.environment import Tier
from bot.domain.people import SELF
from bot.domain.policy import Approvals, Conditions, PolicyRequest, Stage
from policies.limits import view
from policies.request import VOUCHED, facts

MOMENT = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)  # a Monday


def ordinary() -> PolicyRequest:
    """Return a rollback of one stateless deployment in production at L4, where all is well."""
    return PolicyRequest(
        stage=Stage.EXECUTE,
        environment="prod",
        tier=Tier.PRODUCTION,
        action=ActionFacts(
            name="rollback_deployment",
            summary="",
            effect=Effect.ROLLBACK,
            system="kubernetes",
            reversible=True,
            highest_level=Level.L4,
            arguments={},
        ),
        actor=SELF,
        requester_id=SELF.id,
        target=_target(),
        blast_radius=BlastRadius(pods=1, pods_total=10, workload_ratio=0.1, fleet_ratio=0.01),
        approvals=Approvals(count=0, roles=frozenset(), includes_requester=False),
        conditions=_conditions(),
    )


def values(request: PolicyRequest) -> dict[str, Any]:
    """Return a request by path, as rules and guard see it. Raises: Malformed."""
    return {**facts(request, VOUCHED).values, **view(request, VOUCHED)}


def _target() -> Target:
    return Target(
        environment="prod",
        kind="Deployment",
        namespace="shop",
        name="checkout",
        uid="1",
        spec_hash="1",
        service="checkout",
        replicas=10,
    )


def _conditions() -> Conditions:
    return Conditions(
        level=Level.L4,
        confidence=0.95,
        calibrated=True,
        novel=False,
        approved_before_and_verified=True,
        dry_run_ok=True,
        freeze=False,
        breaker_open=False,
        kill_switch=False,
        target_locked=False,
        actions_last_hour=0,
        break_glass=False,
        moment=MOMENT,
    )
