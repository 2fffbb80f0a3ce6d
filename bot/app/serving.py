"""Runs the bot: what is watched, with people, policy and the durable engine."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.app.attention import attend, settle
from bot.app.digest import schedule_digests
from bot.app.doorkeeper import Doorkeeper
from bot.app.grey import grey_watch
from bot.app.intake import Intake, intake_of, secrets_of
from bot.app.keeping import keeper
from bot.app.logs import configure
from bot.app.paging import pagers_of, paging_of
from bot.app.sources import sources_of
from bot.app.triaging import Needed, Triaging, triaging
from bot.app.watcher import Watcher
from bot.app.watcherparts import AskedSlack, CountedRulings, instruments_of, watcher_of
from bot.app.watching import inquiry_of
from bot.app.witness import audit_log
from bot.domain.environment import Environment
from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from bot.domain.telemetry import watched
from bot.domain.time import ScaledClock, wall_clock
from bot.remediation.asking import Ports
from bot.remediation.desk import Clocks, Options, Times
from bot.remediation.gateway import Gateway
from bot.remediation.own import own_database
from bot.remediation.trust import Trust
from bot.reports.chart import chart
from bot.settings import Settings, load_environments
from bot.slack.app import create_app
from bot.slack.desk import SlackOptions
from bot.slack.notifier import SlackNotifier
from bot.slack.people import SlackPeople
from bot.slack.run import http_routes, run_socket_mode
from bot.storage.actions import Actions
from bot.storage.audit import AuditLog
from bot.storage.database import Database
from bot.storage.environments import Environments
from bot.storage.incidents import Incidents
from bot.storage.migrate import prepared
from bot.storage.outbox import Messages
from bot.storage.pacing import Paces
from bot.storage.people import Levels, People
from bot.storage.records import Records
from bot.storage.switches import Switches
from bot.workflows.engine import Engine
from bot.workflows.freezing import Freezing
from bot.workflows.inquiry import Inquiry
from bot.workflows.investigation import Investigation, Keep
from bot.workflows.observing import Observing
from bot.workflows.orders import INVESTIGATE, OBSERVE, REMEDIATE, REQUEST
from bot.workflows.page_buttons import PageClicks
from bot.workflows.paging import Paging
from bot.workflows.planning import Planning
from bot.workflows.presses import Presses
from bot.workflows.remediation import Parts as RemediationParts
from bot.workflows.remediation import Remediation
from bot.workflows.requesting import Parts as RequestParts
from bot.workflows.requesting import Requesting
from bot.workflows.teammate import Parts, SreBot
from bot.workflows.telling import Telling
from bot.workflows.trusting import Trusting
from bot.workflows.watch import Watch
from policies.catalog import load as load_runbooks
from policies.engine import CedarEngine
from policies.proof import require as require_proof
from tools.catalog import actions

LOG = logging.getLogger(__name__)
Ready = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot that is put together: what listens, and what works."""

    engine: Engine
    teammate: SreBot
    client: AsyncWebClient
    inquiry: Inquiry
    paging: Paging
    database: Database
    environments: tuple[Environment, ...]
    triaging: Triaging
    intake: Intake


async def serve(settings: Settings, door: Doorkeeper, *, ready: Ready) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        NotConfigured: what is missing, how to set it.
        PolicyBroken: the rules allow what none may: with its counter-examples.
    """
    configure(settings.log_level)
    secrets_of(settings)
    attend()
    proof = require_proof()
    LOG.info("policy: %d invariants proved in %.2f s", len(proof.checked), proof.seconds)
    instruments = instruments_of(settings)
    instruments.metrics.beside("door", door.pid)
    database = prepared(settings.database)
    try:
        with watched(instruments.metrics):
            bot = assemble(settings, database)
            watcher = watcher_of(settings, instruments, database, bot.engine, _wall())
            await Environments(database).replace(bot.environments)
            stop = _until_told()
            settle()
            async with (
                _working(bot),
                bot.intake.running(*sources_of(settings, bot.intake, bot.inquiry)),
                grey_watch(settings, bot.inquiry, database),
                watcher.watching(),
            ):
                await _listen(settings, bot, watcher, door, stop, ready)
    finally:
        database.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Everything that is kept in SQL, and who is asking."""

    actions: Actions
    incidents: Incidents
    switches: Switches
    audit: AuditLog
    people: SlackPeople
    levels: Levels
    posted: Messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Tells:
    """Who is told of an investigation: people, and a folder of cases."""

    triaging: Triaging
    trusting: Trusting
    every_s: float  # world seconds between two looks while verifying
    most_s: float  # world seconds that an action is watched at most, 0: as the runbook says
    keep: Keep | None


def assemble(settings: Settings, database: Database) -> Bot:
    """Put all parts together; nothing runs yet."""
    environments = load_environments(settings.environments)
    world = ScaledClock(origin=settings.origin, rate=settings.clock_rate)
    wall = _wall()
    client = AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(), base_url=settings.slack_base_url
    )
    inquiry = inquiry_of(settings, environments, world)
    stores = _stores(settings, database, client, wall)
    trust = Trust(
        records=Records(database),
        levels=stores.levels,
        audit=stores.audit,
        clock=wall,
        highest={name: action.facts.highest_level for name, action in actions().items()},
    )
    clocks = Clocks(wall=wall, world=world)
    engine = Engine(settings.journal, executor_id=settings.executor_id)
    gateway = _gateway(inquiry, stores, clocks, _options(settings, trust, engine))
    notify = SlackNotifier(client, stores.posted, chart, pacing=Paces(database, wall))
    trusting = Trusting(trust, notify, stores.people, People(database).holders)
    triage = triaging(
        Needed(
            settings=settings, database=database, engine=engine, inquiry=inquiry, notify=notify,
            people=stores.people, audit=stores.audit, wall=wall,
        )
    )  # fmt: skip
    telling = Tells(
        triaging=triage,
        trusting=trusting,
        every_s=settings.verification_every_seconds,
        most_s=settings.verification_most_seconds,
        keep=keeper(settings.cases),
    )
    _register(engine, gateway, inquiry, stores, telling)
    schedule_digests(settings, engine, database, notify, wall)
    teammate = SreBot(
        Parts(
            engine=engine,
            gateway=gateway,
            actions=stores.actions,
            incidents=stores.incidents,
            switches=stores.switches,
            audit=stores.audit,
            people=stores.people,
            clock=wall,
            trusting=trusting,
            routing=triage.routing,
            freezing=_freezing(stores, wall, inquiry),
        )
    )
    return Bot(
        engine=engine, teammate=teammate, client=client, inquiry=inquiry, database=database,
        environments=environments, triaging=triage,
        paging=paging_of(engine, database, inquiry, stores, notify),
        intake=intake_of(settings, database, wall),
    )  # fmt: skip


def _freezing(stores: Stores, wall: ScaledClock, inquiry: Inquiry) -> Freezing:
    return Freezing(
        freezes=stores.switches, people=stores.people, audit=stores.audit, clock=wall,
        environments=inquiry.environments,
    )  # fmt: skip


def _wall() -> ScaledClock:
    """Return the clock of people: offers, audit and breakers don't follow the watched world."""
    return wall_clock()


def _options(settings: Settings, trust: Trust, engine: Engine) -> Options:
    return Options(
        calibrated=True,
        redact=redact,
        times=Times(offer_s=settings.approval_seconds),
        own=own_database(settings.database),
        trust=trust,
        fence=engine.check,
    )


def _stores(
    settings: Settings, database: Database, client: AsyncWebClient, wall: ScaledClock
) -> Stores:
    return Stores(
        actions=Actions(database),
        incidents=Incidents(database),
        switches=Switches(database),
        audit=audit_log(settings, database),
        people=SlackPeople(client, People(database), pacing=Paces(database, wall)),
        levels=Levels(database, wall),
        posted=Messages(database),
    )


def _gateway(inquiry: Inquiry, stores: Stores, clocks: Clocks, options: Options) -> Gateway:
    catalogue = actions()
    return Gateway(
        actions=catalogue,
        environments=inquiry.environments,
        engine=CountedRulings(
            CedarEngine(environments=set(inquiry.environments), actions=set(catalogue))
        ),
        ports=Ports(
            actions=stores.actions,
            levels=stores.levels,
            switches=stores.switches,
            people=stores.people,
            audit=stores.audit,
            posted=stores.posted,
            own=stores.incidents,
        ),
        clocks=clocks,
        options=options,
    )


def _register(
    engine: Engine,
    gateway: Gateway,
    inquiry: Inquiry,
    stores: Stores,
    telling: Tells,
) -> None:
    """Make the workflows known."""
    notify = telling.triaging.notify
    runbooks = load_runbooks(actions=frozenset(actions())).watched_at_most(telling.most_s)
    planning = Planning(engine, runbooks, inquiry.environments, notify)
    investigation = Investigation(
        inquiry, stores.incidents, notify, planning, keep=telling.keep,
        alerted=telling.triaging.incidents.alerted,
    )  # fmt: skip
    watch = Watch(collectors=inquiry.collectors, clock=inquiry.clock, every_s=telling.every_s)
    tells, pagers = Telling(notify, stores.incidents), pagers_of(inquiry.environments.values())
    remediation = Remediation(
        RemediationParts(
            engine=engine,
            gateway=gateway,
            actions=stores.actions,
            incidents=stores.incidents,
            watch=watch,
            telling=tells,
            wall=_wall(),
            trusting=telling.trusting,
            presses=Presses(gateway=gateway, pagers=pagers, telling=tells),
        )
    )
    engine.register(INVESTIGATE, investigation.body)
    engine.register(REMEDIATE, remediation.body)
    observing = Observing(gateway, telling.trusting, watch)
    engine.register(OBSERVE, observing.body)
    requesting = Requesting(
        RequestParts(
            engine=engine,
            inquiry=inquiry,
            incidents=stores.incidents,
            actions=stores.actions,
            notify=notify,
            people=stores.people,
            audit=stores.audit,
            wall=_wall(),
            most_s=telling.most_s,
            addresses=stores.people,
        )
    )
    engine.register(REQUEST, requesting.body)


@asynccontextmanager
async def _working(bot: Bot) -> AsyncIterator[None]:
    """Launch the engine, which takes up what a crash left, and warm what is slow the first time."""
    bot.engine.launch()
    signal.signal(signal.SIGCONT, lambda *_: bot.engine.check())
    warming = asyncio.create_task(_warm(bot.inquiry))
    try:
        async with bot.triaging.working(), bot.paging.at_work():
            yield
    finally:
        warming.cancel()
        bot.engine.close()


async def _warm(inquiry: Inquiry) -> None:
    """Load the heavy clients and the services' names before somebody waits for them."""
    try:
        await asyncio.gather(*(c.service_names() for c in inquiry.collectors.values()))
    except SreBotError as error:
        LOG.warning("not everything can be reached yet: %s", redact(str(error)))


async def _listen(
    settings: Settings,
    bot: Bot,
    watcher: Watcher,
    door: Doorkeeper,
    stop: asyncio.Event,
    ready: Ready,
) -> None:
    app = create_app(
        SlackOptions(
            signing_secret=settings.slack_signing_secret.get_secret_value(),
            incident_channels=frozenset(settings.incident_channels),
            pacing=Paces(bot.database, _wall()),
            pages=PageClicks(engine=bot.engine, pages=bot.paging.pages, wall=_wall()),
            controls=bot.triaging.controls,
            environments={c: e.name for e in bot.environments for c in e.channels},
        ),
        bot.teammate,
        bot.client,
        bot.intake.inbox,
    )
    routes, link = [*watcher.routes()], watcher.sources.slack
    if settings.slack_mode == "http":
        routes = [
            *routes,
            *http_routes(app, settings.slack_signing_secret.get_secret_value()),
        ]
    async with door.open(routes, stop.set):
        facts = {"ready": True, "mode": settings.slack_mode, "port": door.port}
        if settings.slack_mode == "http":
            link.see = AskedSlack(bot.client)
            ready(facts)
            await stop.wait()
            return
        token = settings.slack_app_token.get_secret_value()
        await run_socket_mode(app, token, stop, connected=lambda: ready(facts), seen=link.seen_by)


def _until_told() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    return stop
