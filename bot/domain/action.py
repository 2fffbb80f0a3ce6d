"""What can be done about a cause.

Calls, targets, dry-runs, blast radius, executions, verifications.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from bot.domain.diagnosis import SignalRef
from bot.domain.people import SELF


class Level(IntEnum):
    """Autonomy of an (environment, action, service). Absent means L1."""

    L1 = 1  # read-only insight
    L2 = 2  # advised action: one click
    L3 = 3  # approval-gated
    L4 = 4  # autonomous with guardrails


class Effect(StrEnum):
    """The class of an action, for policy and for people."""

    RESTART = "restart"
    ROLLBACK = "rollback"
    ROLLOUT = "rollout"  # pauses or resumes one
    SCALE = "scale"
    CONFIG = "config"
    FLAG = "flag"
    RESOURCES = "resources"
    ROUTING = "routing"
    NODE = "node"
    STORAGE = "storage"
    CLEANUP = "cleanup"  # takes away what is over: a failed Job
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """An action of the catalogue with its arguments, in one environment. JSON values only."""

    action: str
    environment: str
    arguments: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON: what an approval is bound to."""
        canonical = json.dumps(
            [self.action, self.environment, self.arguments], sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """What an action's own file says of it; the same for every call."""

    name: str
    summary: str
    effect: Effect
    system: str  # "kubernetes", "flags", …
    reversible: bool
    highest_level: Level
    arguments: Mapping[str, str]  # name → type and meaning, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The live object of a call, read just now. `spec_hash` ignores status and managed fields."""

    environment: str
    kind: str
    namespace: str
    name: str
    uid: str
    spec_hash: str
    service: str
    replicas: int  # 0 where that makes no sense
    stateful: bool = False
    gitops_owner: str = ""  # "argocd", "flux", "helm" or ""
    is_bot_itself: bool = False
    pdb_allows: int | None = None
    owner: str = ""  # the team that answers for it, as its label or annotation says; "" if none


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """What can be unavailable at one time because of the action."""

    pods: int
    pods_total: int
    workload_ratio: float  # pods / pods_total, 0..1
    fleet_ratio: float  # pods / all pods of the environment, 0..1
    namespaces: int = 1
    nodes: int = 0
    services: tuple[str, ...] = ()
    touched: int | None = None  # pods that change in all; None: all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What the system itself says the action would change. `diff` is normalised and redacted."""

    ok: bool
    command: str  # what a person would type for the same effect
    diff: str
    blast_radius: BlastRadius
    detail: str = ""  # why not ok, or warnings

    @property
    def diff_hash(self) -> str:
        """SHA-256 of the diff shown."""
        return hashlib.sha256(self.diff.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an apply did, read back from the system."""

    changed: bool  # False: it was so already (same key, or same state)
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationPlan:
    """How to tell that it helped.

    `signal` back to `threshold` or better, within `window_s` (world time).
    """

    signal: SignalRef | None  # None: the target's readiness alone
    threshold: float
    window_s: float
    above_is_bad: bool = True
    rollout_of: str = ""  # a Deployment: only what is seen after its next rollout counts
    in_place: bool = False  # no trouble has to go: what was written is read back, nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One concrete action for one diagnosis, as it is shown, ruled and approved."""

    id: str
    investigation_id: str
    call: ActionCall
    title: str  # "Roll back checkout to v2.40"
    reason: str
    runbook: str
    trade_off: str  # what the fix does not do, or costs; "" if nothing
    confidence: float
    cause: str
    novel: bool
    requester: str  # actor id; the bot's own proposals: "sre-bot"
    verification: VerificationPlan
    target: Target | None = None  # filled by staging
    dry_run: DryRun | None = None
    inverse: ActionCall | None = None
    expires_at: datetime | None = None  # wall time
    track_record: str = ""  # "9 of 9 rollbacks of checkout verified (lower bound 70 %)"
    applied: Target | None = None  # the target read back after acting: what an undo must still find
    warnings: tuple[str, ...] = ()  # what makes it brittle here: "an autoscaler owns the replicas"
    short_term: bool = False  # helps for a while; `lasting_fix` is what ends the cause
    lasting_fix: str = ""
    preparations: tuple["Proposal", ...] = ()  # done before it, in order, each verified

    @property
    def asked_for(self) -> bool:
        """Whether a person asked for it, not the bot."""
        return self.requester not in ("", SELF.id)


class Choice(StrEnum):
    """What a person decided about a proposal."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A bound decision: worth nothing for any other action, target, diff or moment."""

    id: str
    proposal_id: str
    choice: Choice
    actor_id: str
    team: str
    role: str  # the role that counted, at the click
    at: datetime
    reason: str
    call_digest: str
    target_uid: str
    spec_hash: str
    diff_hash: str
    expires_at: datetime
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An earlier rejection of the same call. `here`: in the same incident."""

    proposal: Proposal
    decision: Decision
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """A lone on-call's declaration that they decide alone on what they asked for themselves."""

    proposal_id: str
    team: str
    user: str
    reason: str
    at: datetime
    expires_at: datetime


class ExecutionStatus(StrEnum):
    """The life of an execution."""

    INTENDED = "intended"  # recorded, not yet sent
    APPLIED = "applied"
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # sent, and not known what became of it
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One use of the door. `key` is unique: the same key never acts twice."""

    key: str
    proposal_id: str
    call: ActionCall
    status: ExecutionStatus
    actor_id: str
    started_at: datetime
    detail: str = ""
    inverse: ActionCall | None = None
    is_undo: bool = False


class Outcome(StrEnum):
    """What became of the trouble after acting."""

    RECOVERED = "recovered"
    WORSE = "worse"
    UNCHANGED = "unchanged"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The verdict on an execution, with the numbers it rests on."""

    execution_key: str
    outcome: Outcome
    statement: str  # "p99 0.2 s since 14:15, was 4.1 s"
    value: float | None
    checked_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
