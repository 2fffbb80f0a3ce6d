"""What a ruling is asked about, and what it answers.

Every field is mandatory: missing means deny.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.action import ActionFacts, BlastRadius, Level, Target
from bot.domain.environment import Tier
from bot.domain.people import Actor, Role


class Verdict(StrEnum):
    """From least to most freedom."""

    DENY = "deny"
    SUGGEST = "suggest"  # show the command, no button
    ONE_CLICK = "one_click"
    APPROVAL = "approval"
    AUTONOMOUS = "autonomous"


class Stage(StrEnum):
    """When the ruling is asked for."""

    PROPOSE = "propose"  # what may be offered, before anybody decided
    EXECUTE = "execute"  # at the moment of acting
    UNDO = "undo"  # taking back an action of the bot's own, as one unit with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Bound, unexpired, unused decisions for exactly this call, target and diff."""

    count: int
    roles: frozenset[Role]
    includes_requester: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The state of the world around the action."""

    level: Level
    confidence: float  # 0..1
    calibrated: bool
    novel: bool  # no like incident was ever confirmed
    approved_before_and_verified: bool
    dry_run_ok: bool
    freeze: bool
    breaker_open: bool
    kill_switch: bool
    target_locked: bool  # another action or a person holds it
    actions_last_hour: int
    break_glass: bool
    moment: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """One question to policy. `actor` decides or clicks; for autonomy it is the bot itself."""

    stage: Stage
    environment: str
    tier: Tier
    action: ActionFacts
    actor: Actor
    requester_id: str
    target: Target
    blast_radius: BlastRadius
    approvals: Approvals
    conditions: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason of a ruling, in words, with the rule that gave it."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The answer. For APPROVAL and ONE_CLICK: who may decide, and how many must."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    approvals_needed: int = 0
    approver_role: Role | None = None
    requester_may_approve: bool = False

    @property
    def denied(self) -> bool:
        """Whether nothing may happen."""
        return self.verdict is Verdict.DENY

    @property
    def words(self) -> str:
        """All reasons in one line."""
        return "; ".join(f"{r.text} (rule {r.rule})" for r in self.reasons)


class RulingEngine:
    """Base of whatever rules: pure, fails closed, does not depend on the order of rules."""

    def rule(self, request: PolicyRequest) -> Ruling:
        """Return the ruling; never raises, an internal error is a DENY that says so."""
        raise NotImplementedError
