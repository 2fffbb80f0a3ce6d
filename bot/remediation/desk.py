"""What every step of the gateway works with: catalogue, policy, stores, clocks, and the audit."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.action import ActionCall, Decision, Execution, Level, Proposal, Target
from bot.domain.conversation import Click
from bot.domain.errors import Unavailable
from bot.domain.policy import Ruling, RulingEngine
from bot.domain.ports import AuditEntry
from bot.domain.redaction import redact_tree
from bot.domain.time import Clock
from bot.remediation.asking import Asker, Ports
from bot.remediation.hand import Hand, Hands
from bot.remediation.own import Own
from bot.remediation.trust import Trust

LATE_S, LATE_TIMES = 0.1, 20  # a click may come before our own record of the card it is on
DIFF_KEPT = 4_000  # characters of a diff that the audit keeps; its hash covers all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long offers, decisions and locks hold, in seconds of the wall clock."""

    offer_s: float = 1800.0
    decision_s: float = 900.0
    lock_margin_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """`wall` dates records and expiries; `world` is the watched world's, for windows."""

    wall: Clock
    world: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the composition root may choose. `redact` is applied to every text of the audit."""

    calibrated: bool = False  # whether confidence is a fitted probability
    redact: Callable[[str], str] = str
    times: Times = field(default_factory=Times)
    own: Own = field(default_factory=Own)  # where the bot's own database is
    trust: Trust | None = (
        None  # demotes after a false action; without it levels only change by hand
    )
    fence: Callable[[], object] = tuple  # does not return if another replica may be at this by now


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A proposal with all that is shown before the click, its ruling, and `why` if denied."""

    proposal: Proposal
    ruling: Ruling
    level: Level
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a click. `complete`: enough decisions are there, or it was rejected.

    `repeated`: refused, since the same person decided the same before; that earlier decision
    stands, so it is accepted as before, and whoever waits for it can be woken once more.
    """

    accepted: bool
    decision: Decision | None
    ruling: Ruling | None
    why: str
    complete: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What became of an execution or undo. `why`: why it did not happen, if it did not."""

    execution: Execution | None
    why: str = ""
    ruling: Ruling | None = None

    @property
    def refused(self) -> bool:
        """Whether it did not happen."""
        return bool(self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The gateway's surroundings. `wall` dates what is recorded; `clock` is the watched world's."""

    hands: Hands
    engine: RulingEngine
    ports: Ports
    asker: Asker
    wall: Clock
    clock: Clock
    redact: Callable[[str], str]
    times: Times = field(default_factory=Times)
    trust: Trust | None = None
    fence: Callable[[], object] = tuple

    def open(self, call: ActionCall) -> Hand:
        """Return the hand for a call. Raises: UnknownName, NotConfigured, Malformed."""
        return self.hands.open(call)

    def lock_until(self, proposal: Proposal) -> datetime:
        """Return how long a target is held: the verification window and a margin."""
        window = self.clock.wall_seconds(proposal.verification.window_s)
        return self.wall.now() + timedelta(seconds=window + self.times.lock_margin_s)

    async def is_its_card(self, click: Click, proposal_id: str) -> bool:
        """Whether a click came from the message that shows this proposal."""
        return await self.is_on(click, f"{proposal_id}/card")

    async def is_on(self, click: Click, key: str) -> bool:
        """Whether a click came from the message that was posted under a key.

        Raises: Unavailable: the message is posted, but it is not written down yet which it is.
        """
        if self.ports.posted is None:
            return True
        card = await self.ports.posted.by_key(key)
        for _ in range(LATE_TIMES):
            if card is None or card.ts:
                break
            await asyncio.sleep(LATE_S)  # Slack shows it already, its answer is on its way to us
            card = await self.ports.posted.by_key(key)
        if card is not None and not card.ts:
            raise Unavailable("database", "it is not written down yet which message this is")
        shown = (card.channel, card.ts) if card else None
        return shown == (click.channel, click.message_ts)

    async def refuse_stray(self, click: Click, why: str) -> None:
        """Write to the audit that a click belongs to nothing here."""
        await self.ports.audit.write(
            AuditEntry(
                at=self.wall.now(), actor=click.user, event="refused", environment="",
                subject=click.subject, text=self.redact(why),
            )
        )  # fmt: skip

    async def note(
        self,
        event: str,
        proposal: Proposal,
        text: str,
        *,
        actor: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write to the audit. Raises: what the audit raises; then nothing may be done."""
        found = {"digest": proposal.call.digest, "action": proposal.call.action, **(details or {})}
        entry = AuditEntry(
            at=self.wall.now(),
            actor=actor,
            event=event,
            environment=proposal.call.environment,
            subject=proposal.id,
            text=self.redact(text),
            details=json.dumps(redact_tree(found, self.redact), sort_keys=True),
        )
        await self.ports.audit.write(entry)


def ruling_details(ruling: Ruling) -> dict[str, Any]:
    """Return what the audit keeps of a ruling."""
    rules = [reason.rule for reason in ruling.reasons]
    return {"verdict": ruling.verdict.value, "rules": rules}


def seen_details(proposal: Proposal, target: Target) -> dict[str, Any]:
    """Return what the audit keeps of the target as it is, and of the change that was shown."""
    diff = proposal.dry_run.diff if proposal.dry_run else ""
    return {
        "target": f"{target.kind}/{target.namespace}/{target.name}",
        "uid": target.uid,
        "before": {"spec": target.spec_hash},
        "diff": diff[:DIFF_KEPT],
        "diff_hash": proposal.dry_run.diff_hash if proposal.dry_run else "",
    }
