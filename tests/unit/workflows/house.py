"""The durable engine on a temporary journal, with everything around the workflows in memory."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.domain.action import Level, Outcome, Proposal, Verification, VerificationPlan
from bot.domain.codec import encode
from bot.domain.conversation import (
    Card,
    CardState,
    Click,
    Head,
    InvestigationRow,
    Mention,
    Notice,
    PersonVerdict,
    Thread,
)
from bot.domain.diagnosis import (
    Budget,
    Diagnosis,
    Evidence,
    Hypothesis,
    Question,
    Ranked,
    Report,
    Status,
    Symptom,
)
from bot.domain.environment import Environment, Tier
from bot.domain.errors import Permanent, Unavailable
from bot.domain.needs import Need
from bot.domain.paging import Pager
from bot.domain.snapshot import PastIncident, Snapshot, Source
from bot.domain.time import ScaledClock, Window
from bot.domain.trust import Promotion
from bot.perception.collector import Collected
from bot.remediation.trust import Trust
from bot.workflows.engine import Engine
from bot.workflows.inquiry import Inquiry
from bot.workflows.investigation import Investigation, Keep
from bot.workflows.observing import Observing
from bot.workflows.orders import (
    INVESTIGATE,
    OBSERVE,
    REMEDIATE,
    InvestigationOrder,
    RemediationOrder,
    start_remediation,
)
from bot.workflows.planning import Planning
from bot.workflows.presses import Presses
from bot.workflows.remediation import Parts, Remediation
from bot.workflows.teammate import Parts as BotParts
from bot.workflows.teammate import SreBot
from bot.workflows.telling import Telling
from bot.workflows.trusting import Trusting
from policies.catalog import load as load_runbooks
from tests.fakes.stores import FakeRecords
from tests.unit.remediation.office import ID, KEY, START, FakeClock, Office

PATIENCE_S = 20.0
WINDOW_S = 600.0
RATE = 1200.0  # the ten minutes of watching take half a second
THREAD = Thread(team="T1", channel="C1", ts="1.0")
MENTION = Mention(
    event_id="Ev1", thread=THREAD, user="URESPONDER", text="why is checkout slow", ts="1.0",
    in_thread=False,
)  # fmt: skip
QUESTION = Question(
    text="why is checkout slow", environment="prod", services=("checkout",), symptom=Symptom.SLOW,
    asked_at=START, window=Window.last(3600, before=START),
)  # fmt: skip


@dataclass
class FakeNotify:
    """What people were told. `down` calls in a row fail first."""

    heads: list[Head] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    said: list[tuple[str, Notice]] = field(default_factory=list)
    whispered: list[tuple[str, Notice]] = field(default_factory=list)
    promotions: list[tuple[Thread, Promotion]] = field(default_factory=list)
    down: int = 0
    gone: bool = False  # nobody can be whispered to

    def _up(self) -> None:
        if self.down > 0:
            self.down -= 1
            raise Unavailable("Slack", "no answer")

    async def head(self, thread: Thread, head: Head) -> None:
        self._up()
        self.heads.append(head)

    async def report(self, thread: Thread, report: Report) -> None:
        self._up()
        self.reports.append(report)

    async def card(self, thread: Thread, card: Card) -> None:
        self._up()
        self.cards.append(card)

    async def promotion(self, thread: Thread, promotion: Promotion) -> None:
        self._up()
        self.promotions.append((thread, promotion))

    async def say(self, thread: Thread, notice: Notice, *, key: str) -> None:
        self._up()
        self.said.append((key, notice))

    async def whisper(self, channel: str, user: str, notice: Notice, thread_ts: str = "") -> None:
        if self.gone:
            raise Permanent("Slack refused chat.postEphemeral: user_not_in_channel")
        self.whispered.append((user, notice))

    @property
    def states(self) -> list[CardState]:
        """Return the card's states, in the order in which they were shown."""
        return [card.state for card in self.cards]


@dataclass
class FakeIncidents:
    """`IncidentStore` in memory."""

    opened: list[str] = field(default_factory=list)
    reports: dict[str, Report] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    verdicts: list[PersonVerdict] = field(default_factory=list)

    async def open_investigation(
        self, investigation_id: str, thread: Thread, user: str, text: str, at: datetime
    ) -> None:
        if investigation_id not in self.opened:
            self.opened.append(investigation_id)

    async def save_report(self, report: Report) -> None:
        self.reports[report.investigation_id] = report

    async def report(self, investigation_id: str) -> Report | None:
        return self.reports.get(investigation_id)

    async def set_state(self, investigation_id: str, state: str) -> None:
        self.states[investigation_id] = state

    async def investigation_of(self, thread: Thread) -> str | None:
        return self.opened[-1] if self.opened else None

    async def thread_of(self, investigation_id: str) -> Thread | None:
        return THREAD

    async def save_verdict(self, verdict: PersonVerdict) -> None:
        self.verdicts.append(verdict)

    async def past(self, environment: str, limit: int = 200) -> Sequence[PastIncident]:
        return ()

    async def recent(self, limit: int) -> Sequence[InvestigationRow]:
        return ()


@dataclass
class FakeWatch:
    """Sees the outcomes one after the other; the last one stays."""

    outcomes: list[Outcome]
    clock: ScaledClock
    every_s: float = 60.0
    looks: int = 0

    async def look(self, proposal: Proposal, acted_at: datetime) -> Verification:
        outcome = self.outcomes[min(self.looks, len(self.outcomes) - 1)]
        self.looks += 1
        return Verification(
            execution_key=KEY, outcome=outcome, statement=f"it is {outcome.value}", value=1.0,
            checked_at=self.clock.now(),
        )  # fmt: skip


@dataclass
class FakeCollector:
    """Hands out the same empty snapshot, after what `before` does."""

    clock: ScaledClock
    before: Callable[[], Any] = lambda: None
    asked: list[Sequence[Need]] = field(default_factory=list)
    recalled: int = 0

    def fresh(self) -> "FakeCollector":
        return self

    async def collect(self, needs: Sequence[Need]) -> Collected:
        self.asked.append(needs)
        waiting = self.before()
        if waiting is not None:
            await waiting
        now = self.clock.now()
        empty = Snapshot(environment="prod", window=QUESTION.window, now=now)
        return Collected(snapshot=empty, steps=())

    def recall(self, snapshot: Snapshot) -> None:
        self.recalled += 1

    async def service_names(self) -> tuple[str, ...]:
        return ("checkout", "payment")


@dataclass
class House:
    """The workflows on a real engine; the rest is the gateway's office and fakes."""

    folder: Path
    office: Office = field(default_factory=Office)
    notify: FakeNotify = field(default_factory=FakeNotify)
    incidents: FakeIncidents = field(default_factory=FakeIncidents)
    outcomes: list[Outcome] = field(default_factory=lambda: [Outcome.RECOVERED])
    wall: FakeClock | None = None  # what the wait for a decision is measured by
    investigate: bool = False  # really; else orders are only noted
    keep: Keep | None = None  # what keeps investigations as cases
    pagers: dict[str, Pager] = field(default_factory=dict)  # where a press looks
    orders: list[InvestigationOrder] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = ScaledClock(origin=datetime.now(UTC), rate=RATE)
        self.watch = FakeWatch(self.outcomes, self.clock)
        self.collector = FakeCollector(self.clock)
        self.records = FakeRecords(self.office.actions, self.incidents.verdicts)
        self.open()

    def open(self) -> None:
        """Start the engine, as after a crash."""
        self.engine = Engine(
            f"sqlite:///{self.folder / 'journal.sqlite'}", executor_id="test", poll_s=0.01
        )
        self.engine.register(INVESTIGATE, self._investigation())
        self.trusting = self._trusting()
        gateway, telling = self.office.gateway(), Telling(self.notify, self.incidents)
        remediation = Remediation(
            Parts(
                engine=self.engine,
                gateway=gateway,
                actions=self.office.actions,
                incidents=self.incidents,
                watch=self.watch,  # type: ignore[arg-type]
                telling=telling,
                wall=self.wall or self.office.clock,
                trusting=self.trusting,
                presses=Presses(gateway=gateway, pagers=self.pagers, telling=telling),
            )
        )
        self.engine.register(REMEDIATE, remediation.body)
        observing = Observing(self.office.gateway(), self.trusting, self.watch)  # type: ignore[arg-type]
        self.engine.register(OBSERVE, observing.body)
        self.bot = SreBot(
            BotParts(
                engine=self.engine, gateway=self.office.gateway(),
                actions=self.office.actions, incidents=self.incidents,
                switches=self.office.switches, audit=self.office.audit, people=self.office.people,
                clock=self.office.clock, trusting=self.trusting,
            )
        )  # fmt: skip
        self.engine.launch()

    def _trusting(self) -> Trusting:
        trust = Trust(
            records=self.records, levels=self.office.levels, audit=self.office.audit,
            clock=self.office.clock, highest={"set_number": Level.L4},
        )  # fmt: skip
        self.office.trust = trust
        people = self.office.people
        return Trusting(trust, self.notify, people, people.holders)

    def _investigation(self) -> Any:
        async def noted(order: Any) -> str:
            from bot.domain.codec import decode

            self.orders.append(decode(InvestigationOrder, order))
            return "noted"

        if not self.investigate:
            return noted
        prod = Environment(name="prod", tier=Tier.PRODUCTION, namespaces=("shop",), default=True)
        inquiry = Inquiry(
            environments={"prod": prod},
            collectors={"prod": self.collector},  # type: ignore[dict-item]
            analyzers=(),
            clock=self.clock,
            budget=Budget(seconds=20.0, queries=100),
        )
        planning = Planning(self.engine, load_runbooks(), inquiry.environments, self.notify)
        return Investigation(inquiry, self.incidents, self.notify, planning, keep=self.keep).body

    def close(self) -> None:
        self.engine.close()

    async def offer(self, level: Level, **changes: Any) -> None:
        """Start a remediation of the office's proposal at that level."""
        self.office.level(level)
        plan = VerificationPlan(signal=None, threshold=0, window_s=WINDOW_S)
        proposal = replace(self.office.proposal(verification=plan), **changes)
        self.incidents.reports["inv-1"] = REPORT
        asked = InvestigationOrder(investigation_id="inv-1", mention=MENTION)
        await start_remediation(self.engine, RemediationOrder(proposal=proposal, asked=asked))

    async def shown(self, state: CardState) -> Card:
        """Wait until the card shows that state."""
        await self.until(lambda: state in self.notify.states)
        return next(card for card in self.notify.cards if card.state is state)

    async def until(self, done: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():  # noqa: ASYNC110 - what it looks at tells nobody
                await asyncio.sleep(0.01)

    async def ended(self, workflow_id: str = ID) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await self.engine.result(workflow_id)

    def click(self, user: str = "UAPPROVER", subject: str = ID, click_id: str = "") -> Click:
        return self.office.click(user, click_id or f"click-{user}-{subject}", subject)

    @property
    def value(self) -> int:
        """The number that the office's action sets: 41 before, 40 after."""
        return self.office.cluster.objects["checkout"].value


SOURCE = Source(system="prometheus", query="up")
HYPOTHESIS = Hypothesis(
    cause="wrong_number", object="number/checkout", service="checkout", summary="It is 41.",
    analyzer="test", prior=0.0,
    evidence=(Evidence(statement="it is 41", weight=3.0, source=SOURCE),),
)  # fmt: skip
RANKED = (Ranked(hypothesis=HYPOTHESIS, confidence=0.95),)
REPORT = Report(
    investigation_id="inv-1",
    question=QUESTION,
    diagnosis=Diagnosis(
        status=Status.ROOT_CAUSE, confidence=0.95, summary="It is 41.", causes=RANKED,
        ranked=RANKED, ruled_out=(), blind_spots=(), onset=None, signal=None,
    ),
    steps=(), looked_at=("metrics",), spent=Budget(seconds=1.0, queries=1), chart=None,
)  # fmt: skip
ORDER = encode(InvestigationOrder(investigation_id="inv-Ev1", mention=MENTION))
