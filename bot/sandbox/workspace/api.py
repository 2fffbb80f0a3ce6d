"""The Web API's door: method, token, scope, rate, then the method itself."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.workspace import arguments
from bot.sandbox.workspace.call import Call, Method
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.methods import (
    chat,
    conversations,
    files,
    people,
    reactions,
    views,
)
from bot.sandbox.workspace.records import Json
from bot.sandbox.workspace.state import Fault, Workspace

_FAMILIES = (chat, conversations, files, people, reactions, views)
_MOST_CALLS_KEPT = 5000


def all_methods() -> Mapping[str, Method]:
    """Return every method. Raises: ValueError: two families define the same one."""
    table: dict[str, Method] = {}
    for family in _FAMILIES:
        twice = table.keys() & family.METHODS.keys()
        if twice:
            raise ValueError(f"defined twice: {sorted(twice)}")
        table |= family.METHODS
    return table


class WebApi:
    """Answers `/slack/api/{method}`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._methods = all_methods()

    async def __call__(self, request: Request) -> Response:
        """Answer one call: 200 with `ok`, 429 with Retry-After, or an injected failure."""
        name = request.path_params["method"]
        try:
            args = await arguments.read(request, self._workspace.limits.body_bytes)
            token = _token(request, args)
            args.pop("token", None)
            self._remember(name, args)
            await self._maybe_fail(name, args)
            return JSONResponse({"ok": True, **self._run(name, token, args)})
        except _Dropped:
            return _cut_short()
        except SlackError as error:
            return refusal(error)

    def _remember(self, name: str, args: Mapping[str, Any]) -> None:
        calls = self._workspace.calls
        calls.append((name, dict(args)))
        del calls[:-_MOST_CALLS_KEPT]

    async def _maybe_fail(self, name: str, args: Mapping[str, Any]) -> None:
        faults = self._workspace.faults
        fault: Fault | None = faults(name, args) if faults else None
        if fault is None:
            return
        await asyncio.sleep(fault.delay_s)
        if fault.drop:
            raise _Dropped
        if fault.status or fault.error:
            raise SlackError(
                fault.error or "internal_error",
                status=fault.status or 200,
                retry_after_s=fault.retry_after_s,
            )

    def _run(self, name: str, token: str, args: Mapping[str, Any]) -> Json:
        method = self._methods.get(name)
        if method is None:
            raise SlackError("unknown_method", extra={"req_method": name[:100]})
        self._authorize(method, token)
        if method.tier:
            self._workspace.limiter.spend(name, method.tier)
        return method.run(Call(workspace=self._workspace, args=args))

    def _authorize(self, method: Method, token: str) -> None:
        app = self._workspace.app
        if method.token == "none":  # noqa: S105 - a kind of token
            return
        if not token:
            raise SlackError("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise SlackError("invalid_auth")
        kind = "bot" if token == app.bot_token else "app"
        if method.token not in (kind, "any"):
            raise SlackError("not_allowed_token_type")
        if method.scopes and app.scopes is not None and not app.scopes & set(method.scopes):
            provided = ",".join(sorted(app.scopes))
            needed = method.scopes[0]
            raise SlackError("missing_scope", extra={"needed": needed, "provided": provided})


class _Dropped(Exception):
    """The connection is to be cut."""


def refusal(error: SlackError) -> Response:
    """Return an error as Slack answers it."""
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return JSONResponse(error.body(), status_code=error.status, headers=headers)


def _cut_short() -> Response:
    """Promise more bytes than come: the server then closes the connection."""
    return Response(b"", headers={"Content-Length": "100", "Connection": "close"})


def _token(request: Request, args: Mapping[str, Any]) -> str:
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    given = args.get("token", "")
    return given if isinstance(given, str) else ""
