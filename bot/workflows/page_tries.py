"""Tries something with the paging service until it works: a pause in the journal between tries.

Not within one step: people are told when it is late, and a pause outlasts a restart.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from bot.domain.conversation import Notice
from bot.domain.errors import Permanent, Refused, Transient
from bot.domain.ports import IncidentStore, Notify
from bot.workflows.engine import pause, step
from bot.workflows.patience import Patience

ATTEMPTS = 300
USUAL = Patience(first_s=2.0, longest_s=300.0)  # the attempts are about a day in all
TOLD_AFTER = 3  # attempts that fail before people are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one attempt came to. `text`: what is true now, or why it did not work."""

    done: bool
    text: str
    again_s: float = 0.0
    failed: bool = False  # it will never work


async def until_done(
    name: str,
    work: Callable[[], Awaitable[Tried]],
    patience: Patience,
    late: Callable[[Tried], Awaitable[None]],
) -> Tried:
    """Run `work` as steps until it is done or can never be; `late` tells people, once.

    `patience`: the pauses between them.
    """
    tried = Tried(done=False, text="not tried")
    for attempt in range(ATTEMPTS):
        tried = await step(f"{name} {attempt}", Tried, lambda: attempted(work), attempts=1)
        if tried.done or tried.failed:
            return tried
        if attempt == TOLD_AFTER:
            tell = partial(_told, late, tried)
            await step(f"say that {name} is late", Tried, tell, attempts=1)
        await pause(patience.pause_s(attempt + 1, tried.again_s))
    return Tried(done=False, failed=True, text=f"given up: {tried.text}")


async def _told(late: Callable[[Tried], Awaitable[None]], tried: Tried) -> Tried:
    try:
        await late(tried)
    except Transient as error:
        return Tried(done=False, text=str(error))  # Slack is down too: the work goes on
    return Tried(done=True, text="said")


async def attempted(work: Callable[[], Awaitable[Tried]]) -> Tried:
    """Return what `work` came to; its errors become words."""
    try:
        return await work()
    except Transient as error:
        return Tried(done=False, text=str(error), again_s=error.retry_after_s)
    except (Permanent, Refused) as error:
        return Tried(done=False, failed=True, text=str(error))


async def tell_thread(
    incidents: IncidentStore, notify: Notify, investigation_id: str, notice: Notice, key: str
) -> None:
    """Say something in the thread of an investigation, if it has one: once per key."""
    thread = await incidents.thread_of(investigation_id)
    if thread is not None and thread.ts:
        await notify.say(thread, notice, key=key)
