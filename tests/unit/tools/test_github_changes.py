"""Commits and deployments as a strict GitHub on loopback tells them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import NotConfigured, Refused, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import ChangeKind
from bot.domain.time import Window
from tests.fakes.github_reading import TOKEN, GitHubServer, Repo, sha
from tests.fakes.loopback import Loopback, Reply, loopback
from tools.read.changes import github as tool_module
from tools.read.changes.github import GitHubChanges

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(3600, before=NOON)
PATCH = "@@ -1 +1 @@\n-pool = 5\n+pool = 50\n+password = hunter22hunter"


def file(name: str = "src/pool.py", **more: Any) -> dict[str, Any]:
    return {"filename": name, "status": "modified", "patch": PATCH, **more}


def shop() -> Repo:
    repo = Repo()
    repo.commit("2026-01-01T09:00:00Z", "first", file())
    repo.deploy("2026-01-01T09:30:00Z", sha(1), ("success", "2026-01-01T09:31:00Z"))
    repo.commit("2026-01-01T10:50:00Z", "merged before the window", file("src/old.py"))
    repo.commit("2026-01-01T11:20:00Z", "Larger pool\n\nfor bob@shop.example", file())
    repo.deploy(
        "2026-01-01T11:40:00Z",
        sha(3),
        ("in_progress", "2026-01-01T11:41:00Z"),
        ("success", "2026-01-01T11:44:00Z"),
    )
    return repo


@contextmanager
def tool_on(
    server: GitHubServer, tmp_path: Path, **repositories: Any
) -> Iterator[tuple[GitHubChanges, Loopback]]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with loopback(server) as running:
        settings = {
            "url": running.url,
            "token_file": str(token),
            "repositories": repositories or {"cart": "shop/cart"},
        }
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"github": settings},
        )
        tool = GitHubChanges.for_environment(environment)
        assert tool
        yield tool, running


def need(*names: str, services: tuple[str, ...] = ()) -> Need:
    return Need(fact=Fact.CHANGES, window=WINDOW, names=names, services=services)


async def test_a_deployment_tells_what_it_brought_and_when_it_began(tmp_path: Path) -> None:
    with tool_on(GitHubServer({"shop/cart": shop()}), tmp_path) as (tool, _):
        found = await tool.read(need())
    (deploy,) = [c for c in found.changes if c.kind is ChangeKind.DEPLOY]
    assert (deploy.service, deploy.object) == ("cart", "deployment/cart")
    assert deploy.at == datetime(2026, 1, 1, 11, 41, tzinfo=UTC)
    assert deploy.commits == (sha(2), sha(3))
    assert set(deploy.files) == {"src/old.py", "src/pool.py"}
    assert (deploy.before, deploy.after) == (sha(1)[:7], sha(3)[:7])
    assert found.blind_spots == ()


async def test_commits_of_the_window_and_older_ones_that_became_live_have_diffs(
    tmp_path: Path,
) -> None:
    with tool_on(GitHubServer({"shop/cart": shop()}), tmp_path) as (tool, server):
        found = await tool.read(need())
    commits = {c.after: c for c in found.changes if c.kind is ChangeKind.COMMIT}
    assert set(commits) == {sha(2), sha(3)}
    change = commits[sha(3)]
    assert change.summary == "Larger pool"
    assert "+pool = 50" in (change.diff or "")
    assert "--- a/src/pool.py" in (change.diff or "")
    assert change.link == f"{server.url}/shop/cart/commit/{sha(3)}"
    assert "hunter22hunter" not in str(found)
    assert "bob@" not in str(found)


async def test_only_the_kinds_asked_for_are_told(tmp_path: Path) -> None:
    with tool_on(GitHubServer({"shop/cart": shop()}), tmp_path) as (tool, server):
        assert {c.kind for c in (await tool.read(need("deploy"))).changes} == {ChangeKind.DEPLOY}
        assert {c.kind for c in (await tool.read(need("commit"))).changes} == {ChangeKind.COMMIT}
        asked = len(server.asked)
        assert (await tool.read(need("flag"))).changes == ()
        assert len(server.asked) == asked


async def test_a_folder_of_a_shared_repository_is_one_services(tmp_path: Path) -> None:
    repo = Repo()
    repo.commit("2026-01-01T09:00:00Z", "first", file("cart/a.py"))
    repo.deploy("2026-01-01T09:30:00Z", sha(1))
    repo.commit("2026-01-01T11:20:00Z", "cart", file("cart/a.py"))
    repo.deploy("2026-01-01T11:40:00Z", sha(2))
    places = {name: {"repository": "shop/mono", "path": name} for name in ("cart", "web")}
    with tool_on(GitHubServer({"shop/mono": repo}), tmp_path, **places) as (tool, _):
        found = await tool.read(need())
    assert {(c.kind.value, c.service) for c in found.changes} == {
        ("commit", "cart"),
        ("deploy", "cart"),
    }


async def test_services_without_a_repository_are_a_blind_spot(tmp_path: Path) -> None:
    with tool_on(GitHubServer({"shop/cart": shop()}), tmp_path) as (tool, _):
        found = await tool.read(need(services=("cart", "redis")))
    assert [b.reason for b in found.blind_spots] == [
        "the repository of redis is not in the settings"
    ]
    assert found.changes


async def test_a_deployment_that_failed_or_goes_back_says_so(tmp_path: Path) -> None:
    repo = shop()
    repo.deploy("2026-01-01T11:50:00Z", sha(1), ("failure", "2026-01-01T11:51:00Z"))
    with tool_on(GitHubServer({"shop/cart": repo}), tmp_path) as (tool, _):
        found = await tool.read(need("deploy"))
    assert found.changes[-1].summary == "deploy of cart: 0000000 → 0000000 (goes back) (failed)"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (r".*/compare/.*", "what deployment 1001 brought"),
        (r".*/statuses", "whether deployment 1001 succeeded"),
        (r".*/commits/.*", "the diff of commit"),
    ],
)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=403),
        Reply(status=500),
        Reply(status=404),
        Reply(body=b"{"),
        Reply(body=3),
        Reply(drop=True),
    ],
)
async def test_a_detail_that_cannot_be_read_is_a_blind_spot_and_the_rest_is_there(
    tmp_path: Path, path: str, wanted: str, reply: Reply
) -> None:
    server = GitHubServer({"shop/cart": shop()}, broken={path: reply})
    with tool_on(server, tmp_path) as (tool, _):
        found = await tool.read(need())
    assert any(c.kind is ChangeKind.DEPLOY for c in found.changes)
    assert any(wanted in b.wanted for b in found.blind_spots)


@pytest.mark.parametrize(
    "body", [{"commits": 3, "files": 4}, {"commits": [None, {}], "files": [1]}]
)
async def test_damaged_details_are_left_out(tmp_path: Path, body: Any) -> None:
    server = GitHubServer(
        {"shop/cart": shop()}, broken={r".*/(compare|commits)/.*": Reply(body=body)}
    )
    with tool_on(server, tmp_path) as (tool, _):
        found = await tool.read(need())
    assert [c.kind for c in found.changes] == [ChangeKind.DEPLOY]
    assert "1 commits have no hash or time" in str(found.blind_spots)


async def test_one_repository_that_cannot_be_read_does_not_hide_the_other(tmp_path: Path) -> None:
    server = GitHubServer({"shop/cart": shop()})
    places = {"cart": "shop/cart", "web": "shop/gone"}
    with tool_on(server, tmp_path, **places) as (tool, _):
        found = await tool.read(need())
        with pytest.raises(NotConfigured, match="shop/gone"):
            await tool.check()
    assert found.changes
    assert {b.wanted for b in found.blind_spots} == {"commits of web", "deploys of web"}


async def test_too_much_is_cut_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_module, "MAX_COMMITS", 3)
    repo = Repo()
    for minute in range(9):
        repo.commit(f"2026-01-01T11:0{minute}:00Z", "x", file(patch="+x\n" * 20_000))
    with tool_on(GitHubServer({"shop/cart": repo}), tmp_path) as (tool, server):
        found = await tool.read(need())
    assert [c.after for c in found.changes] == [sha(7), sha(8), sha(9)]
    assert all(len(c.diff or "") < 21_000 for c in found.changes)
    assert [b.reason for b in found.blind_spots] == [
        "9 commits, looked at the newest 3",
        "3 diffs are too long and were cut",
    ]
    assert len(server.asked) == 5


async def test_nothing_readable_is_an_error_without_the_token(tmp_path: Path) -> None:
    echo = Reply(status=500, body=f"token {TOKEN}".encode())
    server = GitHubServer({"shop/cart": shop()}, broken={".*": echo})
    with tool_on(server, tmp_path) as (tool, _):
        with pytest.raises(Unavailable) as raised:
            await tool.read(need())
        assert TOKEN not in str(raised.value)
        (tmp_path / "token").write_text("wrong")
    with tool_on(server, tmp_path) as (tool, _):
        server.broken = {".*": Reply(status=401)}
        with pytest.raises(Refused):
            await tool.check()


async def test_doctor_hears_what_is_left(tmp_path: Path) -> None:
    with tool_on(GitHubServer({"shop/cart": shop()}), tmp_path) as (tool, _):
        assert await tool.check() == "GitHub, 1 repositories, 4990 of 5000 requests left"
