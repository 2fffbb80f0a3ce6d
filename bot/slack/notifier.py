"""Tells people in Slack: one message per key, posted once, edited at a polite pace."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.conversation import Card, Head, Notice, Thread
from bot.domain.diagnosis import ChartData, Report
from bot.domain.ports import Outbox, Posted
from bot.domain.trust import Promotion
from bot.slack.pace import Pace
from bot.slack.views.blocks import Message
from bot.slack.views.card import card as card_view
from bot.slack.views.head import head as head_view
from bot.slack.views.levels import promotion as promotion_view
from bot.slack.views.notice import notice as notice_view
from bot.slack.views.report import report as report_view
from bot.slack.views.words import title
from bot.slack.web import SlackRefusal, Web

EVENT_TYPE = "sre_bot_post"  # of the metadata by which a post is found again
_GONE = frozenset(("message_not_found", "cant_update_message", "edit_window_closed"))
_PAGE = 200

Draw = Callable[[ChartData, str], bytes]  # the chart, and the id of the suspected change


class SlackNotifier:
    """Implements `Notify`. Use it from one event loop.

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
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._draw = draw
        self._pace = Pace(interval_s=edit_interval_s)
        self._web = Web(timeout_s=timeout_s)
        self._locks: dict[str, asyncio.Lock] = {}

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

    async def _show(self, key: str, thread: Thread, message: Message, *, wait: bool = True) -> None:
        async with self._lock(key):
            known = await self._outbox.begin(key, thread.channel)
            if known is None or not known.ts:
                known = await self._post(key, thread, message, fresh=known is None)
        if known.digest == _digest(message) and not self._pace.busy(key):
            return

        async def send(newest: Message) -> None:
            async with self._lock(key):
                await self._edit(key, thread, newest)

        await self._pace.edit(key, message, send, wait=wait)

    async def _post(self, key: str, thread: Thread, message: Message, *, fresh: bool) -> Posted:
        """Post under the key, unless an earlier life of the bot did so already."""
        ts = "" if fresh else await self._posted_before(key, thread)
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
            await self._post(key, thread, message, fresh=True)  # somebody deleted it: say it again
            return
        await self._outbox.finish(
            Posted(key=key, channel=known.channel, ts=known.ts, digest=digest)
        )

    async def _posted_before(self, key: str, thread: Thread) -> str:
        """Return the timestamp of the thread's message that carries the key, or ""."""
        async for message in self._replies(thread):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            mine = metadata.get("event_type") == EVENT_TYPE and message.get("bot_id")
            if mine and payload.get("key") == key:
                return str(message["ts"])
        return ""

    async def _replies(self, thread: Thread) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        while thread.ts:
            read = partial(
                self._client.conversations_replies,
                channel=thread.channel,
                ts=thread.ts,
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
            page = await self._web.call("conversations.replies", read)
            for message in page.get("messages") or ():
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _chart(self, key: str, thread: Thread, report: Report, chart: ChartData) -> None:
        async with self._lock(key):
            known = await self._outbox.begin(key, thread.channel)
            if known is not None and known.ts:
                return
            name = f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.png"
            file_id = "" if known is None else await self._uploaded_before(name, thread)
            if not file_id:
                png = await asyncio.to_thread(self._draw, chart, _suspect(report))
                file_id = await self._upload(name, png, thread, title(report.question))
            await self._outbox.finish(
                Posted(key=key, channel=thread.channel, ts=file_id, digest=name)
            )

    async def _upload(self, name: str, png: bytes, thread: Thread, subject: str) -> str:
        answer = await self._web.call(
            "files.upload",
            lambda: self._client.files_upload_v2(
                channel=thread.channel,
                thread_ts=thread.ts or None,
                filename=name,
                title=f"Chart: {subject}"[:200],
                alt_txt=f"Chart of the signal: {subject}, with its usual band and the onset"[:900],
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
        if len(self._locks) > _LOCKS_KEPT:
            self._locks = {k: lock for k, lock in self._locks.items() if lock.locked()}
        return self._locks.setdefault(key, asyncio.Lock())


def _suspect(report: Report) -> str:
    cause = report.diagnosis.cause
    return cause.change.id if cause is not None and cause.change is not None else ""


_LOCKS_KEPT = 1_000


def _digest(message: Message) -> str:
    content = json.dumps([message.text, message.blocks], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
