"""Levels, earned: offers a promotion when the record says so, demotes at once when it was false."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.action import Level, Proposal
from bot.domain.people import SELF, Actor, ActorKind, Role
from bot.domain.ports import Audit, AuditEntry
from bot.domain.records import GrantStore, RecordStore
from bot.domain.time import Clock
from bot.domain.trust import LevelChange, LevelGrant, Promotion
from bot.remediation.track_record import (
    TrackRecord,
    causes_of,
    earned,
    lacking,
    record_of,
    words,
)

LONGEST_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest:
    """What a person entered to grant an offered level. `days` 0: it does not expire."""

    promotion_id: str
    reason: str
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What became of it. `why`: why nothing was granted, empty if it was."""

    change: LevelChange | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an action stands in an environment: for people to read."""

    environment: str
    action: str
    level: Level
    record: TrackRecord
    following: Level | None  # the next level, None at the highest
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Reads the record, and changes levels only downwards by itself."""

    records: RecordStore
    levels: GrantStore
    audit: Audit
    clock: Clock  # the wall's
    highest: Mapping[str, Level]  # each action's highest level

    async def record(self, environment: str, action: str, service: str = "") -> TrackRecord:
        """Return the record of an action here; with `service`, of that service alone."""
        runs = await self.records.runs(environment, action)
        runs = [run for run in runs if service in ("", run.service)]
        return record_of(runs, await self.records.baseline(environment, causes_of(runs)))

    async def standings(self) -> tuple[Standing, ...]:
        """Return where every action stands that was ever proposed, or has a level."""
        pairs = sorted(set(await self.records.pairs()))
        return tuple([await self._standing(*pair) for pair in pairs])

    async def _standing(self, environment: str, action: str) -> Standing:
        record = await self.record(environment, action)
        level = await self.levels.level_of(environment, action, "")
        highest = self.highest.get(action, Level.L1)
        following = Level(level + 1) if level < highest else None
        return Standing(
            environment=environment,
            action=action,
            level=level,
            record=record,
            following=following,
            lacks=lacking(record, following) if following else (),
        )

    async def false_action(self, proposal: Proposal, why: str) -> LevelChange | None:
        """Demote (environment, action) to L1; None when it was there already. May run twice."""
        environment, action = proposal.call.environment, proposal.call.action
        service = proposal.target.service if proposal.target else ""
        reason = f"{proposal.id}: {why}"
        now = self.clock.now()
        granted = await self.levels.held(environment, action, "")
        if granted is not None and (granted.by, granted.reason) == (SELF.id, reason):
            before = granted.fallback or Level.L1  # done before a crash
        else:
            here = await self.levels.level_of(environment, action, "")
            before = max(here, await self.levels.level_of(environment, action, service))
            change = _change(environment, action, (before, Level.L1), reason)
            await self._note("level_changed", SELF.id, change)
            await self.levels.grant(
                LevelGrant(
                    environment=environment, action=action, level=Level.L1, by=SELF.id,
                    reason=reason, fallback=before,
                )
            )  # fmt: skip
        await self.records.close_promotions(environment, action, now)
        if before is Level.L1:
            return None
        return _change(environment, action, (before, Level.L1), why)

    async def marked_wrong(self, investigation_id: str, by: str) -> tuple[LevelChange, ...]:
        """A person says the diagnosis was wrong: what was carried out for it was false."""
        changes = []
        for proposal in await self.records.carried_out(investigation_id):
            why = f"{proposal.title}: {by} says it was not the cause"
            changes.append(await self.false_action(proposal, why))
        return tuple(change for change in changes if change is not None)

    async def review(self, environment: str, action: str) -> Promotion | None:
        """Return the open offer if the record has earned the next level. Grants nothing."""
        record = await self.record(environment, action)
        level = await self.levels.level_of(environment, action, "")
        following = earned(record, level, self.highest.get(action, Level.L1))
        if following is None:
            await self.records.close_promotions(environment, action, self.clock.now())
            return None
        now = self.clock.now()
        offered = Promotion(
            id="", environment=environment, action=action, level=following,
            evidence=words(record), offered_at=now,
        )  # fmt: skip
        promotion = await self.records.offer(offered)
        if promotion is not None and promotion.offered_at == now:
            change = _change(environment, action, (level, following), promotion.evidence)
            await self._note("promotion_offered", SELF.id, change, subject=promotion.id)
        return promotion

    async def decline(self, promotion_id: str, actor: Actor) -> str:
        """Close an offer; return why not, empty if it is closed."""
        promotion = await self.records.promotion(promotion_id)
        why = self._may_not(promotion, actor)
        if promotion is None or why:
            await self._refused(promotion_id, promotion, actor, why)
            return why
        now = self.clock.now()
        change = _change(
            promotion.environment, promotion.action, (promotion.level,) * 2, "declined"
        )
        await self._note("promotion_declined", actor.id, change, subject=promotion_id)
        await self.records.close_promotions(promotion.environment, promotion.action, now)
        return ""

    async def grant(self, request: GrantRequest, actor: Actor) -> Granted:
        """Grant an offered level: by an administrator, with a reason, while it is still earned."""
        promotion = await self.records.promotion(request.promotion_id)
        why = self._may_not(promotion, actor) or _unfit(request)
        if not why and promotion is not None:
            why = await self._outdated(promotion)
        if promotion is None or why:
            await self._refused(request.promotion_id, promotion, actor, why)
            return Granted(change=None, why=why)
        environment, action, now = promotion.environment, promotion.action, self.clock.now()
        before = await self.levels.level_of(environment, action, "")
        change = _change(environment, action, (before, promotion.level), request.reason)
        await self._note("level_changed", actor.id, change)
        await self.levels.grant(
            LevelGrant(
                environment=environment, action=action, level=promotion.level, by=actor.id,
                reason=request.reason,
                expires_at=now + timedelta(days=request.days) if request.days else None,
            )
        )  # fmt: skip
        await self.records.close_promotions(environment, action, now)
        return Granted(change=change)

    def _may_not(self, promotion: Promotion | None, actor: Actor) -> str:
        if promotion is None:
            return "I know of no such offer, or it is closed"
        if actor.kind is not ActorKind.PERSON or Role.ADMINISTRATOR not in actor.roles:
            return "only an administrator grants levels"
        return ""

    async def _outdated(self, promotion: Promotion) -> str:
        environment, action = promotion.environment, promotion.action
        level = await self.levels.level_of(environment, action, "")
        record = await self.record(environment, action)
        if earned(record, level, self.highest.get(action, Level.L1)) is promotion.level:
            return ""
        return "the record has changed since the offer and does not earn this level now"

    async def _refused(
        self, promotion_id: str, promotion: Promotion | None, actor: Actor, why: str
    ) -> None:
        await self.audit.write(
            AuditEntry(
                at=self.clock.now(), actor=actor.id, event="refused",
                environment=promotion.environment if promotion else "",
                subject=promotion_id, text=f"level: {why}",
            )
        )  # fmt: skip

    async def _note(self, event: str, by: str, change: LevelChange, *, subject: str = "") -> None:
        details = {"before": int(change.before), "after": int(change.after)}
        await self.audit.write(
            AuditEntry(
                at=self.clock.now(), actor=by, event=event, environment=change.environment,
                subject=subject or f"{change.action}/*",
                text=f"L{int(change.before)} → L{int(change.after)}: {change.why}",
                details=json.dumps(details),
            )
        )  # fmt: skip


def _change(environment: str, action: str, levels: tuple[Level, Level], why: str) -> LevelChange:
    before, after = levels
    return LevelChange(
        environment=environment, action=action, before=before, after=after, why=why
    )  # fmt: skip


def _unfit(request: GrantRequest) -> str:
    if not request.reason.strip():
        return "a reason is needed"
    if not 0 <= request.days <= LONGEST_DAYS:
        return f"it can expire after 1 to {LONGEST_DAYS} days"
    return ""
