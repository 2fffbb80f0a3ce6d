"""How deep to look: by severity, by the environment's tier, and by the service's."""

from collections.abc import Collection
from dataclasses import replace

from bot.domain.diagnosis import Budget
from bot.domain.environment import Environment, Tier
from bot.domain.signal import Severity

USUAL_TIER = 2  # of a service that nobody ranked; 1 hurts the business most
_BY_SEVERITY = {
    Severity.INFO: 0.5,
    Severity.WARNING: 0.75,
    Severity.HIGH: 1.0,
    Severity.CRITICAL: 1.5,
}
_BY_TIER = {Tier.PRODUCTION: 1.0, Tier.STAGING: 0.75, Tier.DEVELOPMENT: 0.5}
LEAST, MOST = 0.4, 2.0


def service_tier(environment: Environment, services: Collection[str]) -> int:
    """Return the tier of the most important of the services: 1, 2 or 3."""
    ranked = [environment.service_tiers.get(s, USUAL_TIER) for s in services]
    return min(ranked, default=USUAL_TIER)


def depth(severity: Severity, environment: Environment, services: Collection[str]) -> float:
    """Return the share of the usual budget that an investigation gets, 0.4 to 2."""
    tier = service_tier(environment, services)
    by_service = {1: 1.5, 2: 1.0}.get(tier, 0.75)
    share = _BY_SEVERITY[severity] * _BY_TIER[environment.tier] * by_service
    return min(MOST, max(LEAST, share))


def deepened(budget: Budget, share: float) -> Budget:
    """Return that share of a budget; money and tokens stay as they are."""
    return replace(
        budget, seconds=budget.seconds * share, queries=max(1, round(budget.queries * share))
    )
