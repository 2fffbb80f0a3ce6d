"""Rollouts of every kind of workload, forward and back, as a cluster's own history tells them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.needs import Fact, Need
from bot.domain.time import Window
from tests.fakes.loopback import Asked, Reply, loopback
from tools.read.changes.rollouts import RolloutChanges

WINDOW = Window.last(3600, before=datetime(2026, 1, 1, 12, tzinfo=UTC))
SHOP = "/apis/apps/v1/namespaces/shop"
EVENTS = "/api/v1/namespaces/shop/events"


def template(image: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "app", "image": f"registry/cart:{image}"}]},
    }


def replica_set(name: str, number: int, at: str, image: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": f"2026-01-01T{at}:00Z",
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"kind": "Deployment", "name": "cart", "uid": "d1"}],
        },
        "spec": {"template": template(image)},
    }


def controller_revision(number: int, at: str, image: str, owner: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"cart-{number}",
            "uid": f"uid-{owner}-{number}",
            "creationTimestamp": f"2026-01-01T{at}:00Z",
            "ownerReferences": [
                {"kind": owner, "name": "cart-db", "uid": "s1", "controller": True}
            ],
        },
        "revision": number,
        "data": {"spec": {"template": {"$patch": "replace", **template(image)}}},
    }


def deployment(done: str) -> dict[str, Any]:
    condition = {"type": "Progressing", "lastUpdateTime": f"2026-01-01T{done}:00Z"}
    return {"metadata": {"name": "cart", "uid": "d1"}, "status": {"conditions": [3, condition]}}


def scaled_up(name: str, at: str) -> dict[str, Any]:
    return {
        "reason": "ScalingReplicaSet",
        "message": f"Scaled up replica set {name} to 1",
        "firstTimestamp": f"2026-01-01T{at}:00Z",
    }


async def read(lists: dict[str, Any], *services: str) -> Any:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/apis":
            return Reply(body={"groups": [{"name": "apps", "versions": [{"version": "v1"}]}]})
        found = lists.get(asked.path, [])
        return found if isinstance(found, Reply) else Reply(body={"items": found})

    with loopback(answer) as server:
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"kubernetes": {"url": server.url}},
        )
        tool = RolloutChanges.for_environment(environment)
        assert tool
        return await tool.read(Need(fact=Fact.CHANGES, window=WINDOW, services=services))


@pytest.mark.parametrize("owner", ["StatefulSet", "DaemonSet"])
async def test_controller_revisions_tell_rollouts(owner: str) -> None:
    revisions = [
        controller_revision(1, "09:00", "v1", owner),
        controller_revision(2, "11:30", "v2", owner),
    ]
    found = await read({f"{SHOP}/controllerrevisions": revisions})
    (change,) = found.changes
    assert (change.object, change.service) == (f"{owner.lower()}/cart-db", "cart")
    assert (change.before, change.after) == ("v1", "v2")
    assert "+  - image: registry/cart:v2" in change.diff
    assert "$patch" not in change.diff
    assert (await read({f"{SHOP}/controllerrevisions": revisions}, "web")).changes == ()


BACK = [replica_set("cart-1", 3, "09:00", "v1"), replica_set("cart-2", 2, "10:00", "v2")]


@pytest.mark.parametrize(
    "again",
    [
        scaled_up("cart-1", "11:40"),
        {**scaled_up("cart-1", "09:00"), "lastTimestamp": "2026-01-01T11:40:00Z", "count": 2},
        {**scaled_up("cart-1", "09:00"), "eventTime": "2026-01-01T11:40:00.000000Z"},
    ],
)
async def test_going_back_is_a_change_that_begins_when_the_old_pods_do(again: Any) -> None:
    found = await read(
        {
            f"{SHOP}/replicasets": BACK,
            f"{SHOP}/deployments": [deployment("11:45")],
            EVENTS: [scaled_up("cart-2", "11:00"), again],
        }
    )
    (change,) = found.changes
    assert change.summary == "rollout of cart: v2 → v1 (goes back)"
    assert change.at == datetime(2026, 1, 1, 11, 40, tzinfo=UTC)
    assert "-  - image: registry/cart:v2" in change.diff


@pytest.mark.parametrize("events", [[], [{"reason": "ScalingReplicaSet"}], Reply(status=403)])
async def test_without_events_it_is_told_by_when_it_was_done(events: Any) -> None:
    lists = {f"{SHOP}/replicasets": BACK, f"{SHOP}/deployments": [deployment("11:45")]}
    (change,) = (await read({**lists, EVENTS: events})).changes
    assert change.at == datetime(2026, 1, 1, 11, 45, tzinfo=UTC)


async def test_what_went_back_before_the_window_is_none_of_its_changes() -> None:
    lists = {f"{SHOP}/replicasets": BACK, f"{SHOP}/deployments": [deployment("10:30")]}
    assert (await read(lists)).changes == ()


async def test_damaged_revisions_are_left_out() -> None:
    damaged = [
        {},
        {"metadata": {"ownerReferences": [{"kind": "Deployment"}], "annotations": None}},
        controller_revision(1, "09:00", "v1", "CronJob"),
        {**controller_revision(2, "11:30", "v2", "StatefulSet"), "revision": "two"},
    ]
    found = await read({f"{SHOP}/controllerrevisions": damaged, f"{SHOP}/replicasets": damaged})
    assert found.changes == ()


async def test_kinds_that_may_not_be_read_are_blind_spots() -> None:
    forbidden = Reply(status=403, body={"message": 'forbidden: User "bot" cannot list'})
    new = [replica_set("cart-1", 1, "09:00", "v1"), replica_set("cart-2", 2, "11:30", "v2")]
    found = await read({f"{SHOP}/replicasets": new, f"{SHOP}/controllerrevisions": forbidden})
    assert len(found.changes) == 1
    assert [b.wanted for b in found.blind_spots] == ["rollouts in namespace shop"]
