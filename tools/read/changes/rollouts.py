"""Deploys read from Kubernetes' own rollout history: each ReplicaSet is one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, Snapshot, Source
from tools.asking import Ask, ask_all
from tools.clients.diffs import spec_diff
from tools.clients.kubernetes import Kubernetes, Listing
from tools.clients.names import service_of_object
from tools.clients.rollouts import Revision, revisions_of
from tools.contract import ReadTool

AGE = ".metadata.creationTimestamp"


class RolloutChanges(ReadTool):
    """Rollouts of Deployments in the window. The collector drops those a change feed tells too."""

    name: ClassVar[str] = "changes.rollouts"
    system: ClassVar[str] = "changes"
    answers: ClassVar[Fact] = Fact.CHANGES
    timeout_s: ClassVar[float] = 10.0

    def __init__(self, environment: Environment, client: Kubernetes) -> None:
        self._environment, self._client = environment, client

    @classmethod
    def for_environment(cls, environment: Environment) -> "RolloutChanges | None":
        """Return the tool, None when the environment has no cluster. Raises: NotConfigured."""
        client = Kubernetes.of(environment)
        return cls(environment, client) if client else None

    async def check(self) -> str:
        """Return how many revisions are kept. Raises: Unavailable, Refused."""
        found = [await self._client.list("ReplicaSet", n) for n in self._environment.namespaces]
        return f"{sum(len(f.items) for f in found)} revisions"

    async def read(self, need: Need) -> Snapshot:
        """Return one deploy per ReplicaSet that was created in the window and followed another.

        Raises: Unavailable, Refused, Malformed.
        """
        if need.names and ChangeKind.DEPLOY.value not in need.names:
            return Snapshot(
                environment=self._environment.name, window=need.window, now=need.window.end
            )
        answered = await ask_all([self._ask(n, need) for n in self._environment.namespaces])
        services = set(need.services)
        changes = sorted(
            (
                change
                for source, listing in answered.results
                for change in _changes(listing.items, need, source)
                if not services or change.service in services
            ),
            key=lambda c: c.at,
        )
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            changes=tuple(changes),
            blind_spots=answered.blind_spots,
        )

    def _ask(self, namespace: str, need: Need) -> Ask[Listing]:
        return Ask(
            source=Source(
                system="kubernetes",
                query=f"kubectl get replicasets -n {namespace} --sort-by={AGE}",
                window=need.window,
            ),
            call=lambda: self._client.list("ReplicaSet", namespace),
            found=lambda listing: f"{len(listing.items)} revisions",
            wanted=f"rollouts in namespace {namespace}",
        )


def _changes(items: Sequence[Mapping[str, Any]], need: Need, source: Source) -> list[Change]:
    found = []
    for name, revisions in _by_owner(items).items():
        for before, after in pairwise(revisions):
            if need.window.start <= after.created_at < need.window.end:
                found.append(_change(name, before, after, source))
    return found


def _by_owner(items: Sequence[Mapping[str, Any]]) -> dict[str, list[Revision]]:
    owners: dict[str, list[Revision]] = {}
    for revision in revisions_of(items):
        owners.setdefault(revision.owner, []).append(revision)
    for revisions in owners.values():
        revisions.sort(key=_age)
    return owners


def _age(revision: Revision) -> tuple[datetime, int]:
    return (revision.created_at, revision.number)


def _change(name: str, before: Revision, after: Revision, source: Source) -> Change:
    was, became = before.version, after.version
    words = f"{was} → {became}" if was != became else f"revision {before.number} → {after.number}"
    return Change(
        id=f"rollout-{after.uid}",
        kind=ChangeKind.DEPLOY,
        service=service_of_object(after.body) or name,
        object=f"deployment/{name}",
        at=after.created_at,
        summary=f"rollout of {name}: {words}",
        before=was,
        after=became,
        diff=spec_diff(before.template, after.template, before="before", after="after"),
        link=None,
        source=source,
    )
