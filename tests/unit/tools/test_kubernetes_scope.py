"""What of the cluster's own kinds is read: what concerns the environment's namespaces."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.needs import Fact, Need
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Loopback, Reply, loopback
from tools.read.kubernetes.objects import DEFAULT_KINDS, KubernetesObjects

WINDOW = Window.last(600, before=datetime(2026, 1, 1, 12, tzinfo=UTC))
RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUPS = {
    "apps": "v1",
    "batch": "v1",
    "autoscaling": "v2",
    "policy": "v1",
    "networking.k8s.io": "v1",
    "storage.k8s.io": "v1",
    "rbac.authorization.k8s.io": "v1",
    "gateway.networking.k8s.io": "v1beta1",
}


@dataclass
class Api:
    """A cluster by path: a list answers a listing, an object a get; what is not there is empty."""

    found: dict[str, Any] = field(default_factory=dict)
    forbidden: tuple[str, ...] = ()
    groups: dict[str, str] = field(default_factory=lambda: dict(GROUPS))

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/apis":
            groups = [{"name": g, "versions": [{"version": v}]} for g, v in self.groups.items()]
            return Reply(body={"groups": groups})
        plural = asked.path.rpartition("/")[2]
        if plural in self.forbidden:
            said = f'{plural} is forbidden: User "bot" cannot list resource "{plural}"'
            return Reply(status=403, body={"kind": "Status", "message": said})
        found = self.found.get(asked.path, [])
        if isinstance(found, dict):
            return Reply(body=found)
        if found is None:
            return Reply(status=404, body={"kind": "Status", "message": "not found"})
        return Reply(body={"kind": "List", "metadata": {}, "items": found})


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **more.pop("metadata", {})}, **more}


@contextmanager
def tool_on(api: Api, *namespaces: str) -> Iterator[tuple[KubernetesObjects, Loopback]]:
    with loopback(api) as server:
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=namespaces or ("shop",),
            connections={"kubernetes": {"url": server.url}},
        )
        tool = KubernetesObjects.for_environment(environment)
        assert tool
        yield tool, server


def need(*names: str, services: tuple[str, ...] = ()) -> Need:
    return Need(fact=Fact.OBJECTS, window=WINDOW, names=names, services=services)


async def names_of(api: Api, *kinds: str, services: tuple[str, ...] = ()) -> list[str]:
    with tool_on(api) as (tool, _):
        return [o.name for o in (await tool.read(need(*kinds, services=services))).objects]


async def test_volumes_of_other_namespaces_are_not_kept() -> None:
    volumes = [
        named("ours", spec={"claimRef": {"namespace": "shop", "name": "data-cart-0"}}),
        named("theirs", spec={"claimRef": {"namespace": "elsewhere", "name": "x"}}),
        named("free", spec={}),
        named("odd", spec=None),
    ]
    api = Api({"/api/v1/persistentvolumes": volumes})
    assert await names_of(api, "PersistentVolume") == ["ours", "free", "odd"]


async def test_only_the_environments_own_namespaces_are_asked_for() -> None:
    api = Api({"/api/v1/namespaces/shop": named("shop", kind="Namespace")})
    with tool_on(api) as (tool, server):
        found = await tool.read(need("Namespace"))
        assert [a.path for a in server.asked if "namespaces" in a.path] == [
            "/api/v1/namespaces/shop"
        ]
    assert [(o.kind, o.name) for o in found.objects] == [("Namespace", "shop")]
    assert found.objects[0].source.query == "kubectl get namespace shop"


def binding(name: str, role: str, *subjects: Any, kind: str = "ClusterRole") -> dict[str, Any]:
    return named(name, roleRef={"kind": kind, "name": role}, subjects=list(subjects))


def account(namespace: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": "default", "namespace": namespace}


CLUSTER = {
    f"{RBAC}/clusterrolebindings": [
        binding("ours", "reader", account("shop"), account("elsewhere")),
        binding("theirs", "secret-reader", account("elsewhere")),
        binding("everybody", "discovery", {"kind": "Group", "name": "system:serviceaccounts"}),
        binding("people", "admin", {"kind": "User", "name": "shop"}, "odd"),
    ],
    f"{RBAC}/namespaces/shop/rolebindings": [
        binding("local", "editor", account("shop"), kind="Role"),
        binding("wide", "view", account("shop")),
        binding("dangling", "never-made", account("shop")),
    ],
    f"{RBAC}/clusterroles/reader": named("reader", rules=[]),
    f"{RBAC}/clusterroles/discovery": named("discovery"),
    f"{RBAC}/clusterroles/view": named("view"),
    f"{RBAC}/clusterroles/never-made": None,
}


async def test_only_bindings_of_the_namespaces_accounts_are_kept() -> None:
    assert await names_of(Api(CLUSTER), "ClusterRoleBinding") == ["ours", "everybody"]


async def test_cluster_roles_are_read_by_name_and_never_listed() -> None:
    with tool_on(Api(CLUSTER)) as (tool, server):
        found = await tool.read(need("ClusterRole"))
        paths = {a.path for a in server.asked}
    assert sorted(o.name for o in found.objects) == ["discovery", "reader", "view"]
    assert {o.kind for o in found.objects} == {"ClusterRole"}
    assert f"{RBAC}/clusterroles" not in paths
    assert f"{RBAC}/clusterroles/secret-reader" not in paths


async def test_roles_are_read_as_far_as_bindings_may_be_seen() -> None:
    with tool_on(Api(CLUSTER, forbidden=("clusterrolebindings",))) as (tool, _):
        found = await tool.read(need("ClusterRole", "ClusterRoleBinding"))
    assert [o.name for o in found.objects] == ["view"]
    assert [b.wanted for b in found.blind_spots] == ["objects of kind ClusterRoleBinding"]


async def test_a_service_keeps_its_claims_and_what_is_everybodys() -> None:
    api = Api(
        {
            "/api/v1/namespaces/shop/persistentvolumeclaims": [
                named("data-cart-0"),
                named("data-web-0"),
            ],
            "/apis/batch/v1/namespaces/shop/cronjobs": [named("cart-backup"), named("web-backup")],
            "/apis/networking.k8s.io/v1/ingressclasses": [named("nginx")],
            f"{RBAC}/namespaces/shop/roles": [named("editor")],
        }
    )
    kinds = ("PersistentVolumeClaim", "CronJob", "IngressClass", "Role")
    assert await names_of(api, *kinds, services=("cart",)) == [
        "data-cart-0",
        "cart-backup",
        "nginx",
        "editor",
    ]


async def test_gateway_routes_are_read_where_they_are_served() -> None:
    path = "/apis/gateway.networking.k8s.io/v1beta1/namespaces/shop/httproutes"
    api = Api({path: [named("cart")]})
    assert await names_of(api, "HTTPRoute") == ["cart"]
    api.groups.pop("gateway.networking.k8s.io")
    with tool_on(api) as (tool, server):
        found = await tool.read(need())
        assert not [a for a in server.asked if "gateway" in a.path]
    assert found.blind_spots == ()


async def test_the_default_set_never_lists_another_namespace_nor_a_secret() -> None:
    with tool_on(Api(CLUSTER), "shop", "pay") as (tool, server):
        await tool.read(need())
        paths = [a.path for a in server.asked]
    assert not [p for p in paths if "secret" in p.lower()]
    wide = {p.rpartition("/")[2] for p in paths if "/namespaces/" not in p}
    assert wide <= {
        "apis", "nodes", "persistentvolumes", "storageclasses", "ingressclasses",
        "clusterrolebindings", "reader", "discovery", "view", "never-made",
    }  # fmt: skip
    assert all("/shop" in p or "/pay" in p for p in paths if "/namespaces/" in p)
    assert "Secret" not in DEFAULT_KINDS


async def test_a_role_that_lacks_many_kinds_is_one_blind_spot() -> None:
    forbidden = ("persistentvolumes", "clusterrolebindings", "roles", "storageclasses")
    with tool_on(Api(CLUSTER, forbidden=forbidden)) as (tool, _):
        found = await tool.read(need())
    (spot,) = found.blind_spots
    assert spot.reason.startswith("the bot's role may not list 4 kinds")
    assert spot.wanted == "PersistentVolume, StorageClass, Role, ClusterRoleBinding"


async def test_doctor_hears_which_kinds_the_role_lacks() -> None:
    forbidden = ("limitranges", "clusterrolebindings")
    with tool_on(Api({"/version": {"gitVersion": "v1.34.1"}}, forbidden)) as (tool, _):
        said = await tool.check()
    assert said.startswith("Kubernetes v1.34.1, 0 pods; cannot see LimitRange (the bot may not")
    assert 'resources: ["clusterrolebindings"]' in said
    with tool_on(Api({"/version": {"gitVersion": "v1.34.1"}})) as (tool, _):
        assert await tool.check() == "Kubernetes v1.34.1, 0 pods"


@pytest.mark.parametrize("body", [{"items": None}, {"items": []}, {}])
async def test_nothing_there_is_nothing_found(body: Any) -> None:
    api = Api()
    with tool_on(api) as (tool, _):
        api.found["/api/v1/nodes"] = body | {"items": body.get("items") or []}
        assert (await tool.read(need("Node"))).objects == ()
