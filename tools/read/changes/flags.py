"""Changes of feature flags: the difference between versions of the flags' file, where it is kept.

The settings of `flags` say where the file's history is (`history: {repository, path, branch}`, a
flagd file on GitHub). Without a history it is a blind spot, unless a change feed tells of flags.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import yaml

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured, UnknownName
from bot.domain.needs import Fact, Need
from bot.domain.redaction import redact
from bot.domain.snapshot import BlindSpot, Change, ChangeKind, Snapshot, Source
from tools.asking import Ask, ask, ask_all
from tools.clients.diffs import spec_diff
from tools.clients.github import GitHub, Repository, repository_of
from tools.clients.settings import connection
from tools.contract import ReadTool

MAX_VERSIONS = 20
MAX_TEXT = 1_000_000
PARTS = ("state", "defaultVariant", "variants", "targeting")

Flags = Mapping[str, Mapping[str, Any]]


class FlagChanges(ReadTool):
    """Flags that were switched, by the history of their file."""

    name: ClassVar[str] = "changes.flags"
    system: ClassVar[str] = "changes"
    answers: ClassVar[Fact] = Fact.CHANGES
    timeout_s: ClassVar[float] = 10.0

    def __init__(
        self, environment: Environment, history: tuple[GitHub, Repository] | None, file: Path | None
    ) -> None:
        self._environment, self._history, self._file = environment, history, file

    @classmethod
    def for_environment(cls, environment: Environment) -> "FlagChanges | None":
        """Return the tool; None without flags, or when a change feed tells of them.

        Raises: NotConfigured: there is a history, but no GitHub to read it from.
        """
        settings = connection(environment, "flags")
        if settings is None:
            return None
        history = _history(environment, settings)
        if history is None and connection(environment, "changes") is not None:
            return None
        file = settings.get("file")
        return cls(environment, history, Path(str(file)) if file else None)

    async def check(self) -> str:
        """Return where the history of flags is. Raises: Unavailable, Refused, Malformed."""
        if self._history is None:
            return "flags have no history: changes of them cannot be seen"
        client, where = self._history
        flags = await self._at(client, where, where.branch or "HEAD")
        return f"history of {len(flags)} flags in {where.name}"

    async def read(self, need: Need) -> Snapshot:
        """Return the flags that changed in the window. Raises: Unavailable, Refused, Malformed."""
        if need.names and ChangeKind.FLAG.value not in need.names:
            return self._snapshot(need, (), ())
        if self._history is None:
            return self._snapshot(need, (), (self._blind(need),))
        client, where = self._history
        window = need.window
        listed = await ask(
            Ask(
                source=_source(need, client, where, ""),
                call=partial(client.commits, where, window.start, window.end, most=MAX_VERSIONS),
                found=lambda page: f"{len(page.items)} versions",
                wanted="versions of the flags",
            )
        )
        answered = await ask_all([self._ask(client, where, raw, need) for raw in listed.items])
        changes = [change for _, found in answered.results for change in found]
        spots = list(answered.blind_spots)
        if listed.more:
            words = f"looked at the newest {MAX_VERSIONS} versions, there are more"
            spots.append(_spot(words))
        return self._snapshot(need, changes, spots)

    def _snapshot(
        self, need: Need, changes: Sequence[Change], spots: Sequence[BlindSpot]
    ) -> Snapshot:
        services = set(need.services)
        kept = (c for c in changes if not services or not c.service or c.service in services)
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            changes=tuple(sorted(kept, key=lambda c: (c.at, c.id))),
            blind_spots=tuple(spots),
        )

    def _ask(
        self, client: GitHub, where: Repository, raw: Mapping[str, Any], need: Need
    ) -> Ask[list[Change]]:
        sha = str(raw.get("sha"))
        source = _source(need, client, where, sha)
        return Ask(
            source=source,
            call=lambda: self._compared(client, where, raw, source),
            found=lambda changes: f"{len(changes)} flags changed",
            wanted=f"what commit {sha[:7]} changed of the flags",
        )

    async def _compared(
        self, client: GitHub, where: Repository, raw: Mapping[str, Any], source: Source
    ) -> list[Change]:
        sha, parent, at = _version(raw)
        after = await self._at(client, where, sha)
        before = await self._at(client, where, parent) if parent else {}
        return [
            _change(name, before.get(name, {}), after.get(name, {}), (sha, at, source))
            for name in sorted({*before, *after})
            if _known(before.get(name, {})) != _known(after.get(name, {}))
        ]

    async def _at(self, client: GitHub, where: Repository, ref: str) -> Flags:
        """Return the flags of one version, none where the file is not there."""
        try:
            text = await client.text(where, where.path, ref)
        except UnknownName:
            return {}
        return parsed(text)

    def _blind(self, need: Need) -> BlindSpot:
        """Return why changes cannot be seen; of a file at least when it was last written."""
        if self._file is not None:
            try:
                at = datetime.fromtimestamp(self._file.stat().st_mtime, tz=UTC)
            except OSError:
                return _spot("the file of the flags cannot be read, and has no history")
            if need.window.start <= at < need.window.end:
                when = at.strftime("%H:%M:%S UTC")
                return _spot(
                    f"the file of the flags was written at {when}, what changed is not kept"
                )
        return _spot("the flags have no history (connections.flags.history)")


def parsed(text: str) -> Flags:
    """Return the flags of a flagd file, JSON or YAML. Raises: Malformed."""
    if len(text) > MAX_TEXT:
        raise Malformed(f"flags: the file has more than {MAX_TEXT} characters")
    try:
        found = json.loads(text)
    except RecursionError:
        raise Malformed("flags: the file is nested too deeply") from None
    except ValueError:
        found = _yaml(text)
    flags = found.get("flags") if isinstance(found, Mapping) else None
    if not isinstance(flags, Mapping):
        raise Malformed("flags: the file has no object `flags`")
    return {str(name): flag for name, flag in flags.items() if isinstance(flag, Mapping)}


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise Malformed("flags: the file is neither JSON nor YAML") from None


def _known(flag: Mapping[str, Any]) -> dict[str, Any]:
    return {part: flag[part] for part in PARTS if part in flag}


def _change(
    name: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    version: tuple[str, datetime, Source],
) -> Change:
    sha, at, source = version
    was, became = _setting(before), _setting(after)
    words = f"{was} → {became}" if was != became else "its variants or targeting changed"
    return Change(
        id=f"flag-{name}-{sha}",
        kind=ChangeKind.FLAG,
        service=_service(after) or _service(before),
        object=f"flag/{name}",
        at=at,
        summary=redact(f"flag {name}: {words}")[:300],
        before=_variant(before),
        after=_variant(after),
        diff=spec_diff(_known(before), _known(after), before="before", after="after"),
        link=source.link,
        source=source,
    )


def _variant(flag: Mapping[str, Any]) -> str | None:
    """Return the variant that everybody gets, None where a flag is absent or switched off."""
    on = flag.get("state", "ENABLED") == "ENABLED" and flag.get("defaultVariant") is not None
    return redact(str(flag["defaultVariant"])) if on else None


def _setting(flag: Mapping[str, Any]) -> str:
    """Return what the flag is set to: its default variant, unless it is switched off or gone."""
    if not flag:
        return "absent"
    state = str(flag.get("state") or "ENABLED")
    return redact(str(flag.get("defaultVariant"))) if state == "ENABLED" else state.lower()


def _service(flag: Mapping[str, Any]) -> str:
    metadata = flag.get("metadata")
    kept = metadata if isinstance(metadata, Mapping) else {}
    return str(flag.get("service") or kept.get("service") or kept.get("owner") or "")


def _version(raw: Mapping[str, Any]) -> tuple[str, str, datetime]:
    """Return a commit's hash, its parent's and its time. Raises: Malformed."""
    try:
        at = datetime.fromisoformat(str(raw["commit"]["committer"]["date"]))
        parents = raw.get("parents") or ()
        parent = str(parents[0]["sha"]) if parents else ""
    except (KeyError, TypeError, ValueError, IndexError):
        raise Malformed("flags: a version has no time or parent") from None
    if at.tzinfo is None:
        raise Malformed("flags: the time of a version has no zone")
    return str(raw.get("sha")), parent, at.astimezone(UTC)


def _history(
    environment: Environment, settings: Mapping[str, Any]
) -> tuple[GitHub, Repository] | None:
    raw = settings.get("history")
    if raw is None:
        return None
    where = f"environment {environment.name}: connections.flags.history"
    if not isinstance(raw, Mapping) or not raw.get("path"):
        raise NotConfigured(f"{where} must be an object with `repository` and `path`")
    client = GitHub.of(environment)
    if client is None:
        raise NotConfigured(f"{where} needs connections.github")
    return client, repository_of(raw, where)


def _source(need: Need, client: GitHub, where: Repository, sha: str) -> Source:
    at = f"commit {sha}" if sha else "commits"
    link = client.page(where, "commit", sha) if sha else None
    query = f"{at} of {where.name}/{where.path}"
    return Source(system="github", query=query, window=need.window, link=link)


def _spot(reason: str) -> BlindSpot:
    return BlindSpot(system="changes", reason=reason, wanted="changes of feature flags")
