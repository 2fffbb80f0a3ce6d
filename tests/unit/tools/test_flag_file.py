"""Flags in a file as flagd reads it: guarded by content, changed whole, back to what it was."""
# ruff: noqa: ASYNC240 - a small file of the test's own

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import (
    Conflict,
    Malformed,
    NotConfigured,
    Refused,
    Unavailable,
    UnknownName,
)
from tools.act.flags.set_flag import SetFlag

CONTENT = {
    "$schema": "https://flagd.dev/schema/v0/flags.json",
    "flags": {
        "new-ranking": {
            "state": "ENABLED",
            "variants": {"on": True, "off": False},
            "defaultVariant": "on",
            "metadata": {"service": "search"},
        },
        "bänner": {"state": "DISABLED", "variants": {"a": "x"}, "defaultVariant": "a"},
    },
    "$evaluators": {"is-dev": {"ends_with": [{"var": "email"}, "@example.com"]}},
}
OFF = SetFlag.parse({"flag": "new-ranking", "variant": "off"})


def action(path: Path | str, **more: Any) -> SetFlag:
    environment = Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={"flags": {"file": str(path), **more}},
    )
    found = SetFlag.for_environment(environment)
    assert found is not None
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flags.json"
    path.write_text(json.dumps(CONTENT, indent=4) + "\n", "utf-8")
    path.chmod(0o640)
    return path


async def test_a_dry_run_shows_the_one_line_and_changes_nothing(file: Path) -> None:
    before = file.read_bytes()
    seen = await action(file).dry_run(OFF)
    assert seen.ok, seen.detail
    changed = [line for line in seen.diff.splitlines() if line[:1] in "+-"]
    assert changed[2:] == [
        '-            "defaultVariant": "on",',
        '+            "defaultVariant": "off",',
    ]
    assert seen.diff_hash == (await action(file).dry_run(OFF)).diff_hash
    assert seen.command.startswith("jq ")
    assert file.read_bytes() == before
    assert sorted(p.name for p in file.parent.iterdir()) == ["flags.json"]


async def test_it_acts_once_changes_nothing_else_and_knows_the_way_back(file: Path) -> None:
    bench, before = action(file), file.read_text("utf-8")
    target = await bench.target(OFF)
    assert target.service == "search"
    inverse = await bench.inverse(OFF, target)
    assert await bench.find(OFF, "k1") is None
    assert (await bench.apply(OFF, target, "k1")).changed
    assert file.read_text("utf-8") == before.replace('"on",\n', '"off",\n')
    written = file.stat().st_ino
    assert not (await bench.apply(OFF, target, "k1")).changed
    assert file.stat().st_ino == written
    assert await bench.find(OFF, "k1") is not None
    assert oct(file.stat().st_mode)[-3:] == "640"
    assert inverse is not None
    back = SetFlag.parse(inverse.arguments)
    assert (await bench.apply(back, await bench.target(back), "k2")).changed
    assert file.read_text("utf-8") == before
    assert sorted(p.name for p in file.parent.iterdir()) == ["flags.json"]


async def test_a_flag_that_changed_is_refused(file: Path) -> None:
    bench = action(file)
    target = await bench.target(OFF)
    other = json.loads(file.read_text("utf-8"))
    other["flags"]["new-ranking"]["variants"]["blue"] = 1
    file.write_text(json.dumps(other), "utf-8")
    with pytest.raises(Conflict, match="changed since it was read"):
        await bench.apply(OFF, target, "k1")
    assert json.loads(file.read_text("utf-8")) == other


async def test_a_file_written_in_between_is_not_overwritten(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = action(file)
    flag = await bench._flags.flag("new-ranking")
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(Conflict, match="written since it was read"):
        await bench._flags.set(flag, "off")


async def test_only_one_bot_writes_at_a_time(file: Path) -> None:
    bench = action(file)
    folder = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with pytest.raises(Unavailable, match="another bot"):
            await bench.apply(OFF, await bench.target(OFF), "k1")
    finally:
        os.close(folder)
    assert (await bench.apply(OFF, await bench.target(OFF), "k1")).changed


async def test_a_file_that_may_not_be_written_says_what_is_missing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anything
    bench = action(file)
    seen = await bench.dry_run(OFF)
    assert (seen.ok, seen.diff) == (False, "")
    with pytest.raises(Refused, match="needs write access to the file and its folder"):
        await bench.apply(OFF, await bench.target(OFF), "k1")
    assert "may not write flags.json" in seen.detail


async def test_a_linked_file_is_changed_where_it_is(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked.json"
    link.symlink_to(file)
    bench = action(link)
    assert (await bench.apply(OFF, await bench.target(OFF), "k1")).changed
    assert link.is_symlink()
    assert json.loads(file.read_text("utf-8"))["flags"]["new-ranking"]["defaultVariant"] == "off"


async def test_what_stands_in_the_way_of_the_default_is_said(file: Path) -> None:
    content = json.loads(file.read_text("utf-8"))
    content["flags"]["new-ranking"]["targeting"] = {"if": [True, "on"]}
    content["flags"]["bänner"]["variants"]["b"] = "y"
    content["flags"]["off-flag"] = {"state": "DISABLED", "variants": {"a": 1, "b": 2}}
    file.write_text(json.dumps(content), "utf-8")
    assert "targeting rules" in (await action(file).dry_run(OFF)).detail
    disabled = SetFlag.parse({"flag": "off-flag", "variant": "a"})
    assert "disabled" in (await action(file).dry_run(disabled)).detail
    assert await action(file).inverse(disabled, await action(file).target(disabled)) is None


async def test_unknown_flags_offer_the_nearest(file: Path) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean new-ranking\?"):
        await action(file).target(SetFlag.parse({"flag": "new-rankin", "variant": "off"}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"flags": {"new-ranking": NaN}}', "is not JSON"),
        (b"[]", "is not an object"),
        (b'{"flags": [{"key": "new-ranking"}]}', "no object `flags`"),
        (b'{"flags": {"new-ranking": 3}}', "is not an object"),
        (b'{"flags": {"new-ranking": {}}}', "has no variants"),
        (b" " * (4 * 1024 * 1024 + 1), "more than"),
    ],
)
async def test_a_broken_file_is_told_and_left_alone(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    with pytest.raises(Malformed, match=words):
        await action(file).target(OFF)
    assert file.read_bytes() == content


async def test_a_missing_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        await action(tmp_path / "none.json").target(OFF)


@pytest.mark.parametrize(
    ("path", "more"), [("flags.json", {}), ("/x.json", {"url": "http://127.0.0.1:1"})]
)
def test_settings_are_strict(path: str, more: dict[str, Any]) -> None:
    with pytest.raises(NotConfigured, match=r"connections\.flags"):
        action(path, **more)
