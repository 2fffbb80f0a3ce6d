"""The clusters on which the contract is tried without a real one: the fake, the sandbox's."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bot.domain.environment import Environment, Tier
from bot.sandbox.world.kubernetes import resources, views
from tests.fakes.contract.cases import FAKE, SANDBOX
from tests.fakes.kubernetes_api import KINDS, NOBODY, READER, Cluster, merge, shop
from tests.fakes.loopback import loopback
from tests.fakes.world import RunningWorld

PARTS = ("metadata", "spec", "data", "status")
PLURALS = {kind: plural for plural, kind in KINDS.items()}


class FakeCluster:
    """The small strict API in memory."""

    kind, namespace, workload, settings = FAKE, "shop", "web", "web-config"

    def __init__(self, cluster: Cluster, url: str, folder: Path) -> None:
        self.cluster = cluster
        self.environment = environment(url)
        self.reader = environment(url, folder, READER)
        self.nobody = environment(url, folder, NOBODY)

    def put(self, kind: str, name: str, **body: Any) -> None:
        """Put an object there."""
        self.cluster.put(kind, name, **body)

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """Change an object."""
        after = merge(self.cluster.get(kind, name), patch)
        self.cluster.put(kind, name, **{k: v for k, v in after.items() if k in PARTS})

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object."""
        return copy.deepcopy(self.cluster.get(kind, name))

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind."""
        found = [o for (p, _), o in self.cluster.objects.items() if p == PLURALS[kind]]
        return copy.deepcopy(found)

    def idle(self) -> None:
        """Nothing ever moves here."""


class SandboxCluster:
    """The shop's production in the sandbox."""

    kind, namespace, workload, settings = SANDBOX, "shop", "checkout", "checkout-config"

    def __init__(self, running: RunningWorld, folder: Path) -> None:
        found = running.world.running("prod")
        assert found is not None
        self.running = found
        self.url = url = running.system("prod", "kubernetes")
        self.environment = environment(url)
        self.reader = environment(url, folder, READER)
        self.nobody = environment(url, folder, NOBODY)

    def put(self, kind: str, name: str, **body: Any) -> None:
        """Put an object there."""
        resource = next(r for r in resources.RESOURCES if r.kind == kind)
        metadata: dict[str, Any] = {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1000",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            **({"namespace": "shop"} if resource.namespaced else {}),
            **body.pop("metadata", {}),
        }
        whole = {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata, **body}
        self.running.site.objects[(resource.plural, name)] = whole

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        """Change an object over HTTP."""
        resource = next(r for r in resources.RESOURCES if r.kind == kind)
        root = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
        path = f"{root}/namespaces/shop/{resource.plural}/{name}"
        headers = {"Content-Type": "application/merge-patch+json"}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.patch(f"{self.url}/{path}", json=patch, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object."""
        return next(o for o in self.items(kind) if o["metadata"]["name"] == name)

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind."""
        resource = next(r for r in resources.RESOURCES if r.kind == kind)
        return views.objects(self.running.site, resource.plural, self.running.now())

    def idle(self) -> None:
        """Nothing moves in a quiet world."""


def environment(url: str, folder: Path | None = None, token: str = "") -> Environment:
    """Return production, reached as the identity of that token."""
    settings: Mapping[str, Any] = {"url": url}
    if folder is not None:
        file = folder / token
        file.write_text(token)
        settings = {**settings, "token_file": str(file)}
    return Environment(
        name="prod",
        tier=Tier.PRODUCTION,
        namespaces=("shop",),
        connections={"kubernetes": settings},
    )


@contextmanager
def fake_cluster(folder: Path) -> Iterator[FakeCluster]:
    """Yield a fake cluster on loopback."""
    cluster = shop()
    with loopback(cluster.answer) as server:
        yield FakeCluster(cluster, server.url, folder)
