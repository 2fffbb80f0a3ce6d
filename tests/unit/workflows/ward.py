"""Triage on real SQL and a real journal, with a Slack that remembers and a graph that is given."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.domain.codec import decode
from bot.domain.conversation import Thread
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Permanent
from bot.domain.incident import Face, Limits
from bot.domain.needs import Fact, Need
from bot.domain.signal import Origin, Phase, Severity, Signal
from bot.domain.snapshot import Edge, Snapshot, Source
from bot.domain.time import Clock, ScaledClock, Window
from bot.perception.collector import Collected
from bot.storage.database import Database
from bot.storage.inbox import SignalInbox
from bot.storage.incident_threads import TriageStore
from bot.storage.migrate import upgrade
from bot.storage.routes import CallStore, Routes
from bot.triage.timing import Settling
from bot.workflows.engine import Engine
from bot.workflows.incidents import Incidents
from bot.workflows.incidents import Parts as IncidentParts
from bot.workflows.maps import Maps, Sources
from bot.workflows.orders import INCIDENT, INVESTIGATE, InvestigationOrder, start_incident
from bot.workflows.showing import Showing
from bot.workflows.triaging import Parts, Triage

PATIENCE_S = 20.0
QUICK = Settling(settle_s=0.05, calm_s=0.02, most_s=0.3, storm_s=0.6, healing_s=0.3)
CALLS = (
    ("front", "checkout"), ("front", "cart"), ("checkout", "payments"), ("payments", "ledger"),
    ("cart", "store"),
)  # fmt: skip


@dataclass
class FakeTell:
    """The channels: one root per incident and channel, as Slack shows it now."""

    roots: dict[str, tuple[str, Face]] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    first: list[Face] = field(default_factory=list)  # as it was posted, before any edit
    edits: int = 0
    closed: frozenset[str] = frozenset()  # channels that refuse
    fails: list[BaseException] = field(default_factory=list)
    calls: dict[str, tuple[Thread, str]] = field(default_factory=dict)  # in threads
    refuses: BaseException | None = None  # every call

    async def root(self, channel: str, face: Face) -> Thread:
        if self.fails:
            raise self.fails.pop(0)
        if channel in self.closed:
            raise Permanent("Slack refused chat.postMessage: not_in_channel")
        if face.incident.id not in self.roots:
            self.posted.append(face.incident.id)
            self.first.append(face)
        self.edits += 1
        self.roots[face.incident.id] = (channel, face)
        return Thread(team="T1", channel=channel, ts=f"1.{len(self.posted):06d}")

    async def call(self, thread: Thread, face: Face) -> None:
        if self.refuses is not None:
            raise self.refuses
        mentioned = {f.incident.id for f in self.first if f.on_call}
        if face.on_call and face.incident.id not in mentioned:
            self.calls.setdefault(face.incident.id, (thread, face.on_call))

    @property
    def faces(self) -> list[Face]:
        return [face for _, face in self.roots.values()]


@dataclass
class FakeGraph:
    """A collector that knows who calls whom."""

    clock: Clock
    calls: Sequence[tuple[str, str]] = CALLS
    down: bool = False
    asked: int = 0

    def fresh(self) -> "FakeGraph":
        return self

    async def collect(self, needs: Sequence[Need]) -> Collected:
        assert [n.fact for n in needs] == [Fact.EDGES]
        self.asked += 1
        now = self.clock.now()
        source = Source(system="traces", query="edges")
        edges = () if self.down else tuple(
            Edge(caller=a, callee=b, calls=None, source=source) for a, b in self.calls
        )  # fmt: skip
        window = Window.last(60, before=now)
        snapshot = Snapshot(environment="prod", window=window, now=now, edges=edges)
        return Collected(snapshot=snapshot, steps=())

    async def service_names(self) -> tuple[str, ...]:
        return () if self.down else tuple(sorted({s for call in self.calls for s in call}))


@dataclass
class Ward:
    """What signals come into, and incidents come out of."""

    folder: Path
    url: str = ""
    settling: Settling = QUICK
    limits: Limits = field(default_factory=Limits)
    tell: FakeTell = field(default_factory=FakeTell)
    holder: str = "me"
    orders: list[InvestigationOrder] = field(default_factory=list)
    sent: int = 0
    counts_every_s: float = 0.1
    driven: Clock | None = None  # the wall's clock, if a test moves it

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.folder / 'bot.sqlite'}"
        self.clock = self.driven or ScaledClock(origin=datetime(2000, 1, 1, tzinfo=UTC))
        self.graph = FakeGraph(self.clock)
        self.prod = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            default=True,
            channels=("CENV",),
        )
        self.open()

    def open(self) -> None:
        """Start, as after a crash."""
        self.database = Database(self.url)
        upgrade(self.database.engine)
        journal = f"sqlite:///{self.folder / 'journal.sqlite'}"
        self.engine = Engine(journal, executor_id="test", poll_s=0.01)
        self.store = TriageStore(self.database, self.clock)
        self.inbox = SignalInbox(self.database, self.clock)
        self.routes = Routes(self.database)
        self.maps = Maps(
            Sources(
                environments={"prod": self.prod}, collectors={"prod": self.graph},  # type: ignore[dict-item]
                calls=CallStore(self.database), store=self.store, world=self.clock,
                wall=self.clock,
            )
        )  # fmt: skip
        self.incidents = Incidents(
            IncidentParts(
                engine=self.engine, store=self.store, routes=self.routes, tell=self.tell,
                maps=self.maps, environments={"prod": self.prod}, wall=self.clock,
                world=self.clock, channels=("CDEFAULT",), limits=self.limits,
            )
        )  # fmt: skip
        self.engine.register(INCIDENT, self.incidents.body)
        self.engine.register(INVESTIGATE, self._investigate)
        self.showing = Showing(
            self.incidents, self.store, self.clock, counts_every_s=self.counts_every_s
        )
        self.triage = self.replica(self.holder)
        # a stopped engine took the loop's threads with it, which a dead process would not
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=6))
        self.engine.launch()

    def replica(self, holder: str) -> Triage:
        async def start(incident_id: str) -> None:
            await start_incident(self.engine, incident_id)

        return Triage(
            Parts(
                inbox=self.inbox, store=self.store, maps=self.maps, start=start, wall=self.clock,
                holder=holder, default="prod", settling=self.settling,
            )
        )  # fmt: skip

    async def _investigate(self, order: Any) -> str:
        self.orders.append(decode(InvestigationOrder, order))
        return "noted"

    def close(self) -> None:
        self.engine.close()
        self.database.close()

    async def arrive(self, *signals: Signal) -> None:
        await self.inbox.put(signals, self.clock.now())

    async def until(self, done: Callable[[], Any]) -> None:
        """Triage and show, round after round, until it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                await self.turn()
                await asyncio.sleep(0.01)

    async def turn(self) -> None:
        await self.triage.round()
        await self.showing.round()

    async def calm(self, seconds: float = 0.5) -> None:
        """Triage for a while, whatever comes of it."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self.turn()
            await asyncio.sleep(0.01)

    def signal(self, service: str = "checkout", **changes: Any) -> Signal:
        now = self.clock.now()
        self.sent += 1
        made = Signal(
            key=f"test:{self.sent}",
            origin=Origin.ALERTMANAGER, subject=f"am:{service}", phase=Phase.FIRING,
            title=f"{service} returns errors", at=now, severity=Severity.HIGH,
            environment="prod", services=(service,) if service else (),
        )  # fmt: skip
        return replace(made, **changes)
