"""Takes the press that asked for a page's action as its decision, if the page is as shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.conversation import Mark, Notice
from bot.domain.errors import Permanent, Refused, Transient
from bot.domain.paging import Pager
from bot.domain.policy import Verdict
from bot.domain.pressing import Pressed
from bot.remediation import wording
from bot.remediation.desk import Staged
from bot.remediation.gateway import Gateway
from bot.workflows.engine import do, step
from bot.workflows.orders import RemediationOrder
from bot.workflows.telling import Telling

GATED = (Verdict.ONE_CLICK, Verdict.APPROVAL)
NOT_OFFERED = (Verdict.SUGGEST, Verdict.DENY)
NOT_READ = "I could not read {page} just now, so your press decides nothing: the card asks."
CHANGED = "{page} changed since you pressed, so your press decides nothing: the card asks."


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a press. `why`: why it decides nothing, for who pressed."""

    decided: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presses:
    """Decides what was staged by the press that led to it; the card asks for the rest."""

    gateway: Gateway
    pagers: Mapping[str, Pager]
    telling: Telling

    async def decide(self, order: RemediationOrder, staged: Staged) -> bool:
        """Whether the press was all that policy asks for; of an order without one it never is."""
        pressed, ruling = order.pressed, staged.ruling
        if pressed is not None and ruling.verdict in NOT_OFFERED:
            notice = Notice(mark=Mark.NONE, text=_not_offered(staged))
            await do("say that it is not done", lambda: self.telling.whisper(pressed.click, notice))
        if pressed is None or ruling.verdict not in GATED or ruling.approvals_needed != 1:
            return False
        taken = await step("take the press", Taken, lambda: self._take(order, pressed))
        if taken.why:
            notice = Notice(mark=Mark.NONE, text=taken.why)
            await do("say why not yet", lambda: self.telling.whisper(pressed.click, notice))
        return taken.decided

    async def _take(self, order: RemediationOrder, pressed: Pressed) -> Taken:
        """Look after it was staged: what is staged, shown and there now is the same then.

        After a crash the decision may stand: then neither time nor what the page is by now counts.
        """
        before = await self.gateway.pressed(order.proposal.id, pressed)
        if before is not None:
            return Taken(decided=before.accepted and before.complete, why=before.why)
        pager, page = self.pagers.get(order.proposal.call.environment), pressed.page_id
        try:
            look = await pager.look(page) if pager else None
        except (Transient, Permanent, Refused):
            look = None
        if look is None:
            return Taken(decided=False, why=NOT_READ.format(page=page))
        if not pressed.shows(look.status, look.assignees):
            return Taken(decided=False, why=CHANGED.format(page=page))
        decided = await self.gateway.press(order.proposal.id, pressed)
        return Taken(decided=decided.accepted and decided.complete, why=decided.why)


def _not_offered(staged: Staged) -> str:
    why = staged.why or wording.because(wording.at_level(staged.level))
    return f"{why} {staged.proposal.title} in PagerDuty, if that is still needed."
