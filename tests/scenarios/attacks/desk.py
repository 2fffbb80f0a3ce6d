"""A card on a real Slack surface: listeners, teammate, gateway and SQL are the bot's own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text

from bot.domain.action import Level, Proposal
from bot.domain.conversation import Card, CardState, Thread
from bot.domain.people import Role
from bot.remediation.asking import Ports
from bot.remediation.desk import Acted, Clocks, Options, Staged
from bot.remediation.gateway import Gateway
from bot.slack.app import create_app_at
from bot.slack.desk import Desk, SlackOptions
from bot.slack.notifier import SlackNotifier
from bot.slack.people import SlackPeople
from bot.storage.database import Database
from bot.storage.incidents import Incidents
from bot.storage.outbox import Messages
from bot.storage.people import People
from bot.workflows.teammate import Parts, SreBot
from tests.fakes.actions import family
from tests.unit.remediation.office import ENGINE, ID, Office
from tests.unit.remediation.sql_office import SqlOffice
from tests.unit.slack.fakes import CHANNEL, ROOT, TEAM, TOKEN, FakeSlack

MEMBERS: dict[str, dict[str, Any]] = {
    "U0APPROVER": {},
    "U0SECOND": {},
    "U0RESPONDER": {},
    "U0OBSERVER": {},
    "U0NOBODY": {},
    "U0ADMIN": {},
    "U0ASKER": {},
    "U0GUEST": {"is_restricted": True},
    "U0BOT": {"is_bot": True},
    "U0OTHERS": {"team_id": "T0OTHERS"},
    "U0GONE": {"deleted": True},
}
ROLES = {
    "U0APPROVER": Role.APPROVER,
    "U0SECOND": Role.APPROVER,
    "U0ASKER": Role.APPROVER,
    "U0RESPONDER": Role.RESPONDER,
    "U0OBSERVER": Role.OBSERVER,
    "U0ADMIN": Role.ADMINISTRATOR,
    "U0GUEST": Role.APPROVER,
    "U0BOT": Role.APPROVER,
    "U0OTHERS": Role.APPROVER,
    "U0GONE": Role.APPROVER,
}
THREAD = Thread(team=TEAM, channel=CHANNEL, ts=ROOT)


@dataclass
class Journal:
    """The durable engine's door as the teammate uses it: what was sent, once per key."""

    sent: dict[str, tuple[str, Any]] = field(default_factory=dict)

    async def send(self, workflow_id: str, topic: str, message: Any, *, key: str) -> None:
        self.sent.setdefault(key, (workflow_id, message))

    async def alive(self, workflow_id: str) -> bool:
        return True


@dataclass
class AttackedDesk:
    """One bot, its database and its workspace; `restart` leaves nothing but these two."""

    slack: FakeSlack
    office: SqlOffice
    journal: Journal = field(default_factory=Journal)

    async def prepare(self) -> None:
        """Make the people known, to Slack and to SQL."""
        people = People(self.office.database)
        for user, kind in MEMBERS.items():
            self.slack.users[user] = {"id": user, "team_id": TEAM, "name": user, **kind}
        for user, role in ROLES.items():
            now = self.office.clock.now()
            await people.grant(TEAM, user, role, environment="", by="test", at=now)
        self.restart()

    def restart(self) -> None:
        """Start the bot anew, as after a crash."""
        database, office = self.office.database, self.office
        self.client = AsyncWebClient(token=TOKEN, base_url=f"{self.slack.url}api/")
        self.posted = Messages(database)
        self.people = SlackPeople(self.client, People(database), cache_s=0.0)
        self.notifier = SlackNotifier(self.client, self.posted, lambda *_: b"", edit_interval_s=0)
        self.gateway = Gateway(
            actions=family(office.cluster),
            environments=office.environments(),
            engine=ENGINE,
            ports=Ports(
                actions=office.actions, levels=office.levels, switches=office.switches,
                people=self.people, audit=office.audit, posted=self.posted,
            ),
            clocks=Clocks(wall=office.clock, world=office.clock),
            options=Options(calibrated=True, trust=office.trust),
        )  # fmt: skip
        teammate = SreBot(
            Parts(
                engine=self.journal,  # type: ignore[arg-type]
                gateway=self.gateway, actions=office.actions, incidents=Incidents(database),
                switches=office.switches, audit=office.audit, people=self.people,
                clock=office.clock,
            )
        )  # fmt: skip
        options = SlackOptions(signing_secret="secret", handover_s=5.0)
        self.desk = Desk(teammate=teammate, client=self.client, options=options)
        self.app = create_app_at(self.desk)

    async def offer(self, level: Level = Level.L3, **changes: Any) -> Staged:
        """Stage a proposal and post its card."""
        proposal: Proposal = self.office.proposal(**changes)
        await self.office.grant(level, proposal.call.action)
        staged = await self.gateway.stage(proposal)
        card = Card(
            proposal=staged.proposal, ruling=staged.ruling, level=int(level),
            state=CardState.WAITING,
        )  # fmt: skip
        await self.notifier.card(THREAD, card)
        return staged

    def card_ts(self, proposal_id: str = ID) -> str:
        """Return the timestamp of a proposal's card."""
        for message in self.slack.messages:
            if proposal_id in str(message.get("metadata")):
                return str(message["ts"])
        raise AssertionError("no such card")

    def button(
        self, user: str, action_id: str = "approve", value: str = ID, ts: str = ""
    ) -> dict[str, Any]:
        """Return Slack's payload of a click."""
        message = {"ts": ts or self.card_ts(), "thread_ts": ROOT}
        return {
            "type": "block_actions", "team": {"id": TEAM}, "user": {"id": user, "team_id": TEAM},
            "channel": {"id": CHANNEL}, "api_app_id": "A0SREBOT",
            "container": {
                "type": "message", "message_ts": message["ts"], "channel_id": CHANNEL,
                "thread_ts": ROOT,
            },
            "message": message, "trigger_id": "1.2.live",
            "response_url": "http://127.0.0.1:9/never",
            "actions": [
                {"type": "button", "action_id": action_id, "block_id": "b", "value": value,
                 "action_ts": "1700000003.1"}
            ],
        }  # fmt: skip

    async def deliver(self, payload: Any) -> None:
        """Hand a payload to the app as Socket Mode does, and wait for what follows."""
        await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))
        await self.desk.settle()

    async def click(self, user: str, action_id: str = "approve", **how: str) -> None:
        await self.deliver(self.button(user, action_id, **how))

    async def execute(self) -> Acted:
        return await self.gateway.execute(ID)

    async def audited(self, *events: str) -> list[Any]:
        """Return the audit's entries of these events."""
        return [e for e in await self.office.audit.entries() if e.event in events]

    @property
    def told(self) -> str:
        """What the clickers were told."""
        return "\n".join(str(e["text"]) for e in self.slack.ephemeral)


def desk_of(slack: FakeSlack, database: Database) -> AttackedDesk:
    return AttackedDesk(slack=slack, office=SqlOffice(database=database))


def refusals(desk: AttackedDesk) -> list[tuple[str, str]]:
    """Return (actor, text) of the refusals, as an auditor reads them in SQL."""
    query = text("SELECT actor, text FROM audit WHERE event = 'refused' ORDER BY id")
    with desk.office.database.engine.connect() as connection:
        return [(actor, said) for actor, said in connection.execute(query)]


Spoil = Callable[[Office], Any]
