"""Roles: one to read, one per action, nothing more; and the doctor says what is missing or much."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from bot.app.access import Access, access_of, act_words, read_words
from bot.cli.rbac import rbac
from bot.domain.environment import Environment, Tier
from tests.fakes.loopback import Asked, Reply, loopback
from tools.catalog import actions
from tools.clients.access import ACTIONS, TOO_MUCH, manifests, reads
from tools.clients.kubernetes_errors import Request
from tools.clients.watching import WarningEvents

ROLES = Path(__file__).parents[3] / "deploy" / "rbac"
HOW = "add it to ACTIONS in tools/clients/access.py, then run `sre-bot rbac --to deploy/rbac`"
KUBERNETES = {n: a for n, a in actions().items() if a.facts.system == "kubernetes"}


@pytest.mark.parametrize("name", KUBERNETES)
def test_every_action_of_the_catalogue_has_a_role_of_its_own(name: str) -> None:
    assert name in ACTIONS, f"{name} has no role: {HOW}"
    assert (ROLES / "actions" / f"{name}.yaml").exists(), HOW


@pytest.mark.parametrize("name", KUBERNETES)
def test_an_actions_role_has_the_verbs_that_its_code_uses(name: str) -> None:
    """Deleting and evicting are seen in the action's own module; all others patch."""
    module = inspect.getmodule(KUBERNETES[name])
    assert module is not None
    source = inspect.getsource(module)
    used = {
        "delete": "client.delete(" in source,
        "create": "evict(" in source or "/eviction" in source or "record(" in source,
    }
    used["patch"] = "objects.change(" in source or not any(used.values())
    granted = {grant.verb for grant in ACTIONS[name]}
    assert granted == {verb for verb, there in used.items() if there}, HOW


def test_the_files_say_what_the_code_says() -> None:
    files = {str(p.relative_to(ROLES)): p for p in ROLES.rglob("*.yaml")}
    assert set(files) == set(manifests()), "run `sre-bot rbac --to deploy/rbac`"
    for name, documents in manifests().items():
        written = list(yaml.safe_load_all(files[name].read_text(encoding="utf-8")))
        assert written == documents, f"{name}: run `sre-bot rbac --to deploy/rbac`"


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, documents in manifests().items():
        for document in documents:
            for rule in document.get("rules", ()):
                yield name, rule


def test_no_role_has_secrets_wildcards_or_power_over_roles() -> None:
    for name, rule in rules():
        everything = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert "*" not in everything, name
        assert "secrets" not in rule["resources"], name
        assert not {"impersonate", "escalate", "bind"} & set(rule["verbs"]), name
        if "rbac.authorization.k8s.io" in rule["apiGroups"]:
            assert set(rule["verbs"]) <= {"get", "list"}, name


def test_the_role_to_read_only_reads() -> None:
    verbs = {verb for name, rule in rules() if name == "read.yaml" for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    assert not {g for g in reads() if g in TOO_MUCH.values()}


async def test_the_role_to_read_has_what_the_watch_of_events_asks_for() -> None:
    class Client:
        """Remembers which verb on which resource."""

        def __init__(self) -> None:
            self.asked: set[tuple[str, str]] = set()

        async def call(self, request: Request) -> dict[str, Any]:
            self.asked.add((request.verb, request.resource))
            return {}

        async def text(self, request: Request, _most: int) -> str:
            self.asked.add((request.verb, request.resource))
            return ""

    client = Client()
    events = WarningEvents(client)  # type: ignore[arg-type] # the part of it that is used
    await events.listed("shop")
    await events.watched("shop", "1")
    assert client.asked == {("list", "events"), ("watch", "events")}
    granted = {
        (verb, resource)
        for name, rule in rules() if name == "read.yaml" and "" in rule["apiGroups"]
        for verb in rule["verbs"] for resource in rule["resources"]
    }  # fmt: skip
    assert client.asked <= granted
    watched = {resource for verb, resource in granted if verb == "watch"}
    assert watched == {"events"}, "nothing else is watched"


def test_what_is_too_much_is_never_needed() -> None:
    needed = {(g.verb, g.group, g.resource) for grants in ACTIONS.values() for g in grants}
    assert not needed & {(g.verb, g.group, g.resource) for g in TOO_MUCH.values()}


class Cluster:
    """An API server that answers reviews: `may(verb, resource)` decides."""

    def __init__(self, may: Any, status: int = 200) -> None:
        self.may, self.status = may, status

    def __call__(self, asked: Asked) -> Reply:
        if not asked.path.endswith("selfsubjectaccessreviews"):
            return Reply(status=404, body={"kind": "Status", "code": 404})
        wanted = asked.json["spec"]["resourceAttributes"]
        below = f"/{wanted['subresource']}" if wanted["subresource"] else ""
        answer = bool(self.may(wanted["verb"], wanted["resource"] + below, wanted["namespace"]))
        return Reply(status=self.status, body={"status": {"allowed": answer}})


async def asked(may: Any, status: int = 200, *, watches: bool = False) -> Access:
    with loopback(Cluster(may, status)) as server:
        found = await access_of(
            Environment(
                name="prod", tier=Tier.PRODUCTION, namespaces=("shop", "pay"),
                connections={"kubernetes": {"url": server.url}},
            ),
            watches=watches,
        )  # fmt: skip
    assert found is not None
    return found


async def test_an_identity_that_only_reads_may_act_nowhere() -> None:
    never = ("secrets", "nodes/proxy")
    found = await asked(lambda verb, resource, _: verb in ("get", "list") and resource not in never)
    assert (found.may, found.unread, found.too_much) == ((), (), ())
    assert read_words(found) == "all that is looked at"
    assert act_words(found).startswith("0 actions: none; cordon_node needs ")
    assert "deploy/rbac/actions/cordon_node.yaml" in act_words(found)
    assert 'resources: ["nodes"], verbs: ["patch"]' in act_words(found)


async def test_whether_events_may_be_watched_is_asked_if_they_are_to_be() -> None:
    never = ("secrets", "nodes/proxy")

    def reads_only(verb: str, resource: str, _namespace: str) -> bool:
        return verb in ("get", "list") and resource not in never

    missing = (await asked(reads_only, watches=True)).unread
    assert missing == ('apiGroups: [""], resources: ["events"], verbs: ["watch"]',)
    may = await asked(lambda v, r, n: reads_only(v, r, n) or v == "watch", watches=True)
    assert may.unread == ()


async def test_one_role_that_is_granted_lets_one_action_through() -> None:
    found = await asked(lambda verb, resource, _: (verb, resource) == ("patch", "nodes"))
    assert set(found.may) == {"cordon_node", "uncordon_node"}
    assert "pods" in read_words(found)
    assert "a blind spot" in read_words(found)


async def test_a_role_in_one_namespace_of_two_is_not_enough() -> None:
    found = await asked(
        lambda verb, resource, namespace: resource == "deployments" and namespace == "shop"
        and verb == "patch"
    )  # fmt: skip
    assert "restart_deployment" not in found.may


async def test_a_cluster_administrator_is_warned_about() -> None:
    found = await asked(lambda *_: True)
    assert set(found.may) == set(KUBERNETES)
    assert set(found.too_much) == set(TOO_MUCH)


async def test_to_list_secrets_in_one_namespace_is_too_much() -> None:
    found = await asked(lambda verb, resource, namespace: (verb, resource, namespace) == (
        "list", "secrets", "pay"))  # fmt: skip
    assert found.too_much == ("list secrets",)


async def test_a_cluster_that_does_not_answer_is_said_so() -> None:
    found = await asked(lambda *_: True, status=500)
    assert found.problem
    assert found.may == ()


async def test_without_a_cluster_there_is_nothing_to_say() -> None:
    nothing = Environment(name="x", tier=Tier.DEVELOPMENT, namespaces=())
    assert await access_of(nothing) is None


def test_the_roles_are_printed_and_written(tmp_path: Path) -> None:
    said = CliRunner().invoke(rbac, ["read", "restart_pod"])
    kinds = [d["metadata"]["name"] for d in yaml.safe_load_all(said.output)]
    assert kinds == ["sre-bot", "sre-bot-read", "sre-bot-read-cluster", "sre-bot-act-restart-pod"]
    assert CliRunner().invoke(rbac, ["drop_tables"]).exit_code == 2
    CliRunner().invoke(rbac, ["--to", str(tmp_path)])
    assert len(list(tmp_path.rglob("*.yaml"))) == len(manifests())
    assert json.dumps(manifests())
