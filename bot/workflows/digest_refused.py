"""Tells administrators that a channel does not take its digest: what to do, once a month."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.conversation import Mark, Notice, Thread
from bot.domain.errors import Permanent, Refused
from bot.domain.kpis import DigestPlan
from bot.domain.people import Role
from bot.domain.redaction import redact
from bot.reports.refusals import way_out
from bot.workflows.trusting import Holders

LOG = logging.getLogger(__name__)


class Say(Protocol):
    """How a person is told something, once a key."""

    async def say(self, thread: Thread, notice: Notice, *, key: str) -> None:
        """Say it. Raises: Transient; Permanent and Refused: it will never be taken there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRefused:
    """Says so to each administrator of what the digest is about. `environments`: all there are."""

    notify: Say
    holders: Holders
    environments: tuple[str, ...] = ()

    async def tell(self, plan: DigestPlan, refusal: str, week: datetime) -> None:
        """Say it of the week that ended then. Raises: Transient: nobody can be told now."""
        notice = Notice(mark=Mark.STOPPED, text=_words(plan, refusal))
        places = plan.environments or self.environments or ("",)  # each with who is it of all
        found = {who for place in places for who in await self.holders(Role.ADMINISTRATOR, place)}
        if not found:
            LOG.warning("nobody is told: there is no administrator (`sre-bot roles grant`)")
        for team, user in sorted(found):
            key = f"digest-refused:{plan.channel}:{week:%Y-%m}:{user}"
            try:
                await self.notify.say(Thread(team=team, channel=user, ts=""), notice, key=key)
            except (Permanent, Refused) as error:  # one who left must not hide it from the others
                LOG.warning("%s was not told either: %s", user, redact(str(error)))


def _words(plan: DigestPlan, refusal: str) -> str:
    return (
        f"The weekly digest of <#{plan.channel}> was not posted: {way_out(refusal)}. "
        f"To read it now: `sre-bot digest --preview --channel {plan.channel}`."
    )
