"""How long a group of alerts waits before it is told: long enough to be whole, or to heal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.signal import Severity
from bot.triage.absorbing import passes
from bot.triage.grouping import Group
from bot.triage.quiet import HEALED_WITHIN_S, PASSED_AFTER_S

WIDE = 3  # services in trouble from which a warning is more than that


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Seconds on the wall's clock."""

    settle_s: float = 3.0  # since the first alert of a group was heard of
    calm_s: float = 1.0  # since its newest, while it grows
    most_s: float = 8.0  # a group that still grows is told after that
    storm_s: float = 15.0  # the same while many services are in trouble at once
    storm: int = 8  # services that make a storm
    healing_s: float = HEALED_WITHIN_S  # how long a warning may heal by itself, by its own times


def is_due(
    group: Group,
    heard: Mapping[str, datetime],
    now: datetime,
    settling: Settling,
    *,
    storm: bool,
) -> bool:
    """Whether it is time to tell of a group. `heard`: when each pending subject was heard of first.

    In a storm it is also waited until nothing new comes: what explains a group may come last.
    """
    times = [heard.get(a.subject, now - timedelta(seconds=settling.most_s)) for a in group.alerts]
    waited = (now - min(times)).total_seconds()
    calm = (now - max(heard.values() if storm and heard else times)).total_seconds()
    if not any(a.firing for a in group.alerts):
        return waited >= settling.settle_s
    if _may_heal(group, now, settling):
        return False
    longest = settling.storm_s if storm else settling.most_s
    needed = settling.calm_s if not storm else 2 * settling.calm_s
    return waited >= longest or (waited >= settling.settle_s and calm >= needed)


def _may_heal(group: Group, now: datetime, settling: Settling) -> bool:
    if all(passes(a) for a in group.alerts):
        last = max(a.last_at for a in group.alerts)
        return (now - last).total_seconds() < PASSED_AFTER_S
    if group.severity is not Severity.WARNING or len(group.services) >= WIDE:
        return False
    began = min(a.first_at for a in group.alerts)
    return (now - began).total_seconds() < settling.healing_s
