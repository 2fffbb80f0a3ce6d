"""The buttons of an incident's pages, and the submissions of their modals."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.domain.conversation import Click, Notice
from bot.domain.errors import Malformed, SreBotError, Transient
from bot.domain.paging import Page, PageButtons, Press
from bot.domain.pressing import fingerprint
from bot.domain.wish import Verb
from bot.slack.desk import Desk
from bot.slack.parse import USER, Place, clicker_of, field, metadata_of, stray_of, submission_of
from bot.slack.parse import click_of as parsed_click
from bot.slack.views import pages as views
from bot.slack.views.blocks import View
from bot.slack.views.modals import REASON_BLOCK, message_modal
from bot.slack.views.notice import NOT_TAKEN, TOO_LATE, UNREADABLE, error, plain_notice

Json = Mapping[str, Any]
ModalOf = Callable[[str, Sequence[Page]], View]
_MODALS: Mapping[str, ModalOf] = {
    views.RESOLVE: views.resolve_modal,
    views.ESCALATE: views.escalate_modal,
    views.CALL: views.call_modal,
}
_INPUTS = {views.ESCALATE: views.LEVEL_BLOCK, views.CALL: REASON_BLOCK}
_LEVEL = re.compile(r"[1-9]|1\d|20")


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen to the buttons and their modals, if there are pages."""
    buttons = desk.options.pages
    if buttons is None:
        return
    acknowledge = partial(_acknowledge, buttons)

    @app.action(views.ACKNOWLEDGE)
    async def acknowledged(ack: AsyncAck, body: Json) -> BoltResponse:
        return await desk.click(ack, body, acknowledge)

    for action_id, modal_of in _MODALS.items():
        app.action(action_id)(_opener(desk, buttons, modal_of))
        app.view(action_id)(_submitter(desk, buttons))


async def _acknowledge(buttons: PageButtons, click: Click) -> Notice:
    click, shown = seen_by(click)
    return await buttons.press(click, Press(verb=Verb.ACKNOWLEDGE, shown=shown))


def seen_by(click: Click) -> tuple[Click, str]:
    """Return the click about its incident, and the fingerprint of the pages that were shown."""
    incident, _, shown = click.subject.partition(views.SHOWN_AS)
    return replace(click, subject=incident), shown


def _opener(desk: Desk, buttons: PageButtons, modal_of: ModalOf) -> Callable[..., Any]:
    async def opened(ack: AsyncAck, body: Json) -> BoltResponse:
        try:
            click, _ = seen_by(parsed_click(body))
            pages = await desk.take(buttons.open_pages(click.subject))
            listed = replace(click, subject=f"{click.subject}{views.SHOWN_AS}{fingerprint(pages)}")
            await desk.open(body, modal_of(metadata_of(listed), pages))
        except Malformed as problem:
            desk.unreadable(body, problem)
        except SreBotError:
            desk.answer(body, plain_notice(TOO_LATE))
        return await ack()

    return opened


def _submitter(desk: Desk, buttons: PageButtons) -> Callable[..., Any]:
    async def submitted(ack: AsyncAck, body: Json) -> BoltResponse:
        try:
            click, shown = seen_by(submission_of(body, REASON_BLOCK))
            press = replace(press_of(body), shown=shown)
        except Malformed as problem:
            desk.later(desk.teammate.unreadable(clicker_of(body), stray_of(body, problem)))
            return await _keep_open(ack, body, UNREADABLE)
        try:
            notice = await desk.take(buttons.press(click, press))
        except Transient:
            return await _keep_open(ack, body, NOT_TAKEN)
        except SreBotError as problem:
            notice = error(problem)
        desk.later(_whisper(desk, click, notice))
        return await ack()

    return submitted


async def _whisper(desk: Desk, click: Click, notice: Notice) -> None:
    place = Place(channel=click.channel, user=click.user, thread_ts=click.thread_ts)
    await desk.whisper(place, notice)


def press_of(body: Json) -> Press:
    """Return what a submitted modal asks for. Raises: Malformed."""
    view = body.get("view")
    callback = view.get("callback_id") if isinstance(view, Mapping) else None
    if callback == views.RESOLVE:
        return Press(verb=Verb.RESOLVE)
    if callback == views.ESCALATE:
        option = _entered(body, views.LEVEL_BLOCK, "select").get("selected_option")
        return Press(verb=Verb.ESCALATE, goal=field(option, "value", _LEVEL))
    if callback == views.CALL:
        people = _entered(body, views.PEOPLE_BLOCK, "people").get("selected_users")
        reason = _entered(body, REASON_BLOCK, "text").get("value")
        return Press(verb=Verb.CALL, people=_people(people), reason=_reason(reason))
    raise Malformed("no such modal")


def _entered(body: Json, block: str, action: str) -> Mapping[str, Any]:
    value: Any = body
    for name in ("view", "state", "values", block, action):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _people(raw: Any) -> tuple[str, ...]:
    wanted = f"view.state: 1 to {views.MOST_PEOPLE} people are needed"
    if not isinstance(raw, list) or not 0 < len(raw) <= views.MOST_PEOPLE:
        raise Malformed(wanted)
    if not all(isinstance(one, str) and USER.fullmatch(one) for one in raw):
        raise Malformed(wanted)
    return tuple(dict.fromkeys(raw))


def _reason(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise Malformed("view.state: a reason is needed")
    return raw.strip()[:400]


async def _keep_open(ack: AsyncAck, body: Json, words: str) -> BoltResponse:
    """Say it at the modal's input; a modal without one is replaced by what is said."""
    view = body.get("view")
    callback = view.get("callback_id") if isinstance(view, Mapping) else None
    block = _INPUTS.get(str(callback))
    if block is None:
        shown = message_modal("Not taken", plain_notice(words))
        return await ack(response_action="update", view=shown)
    return await ack(response_action="errors", errors={block: words})
