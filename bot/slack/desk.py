"""What every listener needs: hand over in time, answer the person, never lose what was said."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.conversation import Click, Notice
from bot.domain.errors import Malformed, SreBotError, Transient
from bot.domain.pacing import Pacing
from bot.domain.paging import PageButtons
from bot.domain.ports import Teammate
from bot.domain.redaction import redact
from bot.domain.signal import Inbox
from bot.domain.time import Clock, wall_clock
from bot.slack.parse import (
    CLICKED,
    Place,
    click_of,
    clicker_of,
    place_of,
    stray_of,
    trigger_of,
)
from bot.slack.views.blocks import View
from bot.slack.views.notice import TOO_LATE, UNREADABLE, error, plain_notice
from bot.slack.views.notice import notice as notice_view
from bot.slack.web import Web

T = TypeVar("T")
Json = Mapping[str, Any]
Control = Callable[[Click], Coroutine[Any, Any, Notice]]
LATEST_S = 20.0  # a click that takes longer is given up; its buttons are still there
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackOptions:
    """How the human layer behaves. `handover_s` leaves the rest of Slack's 3 s for the ack."""

    signing_secret: str = ""  # needed in HTTP mode
    incident_channels: frozenset[str] = frozenset()  # where every message is read
    handover_s: float = 2.5
    pacing: Pacing | None = None  # Slack's limits, kept together with the other replicas
    pages: PageButtons | None = None  # what the buttons of an incident's pages do
    controls: Mapping[str, Control] = field(default_factory=dict)  # by the button's action id
    environments: Mapping[str, str] = field(default_factory=dict)  # channel → environment


@dataclass(slots=True)
class Desk:
    """The front desk: between Slack's surfaces and the teammate."""

    teammate: Teammate
    client: AsyncWebClient
    options: SlackOptions
    web: Web = field(init=False)
    opening: Web = field(init=False)
    inbox: Inbox | None = None  # where other apps' alerts go; without it they are only read
    clock: Clock = field(default_factory=wall_clock)
    _later: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        pacing = self.options.pacing
        self.web = Web(timeout_s=5.0, longest_wait_s=10.0, pacing=pacing)
        self.opening = Web(timeout_s=2.0, longest_wait_s=0.5, pacing=pacing)

    async def take(self, handing_over: Awaitable[T]) -> T:
        """Hand over within Slack's patience. Raises: Transient when it took too long."""
        try:
            return await asyncio.wait_for(handing_over, self.options.handover_s)
        except TimeoutError as late:
            raise Transient("the hand-over took too long") from late

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the acknowledgement; what fails there is logged, never raised."""
        task = asyncio.create_task(_quietly(work))
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def settle(self) -> None:
        """Wait until everything put off by `later` is done: at shutdown, and in tests."""
        while self._later:
            await asyncio.gather(*self._later)

    async def click(
        self, ack: AsyncAck, body: Json, act: Callable[[Click], Coroutine[Any, Any, Notice]]
    ) -> BoltResponse:
        """Hand a click over, acknowledge it, and tell the clicker what became of it."""
        try:
            notice = await self._taken(body, act(click_of(body)))
        except Malformed as problem:
            self.unreadable(body, problem)
            return await ack()
        except SreBotError as problem:
            notice = error(problem)
        if notice is not None:
            self.answer(body, notice)
        return await ack()

    async def _taken(self, body: Json, handing_over: Coroutine[Any, Any, Notice]) -> Notice | None:
        """Return what became of a click, None if that takes longer: then it is told later.

        Slack hands a click over once. Cut in two, a decision would be on record, and whoever waits
        for it would sleep on.
        """
        work = asyncio.create_task(handing_over)
        try:
            return await asyncio.wait_for(asyncio.shield(work), self.options.handover_s)
        except TimeoutError:
            self.later(self._told_late(body, work))
            return None

    async def _told_late(self, body: Json, work: "asyncio.Task[Notice]") -> None:
        try:
            notice = await asyncio.wait_for(work, LATEST_S)
        except TimeoutError:
            notice = error(Transient("the hand-over took too long"))
        except SreBotError as problem:
            notice = error(problem)
        self.answer(body, notice)

    async def open(self, body: Json, view: View) -> str:
        """Open a modal right away and return its id. Raises: Malformed, Transient, Permanent."""
        trigger_id = trigger_of(body)
        opened = await self.opening.call(
            "views.open", partial(self.client.views_open, trigger_id=trigger_id, view=view)
        )
        return str((opened.get("view") or {}).get("id") or "")

    async def open_for(
        self, ack: AsyncAck, body: Json, view_of: Callable[[Click], View]
    ) -> BoltResponse:
        """Open the modal that goes with a click; a click that cannot be read is said so."""
        try:
            await self.open(body, view_of(click_of(body)))
        except Malformed as problem:
            self.unreadable(body, problem)
        except SreBotError as problem:
            _LOG.warning("a modal was not opened: %s", redact(str(problem)))
            self.answer(body, plain_notice(TOO_LATE))
        return await ack()

    def answer(self, body: Json, notice: Notice) -> None:
        """Tell the person who did this, only them, after the acknowledgement."""
        place = place_of(body)
        if place is not None:
            self.later(self.whisper(place, notice))

    def unreadable(self, body: Any, problem: Malformed) -> None:
        """Tell the clicker that it cannot be read, and write it to the audit: both afterwards."""
        if not isinstance(body, Mapping):
            return
        self.answer(body, plain_notice(UNREADABLE))
        if body.get("type") in CLICKED:
            self.later(self.teammate.unreadable(clicker_of(body), stray_of(body, problem)))

    async def whisper(self, place: Place, notice: Notice) -> None:
        """Say something that only one person sees."""
        message = notice_view(notice)
        send = partial(
            self.client.chat_postEphemeral,
            channel=place.channel,
            user=place.user,
            thread_ts=place.thread_ts or None,
            text=message.text,
            blocks=list(message.blocks),
        )
        await self.web.call("chat.postEphemeral", send)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except SreBotError as problem:
        _LOG.warning("not told: %s", redact(str(problem)))
