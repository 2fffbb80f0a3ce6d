"""Stages a proposal: parse, read the target, dry-run, rule. What people see is exactly this."""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.action import Level, Proposal, Rejection
from bot.domain.errors import Permanent, Refused
from bot.domain.people import SELF
from bot.domain.policy import PolicyRequest, Reason, Ruling, Stage, Verdict
from bot.remediation import wording
from bot.remediation.desk import Desk, Staged, ruling_details
from bot.remediation.hand import Hand, Seen, same_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Stager:
    """Turns a bare proposal into one that can be shown, ruled and approved."""

    desk: Desk

    async def stage(self, proposal: Proposal) -> Staged:
        """Return the staged proposal. Raises: Transient: a system could not be read."""
        known = await self.desk.ports.actions.proposal(proposal.id)
        if known is not None and known.call.digest != proposal.call.digest:
            return await self._refused(proposal, "this proposal's id belongs to another call")
        try:
            hand = self.desk.open(proposal.call)
            if known is not None and known.target is not None and known.dry_run is not None:
                seen = Seen(target=known.target, dry_run=known.dry_run, inverse=known.inverse)
                return await self._offer(known, hand, seen)
            seen = await hand.look()
        except (Permanent, Refused) as error:
            return await self._refused(proposal, str(error))
        rejected = await self.desk.ports.actions.rejected_before(proposal)
        if rejected is not None and rejected.here and not _news(rejected, proposal, seen):
            return await self._refused(proposal, wording.declined(rejected, ""))
        filled = await self._filled(_warned(proposal, rejected, seen), seen)
        return await self._offer(filled, hand, seen)

    async def question(self, proposal: Proposal, hand: Hand) -> PolicyRequest | None:
        """Return the request about a staged proposal as it was shown; None if it is not staged."""
        if proposal.target is None or proposal.dry_run is None:
            return None
        seen = Seen(target=proposal.target, dry_run=proposal.dry_run, inverse=proposal.inverse)
        return await self.desk.asker.request(
            proposal, hand, seen, stage=Stage.PROPOSE, now=self.desk.wall.now()
        )

    async def _offer(self, proposal: Proposal, hand: Hand, seen: Seen) -> Staged:
        request = await self.desk.asker.request(
            proposal, hand, seen, stage=Stage.PROPOSE, now=self.desk.wall.now()
        )
        ruling = self.desk.engine.rule(request)
        await self.desk.note(
            "ruled",
            proposal,
            f"{proposal.title}: {ruling.verdict.value}: {ruling.words}",
            actor=SELF.id,
            details=ruling_details(ruling) | {"target": seen.target.uid},
        )
        await self.desk.ports.actions.save_proposal(proposal)
        why = wording.refusal(ruling, None) if ruling.denied else ""
        return Staged(proposal=proposal, ruling=ruling, level=request.conditions.level, why=why)

    async def _filled(self, proposal: Proposal, seen: Seen) -> Proposal:
        service = seen.target.service
        verified, executed = await self.desk.ports.actions.track_record(
            proposal.call.environment, proposal.call.action, service
        )
        return replace(
            proposal,
            target=seen.target,
            dry_run=seen.dry_run,
            inverse=seen.inverse,
            expires_at=self.desk.wall.now() + timedelta(seconds=self.desk.times.offer_s),
            track_record=wording.track_record(proposal, service, verified, executed),
        )

    async def _refused(self, proposal: Proposal, why: str) -> Staged:
        await self.desk.note("refused", proposal, f"{proposal.title}: {why}", actor=SELF.id)
        ruling = Ruling(verdict=Verdict.DENY, reasons=(Reason(rule="cannot-be-staged", text=why),))
        return Staged(
            proposal=proposal, ruling=ruling, level=Level.L1, why=wording.because(why.rstrip("."))
        )


def _news(rejected: Rejection, proposal: Proposal, seen: Seen) -> str:
    """Return what changed since a rejection, empty if nothing did: then it stands."""
    earlier = rejected.proposal
    if earlier.cause != proposal.cause:
        return "the cause is another one"
    if not same_target(earlier.target, seen.target):
        return "the target changed"
    if earlier.dry_run is None or earlier.dry_run.diff_hash != seen.dry_run.diff_hash:
        return "what it would change is not the same"
    return ""


def _warned(proposal: Proposal, rejected: Rejection | None, seen: Seen) -> Proposal:
    """Return the proposal with what was said when it was declined the last time."""
    if rejected is None:
        return proposal
    news = _news(rejected, proposal, seen) if rejected.here else ""
    said = wording.declined(rejected, news)
    return replace(proposal, warnings=(said, *proposal.warnings))
