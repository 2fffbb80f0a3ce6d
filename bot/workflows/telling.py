"""Shows a proposal's card and keeps the head message's last line in step with it."""

import logging

from bot.domain.action import Decision, Proposal
from bot.domain.conversation import Card, CardState, Click, Head, Mark, Notice, Thread
from bot.domain.diagnosis import Progress
from bot.domain.errors import Permanent, Refused
from bot.domain.ports import IncidentStore, Notify
from bot.domain.redaction import redact
from bot.remediation.glass import MARK as BREAK_GLASS
from bot.remediation.pages import ON_PAGES

LOG = logging.getLogger(__name__)

LINES = {
    CardState.SUGGESTED: f"{Mark.NONE.value}{{title}}: the command is below, for a person to run",
    CardState.WAITING: f"{Mark.WAITING.value} {{title}}? waiting for who may decide",
    CardState.APPROVED: f"{Mark.DONE.value} {{title}}: approved",
    CardState.ACTING: f"{Mark.ACTING.value} {{title}}",
    CardState.WATCHING: f"{Mark.ACTING.value} {{title}}: done, watching",
    CardState.RECOVERED: f"{Mark.HEALTHY.value} recovered after: {{title}}",
    CardState.REJECTED: f"{Mark.REFUSED.value} {{title}}: rejected",
    CardState.EXPIRED: f"{Mark.REFUSED.value} {{title}}: nobody decided in time",
    CardState.REFUSED: f"{Mark.REFUSED.value} {{title}}: not run",
    CardState.NOT_VERIFIED: f"{Mark.NOT_SURE.value} {{title}}: did not help",
    CardState.UNDONE: f"{Mark.UNDONE.value} {{title}}: I undid it",
    CardState.FAILED: f"{Mark.REFUSED.value} {{title}}: failed",
}


class Telling:
    """Tells people where a proposal stands."""

    def __init__(self, notify: Notify, incidents: IncidentStore) -> None:
        self._notify, self._incidents = notify, incidents

    async def show(self, thread: Thread, card: Card) -> None:
        """Post or edit the card, and the head message's last line.

        What becomes of a page is in its own line there; a card that waits keeps the last one.
        """
        await self._notify.card(thread, card)
        if card.proposal.call.action in ON_PAGES:
            return
        investigation = card.proposal.investigation_id
        report = await self._incidents.report(investigation)
        line = LINES.get(card.state, "").format(title=card.proposal.title)
        if card.state is CardState.RECOVERED and card.proposal.verification.in_place:
            line = f"{Mark.HEALTHY.value} {card.proposal.title}: done"
        if report is None or not line:
            return
        await self._notify.head(
            thread,
            Head(
                investigation_id=investigation,
                question=report.question,
                progress=Progress(
                    elapsed_s=report.spent.seconds, looked_at=report.looked_at, waiting_for=(),
                    observation="",
                ),
                diagnosis=report.diagnosis,
                action_line=line,
            ),
        )  # fmt: skip
        await self._incidents.set_state(investigation, card.state.value)

    async def whisper(self, click: Click, notice: Notice) -> None:
        """Say something to whoever clicked; one who left the channel must not stop the rest."""
        try:
            await self._notify.whisper(click.channel, click.user, notice, click.thread_ts)
        except (Permanent, Refused) as error:
            LOG.warning("%s was not told: %s", click.user, redact(str(error)))

    async def call_a_person(self, thread: Thread, card: Card) -> None:
        """Say that a person is needed now."""
        text = f"A person is needed: {card.proposal.title}. {card.note}"
        notice = Notice(mark=Mark.STOPPED, text=text)
        await self._notify.say(thread, notice, key=f"person:{card.proposal.id}")

    async def broke_glass(self, thread: Thread, proposal: Proposal, decision: Decision) -> None:
        """Say in the channel itself, where everybody reads it, that somebody decided alone."""
        title = proposal.title[:1].lower() + proposal.title[1:]
        text = (
            f"Break-glass in {proposal.call.environment}: <@{decision.actor_id}> approved alone "
            f"what they asked for themselves: {title}. "
            f"Why: {decision.reason.removeprefix(BREAK_GLASS)}"
        )
        channel = Thread(team=thread.team, channel=thread.channel, ts="")
        notice = Notice(mark=Mark.STOPPED, text=text)
        await self._notify.say(channel, notice, key=f"glass:{proposal.id}")
