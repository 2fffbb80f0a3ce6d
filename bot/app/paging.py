"""Puts together what works on pages: the loop, its workflows, and where PagerDuty is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from bot.domain.environment import Environment
from bot.domain.paging import Pager, Place
from bot.domain.ports import Audit, IncidentStore, Notify
from bot.domain.time import wall_clock
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.pages import Pages
from bot.workflows.engine import Engine
from bot.workflows.inquiry import Inquiry
from bot.workflows.page_calls import Calling, Clocks
from bot.workflows.page_looks import Looking
from bot.workflows.page_notes import Noting
from bot.workflows.paging import Paging
from tools.clients.pagerduty import PagerDuty
from tools.clients.paging import PagerDutyPager


class Kept(Protocol):
    """What of the stores this needs."""

    @property
    def incidents(self) -> IncidentStore:
        """Investigations and their reports."""

    @property
    def audit(self) -> Audit:
        """The audit."""


def paging_of(
    engine: Engine, database: Database, inquiry: Inquiry, kept: Kept, notify: Notify
) -> Paging:
    """Return the loop with its workflows registered. Raises: NotConfigured."""
    environments = tuple(inquiry.environments.values())
    wall = wall_clock()
    pages = Pages(database, wall, places_of(environments))
    pagers = pagers_of(environments)
    noting = Noting(pages=pages, pagers=pagers, incidents=kept.incidents, notify=notify, clock=wall)
    looking = Looking(pages=pages, pagers=pagers, tell=SignalInbox(database, wall).put, clock=wall)
    calling = Calling(
        pages=pages,
        pagers=pagers,
        environments=inquiry.environments,
        incidents=kept.incidents,
        notify=notify,
        audit=kept.audit,
        clocks=Clocks(wall=wall, world=inquiry.clock),
        looking=looking,
    )
    paging = Paging(
        engine=engine, pages=pages, pagers=pagers, noting=noting, calling=calling, looking=looking
    )
    paging.register()
    return paging


def pagers_of(environments: Iterable[Environment]) -> Mapping[str, Pager]:
    """Return where people are paged, by environment. Raises: NotConfigured."""
    found = ((e.name, PagerDutyPager.of(e)) for e in environments)
    return {name: pager for name, pager in found if pager is not None}


def places_of(environments: Sequence[Environment]) -> Mapping[str, Place]:
    """Return ours by the ids and names of PagerDuty's services. Raises: NotConfigured."""
    found: dict[str, Place] = {}
    for environment in environments:
        pagerduty = PagerDuty.of(environment)
        for theirs, ours in (pagerduty.names if pagerduty else {}).items():
            found.setdefault(theirs, Place(environment=environment.name, service=ours))
    return found
