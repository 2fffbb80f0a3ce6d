"""Dependencies and runtimes: what is upgraded, downgraded, added or taken away, and by how much."""

import re
from collections.abc import Iterator

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
_STEPS = {"major": 2.2, "minor": 0.7, "down": 2.2, "patch": -1.6}


def _versions(change: Change) -> Iterator[Reading]:
    if not (_FILES.search(change.path) or change.language in ("gomod", "requirements")):
        return
    old = {
        name: (version, line)
        for line in change.removed
        if (found := _entry(line))
        for name, version in [found]
    }
    for line in change.added:
        if not (found := _entry(line)):
            continue
        name, version = found
        was = old.pop(name, None)
        if was is None:
            if change.removed or old:
                continue
            yield _one(change, line, "dependency_added", 0.7, f"{name} is new")
        elif was[0] != version:
            step = _step(was[0], version)
            weight = _STEPS[step] + (
                0.4 if step in ("major", "down", "minor") and _RISKY.search(name) else 0.0
            )
            said = f"{name} goes from {_text(was[0])} to {_text(version)}"
            yield _one(change, line, f"dependency_{step}", weight, said)
    for name, (_, line) in old.items():
        if not any(_entry(new) for new in change.added):
            yield _one(change, line, "dependency_removed", 1.6, f"{name} is gone")


def _one(change: Change, line: Line, name: str, weight: float, said: str) -> Reading:
    mechanism = "dependency_upgrade" if weight > 0 else "harmless"
    return reading(name, mechanism, _EFFECTS if weight > 0 else (), weight, said, change, line)


Version = tuple[int, int, int]


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
