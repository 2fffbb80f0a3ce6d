"""Deploys read from Kubernetes' own rollout history, with the diff between revisions.

Each ReplicaSet of a Deployment is a revision, each ControllerRevision one of a StatefulSet or
DaemonSet. Going back makes no new one: of Deployments it is seen by their condition and events.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar

from bot.domain.environment import Environment
from bot.domain.errors import UnknownName
from bot.domain.needs import Fact, Need
from bot.domain.snapshot import Change, ChangeKind, Snapshot, Source
from tools.asking import Ask, ask, ask_all
from tools.clients.diffs import spec_diff
from tools.clients.kubernetes import Kubernetes, Listing
from tools.clients.moments import moment_of
from tools.clients.names import service_of_object
from tools.clients.rollouts import Revision, revisions_of
from tools.contract import ReadTool

AGE = ".metadata.creationTimestamp"
KINDS = {
    "ReplicaSet": "replicasets",
    "ControllerRevision": "controllerrevisions",
    "Deployment": "deployments",
    "Event": "events",
}
SCALED = "ScalingReplicaSet"
EVENT_TIMES = ("firstTimestamp", "lastTimestamp", "eventTime")  # said again: first stays the old


class RolloutChanges(ReadTool):
    """Rollouts of workloads in the window. The collector drops those a change feed tells too."""

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
        """Return one deploy per revision that became current in the window and followed another.

        Raises: Unavailable, Refused, Malformed.
        """
        if need.names and ChangeKind.DEPLOY.value not in need.names:
            return Snapshot(
                environment=self._environment.name, window=need.window, now=need.window.end
            )
        await self._reachable(need)
        places = [(kind, n) for n in self._environment.namespaces for kind in KINDS]
        answered = await ask_all([self._ask(kind, n, need) for kind, n in places])
        by_query = {source.query: (source, found.items) for source, found in answered.results}
        services = set(need.services)
        changes = [
            change
            for namespace in self._environment.namespaces
            for change in _changes(by_query, namespace, need)
            if not services or change.service in services
        ]
        return Snapshot(
            environment=self._environment.name,
            window=need.window,
            now=need.window.end,
            changes=tuple(sorted(changes, key=lambda c: c.at)),
            blind_spots=answered.blind_spots,
        )

    async def _reachable(self, need: Need) -> None:
        """Return if the API answers: else each list would wait for it in turn."""
        await ask(
            Ask(
                source=Source(
                    system="kubernetes", query="kubectl api-versions", window=need.window
                ),
                call=lambda: self._client.serves("ReplicaSet"),
                found=lambda served: "served" if served else "no ReplicaSets",
                wanted="the kinds that the API has",
            )
        )

    def _ask(self, kind: str, namespace: str, need: Need) -> Ask[Listing]:
        async def call() -> Listing:
            try:
                fields = f"reason={SCALED}" if kind == "Event" else ""
                return await self._client.list(kind, namespace, fields=fields)
            except UnknownName:
                return Listing(items=())  # an API without the kind has no revisions of it

        return Ask(
            source=Source(system="kubernetes", query=_command(kind, namespace), window=need.window),
            call=call,
            found=lambda listing: f"{len(listing.items)} {KINDS[kind]}",
            wanted=f"rollouts in namespace {namespace}",
        )


Answers = Mapping[str, tuple[Source, Sequence[Mapping[str, Any]]]]


def _command(kind: str, namespace: str) -> str:
    if kind == "Event":
        return f"kubectl get events -n {namespace} --field-selector reason={SCALED}"
    return f"kubectl get {KINDS[kind]} -n {namespace} --sort-by={AGE}"


def _changes(answers: Answers, namespace: str, need: Need) -> Iterator[Change]:
    _, deployments = answers.get(_command("Deployment", namespace), (None, ()))
    _, events = answers.get(_command("Event", namespace), (None, ()))
    progressed = {_uid(body): _progressed(body) for body in deployments}
    for kind in ("ReplicaSet", "ControllerRevision"):
        if _command(kind, namespace) in answers:
            source, items = answers[_command(kind, namespace)]
            for revisions in _by_owner(items).values():
                yield from _forward(revisions, need, source)
                done = progressed.get(revisions[0].owner_uid)
                if done is not None:
                    yield from _back(revisions, done, events, (need, source))


def _forward(revisions: Sequence[Revision], need: Need, source: Source) -> Iterator[Change]:
    """Yield a change for each revision that was made in the window."""
    for before, after in pairwise(revisions):
        if need.window.start <= after.created_at < need.window.end:
            yield _change(before, after, after.created_at, source)


def _back(
    revisions: Sequence[Revision],
    done: datetime,
    events: Sequence[Mapping[str, Any]],
    place: tuple[Need, Source],
) -> Iterator[Change]:
    """Yield the change to an older revision: it has the highest number, but was not made last.

    It began when its ReplicaSet was scaled up; where no event tells that, when it was `done`.
    """
    need, source = place
    by_number = sorted(revisions, key=lambda r: r.number)
    current = by_number[-1]
    if len(by_number) < 2 or current is revisions[-1]:
        return
    last_made = revisions[-1].created_at
    begun = (m for m in _scaled_up(current.name, events) if last_made < m <= done)
    at = min(begun, default=done)
    if need.window.start <= at < need.window.end:
        yield _change(by_number[-2], current, at, source, back=True)


def _scaled_up(name: str, events: Sequence[Mapping[str, Any]]) -> Iterator[datetime]:
    for event in events:
        if event.get("reason") == SCALED and f"Scaled up replica set {name} " in (
            str(event.get("message")) + " "
        ):
            moments = (moment_of(event.get(f)) for f in EVENT_TIMES)
            yield from (m for m in moments if m is not None)


def _uid(body: Mapping[str, Any]) -> str:
    return str((body.get("metadata") or {}).get("uid"))


def _progressed(body: Mapping[str, Any]) -> datetime | None:
    """Return when a Deployment's rollout last got on."""
    for condition in (body.get("status") or {}).get("conditions") or ():
        if isinstance(condition, Mapping) and condition.get("type") == "Progressing":
            return moment_of(condition.get("lastUpdateTime"))
    return None


def _by_owner(items: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Revision]]:
    owners: dict[tuple[str, str], list[Revision]] = {}
    for revision in revisions_of(items):
        owners.setdefault((revision.kind, revision.owner), []).append(revision)
    for revisions in owners.values():
        revisions.sort(key=_age)
    return owners


def _age(revision: Revision) -> tuple[datetime, int]:
    return (revision.created_at, revision.number)


def _change(
    before: Revision, after: Revision, at: datetime, source: Source, *, back: bool = False
) -> Change:
    was, became, name = before.version, after.version, after.owner
    words = f"{was} → {became}" if was != became else f"revision {before.number} → {after.number}"
    return Change(
        id=f"rollout-{after.uid}" + (f"-{after.number}" if back else ""),
        kind=ChangeKind.DEPLOY,
        service=_service(after),
        object=f"{after.kind.lower()}/{name}",
        at=at,
        summary=f"rollout of {name}: {words}" + (" (goes back)" if back else ""),
        before=was,
        after=became,
        diff=spec_diff(before.template, after.template, before="before", after="after"),
        link=None,
        source=source,
    )


def _service(revision: Revision) -> str:
    """Return the service by the labels of what is rolled out, else the workload's name."""
    labels = (revision.template.get("metadata") or {}).get("labels")
    body = {"metadata": {"labels": labels, "name": revision.owner}}
    own = service_of_object(revision.body) if revision.kind == "Deployment" else ""
    return own if own and own != revision.name else service_of_object(body)
