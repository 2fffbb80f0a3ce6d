"""What must be done before an action: each step through the door, seen in place, or taken back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.domain.action import Execution, ExecutionStatus, Outcome, Proposal, Verification
from bot.remediation.asking import execution_key
from bot.remediation.gateway import Gateway
from bot.remediation.verification import Next
from bot.workflows.engine import do, pause, step
from bot.workflows.readiness import WORKLOADS
from bot.workflows.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of going through the door."""

    execution: Execution | None
    at: datetime
    why_not: str = ""
    again: bool = False  # it is not known what became of it, or the target is held for now

    @property
    def failed(self) -> str:
        """Why it did not happen, empty if it did."""
        if self.execution is None:
            return self.why_not or "refused"
        failed = self.execution.status is ExecutionStatus.FAILED
        return (self.execution.detail or "failed") if failed else ""


Act = Callable[[Proposal, str], Awaitable[Attempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The steps that were carried out, and why the plan ends there; "" if it goes on."""

    done: tuple[Proposal, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What became of taking the steps before an action back. `left`: what still stands."""

    left: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What to tell people, empty if nothing is left."""
        return f"Still as I set it: {'; '.join(self.left)}." if self.left else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """Durable: every effect is a named step of the workflow that calls it."""

    gateway: Gateway
    watch: Watch

    async def run(self, plan: Proposal, act: Act) -> Prepared:
        """Do the steps in order, each seen in place before the next, until one is not."""
        done: list[Proposal] = []
        for number, part in enumerate(plan.preparations, start=1):
            attempt = await act(part, f"prepare {number}")
            why = attempt.failed
            if not why:
                done.append(part)
                why = await self._in_place(number, part, attempt.at)
            if why:
                return Prepared(done=tuple(done), why=f"{part.title}: {why}.")
        return Prepared(done=tuple(done))

    async def take_back(self, parts: Sequence[Proposal]) -> TakenBack:
        """Take steps back, the last one first; return what could not be: its breaker is open."""
        left: list[str] = []
        for part in reversed(parts):
            if not await step(f"take back {part.id}", bool, partial(self._undone, part)):
                left.append(part.title)
                failed = partial(self.gateway.undo_failed, execution_key(part.id))
                await do(f"open the breaker of {part.id}", failed)
        return TakenBack(left=tuple(left))

    async def _undone(self, part: Proposal) -> bool:
        acted = await self.gateway.undo(execution_key(part.id))
        done = (ExecutionStatus.APPLIED, ExecutionStatus.UNDONE)
        return acted.execution is not None and acted.execution.status in done

    async def _in_place(self, number: int, part: Proposal, acted_at: datetime) -> str:
        """Wait until it is in place; return why not, when its time is over."""
        until = acted_at + timedelta(seconds=part.verification.window_s)
        look = 0
        while True:
            look += 1
            name = f"prepared {number}.{look}"
            seen = await step(name, Verification, lambda: self._look(part, acted_at))
            if seen.outcome is Outcome.RECOVERED or seen.checked_at >= until:
                break
            await pause(self.watch.clock.wall_seconds(self.watch.every_s))
        await step(f"settle {number}", Next, lambda: self.gateway.settle(seen))
        await do(f"release {number}", lambda: self.gateway.release(execution_key(part.id)))
        return "" if seen.outcome is Outcome.RECOVERED else f"not in place: {seen.statement}"

    async def _look(self, part: Proposal, acted_at: datetime) -> Verification:
        if part.target is not None and part.target.kind.lower() in WORKLOADS:
            return await self.watch.look(part, acted_at)
        return await self.read_back(part)

    async def read_back(self, part: Proposal) -> Verification:
        """Return whether what was written is there."""
        holds = await self.gateway.holds(part.id)
        return Verification(
            execution_key=execution_key(part.id),
            outcome=Outcome.RECOVERED if holds else Outcome.UNCHANGED,
            statement="read back as it was set" if holds else "it reads back otherwise",
            value=None,
            checked_at=self.watch.clock.now(),
        )
