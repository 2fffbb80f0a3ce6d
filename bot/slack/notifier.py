"""Tells people in Slack: one message per key, posted once, edited at a polite pace."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.conversation import Card, Head, Notice, Thread
from bot.domain.diagnosis import ChartData, Report
from bot.domain.errors import Unavailable
from bot.domain.incident import ROOT, Face
from bot.domain.pacing import Pacing
from bot.domain.ports import Outbox, Posted
from bot.domain.trust import Promotion
from bot.reports.digest import Digest
from bot.reports.trend import alt
from bot.slack.pace import Pace
from bot.slack.views.blocks import Message
from bot.slack.views.card import card as card_view
from bot.slack.views.digest import digest as digest_view
from bot.slack.views.head import head as head_view
from bot.slack.views.levels import promotion as promotion_view
from bot.slack.views.notice import notice as notice_view
from bot.slack.views.report import report as report_view
from bot.slack.views.root import call as call_view
from bot.slack.views.root import called
from bot.slack.views.root import root as root_view
from bot.slack.views.words import title
from bot.slack.web import SlackRefusal, Web

EVENT_TYPE = "sre_bot_post"  # of the metadata by which a post is found again
_GONE = frozenset(("message_not_found", "cant_update_message", "edit_window_closed"))
_PAGE = 200
_NEWEST = 1_000  # messages of a channel that are searched for a post of our own
_PEOPLE = frozenset("UW")
_CALL, _IN_ROOT = "call", "in the first post"
_DRIFT = timedelta(minutes=5)  # between our clock and Slack's

Draw = Callable[[ChartData, str], bytes]  # the chart, and the id of the suspected change


class SlackNotifier:
    """Implements `Notify` and `TellIncident`. Use it from one event loop.

    A post is exactly-once: the intent is in the outbox before the call, the message carries its key
    as metadata, and an intent without a timestamp is looked up in the thread before posting again.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        outbox: Outbox,
        draw: Draw,
        *,
        edit_interval_s: float = 3.0,
        timeout_s: float = 10.0,
        pacing: Pacing | None = None,
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._draw = draw
        self._pace = Pace(interval_s=edit_interval_s)
        self._web = Web(timeout_s=timeout_s, pacing=pacing)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._team = ""

    async def root(self, channel: str, face: Face) -> Thread:
        """Post an incident's one message in the channel, or edit it; return its thread."""
        key = f"{face.incident.id}/{ROOT}"
        place = Thread(team=await self._my_team(), channel=channel, ts="")
        since = face.incident.opened_at - _DRIFT
        await self._called_first(key, channel, face)
        await self._show(key, place, root_view(face), since=since)
        known = await self._outbox.by_key(key)
        if known is None or not known.ts:
            raise Unavailable("Slack", "it is not known whether the message was posted")
        return Thread(team=place.team, channel=known.channel, ts=known.ts)

    async def call(self, thread: Thread, face: Face) -> None:
        """Mention who is on call in the thread, once, unless the first post of the message did."""
        if called(face):
            await self.say(thread, call_view(face), key=f"{face.incident.id}/{_CALL}")

    async def _called_first(self, key: str, channel: str, face: Face) -> None:
        """Note, before the first post, that it calls who is on call: once is enough."""
        if not called(face):
            return
        known = await self._outbox.by_key(key)
        if known is None or not known.ts:
            name = f"{face.incident.id}/{_CALL}"
            await self._outbox.finish(Posted(key=name, channel=channel, ts=_IN_ROOT, digest=""))

    async def _my_team(self) -> str:
        if not self._team:
            answer = await self._web.call("auth.test", self._client.auth_test)
            self._team = str(answer["team_id"])
        return self._team

    async def head(self, thread: Thread, head: Head) -> None:
        """Post the investigation's head message in the thread, or edit it."""
        key = f"{head.investigation_id}/head"
        await self._show(key, thread, head_view(head), wait=head.diagnosis is not None)

    async def report(self, thread: Thread, report: Report) -> None:
        """Post the report with its chart, once per investigation; a second call edits it."""
        await self._show(f"{report.investigation_id}/report", thread, report_view(report))
        if report.chart is not None:
            await self._chart(f"{report.investigation_id}/chart", thread, report, report.chart)

    async def card(self, thread: Thread, card: Card) -> None:
        """Post the proposal's card, or edit it to its new state."""
        await self._show(f"{card.proposal.id}/card", thread, card_view(card))

    async def promotion(self, thread: Thread, promotion: Promotion) -> None:
        """Offer a level to an administrator, once per offer and person."""
        key = f"{promotion.id}/{thread.channel}"
        await self._show(key, thread, promotion_view(promotion))

    async def digest(self, place: Thread, digest: Digest, picture: bytes) -> None:
        """Post a team's week in its channel, the picture in the thread below, once per week."""
        end = digest.week.end
        key = f"digest:{place.channel}:{end:%Y-%m-%dT%H:%MZ}"
        await self._show(key, place, digest_view(digest), since=end)
        root = await self._outbox.by_key(key)
        if root is not None and picture:
            thread = replace(place, ts=root.ts)
            await self._picture(
                f"{key}/trend", thread, lambda: picture, ("Trend, week by week", alt(digest))
            )

    async def say(self, thread: Thread, notice: Notice, *, key: str) -> None:
        """Say something short in the thread, once per key."""
        async with self._lock(key):
            known = await self._outbox.begin(key, thread.channel)
            if known is None or not known.ts:
                await self._post(key, thread, notice_view(notice), fresh=known is None)

    async def whisper(self, channel: str, user: str, notice: Notice, thread_ts: str = "") -> None:
        """Say something that only `user` sees."""
        message = notice_view(notice)
        await self._web.call(
            "chat.postEphemeral",
            lambda: self._client.chat_postEphemeral(
                channel=channel,
                user=user,
                text=message.text,
                blocks=list(message.blocks),
                thread_ts=thread_ts or None,
            ),
        )

    async def _show(
        self, key: str, thread: Thread, message: Message, *, wait: bool = True,
        since: datetime | None = None,
    ) -> None:  # fmt: skip
        """Post the message, or edit it. `since`: no earlier than that it may have been posted."""
        async with self._lock(key):
            known = await self._outbox.begin(key, thread.channel)
            if known is None or not known.ts:
                known = await self._post(key, thread, message, fresh=known is None, since=since)
        if known.digest == _digest(message) and not self._pace.busy(key):
            return

        async def send(newest: Message) -> None:
            async with self._lock(key):
                await self._edit(key, thread, newest)

        await self._pace.edit(key, message, send, wait=wait)

    async def _post(
        self, key: str, thread: Thread, message: Message, *, fresh: bool,
        since: datetime | None = None,
    ) -> Posted:  # fmt: skip
        """Post under the key, unless an earlier life of the bot did so already."""
        ts = "" if fresh else await self._posted_before(key, thread, since)
        digest = ""  # an adopted message may show an older state: it is edited
        if not ts:
            answer = await self._web.call(
                "chat.postMessage",
                lambda: self._client.chat_postMessage(
                    channel=thread.channel,
                    thread_ts=thread.ts or None,
                    text=message.text,
                    blocks=list(message.blocks),
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                    unfurl_links=False,
                    unfurl_media=False,
                ),
                channel=thread.channel,
            )
            ts, digest = str(answer["ts"]), _digest(message)
            self._pace.touched(key)
        posted = Posted(key=key, channel=thread.channel, ts=ts, digest=digest)
        await self._outbox.finish(posted)
        return posted

    async def _edit(self, key: str, thread: Thread, message: Message) -> None:
        known = await self._outbox.begin(key, thread.channel)
        digest = _digest(message)
        if known is None or not known.ts or known.digest == digest:
            return
        try:
            await self._web.call(
                "chat.update",
                lambda: self._client.chat_update(
                    channel=known.channel,
                    ts=known.ts,
                    text=message.text,
                    blocks=list(message.blocks),
                    metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                ),
            )
        except SlackRefusal as refusal:
            if refusal.code not in _GONE:
                raise
            if not key.endswith(f"/{ROOT}"):  # that one's thread lives on without it
                await self._post(key, thread, message, fresh=True)  # deleted: say it again
                return
        await self._outbox.finish(
            Posted(key=key, channel=known.channel, ts=known.ts, digest=digest)
        )

    async def _posted_before(self, key: str, thread: Thread, since: datetime | None) -> str:
        """Return the timestamp of the message that carries the key, or "".

        It is looked for in the thread; what is not in one, in the channel's history.
        """
        found = self._replies(thread) if thread.ts else self._history(thread.channel, since)
        async for message in found:
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            mine = metadata.get("event_type") == EVENT_TYPE and message.get("bot_id")
            if mine and payload.get("key") == key:
                return str(message["ts"])
        return ""

    async def _replies(self, thread: Thread) -> AsyncIterator[Mapping[str, Any]]:
        read = partial(self._client.conversations_replies, channel=thread.channel, ts=thread.ts)
        async for message in self._pages("conversations.replies", read):
            yield message

    async def _history(
        self, channel: str, since: datetime | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield what the channel shows from then on; its newest messages if nobody knows better."""
        if channel[:1] in _PEOPLE:  # a person's id stands for a conversation that has another one
            return
        oldest = f"{since.timestamp():.6f}" if since else None
        read = partial(self._client.conversations_history, channel=channel, oldest=oldest)
        left = _NEWEST
        async for message in self._pages("conversations.history", read):
            yield message
            left -= 1
            if since is None and left <= 0:
                return

    async def _pages(
        self, method: str, read: Callable[..., Awaitable[Any]]
    ) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        while True:
            ask = partial(read, include_all_metadata=True, limit=_PAGE, cursor=cursor or None)
            page = await self._web.call(method, ask)
            for message in page.get("messages") or ():
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _chart(self, key: str, thread: Thread, report: Report, chart: ChartData) -> None:
        subject = title(report.question)
        words = f"Chart of the signal: {subject}, with its usual band and the onset"
        draw = partial(self._draw, chart, _suspect(report))
        await self._picture(key, thread, draw, (f"Chart: {subject}", words))

    async def _picture(
        self, key: str, thread: Thread, draw: Callable[[], bytes], words: tuple[str, str]
    ) -> None:
        """Upload a picture into the thread, once per key; `words` are its title and its content."""
        async with self._lock(key):
            known = await self._outbox.begin(key, thread.channel)
            if known is not None and known.ts:
                return
            name = f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.png"
            file_id = "" if known is None else await self._uploaded_before(name, thread)
            if not file_id:
                png = await asyncio.to_thread(draw)
                file_id = await self._upload(name, png, thread, words)
            await self._outbox.finish(
                Posted(key=key, channel=thread.channel, ts=file_id, digest=name)
            )

    async def _upload(self, name: str, png: bytes, thread: Thread, words: tuple[str, str]) -> str:
        answer = await self._web.call(
            "files.upload",
            lambda: self._client.files_upload_v2(
                channel=thread.channel,
                thread_ts=thread.ts or None,
                filename=name,
                title=words[0][:200],
                alt_txt=words[1][:900],
                file=png,
            ),
        )
        files = answer.get("files") or [answer.get("file") or {}]
        return str(files[0].get("id") or name)

    async def _uploaded_before(self, name: str, thread: Thread) -> str:
        async for message in self._replies(thread):
            for file in message.get("files") or ():
                if file.get("name") == name:
                    return str(file.get("id") or name)
        return ""

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())  # who holds it or waits keeps it alive


def _suspect(report: Report) -> str:
    cause = report.diagnosis.cause
    return cause.change.id if cause is not None and cause.change is not None else ""


def _digest(message: Message) -> str:
    content = json.dumps([message.text, message.blocks], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
