"""One call to Slack's Web API: rate limits obeyed, vendor errors turned into ours."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.errors import NotConfigured, Permanent, SreBotError, Transient, Unavailable
from bot.domain.pacing import Pacing
from bot.domain.redaction import redact
from bot.domain.telemetry import telemetry
from bot.slack.limits import limit_of

_TRIES = 4
_LOG = logging.getLogger(__name__)

_SETTINGS = frozenset(
    ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"
     , "missing_scope", "not_allowed_token_type", "no_permission", "access_denied")
)  # fmt: skip
_PASSING = frozenset(
    ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited",
     "rate_limited", "team_added_to_org", "upload_failed", "message_limit_exceeded")
)  # fmt: skip


class SlackRefusal(Permanent):
    """Slack understood the call and said no; `code` is its error name."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"Slack refused {method}: {code}")
        self.code = code


class Web:
    """Runs calls of one Slack client within Slack's limits, which all replicas share.

    A 429 holds back every later call of the same method, of the other replicas too.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 10.0,
        longest_wait_s: float = 60.0,
        pacing: Pacing | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._longest_wait_s = longest_wait_s  # a longer Retry-After is left to the caller
        self._pacing = pacing
        self._not_before: dict[str, float] = {}

    async def call(
        self, method: str, send: Callable[[], Awaitable[Any]], *, channel: str = ""
    ) -> Any:
        """Return Slack's answer. `channel`: where it posts, for that channel's own limit.

        Raises: Unavailable (did not answer), Transient (told to wait long), NotConfigured (token or
        scope), SlackRefusal (everything else that Slack says no to).
        """
        for _ in range(_TRIES):
            await self._turn(method, channel)
            wait_s, answer = await self._try(method, send)
            if wait_s is None:
                return answer
            await self._hold(method, channel, wait_s)
            if wait_s > self._longest_wait_s:
                break
        left = max(1.0, self._not_before[method] - asyncio.get_running_loop().time())
        raise Transient(f"Slack asks to wait before {method}", retry_after_s=left)

    async def _try(self, method: str, send: Callable[[], Awaitable[Any]]) -> tuple[Any, Any]:
        """Return (None, the answer), or (the seconds that Slack asks to wait, None)."""
        began, outcome = time.monotonic(), "error"
        try:
            answer = await asyncio.wait_for(send(), self._timeout_s)
            outcome = "ok"
        except SlackApiError as error:
            wait_s = _retry_after(error)
            if wait_s is None:
                raise _translated(method, error) from error
            outcome = "limited"
            return wait_s, None
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            outcome = "timeout" if isinstance(error, TimeoutError) else "error"
            raise Unavailable("Slack", f"{method}: {_words(error)}") from error
        finally:
            telemetry().called("Slack", method, outcome, time.monotonic() - began)
        return None, answer

    async def _turn(self, method: str, channel: str) -> None:
        """Wait for the turn of this call. Raises: Transient: it is too far off."""
        wait_s = self._not_before.get(method, 0.0) - asyncio.get_running_loop().time()
        limit = limit_of(method, channel)
        if self._pacing is not None and limit is not None:
            key, rate = limit
            try:
                shared = await self._pacing.turn(key, rate, longest_s=self._longest_wait_s)
                wait_s = max(wait_s, shared)
            except Unavailable as problem:  # people must be told all the same
                _LOG.warning("Slack's limits cannot be shared: %s", redact(str(problem)))
        if wait_s > 0:
            telemetry().waited("Slack", method, wait_s)
            await asyncio.sleep(wait_s)

    async def _hold(self, method: str, channel: str, wait_s: float) -> None:
        self._not_before[method] = asyncio.get_running_loop().time() + wait_s
        limit = limit_of(method, channel)
        if self._pacing is not None and limit is not None:
            with suppress(Unavailable):
                await self._pacing.hold(*limit, wait_s)


def _retry_after(error: SlackApiError) -> float | None:
    """Seconds that Slack asks to wait, None if it is not a rate limit."""
    response: Any = error.response
    if getattr(response, "status_code", 0) != 429:
        return None
    headers = {str(k).lower(): v for k, v in dict(response.headers or {}).items()}
    value = headers.get("retry-after", "1")
    value = value[0] if isinstance(value, list) and value else value
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return 1.0


def _translated(method: str, error: SlackApiError) -> SreBotError:
    response: Any = error.response
    body = response if isinstance(response, dict) else getattr(response, "data", None)
    code = str(body.get("error", "")) if isinstance(body, dict) else ""
    if code in _SETTINGS:
        needed = f" (needs {body['needed']})" if isinstance(body, dict) and "needed" in body else ""
        return NotConfigured(f"Slack refuses the bot's token for {method}: {code}{needed}")
    if code in _PASSING or not code or getattr(response, "status_code", 200) >= 500:
        return Unavailable("Slack", f"{method}: {code or 'no readable answer'}")
    return SlackRefusal(method, code)


def _words(error: BaseException) -> str:
    return redact(str(error))[:200] or type(error).__name__
