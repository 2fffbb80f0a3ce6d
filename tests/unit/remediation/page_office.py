"""An office whose one system is the sandbox's PagerDuty, and a press on an incident there."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.domain.action import ActionCall, Level, Proposal
from bot.domain.environment import Environment
from bot.domain.paging import Press
from bot.domain.pressing import Pressed
from bot.domain.wish import Verb
from bot.remediation.asking import Ports
from bot.remediation.desk import Clocks, Decided, Options
from bot.remediation.gateway import Gateway
from tests.fakes.pagerduty import Pager
from tests.unit.remediation.office import ENGINE, ID, Office
from tools.catalog import actions

ROSA, EMAIL, HEAD = "URESPONDER", "rosa@sandbox.example", "sig-1"


@dataclass
class PageOffice(Office):
    """Prod with a PagerDuty, and one page that calls Rosa."""

    pager: Pager = field(kw_only=True)
    token: Path = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.page = self.pager.open()

    def environments(self) -> dict[str, Environment]:
        """Return prod alone, where people are paged."""
        return {"prod": self.pager.environment(self.token)}

    def gateway(
        self,
        after: Callable[[str], None] = lambda _: None,
        redact: Callable[[str], str] = str,
    ) -> Gateway:
        """Return a fresh gateway over the whole catalogue."""
        return Gateway(
            actions=actions(),
            environments=self.environments(),
            engine=ENGINE,
            ports=Ports(
                actions=self.actions, levels=self.levels, switches=self.switches,
                people=self.people, audit=self.audit, posted=self.posted,
            ),
            clocks=Clocks(wall=self.clock, world=self.clock),
            options=Options(calibrated=True, redact=redact),
        )  # fmt: skip

    def answer(self, action: str = "acknowledge_incident", **arguments: Any) -> Proposal:
        """Return what Rosa asked for: by default that her page is acknowledged in her name."""
        given = arguments or {"on_behalf_of": EMAIL}
        call = ActionCall(
            action=action, environment="prod", arguments={"incident": self.page.id, **given}
        )
        return self.proposal(call=call, title="Acknowledge it", requester=ROSA)

    def pressed(self, verb: Verb = Verb.ACKNOWLEDGE, user: str = ROSA, **more: Any) -> Pressed:
        """Return the press on the incident's message, about the page as it is now."""
        click = replace(self.click(user, "click-1", HEAD), message_ts="1.0")
        names = self.pager.account.directory.names
        return Pressed(
            click=click, press=Press(verb=verb, **more), page_id=self.page.id,
            status=self.page.status, assignees=tuple(names[u] for u in self.page.assigned),
            at=self.clock.now(),
        )  # fmt: skip

    async def press(self, level: Level = Level.L3, pressed: Pressed | None = None) -> Decided:
        """Stage the acknowledgement at a level, and hand the press over."""
        proposal = self.answer()
        self.level(level, proposal.call.action)
        await self.gateway().stage(proposal)
        return await self.gateway().press(ID, pressed or self.pressed())
