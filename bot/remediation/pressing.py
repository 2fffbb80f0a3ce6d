"""Takes the press on an incident's message as the decision on what was made of it: pages only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.domain.action import Choice, Effect, Proposal
from bot.domain.errors import Permanent
from bot.domain.incident import ROOT
from bot.domain.paging import Press
from bot.domain.pressing import Pressed
from bot.domain.wish import Verb
from bot.remediation import wording
from bot.remediation.deciding import Decider
from bot.remediation.desk import Decided, Desk
from bot.remediation.pages import ACTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Presser:
    """The same door as for a click on the card, bound to what the press was about."""

    desk: Desk
    decider: Decider

    async def decide(self, proposal_id: str, pressed: Pressed) -> Decided:
        """Return what became of it; again after a crash: the same. Raises: Transient."""
        before = await self.before(proposal_id, pressed)
        if before is not None:
            return before
        click_id = _click_id(proposal_id, pressed)
        click = replace(pressed.click, subject=proposal_id, click_id=click_id)
        proposal = await self.desk.ports.actions.proposal(proposal_id)
        why = self._may_not(proposal, pressed) if proposal else ""
        if proposal is not None and why:
            words = wording.because(why)
            await self.desk.note("refused", proposal, words, actor=click.user)
            return Decided(accepted=False, decision=None, ruling=None, why=words)
        head = f"{pressed.click.subject}/{ROOT}"
        return await self.decider.decide(proposal_id, click, Choice.APPROVE, message=head)

    async def before(self, proposal_id: str, pressed: Pressed) -> Decided | None:
        """Return what became of it before a crash, None if it decided nothing: time changes none.

        Raises: Transient.
        """
        store, click_id = self.desk.ports.actions, _click_id(proposal_id, pressed)
        proposal = await store.proposal(proposal_id)
        by = (pressed.click.team, pressed.click.user)
        mine = (d for d in await store.decisions(proposal_id) if (d.team, d.actor_id) == by)
        own = next((d for d in mine if d.id == click_id), None)
        return await self.decider.taken(proposal, own) if proposal and own else None

    def _may_not(self, proposal: Proposal, pressed: Pressed) -> str:
        """Return why this press does not decide, "" if nothing but policy has a say."""
        try:
            facts = self.desk.open(proposal.call).facts
        except Permanent as error:
            return str(error).rstrip(".")
        until = pressed.at + timedelta(seconds=self.desk.times.decision_s)
        checks = (
            (facts.effect is not Effect.PAGE or proposal.preparations, "it is no answer to a page"),
            (proposal.requester != pressed.click.user, "it was asked for by somebody else"),
            (not _same(proposal, pressed), "it is not what the button was pressed for"),
            (self.desk.wall.now() >= until, "the button was pressed too long ago"),
        )
        return next((words for holds, words in checks if holds), "")


def _click_id(proposal_id: str, pressed: Pressed) -> str:
    """Return the id of the decision that a press is on a proposal: of several pages, one each."""
    return f"{pressed.click.click_id}/{proposal_id}"


def _same(proposal: Proposal, pressed: Pressed) -> bool:
    """Whether a call does exactly what was pressed: the action, the page, and what was entered."""
    call, arguments = proposal.call, dict(proposal.call.arguments)
    page = arguments.pop("incident", None)
    named = (call.action, page) == (ACTIONS[pressed.press.verb], pressed.page_id)
    return named and _entered(arguments, pressed.press)


def _entered(arguments: Mapping[str, Any], press: Press) -> bool:
    if press.verb in (Verb.ACKNOWLEDGE, Verb.RESOLVE):
        return set(arguments) == {"on_behalf_of"}  # the requester's, which is who pressed
    if press.verb is Verb.ESCALATE:
        return arguments == {"level": int(press.goal)}
    if press.verb is Verb.CALL:
        called = len(arguments.get("users", ())), arguments.get("message")
        return called == (len(press.people), press.reason)
    return False
