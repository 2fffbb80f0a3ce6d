"""Builds the Bolt app: acknowledged only after the hand-over, every error answered in words."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.middleware.authorization.async_single_team_authorization import (
    AsyncSingleTeamAuthorization,
)
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import Malformed, Transient
from bot.domain.ports import Teammate
from bot.domain.redaction import redact
from bot.domain.signal import Inbox
from bot.slack.desk import Desk, SlackOptions
from bot.slack.listeners import (
    buttons,
    commands,
    controls,
    home,
    mentions,
    messages,
    pages,
    submissions,
)
from bot.slack.parse import check_shape
from bot.slack.views.notice import BROKEN, plain_notice

_LOG = logging.getLogger(__name__)
_SURFACES = (mentions, messages, controls, pages, buttons, submissions, commands, home)
# What Bolt raises on odd payloads.
GARBAGE = (TypeError, AttributeError, LookupError, ValueError, RecursionError)


class SreApp(AsyncApp):
    """A Bolt app that survives payloads which Bolt's own parsing stumbles over."""

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Return Bolt's answer; 400 for what Bolt cannot even report an error about."""
        try:
            return await super().async_dispatch(req)
        except GARBAGE as error:
            _LOG.warning("a payload could not be read: %s", redact(repr(error)))
            return BoltResponse(status=400, body="")


class Doorkeeper(AsyncMiddleware):
    """Lets in what can be read, once the bot knows who it is.

    Bolt acknowledges what it gets while auth.test fails, and the event would be lost; here it is an
    error, and Slack delivers again. Runs after the signature was verified. What Slack answered is
    handed to Bolt, `knows`: else it would ask once more, and lose the event after all.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bot_user = ""
        self.knows: Callable[[Any], None] = lambda _answer: None

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - part of Bolt's signature
        next: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse | None:
        """Answer what cannot be read, pass on the rest. Raises: Transient, NotConfigured."""
        try:
            check_shape(req.body)
        except Malformed as problem:
            _LOG.warning("a payload could not be read: %s", redact(str(problem)))
            self._desk.unreadable(req.body, problem)
            return BoltResponse(status=200, body="")
        if not self._bot_user:
            client = self._desk.client
            answer = await self._desk.opening.call("auth.test", client.auth_test)
            self._bot_user = str(answer["user_id"])
            self.knows(answer)
        return await next()


def create_app(
    options: SlackOptions,
    teammate: Teammate,
    client: AsyncWebClient,
    inbox: Inbox | None = None,
) -> AsyncApp:
    """Return the app with all its listeners; nothing is sent to Slack before the first event.

    With an `inbox`, alerts that other apps post become signals; without, they are only read.
    """
    return create_app_at(Desk(teammate=teammate, client=client, options=options, inbox=inbox))


def create_app_at(desk: Desk) -> AsyncApp:
    """Return the app of a desk that the caller keeps (to wait for what it put off)."""
    doorkeeper = Doorkeeper(desk)
    app = SreApp(
        name="sre-bot",
        client=desk.client,
        signing_secret=desk.options.signing_secret,
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        before_authorize=doorkeeper,
    )
    doorkeeper.knows = partial(_greeted, app)
    app.error(_on_error(desk))
    for surface in _SURFACES:
        surface.register(app, desk)
    return app


def _greeted(app: AsyncApp, answer: Any) -> None:
    """Give Bolt's own authorization what auth.test answered."""
    for middleware in app._async_middleware_list:
        if isinstance(middleware, AsyncSingleTeamAuthorization):
            middleware.auth_test_result = answer


def _on_error(desk: Desk) -> Callable[..., Awaitable[BoltResponse]]:
    """Return the handler of what a listener raised: not acknowledged, so Slack delivers again."""

    async def on_error(error: Exception, request: AsyncBoltRequest) -> BoltResponse:
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=200, body="")  # an event nobody listens to
        if isinstance(error, Transient):
            _LOG.warning("not taken: %s", redact(str(error)))
            return BoltResponse(status=503, body="")
        if isinstance(error, Malformed):
            _LOG.warning("a payload could not be read: %s", redact(str(error)))
            return BoltResponse(status=200, body="")
        _LOG.error("a listener failed: %s", redact(repr(error)), exc_info=_trace(error))
        if isinstance(request.body, Mapping):
            desk.answer(request.body, plain_notice(BROKEN))
        return BoltResponse(status=500, body="")

    return on_error


def _trace(error: Exception) -> Exception | None:
    return error if _LOG.isEnabledFor(logging.DEBUG) else None
