"""The bot, the sandbox's workspace, and a real cluster with a shop for each story."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.cli.company import Company, Plan
from bot.domain.action import Level
from bot.domain.environment import Environment, Tier
from bot.domain.time import ScaledClock
from bot.storage.database import Database
from bot.storage.people import LevelGrant, Levels
from tests.fakes.faults import Fault, Place
from tests.fakes.faults.shop import open_shop, opened
from tests.fakes.real_cluster import RealCluster
from tests.fakes.story import Hands, Json, saying, text_of, with_button
from tools.catalog import actions

PATIENCE_S = 150.0
APPROVER = "U0APPROVER"
WATCHED_S = 30.0  # how long an action is watched in these stories
WORKING = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]},
    {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"],
     "verbs": ["patch", "update"]},
    {"apiGroups": [""], "resources": ["services", "resourcequotas", "configmaps"],
     "verbs": ["patch", "update"]},
    {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]},
]  # fmt: skip
SEEING = [
    {"apiGroups": ["", "storage.k8s.io"],
     "resources": ["nodes", "persistentvolumes", "storageclasses", "namespaces"],
     "verbs": ["get", "list"]},
]  # fmt: skip


@dataclass
class RealCompany(Company):
    """A company whose environments are namespaces of the real cluster."""

    plan: Plan
    places: Sequence[Environment] = ()

    def __post_init__(self) -> None:
        Company.__init__(self, self.plan)

    def environments(self) -> tuple[Environment, ...]:
        return tuple(self.places)

    def allow(self, level: Level) -> None:
        """Let every action go up to this level in every environment."""
        database = Database(self.database_url)
        levels = Levels(database, ScaledClock(origin=self.origin))

        async def grant() -> None:
            for place in self.places:
                for name in actions():
                    await levels.grant(
                        LevelGrant(
                            environment=place.name, action=name, level=level, by="test",
                            reason="test",
                        )
                    )  # fmt: skip

        with ThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(asyncio.run, grant()).result()
        database.close()


@dataclass
class Story:
    """One shop in its own namespace, with the thread in which the bot speaks of it."""

    name: str
    hands: Hands
    place: Place
    ts: str = ""
    took_s: float = 0.0  # from the fault to the end of the watch

    @property
    def cluster(self) -> RealCluster:
        return self.place.cluster

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Have the shop serve while its story is told: a node takes no more than 110 pods."""
        open_shop(self.cluster, self.place.namespace)
        try:
            opened(self.cluster, self.place.namespace)
            yield
        finally:
            self.place.leave()
            self.cluster.delete("Namespace", "", self.place.namespace)

    def break_it(self, fault: Fault) -> None:
        """Put the fault in and wait until it shows."""
        fault.inject(self.place)
        self.cluster.wait(lambda: fault.shows(self.place), f"{fault.name} shows", fault.within_s)

    def ask(self) -> None:
        """A person asks what is wrong, and nothing more."""
        self.ts = self.hands.say(f"@sre-bot what is wrong in {self.place.namespace}?")

    def card(self, *, patience_s: float = PATIENCE_S) -> Json:
        """Return the card that waits for an approver."""
        found: Json = self.hands.wait(self.ts, with_button("approve"), patience_s=patience_s)
        return found

    def approve(self) -> str:
        """Approve what is offered; return what the card said."""
        card = self.card()
        answer = self.hands.click(card, "approve", user=APPROVER)
        assert answer["ok"], answer
        return text_of(card)

    def ends_recovered(self, *, patience_s: float = PATIENCE_S) -> None:
        """Wait until the watch is over and it is still well."""
        self.hands.wait(self.ts, self._closed, patience_s=patience_s)

    @staticmethod
    def _closed(replies: list[Json]) -> bool:
        texts = [text_of(m) for m in replies]
        return any("recovered after this action" in t and "Watching until" not in t for t in texts)

    def says(self, *words: str) -> Json:
        """Wait until a message of the thread says all these words."""
        found: Json = self.hands.wait(self.ts, saying(*words), patience_s=PATIENCE_S)
        return found

    def all_said(self) -> str:
        """Return everything in the thread, what only the approver sees too."""
        if not self.ts:
            return "nothing was asked yet"
        return "\n---\n".join(text_of(m) for m in self.hands.thread(self.ts, user=APPROVER))

    def is_well(self) -> bool:
        """Whether every workload of the shop is at its newest template, and serves."""
        found = self.cluster.items("Deployment", self.place.namespace)
        return all(
            d["status"].get("readyReplicas", 0) == d["spec"]["replicas"] > 0
            and d["status"].get("updatedReplicas", 0) == d["spec"]["replicas"]
            and d["status"].get("replicas", 0) == d["spec"]["replicas"]
            for d in found
        )


@contextlib.contextmanager
def stories(
    cluster: RealCluster, home: Path, registry: str, names: Sequence[str], *,
    connections: Callable[[str], Mapping[str, Any]] = lambda _: {}, victim: str = "cart",
    watched_s: float = WATCHED_S,
) -> Iterator[tuple[RealCompany, dict[str, Story]]]:  # fmt: skip
    """Yield the running company and a story a name, each in a namespace of its own, still empty."""
    with contextlib.ExitStack() as stack:
        spaces = {name: stack.enter_context(cluster.namespace("shop")) for name in names}
        places = [_environment(cluster, s, connections(s)) for s in spaces.values()]
        company = RealCompany(plan=_plan(home, watched_s), places=places)
        stack.callback(company.stop)
        company.start()
        company.allow(Level.L3)
        hands = Hands(company, poll_s=0.5)
        told = {}
        for name, space in spaces.items():
            place = Place(cluster=cluster, namespace=space, victim=victim, registry=registry)
            stack.callback(place.leave)
            told[name] = Story(name=name, hands=hands, place=place)
        yield company, told


def _plan(home: Path, watched_s: float) -> Plan:
    variables = {
        "SRE_BOT_VERIFICATION_EVERY_SECONDS": "3",
        "SRE_BOT_VERIFICATION_MOST_SECONDS": str(watched_s),
        "SRE_BOT_CLOCK_RATE": "1",
    }
    return Plan(home=home, rate=1.0, variables=variables)


def _environment(
    cluster: RealCluster, namespace: str, connections: Mapping[str, Any]
) -> Environment:
    kubeconfig = cluster.identity(namespace, WORKING, name="sre-bot", cluster_rules=SEEING)
    found = cluster.environment(
        namespace, kubeconfig=kubeconfig, name=namespace, tier=Tier.PRODUCTION, **connections
    )
    return replace(found, default=False)
