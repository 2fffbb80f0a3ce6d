"""Who has a page is the same whether a webhook tells it or it is read: else nothing is as shown."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.signal_limits import fitted
from bot.sandbox.pagerduty.directory import directory
from bot.sandbox.pagerduty.records import User
from bot.storage.page_folding import folded
from tests.fakes.loopback import loopback
from tests.fakes.pagerduty import ROSA, Pager, an_account
from tests.unit.workflows.pager_house import signal_of
from tools.clients.paging import PagerDutyPager


@pytest.mark.parametrize(
    "names",
    [
        ["Rosa Responder", "Anil Approver"],
        ["Responder, Rosa", "  Anil \n Approver "],
        ["R" * 95, "Anil"],
        ["R" * 295, "Anil", "Ada"],
        [f"Person {n}" for n in range(12)],
        [f"A person with a long name, number {n}" for n in range(12)],
    ],
)
async def test_names_told_and_names_read_are_the_same(names: list[str], tmp_path: Path) -> None:
    people = {
        f"PWHO{n:03}": User(id=f"PWHO{n:03}", name=name, email=f"w{n}@sandbox.example")
        for n, name in enumerate(names)
    }
    known = directory({"prod": ("checkout",)})
    server = Pager(account=an_account(replace(known, users={**known.users, **people})))
    with loopback(server) as running:
        server.url = running.url
        page = server.open()
        server.account.reassign(page, list(people), ROSA)
        told = signal_of(server.account.events[-1])
        bound = PagerDutyPager.of(server.environment(tmp_path / "key"))
        assert bound is not None
        look = await bound.look(page.id)
    row = folded(None, page.id, fitted(told, told.at), {}, frozenset())
    assert row is not None
    assert tuple(row.assignees) == look.assignees
    assert look.assignees
