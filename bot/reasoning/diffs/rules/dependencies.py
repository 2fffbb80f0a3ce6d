"""Dependencies and runtimes: what is upgraded, downgraded, added or taken away, and by how much."""

import re
from collections.abc import Iterable, Iterator

from bot.reasoning.diffs.change import Change
from bot.reasoning.diffs.parse import Line
from bot.reasoning.diffs.reading import Effect, Reading
from bot.reasoning.diffs.rule import Rule, reading

_FILES = re.compile(
    r"(?:^|/)(?:go\.mod|package\.json|pom\.xml|build\.gradle(?:\.kts)?|requirements[\w.-]*\.txt|pyproject\.toml"
    r"|gemfile(?:\.lock)?|cargo\.toml|[\w.]+\.csproj|composer\.json|pipfile|setup\.(?:py|cfg)|libs\.versions\.toml"
    r"|package-lock\.json|yarn\.lock|poetry\.lock|pnpm-lock\.yaml|chart\.yaml|\.tool-versions|mix\.exs|directory\.packages\.props)$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"[~^>=<v\"' ]{0,4}(\d+)\.(\d+|x)(?:\.(\d+|x))?([\w.+-]*)")
_NAME = re.compile(r"[A-Za-z@][\w@/.\-]{1,80}")
_RISKY = re.compile(
    r"(?i)driver|pgx|psycopg|jdbc|mysql|redis|kafka|grpc|netty|http|sqlalchemy|hibernate|orm|pool|hikari|"
    r"openssl|tls|jwt|auth|oauth|protobuf|jackson|serde|mongo|aws|client|undici|axios|requests|urllib|rabbit|"
    r"sidekiq|celery|gunicorn|uvicorn|spring|django|rails|express|node|python|java|golang"
)
_EFFECTS = (Effect.ERRORS, Effect.LATENCY, Effect.CRASH, Effect.MEMORY_GROWTH)
Version = tuple[int, int, int]
_STEPS = {"major": 2.2, "minor": 0.7, "down": 2.2, "patch": -1.6}


def _versions(change: Change) -> Iterator[Reading]:
    if not (_FILES.search(change.path) or change.language in ("gomod", "requirements")):
        return
    old = {name: (version, line) for name, version, line in _entries(change.removed)}
    new = list(_entries(change.added))
    for name, version, line in new:
        was = old.pop(name, None)
        if was is not None and was[0] != version:
            yield _stepped(change, line, name, was[0], version)
        elif was is None and not change.removed:
            yield _one(change, line, "dependency_added", 0.7, f"{name} is new")
    if not new:
        for name, (_, line) in old.items():
            yield _one(change, line, "dependency_removed", 1.6, f"{name} is gone")


def _entries(lines: Iterable[Line]) -> Iterator[tuple[str, Version, Line]]:
    for line in lines:
        if found := _entry(line):
            yield (*found, line)


def _stepped(change: Change, line: Line, name: str, old: Version, new: Version) -> Reading:
    step = _step(old, new)
    weight = _STEPS[step] + (0.4 if _STEPS[step] > 0 and _RISKY.search(name) else 0.0)
    said = f"{name} goes from {_text(old)} to {_text(new)}"
    return _one(change, line, f"dependency_{step}", weight, said)


def _one(change: Change, line: Line, name: str, weight: float, said: str) -> Reading:
    mechanism = "dependency_upgrade" if weight > 0 else "harmless"
    return reading(name, mechanism, _EFFECTS if weight > 0 else (), weight, said, change, line)


def _entry(line: Line) -> tuple[str, Version] | None:
    code = re.sub(r"^(?:require|compile|implementation|api|gem|runtimeOnly)\b\W*", "", line.code)
    code = re.sub(r"<(?:version|PackageReference Include=)>?", "", code)
    name, version = _NAME.search(code), _VERSION.search(code, _name_end(code))
    if not version:
        return None
    parts = [int(p) if p and p.isdigit() else 0 for p in version.groups()[:3]]
    return (name[0] if name else "version"), (parts[0], parts[1], parts[2])


def _name_end(code: str) -> int:
    name = _NAME.search(code)
    return name.end() if name and name.end() < len(code) else 0


def _step(old: Version, new: Version) -> str:
    if new < old:
        return "down"
    if new[0] != old[0] or (old[0] == 0 and new[1] != old[1]):
        return "major"
    return "minor" if new[1] != old[1] else "patch"


def _text(version: Version) -> str:
    return ".".join(map(str, version))


RULES = (Rule(name="dependency", read=_versions),)
