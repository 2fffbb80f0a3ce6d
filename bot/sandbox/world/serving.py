"""Runs handlers off the event loop, one at a time per environment; bad input gets an answer."""

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.world.running import Running, World

MAX_BODY = 3_000_000
Handler = Callable[[Running, "Asked"], Any]


class BadRequest(Exception):
    """The request makes no sense: 400 unless another code is given."""

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.code = code


class Asked:
    """What a request says, read before the work begins."""

    def __init__(self, request: Request, raw: bytes) -> None:
        self.method = request.method
        self.query = request.query_params
        self.path: dict[str, Any] = dict(request.path_params)
        self.headers = request.headers
        self.raw = raw

    def json(self) -> Any:
        """Return the body as JSON. Raises: BadRequest."""
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"the body is not JSON: {str(error)[:200]}") from error


def endpoint(
    world: World, handler: Handler, fail: Callable[[BadRequest], Response] | None = None
) -> Callable[[Request], Any]:
    """Return an endpoint that calls the handler in a thread, under the environment's lock."""
    failed = fail or plain_failure

    async def run(request: Request) -> Response:
        raw = await request.body()
        if len(raw) > MAX_BODY:
            return failed(BadRequest("the body is too large", 413))
        running = world.running(request.path_params.get("env", ""))
        if running is None:
            return failed(BadRequest("there is no such environment", 404))
        asked = Asked(request, raw)

        def work() -> Response:
            with running.lock:
                try:
                    found = handler(running, asked)
                except BadRequest as bad:
                    return failed(bad)
            return found if isinstance(found, Response) else JSONResponse(found)

        return await run_in_threadpool(work)

    return run


def plain_failure(bad: BadRequest) -> Response:
    """Return `{"error": text}`."""
    return JSONResponse({"error": str(bad)}, status_code=bad.code)
