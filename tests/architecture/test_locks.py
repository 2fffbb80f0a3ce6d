"""The lock files install what pyproject.toml asks for, and nothing that no hash vouches for."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = {"requirements.lock": ("build",), "requirements-dev.lock": ("build", "dev")}
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?= \\$|$)", re.M)
LOCKS = tuple(GROUPS)


@cache
def blocks(lock: str) -> tuple[str, ...]:
    """Return the lines of each package: its pin, its hashes, who needs it."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return tuple(re.split(r"^(?=[^\s#])", text, flags=re.M)[1:])


@cache
def pinned(lock: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(block.split(" \\\n")[0]) for block in blocks(lock))


def here(needed: Requirement, extra: str = "") -> bool:
    environment: dict[str, Any] = {**default_environment(), "extra": extra}
    return needed.marker is None or needed.marker.evaluate(environment)


def pins(lock: str) -> dict[str, str]:
    """Return the version of each package that is installed on this machine."""
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pinned(lock)
        if here(pin)
    }


def asked(lock: str) -> Iterator[Requirement]:
    """Yield what pyproject.toml asks for in this lock file."""
    groups = PROJECT["dependency-groups"]
    for line in (
        *PROJECT["project"]["dependencies"],
        *(x for g in GROUPS[lock] for x in groups[g]),
    ):
        if isinstance(line, str):
            yield Requirement(line)


def needed_by(requirement: Requirement) -> Iterator[Requirement]:
    """Yield what an installed package needs here, with the extras that were asked for."""
    for line in requires(requirement.name) or ():
        needed = Requirement(line)
        if any(here(needed, extra) for extra in ("", *requirement.extras)):
            yield needed


def all_needed(lock: str) -> Iterator[tuple[str, Requirement]]:
    """Yield who needs what, from pyproject.toml down to the last package."""
    todo, seen = [("pyproject.toml", r) for r in asked(lock)], set[tuple[str, str]]()
    while todo:
        by, requirement = todo.pop()
        yield by, requirement
        key = (canonicalize_name(requirement.name), ",".join(sorted(requirement.extras)))
        if key not in seen:
            seen.add(key)
            todo += [(requirement.name, needed) for needed in needed_by(requirement)]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_pins_one_version_with_hashes(lock: str) -> None:
    assert len(blocks(lock)) > 40
    for block, pin in zip(blocks(lock), pinned(lock), strict=True):
        assert [s.operator for s in pin.specifier] == ["=="], block[:80]
        hashes = HASH.findall(block)
        assert hashes, f"{pin} has no hash"
        assert len(hashes) == len(set(hashes)) == block.count("--hash"), f"{pin}: a hash is odd"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_package_is_pinned_twice_for_one_machine(lock: str) -> None:
    names = [canonicalize_name(pin.name) for pin in pinned(lock) if here(pin)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lock", LOCKS)
def test_what_anybody_needs_is_pinned_at_a_version_that_suits(lock: str) -> None:
    known = pins(lock)
    for by, needed in all_needed(lock):
        pin = known.get(canonicalize_name(needed.name))
        assert pin, f"{by} needs {needed}, which {lock} does not pin"
        assert needed.specifier.contains(pin, prereleases=True), f"{by} needs {needed}, not {pin}"


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_is_pinned_that_nobody_needs(lock: str) -> None:
    needed = {canonicalize_name(requirement.name) for _, requirement in all_needed(lock)}
    assert set(pins(lock)) <= needed


def test_the_tests_run_on_the_versions_that_are_shipped() -> None:
    shipped, tested = (
        {
            str(pin): HASH.findall(block)
            for pin, block in zip(pinned(lock), blocks(lock), strict=True)
        }
        for lock in LOCKS
    )
    assert shipped.items() <= tested.items()


def test_this_environment_is_the_locked_one() -> None:
    for name, locked in pins(LOCKS[1]).items():
        try:
            assert version(name) == locked, f"{name} is not the locked version: make setup"
        except PackageNotFoundError:
            pytest.fail(f"{name} is locked and not installed: make setup")
