"""Clicks on the buttons of messages."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.domain.conversation import Click, Judgement, Notice
from bot.domain.errors import Malformed, SreBotError
from bot.slack.desk import Desk
from bot.slack.parse import click_of, metadata_of
from bot.slack.views import levels, modals
from bot.slack.views.blocks import View
from bot.slack.views.notice import TOO_LATE, error, plain_notice

Json = Mapping[str, Any]
_MODALS = {
    "reject": modals.reject_reason,
    "verdict_wrong": modals.wrong_verdict,
    "ask": modals.ask_something,
    "break_glass": levels.break_glass,
}
_NO_OFFER = "This offer is closed: it was answered, or the record does not earn it any more."
_NO_REPORT = "I have no report of this investigation. It may not be finished yet."


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to every button the views can show, and answer those they can't."""
    _register_decisions(app, desk)
    _register_modals(app, desk)

    @app.action(re.compile(".*", re.DOTALL))
    async def unknown(ack: AsyncAck, body: Json) -> BoltResponse:
        desk.unreadable(body, Malformed("no such button"))
        return await ack()


def _register_decisions(app: AsyncApp, desk: Desk) -> None:
    @app.action(re.compile("^(approve|run)$"))
    async def approve(ack: AsyncAck, body: Json) -> BoltResponse:
        return await desk.click(ack, body, desk.teammate.approve)

    @app.action("undo")
    async def undo(ack: AsyncAck, body: Json) -> BoltResponse:
        return await desk.click(ack, body, desk.teammate.undo)

    @app.action("decline_level")
    async def decline(ack: AsyncAck, body: Json) -> BoltResponse:
        return await desk.click(ack, body, desk.teammate.decline)

    @app.action("verdict_right")
    async def right(ack: AsyncAck, body: Json) -> BoltResponse:
        return await desk.click(ack, body, partial(_judge_right, desk))


async def _judge_right(desk: Desk, click: Click) -> Notice:
    return await desk.teammate.judge(click, Judgement.RIGHT)


def _register_modals(app: AsyncApp, desk: Desk) -> None:
    for action_id, view_of in _MODALS.items():
        app.action(action_id)(partial(_open, desk, view_of))

    @app.action("grant_level")
    async def grant(ack: AsyncAck, body: Json) -> BoltResponse:
        return await _open_grant(desk, ack, body)

    @app.action("show_steps")
    async def steps(ack: AsyncAck, body: Json) -> BoltResponse:
        try:
            click = click_of(body)
            view_id = await desk.open(body, modals.loading())
        except Malformed as problem:
            desk.unreadable(body, problem)
        except SreBotError:
            desk.answer(body, plain_notice(TOO_LATE))
        else:
            desk.later(_fill(desk, view_id, click.subject))
        return await ack()


async def _open_grant(desk: Desk, ack: AsyncAck, body: Json) -> BoltResponse:
    try:
        await desk.open(body, await _grant(desk, click_of(body)))
    except Malformed as problem:
        desk.unreadable(body, problem)
    except SreBotError:
        desk.answer(body, plain_notice(TOO_LATE))
    return await ack()


async def _grant(desk: Desk, click: Click) -> View:
    promotion = await desk.take(desk.teammate.offered(click.subject))
    if promotion is None:
        return modals.message_modal("Grant a level", plain_notice(_NO_OFFER))
    return levels.grant_level(metadata_of(click), promotion)


async def _fill(desk: Desk, view_id: str, investigation_id: str) -> None:
    """Put the steps into the modal that is open already."""
    view = await _steps(desk, investigation_id)
    update = partial(desk.client.views_update, view_id=view_id, view=view)
    await desk.web.call("views.update", update)


async def _steps(desk: Desk, investigation_id: str) -> View:
    try:
        report = await desk.take(desk.teammate.report_of(investigation_id))
    except SreBotError as problem:
        return modals.message_modal("Steps", error(problem))
    if report is None:
        return modals.message_modal("Steps", plain_notice(_NO_REPORT))
    return modals.steps(report)


async def _open(
    desk: Desk, view_of: Callable[[str], View], ack: AsyncAck, body: Json
) -> BoltResponse:
    return await desk.open_for(ack, body, lambda click: view_of(metadata_of(click)))
