"""The one door to every action: stage, decide, rule again, lock, record, apply, verify, undo."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.action import (
    Choice,
    Decision,
    Execution,
    ExecutionStatus,
    Outcome,
    Proposal,
    Verification,
)
from bot.domain.conversation import Click
from bot.domain.environment import Environment
from bot.domain.errors import Permanent, Refused
from bot.domain.people import SELF, Actor
from bot.domain.policy import PolicyRequest, RulingEngine, Stage
from bot.domain.pressing import Pressed
from bot.remediation import wording
from bot.remediation.acting import OPEN, Deed, Doer
from bot.remediation.asking import Asker, Ports, approvals_of, by, execution_key, undo_key
from bot.remediation.deciding import Decider
from bot.remediation.desk import Acted, Clocks, Decided, Desk, Options, Staged
from bot.remediation.door import Door
from bot.remediation.glass import Glass
from bot.remediation.hand import Hands, Seen, lock_name, same_target
from bot.remediation.pages import ON_PAGES
from bot.remediation.plans import Plans
from bot.remediation.pressing import Presser
from bot.remediation.staging import Stager
from bot.remediation.verification import Next, next_move
from tools.contract import Action

NEVER = datetime.max.replace(tzinfo=UTC)
FOREIGN = "this button is not on the card of its action"


class Gateway:
    """Each method is one durable step: safe to run again after a crash at any point in it.

    All of them raise Transient when a store or system is down; then nothing new was done.
    """

    def __init__(
        self,
        *,
        actions: Mapping[str, type[Action[Any]]],
        environments: Mapping[str, Environment],
        engine: RulingEngine,
        ports: Ports,
        clocks: Clocks,
        options: Options | None = None,
    ) -> None:
        chosen = options or Options()
        self._desk = Desk(
            hands=Hands(actions, environments),
            engine=engine,
            ports=ports,
            asker=Asker(ports=ports, calibrated=chosen.calibrated, own=chosen.own),
            wall=clocks.wall,
            clock=clocks.world,
            redact=chosen.redact,
            times=chosen.times,
            trust=chosen.trust,
            fence=chosen.fence,
        )
        self._stager = Stager(desk=self._desk)
        self._decider = Decider(desk=self._desk, stager=self._stager)
        self._plans = Plans(stager=self._stager, decider=self._decider, actions=ports.actions)
        self._doer = Doer(desk=self._desk)
        self._door = Door(actions=ports.actions, wall=clocks.wall)
        self._glass = Glass(desk=self._desk, plans=self._plans)
        self._presser = Presser(desk=self._desk, decider=self._decider)

    async def stage(self, proposal: Proposal) -> Staged:
        """Return the proposal with target, dry-run, inverse and expiry, and what policy allows."""
        return await self._plans.stage(proposal)

    async def decide(self, proposal_id: str, click: Click, choice: Choice) -> Decided:
        """Take a person's decision; the same click, or person, counts once."""
        return await self._plans.decide(proposal_id, click, choice)

    async def break_glass(self, proposal_id: str, click: Click) -> Decided:
        """Take the decision of a lone on-call about what they asked for themselves."""
        return await self._glass.decide(proposal_id, click)

    async def press(self, proposal_id: str, pressed: Pressed) -> Decided:
        """Take the press on an incident's message as the decision on what it asked for."""
        return await self._presser.decide(proposal_id, pressed)

    async def pressed(self, proposal_id: str, pressed: Pressed) -> Decided | None:
        """Return what became of a press before a crash, None if it decided nothing yet."""
        return await self._presser.before(proposal_id, pressed)

    async def execute(self, proposal_id: str) -> Acted:
        """Rule once more on the world as it is now, and act. Call again while it is UNCERTAIN."""
        store = self._desk.ports.actions
        proposal = await store.proposal(proposal_id)
        if proposal is None or proposal.target is None or proposal.dry_run is None:
            return Acted(execution=None, why=wording.because("it was never staged"))
        key = execution_key(proposal_id)
        row = await store.execution(key)
        if row is not None and row.status not in OPEN:
            return Acted(execution=row)
        try:
            deed = self._deed(key, proposal)
            done = await self._doer.read_back(deed) if row is not None else None
            if done is not None:
                return done
            seen = await deed.hand.look()
            if row is not None and await deed.hand.action.begun(deed.hand.arguments, key):
                # What differs from what was approved is our own first half: the rest follows.
                seen = replace(seen, target=proposal.target, dry_run=proposal.dry_run)
        except (Permanent, Refused) as error:
            return await self._cannot(proposal, str(error), row)
        return await self._execute(deed, seen, known=row is not None)

    async def _execute(self, deed: Deed, seen: Seen, *, known: bool) -> Acted:
        proposal, desk = deed.proposal, self._desk
        decisions = await desk.ports.actions.decisions(proposal.id)
        why = _changed(proposal, seen, decisions) or await self._plans.unprepared(proposal)
        if not known and not decisions and desk.wall.now() >= (proposal.expires_at or NEVER):
            why = why or "the offer has expired, ask me again"
        if why:
            return await self._doer.refuse(deed, wording.because(why), None, known=known)
        async with self._door.alone(proposal.call.environment, deed.key):
            ended = await self._enter(deed, seen, decisions, known=known)
        return ended or await self._doer.carry_out(deed, seen)

    async def _enter(
        self, deed: Deed, seen: Seen, decisions: Sequence[Decision], *, known: bool
    ) -> Acted | None:
        """Lock, rule and record; return what ended it there, None if it is to be carried out."""
        proposal, desk = deed.proposal, self._desk
        held = await self._lock(deed, seen)
        bound = [d for d in decisions if self._is_bound(d, proposal, seen, known=known)]
        request = await self._question(deed, seen, Stage.EXECUTE, held=held)
        request = replace(request, approvals=approvals_of(bound, proposal.requester))
        ruling = desk.engine.rule(request)
        if ruling.denied:
            other = None if known else await desk.ports.actions.execution(deed.key)
            if other is not None:
                return Acted(execution=other)  # another worker acts on it, with the same lock
            if held:
                await desk.ports.actions.unlock(lock_name(seen.target), holder=deed.holder)
            words = wording.refusal(ruling, None) + _lapsed(decisions, bound)
            return await self._doer.refuse(deed, words, ruling, known=known and held)
        unused = [d.id for d in bound if not d.used]
        return await self._doer.enter(deed, seen, ruling, known=known, decisions=unused)

    async def undo(self, execution_key: str, click: Click | None = None) -> Acted:
        """Take an execution back through the same door; by a person's click, or by itself."""
        store = self._desk.ports.actions
        original = await store.execution(execution_key)
        proposal = await store.proposal(original.proposal_id) if original else None
        if original is None or proposal is None:
            return Acted(execution=None, why=wording.because("I know of no such execution"))
        if click is not None and not await self._desk.is_its_card(click, proposal.id):
            await self._desk.refuse_stray(click, FOREIGN)
            return Acted(execution=None, why=wording.because(FOREIGN))
        return await self._take_back(original, proposal, await self._actor(click, proposal))

    async def _take_back(self, original: Execution, proposal: Proposal, actor: Actor) -> Acted:
        row = await self._desk.ports.actions.execution(undo_key(proposal.id))
        if row is not None and row.status not in OPEN:
            return await self._undone(original, Acted(execution=row))
        try:
            deed = self._undo_deed(original, proposal, actor)
            if row is not None and (done := await self._doer.read_back(deed)) is not None:
                return await self._undone(original, done)
            seen = await deed.hand.look()
            if row is not None and await deed.hand.action.begun(deed.hand.arguments, deed.key):
                # As above; of the undo no dry-run is kept, and the action's has the same extent.
                dry_run = proposal.dry_run or seen.dry_run
                seen = replace(seen, target=proposal.applied or seen.target, dry_run=dry_run)
        except (Permanent, Refused) as error:
            return await self._cannot(proposal, str(error), row, actor=actor)
        acted = await self._undo((deed, original, actor), seen, known=row is not None)
        return await self._undone(original, acted)

    async def _undo(self, job: tuple[Deed, Execution, Actor], seen: Seen, *, known: bool) -> Acted:
        deed, _original, actor = job
        after = deed.proposal.applied
        if after is not None and not same_target(after, seen.target):
            why = wording.because("it was changed since I acted, so a person has to look")
            return await self._doer.refuse(deed, why, None, known=known)
        store, name = self._desk.ports.actions, lock_name(seen.target)
        before = await store.locked_by(name, self._desk.wall.now())
        held = await self._lock(deed, seen)
        request = await self._question(deed, seen, Stage.UNDO, held=held)
        ruling = self._desk.engine.rule(by(request, actor))
        if ruling.denied:
            if held and before != deed.holder:  # who may not take it back does not block it either
                await store.unlock(name, holder=deed.holder)
            words = wording.refusal(ruling, None) + " Not taken back: a person has to decide."
            return await self._doer.refuse(deed, words, ruling, known=known and held)
        ended = await self._doer.enter(deed, seen, ruling, known=known, decisions=())
        return ended or await self._doer.carry_out(deed, seen)

    async def settle(self, verification: Verification) -> Next:
        """Record what became of an execution, count it towards the breaker, say what follows."""
        store, now = self._desk.ports.actions, self._desk.wall.now()
        execution = await store.execution(verification.execution_key)
        proposal = await store.proposal(execution.proposal_id) if execution else None
        if execution is None or proposal is None:
            return next_move(verification.outcome, reversible=False)
        following = next_move(
            verification.outcome,
            reversible=execution.inverse is not None,
            is_undo=execution.is_undo,
        )
        words = f"{verification.outcome.value}: {verification.statement}"
        await self._desk.note("verified", proposal, words, actor=SELF.id)
        counts = proposal.call.action not in ON_PAGES
        counts = counts and (following.failure or not execution.is_undo)
        await store.settle(verification, now, failure=following.failure if counts else None)
        return await self._judged(proposal, execution, verification, following)

    async def _judged(
        self, proposal: Proposal, execution: Execution, verification: Verification, following: Next
    ) -> Next:
        """Demote at once what made it worse: before the undo, and before anybody is told."""
        trust = self._desk.trust
        if trust is None or execution.is_undo or verification.outcome is not Outcome.WORSE:
            return following
        why = f"{proposal.title} made it worse: {verification.statement}"
        return replace(following, demoted=await trust.false_action(proposal, why))

    async def unwatched(self, execution_key: str, seen: Verification | None) -> None:
        """Record what was last seen of an execution that a person took back while it was watched.

        It counts towards no breaker: the person decided, not the numbers.
        """
        store = self._desk.ports.actions
        execution = await store.execution(execution_key)
        proposal = await store.proposal(execution.proposal_id) if execution else None
        if proposal is None:
            return
        nothing = Verification(
            execution_key=execution_key, outcome=Outcome.NO_DATA, statement="not looked at by then",
            value=None, checked_at=self._desk.clock.now(),
        )  # fmt: skip
        last = seen or nothing
        words = f"a person took it back; by then {last.outcome.value}: {last.statement}"
        await self._desk.note("verified", proposal, words, actor=SELF.id)
        await store.save_verification(last)

    async def undo_failed(self, execution_key: str) -> None:
        """Open the breaker of an action that could not be taken back: no more of it by itself."""
        store = self._desk.ports.actions
        execution = await store.execution(execution_key)
        proposal = await store.proposal(execution.proposal_id) if execution else None
        if proposal is None:
            return
        call, words = proposal.call, "the undo failed, so the breaker is open"
        await self._desk.note("undo failed", proposal, words, actor=SELF.id)
        now = self._desk.wall.now()
        await self._desk.ports.switches.open_breaker(call.environment, call.action, now)

    async def untouched(self, proposal_id: str) -> bool:
        """Whether nobody changed the target of a staged proposal since it was read."""
        proposal = await self._desk.ports.actions.proposal(proposal_id)
        if proposal is None or proposal.target is None:
            return False
        try:
            hand = self._desk.open(proposal.call)
            return same_target(proposal.target, await hand.action.target(hand.arguments))
        except (Permanent, Refused):
            return False

    async def holds(self, proposal_id: str) -> bool:
        """Return whether what was carried out is there, read back from the system.

        Raises: Transient: it could not be read; UnknownName, NotConfigured, Malformed.
        """
        proposal = await self._desk.ports.actions.proposal(proposal_id)
        if proposal is None:
            return False
        hand = self._desk.open(proposal.call)
        return await hand.action.find(hand.arguments, execution_key(proposal_id)) is not None

    async def release(self, execution_key: str) -> None:
        """Give the target back after verification."""
        store = self._desk.ports.actions
        execution = await store.execution(execution_key)
        proposal = await store.proposal(execution.proposal_id) if execution else None
        if proposal is not None and proposal.target is not None:
            await store.unlock(lock_name(proposal.target), holder=_holder(proposal))

    def _deed(self, key: str, proposal: Proposal) -> Deed:
        return Deed(
            key=key,
            proposal=proposal,
            call=proposal.call,
            hand=self._desk.open(proposal.call),
            actor_id=SELF.id,
            holder=_holder(proposal),
        )

    def _undo_deed(self, original: Execution, proposal: Proposal, actor: Actor) -> Deed:
        """Return the deed of an undo. Raises: Refused: it cannot be taken back."""
        if original.is_undo or original.status is not ExecutionStatus.APPLIED:
            raise Refused("only an execution that was carried out can be taken back")
        if original.inverse is None:
            raise Refused("this action cannot be taken back", rule="undo-reversible-only")
        return Deed(
            key=undo_key(proposal.id),
            proposal=proposal,
            call=original.inverse,
            hand=self._desk.open(original.inverse),
            actor_id=actor.id,
            holder=_holder(proposal),
            is_undo=True,
        )

    async def _undone(self, original: Execution, acted: Acted) -> Acted:
        """Mark the original as undone once its undo was applied."""
        done = acted.execution is not None and acted.execution.status is ExecutionStatus.APPLIED
        if done and original.status is not ExecutionStatus.UNDONE:
            await self._desk.ports.actions.finish(
                original.key, ExecutionStatus.UNDONE, "I undid it"
            )
        return acted

    async def _actor(self, click: Click | None, proposal: Proposal) -> Actor:
        if click is None:
            return SELF
        people = self._desk.ports.people
        return await people.actor(click.team, click.user, proposal.call.environment)

    async def _lock(self, deed: Deed, seen: Seen) -> bool:
        return await self._desk.ports.actions.lock(
            lock_name(seen.target),
            holder=deed.holder,
            until=self._desk.lock_until(deed.proposal),
            now=self._desk.wall.now(),
        )

    async def _question(self, deed: Deed, seen: Seen, stage: Stage, *, held: bool) -> PolicyRequest:
        now = self._desk.wall.now()
        request = await self._desk.asker.request(
            deed.proposal, deed.hand, seen, stage=stage, now=now
        )
        return replace(request, conditions=replace(request.conditions, target_locked=not held))

    async def _cannot(
        self, proposal: Proposal, why: str, row: Execution | None, *, actor: Actor = SELF
    ) -> Acted:
        """Refuse what cannot even be opened: unknown names, forged arguments, forbidden reads."""
        await self._desk.note("refused", proposal, f"{proposal.title}: {why}", actor=actor.id)
        if row is not None:
            await self._desk.ports.actions.finish(row.key, ExecutionStatus.FAILED, why)
        return Acted(execution=None, why=wording.because(why.rstrip(".")))

    def _is_bound(self, decision: Decision, proposal: Proposal, seen: Seen, *, known: bool) -> bool:
        """Whether a decision counts for exactly this call, target, diff and moment."""
        return (
            decision.choice is Choice.APPROVE
            and self._desk.wall.now() < decision.expires_at
            and (known or not decision.used)
            and decision.call_digest == proposal.call.digest
            and decision.target_uid == seen.target.uid
            and decision.spec_hash == seen.target.spec_hash
            and decision.diff_hash == seen.dry_run.diff_hash
        )


def _changed(proposal: Proposal, seen: Seen, decisions: Sequence[Decision]) -> str:
    """Return why what is there now is not what was shown, empty if it is."""
    rejected = next((d for d in decisions if d.choice is Choice.REJECT), None)
    if rejected is not None:
        return f"<@{rejected.actor_id}> rejected it"
    when = "approved" if decisions else "proposed"
    if not same_target(proposal.target, seen.target):
        return f"the target changed since it was {when}"
    if proposal.dry_run is None or proposal.dry_run.diff_hash != seen.dry_run.diff_hash:
        return f"what it would change is no longer what was {when}"
    return ""


def _lapsed(decisions: Sequence[Decision], bound: Sequence[Decision]) -> str:
    given = any(d.choice is Choice.APPROVE for d in decisions)
    return " The approval has expired or was for something else." if given and not bound else ""


def _holder(proposal: Proposal) -> str:
    return execution_key(proposal.id)
