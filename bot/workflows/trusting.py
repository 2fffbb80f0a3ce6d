"""Tells people of levels: a demotion in the thread, an earned promotion to the administrators."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.conversation import Click, Judgement, Mark, Notice, Thread
from bot.domain.errors import Permanent, Refused, SreBotError
from bot.domain.people import Role
from bot.domain.ports import Notify, Resolver
from bot.domain.redaction import redact
from bot.domain.trust import LevelChange, Promotion
from bot.remediation.track_record import words
from bot.remediation.trust import GrantRequest, Standing, Trust

Holders = Callable[[Role, str], Awaitable[Sequence[tuple[str, str]]]]  # (team, user) of each
LOG = logging.getLogger(__name__)
SHOWN = 30  # standings in one message


class Trusting:
    """Between the record of trust and people."""

    def __init__(self, trust: Trust, notify: Notify, people: Resolver, holders: Holders) -> None:
        self.trust = trust
        self._notify, self._people, self._holders = notify, people, holders
        self._later: set[asyncio.Task[None]] = set()

    async def tell_demoted(self, thread: Thread, change: LevelChange, key: str) -> None:
        """Say in the incident's channel that a level was lowered, and why."""
        action = change.action.replace("_", " ")
        text = (
            f"{action} in {change.environment} is at L1 now, it was at L{int(change.before)}: "
            f"{change.why.rstrip('.')}. An administrator can raise it again."
        )
        await self._notify.say(thread, Notice(mark=Mark.STOPPED, text=text), key=f"demoted:{key}")

    async def judged(self, click: Click, judgement: Judgement) -> None:
        """Demote now what was carried out for a wrong diagnosis; tell people of it, or of offers.

        Telling takes longer than a click may, and nothing is lost with it: what is shown is read
        from the record again after the next incident.
        """
        changes: Sequence[LevelChange] = ()
        if judgement is Judgement.WRONG:
            changes = await self.trust.marked_wrong(click.subject, f"<@{click.user}>")
        task = asyncio.create_task(self._after(click, changes))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _after(self, click: Click, changes: Sequence[LevelChange]) -> None:
        thread = Thread(team=click.team, channel=click.channel, ts=click.thread_ts)
        try:
            for change in changes:
                await self.tell_demoted(thread, change, f"{click.subject}:{change.action}")
            for environment, action in await self.trust.records.proposed(click.subject):
                await self.review(environment, action)
        except SreBotError as error:
            LOG.warning("not told of a level: %s", redact(str(error)))

    async def review(self, environment: str, action: str) -> None:
        """Offer the next level to the administrators if the record has earned it. May run twice."""
        promotion = await self.trust.review(environment, action)
        if promotion is None:
            return
        for team, user in await self._holders(Role.ADMINISTRATOR, environment):
            try:
                await self._notify.promotion(Thread(team=team, channel=user, ts=""), promotion)
            except (Permanent, Refused) as error:  # one who left must not hide it from the others
                LOG.warning("%s was not offered a level: %s", user, redact(str(error)))

    async def offered(self, promotion_id: str) -> Promotion | None:
        """Return an open offer, for the modal that grants it."""
        return await self.trust.records.promotion(promotion_id)

    async def grant(self, click: Click, days: int) -> Notice:
        """Grant an offered level; says what became of it."""
        promotion = await self.offered(click.subject)
        environment = promotion.environment if promotion else ""
        actor = await self._people.actor(click.team, click.user, environment)
        request = GrantRequest(promotion_id=click.subject, reason=click.reason, days=days)
        granted = await self.trust.grant(request, actor)
        if granted.change is None:
            return Notice(mark=Mark.REFUSED, text=f"Not granted: {granted.why}.")
        change = granted.change
        until = f" for {days} days" if days else ""
        text = (
            f"{change.action.replace('_', ' ')} in {change.environment} is at "
            f"L{int(change.after)} now{until}."
        )
        return Notice(mark=Mark.DONE, text=text)

    async def decline(self, click: Click) -> Notice:
        """Close an offer."""
        promotion = await self.offered(click.subject)
        environment = promotion.environment if promotion else ""
        actor = await self._people.actor(click.team, click.user, environment)
        why = await self.trust.decline(click.subject, actor)
        if why:
            return Notice(mark=Mark.REFUSED, text=f"Not closed: {why}.")
        return Notice(mark=Mark.NONE, text="Noted. I won't offer this level again for a month.")

    async def standings(self) -> str:
        """Return every action's level and record, a line each."""
        return standings_text(await self.trust.standings())


def standings_text(standings: Sequence[Standing]) -> str:
    """Return where each action stands, in lines."""
    lines = [standing_line(s) for s in standings[:SHOWN]]
    left = len(standings) - SHOWN
    if left > 0:
        lines.append(f"… and {left} more: `sre-bot levels`")
    return "\n".join(lines) or "No action was ever proposed: everything is at its granted level."


def standing_line(standing: Standing) -> str:
    """Return "prod · restart pod · L2: 12 proposed, …. For L3: 8 more executions."."""
    name = standing.action.replace("_", " ")
    head = f"{standing.environment} · {name} · L{int(standing.level)}: {words(standing.record)}."
    if standing.following is None:
        return f"{head} It is at its highest level."
    ahead = f"L{int(standing.following)}"
    if not standing.lacks:
        return f"{head} It has earned {ahead}: an administrator can grant it."
    return f"{head} For {ahead}: {', '.join(standing.lacks)}."
