"""Carries out a ruled call exactly once: audit, intent, apply, read back, record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.action import ActionCall, Applied, Execution, ExecutionStatus, Proposal
from bot.domain.errors import Conflict, Permanent, Refused, SreBotError, Transient
from bot.domain.policy import Reason, Ruling, Verdict
from bot.remediation import wording
from bot.remediation.desk import Acted, Desk, ruling_details, seen_details
from bot.remediation.hand import Hand, Seen, lock_name
from bot.remediation.pages import ON_PAGES

OPEN = (ExecutionStatus.INTENDED, ExecutionStatus.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One use of the door: what is done, to what, under which key, and by whom."""

    key: str
    proposal: Proposal
    call: ActionCall
    hand: Hand
    actor_id: str
    holder: str  # who holds the target's lock
    is_undo: bool = False

    @property
    def title(self) -> str:
        """What it is called in the audit."""
        return f"undo: {self.proposal.title}" if self.is_undo else self.proposal.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """The steps after a ruling. Each may be re-entered after a crash: the same key acts once."""

    desk: Desk

    async def read_back(self, deed: Deed) -> Acted | None:
        """Return the finished execution if this key acted already. Raises: Transient."""
        found = await deed.hand.action.find(deed.hand.arguments, deed.key)
        return None if found is None else await self._applied(deed, found.detail)

    async def enter(
        self, deed: Deed, seen: Seen, ruling: Ruling, *, known: bool, decisions: Sequence[str]
    ) -> Acted | None:
        """Record what will be done; return why it may not be after all, None if it may.

        `known`: the intent row is there from before a crash.
        """
        try:
            await self.desk.note(
                "executing",
                deed.proposal,
                f"{deed.title}: {ruling.words}",
                actor=deed.actor_id,
                details=ruling_details(ruling)
                | {"key": deed.key, "approvals": list(decisions)}
                | seen_details(deed.proposal, seen.target),
            )
        except SreBotError:
            if not known and not deed.is_undo:
                await self.desk.ports.actions.unlock(lock_name(seen.target), holder=deed.holder)
            raise
        if not known and await self.desk.ports.switches.stopped():  # since the ruling
            return await self._stopped(deed, seen)
        if not known:
            mine = self._intent(deed, seen)
            stored = await self.desk.ports.actions.intend(mine)
            if stored.started_at != mine.started_at:
                return Acted(execution=stored)  # somebody else has the same key in hand
        if decisions and not await self.desk.ports.actions.use_decisions(decisions):
            return await self._failed(deed, "the approval was used already")
        return None

    async def refuse(self, deed: Deed, why: str, ruling: Ruling | None, *, known: bool) -> Acted:
        """Audit a refusal; close the intent row if one is there. Nothing was done."""
        details = ruling_details(ruling) if ruling else {}
        await self.desk.note(
            "refused", deed.proposal, f"{deed.title}: {why}", actor=deed.actor_id, details=details
        )
        if known:
            await self.desk.ports.actions.finish(deed.key, ExecutionStatus.FAILED, why)
        row = await self.desk.ports.actions.execution(deed.key) if known else None
        return Acted(execution=row, why=why, ruling=ruling)

    async def _stopped(self, deed: Deed, seen: Seen) -> Acted:
        if not deed.is_undo:
            await self.desk.ports.actions.unlock(lock_name(seen.target), holder=deed.holder)
        reason = Reason(rule="kill-switch", text="I was stopped a moment ago: nothing runs")
        ruling = Ruling(verdict=Verdict.DENY, reasons=(reason,))
        return await self.refuse(deed, wording.refusal(ruling, None), ruling, known=False)

    async def carry_out(self, deed: Deed, seen: Seen) -> Acted:
        """Apply what was entered, and record what became of it."""
        self.desk.fence()
        try:
            applied: Applied = await deed.hand.action.apply(
                deed.hand.arguments, seen.target, deed.key
            )
        except Transient as error:
            return await self._uncertain(deed, error)
        except Conflict as error:
            # Our own late write may be what changed it: look before calling it a failure.
            found = await self.read_back(deed)
            return found or await self._failed(deed, f"the target changed: {error}")
        except Refused as error:
            return await self._failed(deed, f"the system refused: {error}")
        except Permanent as error:
            return await self._failed(deed, str(error), counts=True)
        return await self._applied(deed, applied.detail)

    async def _uncertain(self, deed: Deed, error: Transient) -> Acted:
        sent = f"the call was sent, no answer came ({error})."
        try:
            found = await deed.hand.action.find(deed.hand.arguments, deed.key)
        except SreBotError as blind:
            return await self._finish(
                deed, ExecutionStatus.UNCERTAIN, f"{sent} It could not be read back: {blind}."
            )
        if found is not None:
            return await self._applied(deed, f"{sent} I read the object back: {found.detail}")
        words = f"{sent} I read the object back: there is no trace of it so far."
        return await self._finish(deed, ExecutionStatus.UNCERTAIN, words)

    async def _applied(self, deed: Deed, detail: str) -> Acted:
        after = await self._remember_target(deed)
        return await self._finish(deed, ExecutionStatus.APPLIED, detail, after)

    async def _remember_target(self, deed: Deed) -> str:
        """Return what the target's spec is now, "" if unknown; an undo must find it so."""
        try:
            after = await deed.hand.action.target(deed.hand.arguments)
        except SreBotError:
            return ""  # the undo then relies on its own precondition
        if not deed.is_undo:
            await self.desk.ports.actions.save_proposal(replace(deed.proposal, applied=after))
        return after.spec_hash

    async def _failed(self, deed: Deed, why: str, *, counts: bool = False) -> Acted:
        counted = (counts or deed.is_undo) and deed.proposal.call.action not in ON_PAGES
        return await self._finish(deed, ExecutionStatus.FAILED, why, counted=counted)

    async def _finish(
        self, deed: Deed, status: ExecutionStatus, detail: str, after: str = "", *,
        counted: bool = False,
    ) -> Acted:  # fmt: skip
        """Record how it ended; `counted`: as a failure, towards the breaker."""
        words = self.desk.redact(detail)
        await self.desk.note(
            "undone" if deed.is_undo and status is ExecutionStatus.APPLIED else "executed",
            deed.proposal,
            f"{deed.title}: {status.value}: {words}",
            actor=deed.actor_id,
            details={"key": deed.key, "status": status.value, "after": {"spec": after}},
        )
        actions = self.desk.ports.actions
        if counted:
            await actions.fail(deed.key, words, self.desk.wall.now())
        else:
            await actions.finish(deed.key, status, words)
        row = await actions.execution(deed.key)
        failed = status is ExecutionStatus.FAILED
        return Acted(execution=row, why=wording.because(words.rstrip(".")) if failed else "")

    def _intent(self, deed: Deed, seen: Seen) -> Execution:
        return Execution(
            key=deed.key,
            proposal_id=deed.proposal.id,
            call=deed.call,
            status=ExecutionStatus.INTENDED,
            actor_id=deed.actor_id,
            started_at=self.desk.wall.now(),
            inverse=seen.inverse,
            is_undo=deed.is_undo,
        )
