"""The flag action: guarded by version, once per key, back to the variant of before."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import Conflict, Malformed, Refused, Unavailable, UnknownName
from tests.fakes.loopback import Asked, Reply, loopback
from tools.act.flags.set_flag import SetFlag


@dataclass
class FlagSource:
    """A flagd-like source in memory."""

    variant: str = "on"
    version: int = 7
    keys: list[str] = field(default_factory=list)
    forbidden: bool = False
    lost_answers: int = 0
    meddle: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Reply:
        with self.lock:
            if asked.method == "GET":
                return Reply(body={"flags": {"new-ranking": self._flag()}})
            return self._put(asked)

    def _flag(self) -> dict[str, Any]:
        return {
            "state": "ENABLED",
            "variants": {"on": True, "off": False},
            "defaultVariant": self.variant,
            "service": "search",
            "version": str(self.version),
        }

    def _put(self, asked: Asked) -> Reply:
        if self.forbidden:
            return Reply(status=403)
        if self.meddle:
            self.meddle = False
            self.version += 1
        if asked.headers["If-Match"] != f'"{self.version}"':
            return Reply(status=412)
        if asked.query.get("dryRun") == "All":
            return Reply(body={**self._flag(), "defaultVariant": asked.json["defaultVariant"]})
        self.keys.append(asked.headers["Idempotency-Key"])
        self.variant, self.version = asked.json["defaultVariant"], self.version + 1
        if self.lost_answers:
            self.lost_answers -= 1
            return Reply(drop=True)
        return Reply(body=self._flag())


@dataclass
class Bench:
    source: FlagSource
    action: SetFlag

    @property
    def off(self) -> Any:
        return SetFlag.parse({"flag": "new-ranking", "variant": "off"})


@pytest.fixture
def bench() -> Iterator[Bench]:
    source = FlagSource()
    with loopback(source.answer) as server:
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"flags": {"url": server.url}},
        )
        action = SetFlag.for_environment(environment)
        assert action is not None
        yield Bench(source, action)


async def test_a_dry_run_changes_nothing(bench: Bench) -> None:
    seen = await bench.action.dry_run(bench.off)
    assert seen.ok
    assert "-defaultVariant: on\n+defaultVariant: off" in seen.diff
    assert "If-Match" in seen.command
    assert (bench.source.variant, bench.source.version) == ("on", 7)


async def test_it_acts_once_and_knows_the_way_back(bench: Bench) -> None:
    target = await bench.action.target(bench.off)
    inverse = await bench.action.inverse(bench.off, target)
    assert await bench.action.find(bench.off, "k1") is None
    assert (await bench.action.apply(bench.off, target, "k1")).changed
    assert not (await bench.action.apply(bench.off, target, "k1")).changed
    assert bench.source.keys == ["k1"]
    assert await bench.action.find(bench.off, "k1") is not None
    assert inverse is not None
    assert inverse.arguments == {"flag": "new-ranking", "variant": "on"}


async def test_a_changed_flag_is_refused(bench: Bench) -> None:
    target = replace(await bench.action.target(bench.off), spec_hash="another")
    with pytest.raises(Conflict):
        await bench.action.apply(bench.off, target, "k1")
    target = await bench.action.target(bench.off)
    bench.source.meddle = True  # between the last look and the write
    with pytest.raises(Conflict):
        await bench.action.apply(bench.off, target, "k1")
    assert bench.source.variant == "on"


async def test_forbidden_and_lost_answers_are_told_apart(bench: Bench) -> None:
    target = await bench.action.target(bench.off)
    bench.source.forbidden = True
    assert not (await bench.action.dry_run(bench.off)).ok
    with pytest.raises(Refused, match="credentials"):
        await bench.action.apply(bench.off, target, "k1")
    bench.source.forbidden, bench.source.lost_answers = False, 1
    with pytest.raises(Unavailable):
        await bench.action.apply(bench.off, target, "k1")
    assert await bench.action.find(bench.off, "k1") is not None
    assert bench.source.keys == ["k1"]


async def test_unknown_flags_and_variants_offer_the_nearest(bench: Bench) -> None:
    with pytest.raises(UnknownName, match=r"Did you mean new-ranking\?"):
        await bench.action.target(SetFlag.parse({"flag": "new-rank", "variant": "off"}))
    with pytest.raises(UnknownName, match="variant"):
        await bench.action.target(SetFlag.parse({"flag": "new-ranking", "variant": "blue"}))


async def test_what_is_so_already_is_no_change(bench: Bench) -> None:
    seen = await bench.action.dry_run(SetFlag.parse({"flag": "new-ranking", "variant": "on"}))
    assert (seen.ok, seen.detail) == (False, "nothing would change")


@pytest.mark.parametrize("flag", ["", "a/b", "a?b", "../x", "a b", None, 3])
def test_names_are_strict(flag: Any) -> None:
    with pytest.raises(Malformed, match="flag must be"):
        SetFlag.parse({"flag": flag, "variant": "off"})
