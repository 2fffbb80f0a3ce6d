"""Whatever GitHub or PagerDuty answers, an action fails as it should: by an error of our own."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import SreBotError
from bot.sandbox.pagerduty.directory import TOKEN
from tests.fakes.github_writing import GitRepo
from tests.fakes.loopback import Answer, loopback
from tests.fakes.pagerduty import Pager
from tests.fakes.spoiling import Spoiling, variants
from tests.unit.tools import test_github_actions as on_github
from tests.unit.tools import test_pagerduty_actions as on_pagerduty
from tools.contract import Action


async def outlive(server: Spoiling, action: Action[Any], args: Any) -> None:
    """Ask for everything that only reads, with each part of each answer odd once."""

    async def look() -> None:
        await action.target(args)
        await action.dry_run(args)
        await action.find(args, "k1")
        await action.begun(args, "k1")

    await look()
    refused = 0
    for path, whole in dict(server.seen).items():
        server.path = path
        for server.instead in variants(whole):
            try:
                await look()
            except SreBotError:
                refused += 1
    assert refused


@pytest.mark.parametrize("name", on_github.ALL)
async def test_odd_answers_of_github(name: str, tmp_path: Path) -> None:
    repo = GitRepo()
    (tmp_path / "token").write_text(on_github.TOKEN)
    server = Spoiling(repo)
    with loopback(server) as running:
        bench = on_github.Bench(running.url, repo, tmp_path / "token")
        action, args = bench.call(name)
        if name != "rerun_deployment":
            await action.apply(args, await action.target(args), "k1")
        await outlive(server, action, args)


@pytest.mark.parametrize("name", on_pagerduty.CALLS)
async def test_odd_answers_of_pagerduty(name: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(TOKEN)
    incidents = Pager()
    answer: Answer = incidents
    server = Spoiling(answer)
    with loopback(server) as running:
        bench = on_pagerduty.Bench(running.url, incidents, tmp_path / "key")
        action, args = bench.call(name)
        await outlive(server, action, args)
    assert incidents.writes == []
