"""Changes of flags by the history of their file, on a strict GitHub on loopback."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Malformed, NotConfigured, Unavailable
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import ChangeKind
from bot.domain.time import Window
from tests.fakes.github_reading import TOKEN, GitHubServer, Repo, sha
from tests.fakes.loopback import Reply, loopback
from tools.read.changes.flags import FlagChanges, parsed

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WINDOW = Window.last(3600, before=NOON)
PATH = "flags/prod.flagd.json"


def flag(default: str = "off", **more: Any) -> dict[str, Any]:
    return {
        "state": "ENABLED",
        "variants": {"on": True, "off": False},
        "defaultVariant": default,
        **more,
    }


def history(*versions: dict[str, Any] | str) -> Repo:
    """Return a repository with one version of the flags at 11:10, 11:20, and so on."""
    repo = Repo()
    repo.commit("2026-01-01T09:00:00Z", "readme", {"filename": "README"})
    for number, flags in enumerate(versions, start=1):
        name = repo.commit(f"2026-01-01T11:{number}0:00Z", "flags", {"filename": PATH})
        text = flags if isinstance(flags, str) else json.dumps({"flags": flags})
        repo.texts[PATH, name] = text
    return repo


@contextmanager
def tool_on(server: GitHubServer, tmp_path: Path) -> Iterator[FlagChanges]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with loopback(server) as running:
        github = {"url": running.url, "token_file": str(token)}
        where = {"repository": "shop/config", "path": PATH}
        tool = FlagChanges.for_environment(
            environment(github=github, flags={"history": where, "url": running.url})
        )
        assert tool
        yield tool


def environment(**connections: Any) -> Environment:
    return Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), connections=connections
    )


def need(*names: str, services: tuple[str, ...] = ()) -> Need:
    return Need(fact=Fact.CHANGES, window=WINDOW, names=names, services=services)


async def test_a_switched_flag_is_a_change_with_what_it_was_and_became(tmp_path: Path) -> None:
    repo = history(
        {"ranking": flag(), "old": flag()},
        {"ranking": flag("on", metadata={"service": "cart"}), "old": flag()},
    )
    with tool_on(GitHubServer({"shop/config": repo}), tmp_path) as tool:
        found = await tool.read(need())
        other = await tool.read(need(services=("web",)))
        deploys = await tool.read(need("deploy"))
    changes = [c for c in found.changes if c.at.minute == 20]
    (change,) = changes
    assert (change.kind, change.service, change.object) == (ChangeKind.FLAG, "cart", "flag/ranking")
    assert (change.before, change.after) == ("off", "on")
    assert "-defaultVariant: 'off'" in (change.diff or "")
    assert (change.link or "").endswith(f"/shop/config/commit/{sha(3)}")
    assert [c.object for c in other.changes if c.at.minute == 20] == []
    assert deploys.changes == ()


async def test_new_gone_disabled_and_retargeted_flags_are_told_apart(tmp_path: Path) -> None:
    first = {"a": flag(), "b": flag(), "c": flag()}
    second = {"b": flag(state="DISABLED"), "c": flag(targeting={"if": []}), "d": flag("on")}
    with tool_on(GitHubServer({"shop/config": history(first, second)}), tmp_path) as tool:
        found = await tool.read(need())
    assert [c.summary for c in found.changes if c.at.minute == 20] == [
        "flag a: off → absent",
        "flag b: off → disabled",
        "flag c: its variants or targeting changed",
        "flag d: absent → on",
    ]
    states = [(c.before, c.after) for c in found.changes if c.at.minute == 20]
    assert states == [("off", None), ("off", None), ("off", "off"), (None, "on")]


async def test_a_version_that_cannot_be_read_is_a_blind_spot(tmp_path: Path) -> None:
    repo = history({"a": flag()}, "not: [a, flag", {"a": flag("on")})
    with tool_on(GitHubServer({"shop/config": repo}), tmp_path) as tool:
        found = await tool.read(need())
    assert [c.at.minute for c in found.changes] == [10]
    assert len(found.blind_spots) == 2
    assert "neither JSON nor YAML" in found.blind_spots[0].reason


async def test_no_history_at_all_is_unavailable(tmp_path: Path) -> None:
    server = GitHubServer({"shop/config": Repo()}, broken={".*": Reply(status=502)})
    with tool_on(server, tmp_path) as tool:
        with pytest.raises(Unavailable):
            await tool.read(need())
        with pytest.raises(Unavailable):
            await tool.check()


async def test_flags_without_a_history_are_a_blind_spot(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    file.write_text("{}")
    os.utime(file, (NOON.timestamp() - 60, NOON.timestamp() - 60))
    written = FlagChanges.for_environment(environment(flags={"file": str(file)}))
    gone = FlagChanges.for_environment(environment(flags={"file": str(tmp_path / "x")}))
    remote = FlagChanges.for_environment(environment(flags={"url": "http://127.0.0.1:9"}))
    assert written
    assert gone
    assert remote
    reasons = [(await t.read(need())).blind_spots[0].reason for t in (written, gone, remote)]
    assert reasons == [
        "the file of the flags was written at 11:59:00 UTC, what changed is not kept",
        "the file of the flags cannot be read, and has no history",
        "the flags have no history (connections.flags.history)",
    ]
    assert "cannot be seen" in await remote.check()


def test_a_change_feed_makes_the_history_superfluous() -> None:
    feed = {"url": "http://127.0.0.1:9"}
    assert FlagChanges.for_environment(environment(flags=feed, changes=feed)) is None
    assert FlagChanges.for_environment(environment(changes=feed)) is None


@pytest.mark.parametrize("history", [3, {"path": "x"}, {"repository": "a/b"}])
def test_a_wrong_history_says_which_setting(history: Any) -> None:
    with pytest.raises(NotConfigured, match=r"connections\.flags\.history"):
        FlagChanges.for_environment(environment(flags={"history": history}, github={}))
    whole = {"repository": "a/b", "path": "x"}
    with pytest.raises(NotConfigured, match=r"needs connections\.github"):
        FlagChanges.for_environment(environment(flags={"history": whole}))


def test_both_notations_are_read() -> None:
    assert parsed("flags:\n  a: {defaultVariant: 'on'}\n  b: 3") == {"a": {"defaultVariant": "on"}}
    assert parsed('{"flags": {}}') == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"flags": 3}', "a: [", "[" * 100_000, "x" * 1_000_001, "a: &a [*a"]
)
def test_what_is_no_flags_file_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parsed(text)
