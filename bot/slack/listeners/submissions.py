"""Submissions of the modals that buttons opened."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.domain.conversation import Click, Judgement, Notice
from bot.domain.errors import Malformed, SreBotError, Transient
from bot.slack.desk import Desk
from bot.slack.parse import (
    Place,
    clicker_of,
    days_of,
    question_of,
    stable_id,
    stray_of,
    submission_of,
    view_id_of,
)
from bot.slack.views.levels import EXPIRY_BLOCK
from bot.slack.views.modals import REASON_BLOCK
from bot.slack.views.notice import NOT_TAKEN, UNREADABLE, error

Json = Mapping[str, Any]
Act = Callable[[Click, str], Awaitable[Notice | None]]


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to view_submission; what could not be taken keeps the modal open with its text."""

    @app.view("reject_reason")
    async def rejected(ack: AsyncAck, body: Json) -> BoltResponse:
        return await _submit(desk, ack, body, lambda click, _: desk.teammate.reject(click))

    @app.view("verdict_comment")
    async def wrong(ack: AsyncAck, body: Json) -> BoltResponse:
        return await _submit(desk, ack, body, lambda click, view_id: _judge(desk, click, view_id))

    @app.view("break_glass")
    async def broken(ack: AsyncAck, body: Json) -> BoltResponse:
        return await _submit(desk, ack, body, lambda click, _: _with_reason(desk, click))

    @app.view("grant_level")
    async def granted(ack: AsyncAck, body: Json) -> BoltResponse:
        return await _submit(desk, ack, body, lambda click, _: _grant(desk, click, body))

    @app.view("ask_something")
    async def asked(ack: AsyncAck, body: Json) -> BoltResponse:
        return await _submit(desk, ack, body, lambda click, view_id: _ask(desk, click, view_id))

    @app.view(re.compile(".*", re.DOTALL))
    async def unknown(ack: AsyncAck, body: Json) -> BoltResponse:
        problem = Malformed("no such modal")
        desk.later(desk.teammate.unreadable(clicker_of(body), stray_of(body, problem)))
        return await _keep_open(ack, UNREADABLE)


async def _judge(desk: Desk, click: Click, view_id: str) -> Notice:
    """Each opened modal is a verdict of its own: a person may change their mind."""
    verdict = replace(click, click_id=stable_id("verdict", click.click_id, view_id))
    return await desk.teammate.judge(verdict, Judgement.WRONG)


async def _with_reason(desk: Desk, click: Click) -> Notice:
    if not click.reason:
        raise Malformed("I need a reason.")
    return await desk.teammate.break_glass(click)


async def _grant(desk: Desk, click: Click, body: Json) -> Notice:
    if not click.reason:
        raise Malformed("I need a reason.")
    return await desk.teammate.grant(click, days_of(body, EXPIRY_BLOCK))


async def _ask(desk: Desk, click: Click, view_id: str) -> None:
    if not click.reason:
        raise Malformed("I need a question.")
    await desk.teammate.mentioned(question_of(click, view_id))


async def _submit(desk: Desk, ack: AsyncAck, body: Json, act: Act) -> BoltResponse:
    try:
        click = submission_of(body, REASON_BLOCK)
        view_id = view_id_of(body)
    except Malformed as problem:
        desk.later(desk.teammate.unreadable(clicker_of(body), stray_of(body, problem)))
        return await _keep_open(ack, UNREADABLE)
    try:
        notice = await desk.take(act(click, view_id))
    except Transient:
        return await _keep_open(ack, NOT_TAKEN)
    except Malformed as problem:
        return await _keep_open(ack, str(problem))
    except SreBotError as problem:
        notice = error(problem)
    if notice is not None:
        place = Place(channel=click.channel, user=click.user, thread_ts=click.thread_ts)
        desk.later(desk.whisper(place, notice))
    return await ack()


async def _keep_open(ack: AsyncAck, words: str) -> BoltResponse:
    return await ack(response_action="errors", errors={REASON_BLOCK: words})
