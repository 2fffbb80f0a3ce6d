"""Commits with their diffs from GitHub, and deployments with the commits that they brought.

`need.names` are kinds ("commit", "deploy"); without names both. Commits of the window are read, and
older ones that a deployment of the window brought.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import NotConfigured, SreBotError, UnknownName
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import BlindSpot, Change, ChangeKind, Snapshot, Source
from tools.asking import Answered, Ask, T, ask_all
from tools.clients.github import GitHub, Page, Repository
from tools.contract import ReadTool
from tools.read.changes.github_shapes import (
    Deployment,
    commit_change,
    commits_of,
    deploy_change,
    deployment_of,
    files_of,
)

MAX_REPOSITORIES = 12
MAX_LISTED = 200  # commits of one repository
MAX_COMMITS = 40  # read with their diffs
MAX_DEPLOYMENTS = 12  # looked into
NEITHER = frozenset((ChangeKind.COMMIT.value, ChangeKind.DEPLOY.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One repository (or a folder of it), and the services whose code is there."""

    repository: Repository
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Landed:
    """A deployment of the window with the one before it, as far as they could be read."""

    place: _Place
    deployment: Deployment
    before: Deployment | None
    statuses: Sequence[Mapping[str, Any]] = ()
    compared: Mapping[str, Any] | None = None


class GitHubChanges(ReadTool):
    """What was committed and deployed, of the services whose repositories are known."""

    name: ClassVar[str] = "changes.github"
    system: ClassVar[str] = "changes"
    answers: ClassVar[Fact] = Fact.CHANGES
    timeout_s: ClassVar[float] = 10.0

    def __init__(self, environment: Environment, client: GitHub) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "GitHubChanges | None":
        """Return the tool, None when the environment has no GitHub. Raises: NotConfigured."""
        client = GitHub.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return how many repositories can be read. Raises: Unavailable, NotConfigured."""
        left = await self._client.allowance()
        names = sorted({r.name for r in self._client.repositories.values()})
        for name in names[:MAX_REPOSITORIES]:
            try:
                await self._client.get(f"/repos/{name}")
            except UnknownName:
                raise NotConfigured(
                    f"GitHub: {name} is not there, or the token may not see it"
                ) from None
        return f"GitHub, {len(names)} repositories, {left}"

    async def read(self, need: Need) -> Snapshot:
        """Return commits and deployments. Raises: Unavailable, Refused, UnknownName, Malformed."""
        if need.names and not NEITHER & set(need.names):
            return self._snapshot(need, (), ())
        places, spots = self._places(need.services)
        listed = await ask_all([self._list(kind, p, need) for p in places for kind in _kinds(need)])
        pages = {source.query: page for source, page in listed.results}
        landed, more = await self._landed(need, places, pages)
        wanted = _wanted(need, places, pages, landed)
        commits, unread = await self._commits(need, wanted)
        changes = (*commits, *_deploys(need, landed, self))
        return self._snapshot(
            need, changes, (*spots, *listed.blind_spots, *_cut(pages), *more, *unread)
        )

    def source(self, need: Need, query: str, link: str | None = None) -> Source:
        """Return the source of facts that this query of the API gave."""
        return Source(system="github", query=query, window=need.window, link=link)

    def _places(self, services: Sequence[str]) -> tuple[list[_Place], list[BlindSpot]]:
        known = self._client.repositories
        chosen = [s for s in services if s in known] if services else sorted(known)
        by_place: dict[Repository, list[str]] = {}
        for service in chosen:
            by_place.setdefault(known[service], []).append(service)
        places = [_Place(repository=r, services=tuple(s)) for r, s in by_place.items()]
        spots = []
        unknown = [s for s in services if s not in known]
        if unknown:
            words = f"the repository of {', '.join(unknown[:5])} is not in the settings"
            spots.append(_spot(words, "commits and deployments"))
        if len(places) > MAX_REPOSITORIES:
            words = f"{len(places)} repositories, looked at {MAX_REPOSITORIES}"
            spots.append(_spot(words, "commits of every service"))
        return places[:MAX_REPOSITORIES], spots

    def _list(self, kind: ChangeKind, place: _Place, need: Need) -> Ask[Page]:
        where, window = place.repository, need.window
        if kind is ChangeKind.COMMIT:
            call = partial(self._client.commits, where, window.start, window.end, most=MAX_LISTED)
        else:
            call = partial(self._client.deployments, where, most=MAX_LISTED)
        return Ask(
            source=self.source(need, _query(kind, where)),
            call=call,
            found=lambda page: f"{len(page.items)} {kind.value}s",
            wanted=f"{kind.value}s of {', '.join(place.services[:5])}",
        )

    async def _landed(
        self, need: Need, places: Sequence[_Place], pages: Mapping[str, Page]
    ) -> tuple[list[_Landed], list[BlindSpot]]:
        found = [
            _Landed(place=place, deployment=now, before=before)
            for place in places
            for now, before in _in_window(
                pages.get(_query(ChangeKind.DEPLOY, place.repository)), need
            )
        ]
        found.sort(key=lambda one: one.deployment.at, reverse=True)
        spots = []
        if len(found) > MAX_DEPLOYMENTS:
            words = f"{len(found)} deployments, looked into the newest {MAX_DEPLOYMENTS}"
            spots.append(_spot(words, "every deployment"))
        looked = found[:MAX_DEPLOYMENTS]
        statuses = await _some([self._statuses(one, need) for one in looked])
        compared = await _some([self._compare(one, need) for one in looked if one.before])
        by_statuses = {source.query: value for source, value in statuses.results}
        by_compared = {source.query: value for source, value in compared.results}
        whole = [
            _Landed(
                place=one.place,
                deployment=one.deployment,
                before=one.before,
                statuses=by_statuses.get(_statuses_of(one), ()),
                compared=by_compared.get(_between(one)),
            )
            for one in found
        ]
        return whole, [*spots, *statuses.blind_spots, *compared.blind_spots]

    def _statuses(self, one: _Landed, need: Need) -> Ask[tuple[Mapping[str, Any], ...]]:
        return Ask(
            source=self.source(need, _statuses_of(one)),
            call=partial(self._client.statuses, one.place.repository, one.deployment.number),
            found=lambda statuses: f"{len(statuses)} statuses",
            wanted=f"whether deployment {one.deployment.number} succeeded",
        )

    def _compare(self, one: _Landed, need: Need) -> Ask[Mapping[str, Any]]:
        base = one.before.sha if one.before else ""
        return Ask(
            source=self.source(need, _between(one)),
            call=partial(self._client.compare, one.place.repository, base, one.deployment.sha),
            found=lambda found: f"{len(commits_of(found))} commits",
            wanted=f"what deployment {one.deployment.number} brought",
        )

    async def _commits(
        self, need: Need, wanted: Mapping[str, _Place]
    ) -> tuple[list[Change], list[BlindSpot]]:
        """Return commits with their diffs, newest first, as many as may be read."""
        looked = dict(list(wanted.items())[:MAX_COMMITS])
        answered = await _some([self._detail(sha, place, need) for sha, place in looked.items()])
        spots = list(answered.blind_spots)
        if len(wanted) > len(looked):
            words = f"{len(wanted)} commits, looked at the newest {MAX_COMMITS}"
            spots.append(_spot(words, "every commit"))
        changes, damaged = [], 0
        for source, raw in answered.results:
            found = commit_change(raw, looked[source.query.rpartition("/")[2]].services[0], source)
            damaged += found is None
            changes += [found] if found else []
        if damaged:
            spots.append(_spot(f"{damaged} commits have no hash or time", "commits"))
        cut = sum(1 for change in changes if change.diff and change.diff.endswith("cut here"))
        if cut:
            spots.append(_spot(f"{cut} diffs are too long and were cut", "whole diffs"))
        return changes, spots

    def _detail(self, sha: str, place: _Place, need: Need) -> Ask[Mapping[str, Any]]:
        where = place.repository
        return Ask(
            source=self.source(
                need,
                f"GET /repos/{where.name}/commits/{sha}",
                self._client.page(where, "commit", sha),
            ),
            call=partial(self._client.commit, where, sha),
            found=lambda found: f"{len(files_of(found))} files",
            wanted=f"the diff of commit {sha[:7]}",
        )

    def _snapshot(
        self, need: Need, changes: Iterable[Change], spots: Iterable[BlindSpot]
    ) -> Snapshot:
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            changes=tuple(sorted(changes, key=lambda c: (c.at, c.id))),
            blind_spots=tuple(spots),
        )


def _kinds(need: Need) -> tuple[ChangeKind, ...]:
    """Return what to list: deployments also tell which older commits became live."""
    if need.names and ChangeKind.COMMIT.value not in need.names:
        return (ChangeKind.DEPLOY,)
    return (ChangeKind.COMMIT, ChangeKind.DEPLOY)


def _query(kind: ChangeKind, where: Repository) -> str:
    if kind is ChangeKind.DEPLOY:
        return f"GET /repos/{where.name}/deployments"
    path = f"?path={where.path}" if where.path else ""
    return f"GET /repos/{where.name}/commits{path}"


def _statuses_of(one: _Landed) -> str:
    return f"GET /repos/{one.place.repository.name}/deployments/{one.deployment.number}/statuses"


def _between(one: _Landed) -> str:
    base = one.before.sha if one.before else ""
    return f"GET /repos/{one.place.repository.name}/compare/{base}...{one.deployment.sha}"


def _in_window(page: Page | None, need: Need) -> list[tuple[Deployment, Deployment | None]]:
    """Return the deployments of the window, each with the one of another commit before it."""
    every = [d for d in map(deployment_of, page.items if page else ()) if d]
    every.sort(key=lambda d: d.at)
    found = []
    for number, one in enumerate(every):
        if need.window.start <= one.at < need.window.end:
            earlier = (d for d in reversed(every[:number]) if d.sha != one.sha)
            found.append((one, next(earlier, None)))
    return found


def _wanted(
    need: Need, places: Sequence[_Place], pages: Mapping[str, Page], landed: Sequence[_Landed]
) -> dict[str, _Place]:
    """Return the commits to read, newest first: those of the window and those deployed in it."""
    if need.names and ChangeKind.COMMIT.value not in need.names:
        return {}
    found: dict[str, tuple[str, _Place]] = {}
    for place in places:
        page = pages.get(_query(ChangeKind.COMMIT, place.repository))
        for raw in page.items if page else ():
            found.setdefault(str(raw.get("sha")), (_committed(raw), place))
    for one in landed:
        for raw in commits_of(one.compared):
            found.setdefault(str(raw["sha"]), (_committed(raw), one.place))
    ordered = sorted(found.items(), key=lambda item: item[1][0], reverse=True)
    return {sha: place for sha, (_, place) in ordered}


def _committed(raw: Mapping[str, Any]) -> str:
    commit = raw.get("commit")
    committer = commit.get("committer") if isinstance(commit, Mapping) else None
    return str(committer.get("date")) if isinstance(committer, Mapping) else ""


def _deploys(need: Need, landed: Sequence[_Landed], tool: GitHubChanges) -> Iterable[Change]:
    if need.names and ChangeKind.DEPLOY.value not in need.names:
        return
    for one in landed:
        for service in one.place.services:
            change = deploy_change(
                one.deployment,
                one.before,
                statuses=one.statuses,
                compared=one.compared,
                place=(service, one.place.repository, len(one.place.services) > 1),
                source=tool.source(need, _query(ChangeKind.DEPLOY, one.place.repository)),
            )
            if change is not None:
                yield change


def _cut(pages: Mapping[str, Page]) -> list[BlindSpot]:
    return [
        _spot(f"looked at the newest {len(page.items)}, there are more", query)
        for query, page in pages.items()
        if page.more and query.endswith("/commits")
    ]


async def _some(queries: Sequence[Ask[T]]) -> Answered[T]:
    """Run queries whose failure takes away a detail only: even if all fail, they are spots."""
    try:
        return await ask_all(queries)
    except SreBotError as error:
        spots = (_spot(str(error), f"{len(queries)} details, as {queries[0].wanted}"),)
        return Answered(results=(), blind_spots=spots)


def _spot(reason: str, wanted: str) -> BlindSpot:
    return BlindSpot(system="changes", reason=reason, wanted=wanted)
