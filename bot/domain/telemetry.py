"""What the bot measures of itself, and the names that its log lines and spans carry."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol


class Telemetry(Protocol):
    """Takes measurements; never raises, never waits. Labels come from small closed sets."""

    def called(self, system: str, operation: str, outcome: str, seconds: float) -> None:
        """Count a call to another system: "ok", "error", "timeout", "limited", "full"."""
        ...

    def waited(self, system: str, operation: str, seconds: float) -> None:
        """Count time that a call was held back so that a limit is kept."""
        ...

    def stage(self, name: str, outcome: str, seconds: float) -> None:
        """Count a try of a durable step: "done" or "failed"."""
        ...

    def ended(self, kind: str, end: str) -> None:
        """Count the end of a durable workflow: "done" or "failed"."""
        ...

    def ruled(self, action: str, stage: str, verdict: str) -> None:
        """Count a ruling of the policy."""
        ...

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request that the bot's own HTTP door answered; `path`: of a route."""
        ...

    def span(
        self, name: str, *, trace: str = "", **attributes: str | int | float
    ) -> AbstractContextManager[None]:
        """Return a block of a trace; `trace`: the id of what it is about, the same after a crash.

        Without `trace` it belongs to the block around it, and outside of any it is not kept.
        """
        ...


class Unwatched:
    """`Telemetry` that keeps nothing."""

    def called(self, system: str, operation: str, outcome: str, seconds: float) -> None:
        """Do nothing."""

    def waited(self, system: str, operation: str, seconds: float) -> None:
        """Do nothing."""

    def stage(self, name: str, outcome: str, seconds: float) -> None:
        """Do nothing."""

    def ended(self, kind: str, end: str) -> None:
        """Do nothing."""

    def ruled(self, action: str, stage: str, verdict: str) -> None:
        """Do nothing."""

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Do nothing."""

    def span(
        self,
        name: str,  # noqa: ARG002 - as the protocol has it
        *,
        trace: str = "",  # noqa: ARG002 - as the protocol has it
        **attributes: str | int | float,  # noqa: ARG002 - as the protocol has it
    ) -> AbstractContextManager[None]:
        """Return a block that is not kept."""
        return nullcontext()


_NOBODY = Unwatched()
_TELEMETRY: ContextVar[Telemetry] = ContextVar("telemetry", default=_NOBODY)
_BOUND: ContextVar[Mapping[str, str]] = ContextVar("bound", default={})  # noqa: B039 - never changed


def telemetry() -> Telemetry:
    """Return who takes the measurements of this task; nobody unless `watched` says so."""
    return _TELEMETRY.get()


@contextmanager
def watched(by: Telemetry) -> Iterator[None]:
    """Have everything in the block, and every task it starts, measured."""
    token = _TELEMETRY.set(by)
    try:
        yield
    finally:
        _TELEMETRY.reset(token)


def bound() -> Mapping[str, str]:
    """Return the names that this task's log lines carry: which incident, which workflow."""
    return _BOUND.get()


@contextmanager
def binding(**names: str) -> Iterator[None]:
    """Have every log line of the block, and of every task it starts, carry these names."""
    token = _BOUND.set({**_BOUND.get(), **names})
    try:
        yield
    finally:
        _BOUND.reset(token)
