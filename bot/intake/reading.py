"""Reads a request's body under limits of size, time, memory and depth."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request

from bot.domain.errors import Malformed, Unavailable
from bot.intake.answers import TurnedAway

DEEPEST = 32  # levels of lists and objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request, and all at once, may take."""

    body_bytes: int = 1024 * 1024  # PagerDuty sends 256 kB at most
    group_bytes: int = 8 * 1024 * 1024  # Alertmanager sends a whole group of alerts at once
    all_bytes: int = 64 * 1024 * 1024  # of the bodies that are held at the same time
    seconds: float = 5.0  # wall, for a body to arrive


class Reader:
    """Reads bodies; together they never hold more than the limit."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._held = limits, 0

    @asynccontextmanager
    async def body(self, request: Request, *, group: bool = False) -> AsyncIterator[bytes]:
        """Yield the raw body (`group`: of a whole group of alerts).

        Raises: TurnedAway; Unavailable: too much is held already.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise TurnedAway(415, "encoded", "Send the body as it is, not compressed.")
        body = bytearray()
        try:
            most = self._limits.group_bytes if group else self._limits.body_bytes
            await self._read(request, body, most)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _read(self, request: Request, body: bytearray, most: int) -> None:
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for chunk in request.stream():
                    self._hold(len(body), len(chunk), most)
                    body += chunk
        except TimeoutError:
            words = f"The body did not arrive within {self._limits.seconds:g} s."
            raise TurnedAway(408, "slow", words) from None
        except ClientDisconnect:
            raise TurnedAway(400, "incomplete", "The body did not arrive whole.") from None

    def _hold(self, so_far: int, more: int, most: int) -> None:
        if so_far + more > most:
            words = f"The body is larger than {most} bytes. Send it in parts."
            raise TurnedAway(413, "large", words)
        if self._held + more > self._limits.all_bytes:
            raise Unavailable("intake", "too many bodies at once", retry_after_s=2.0)
        self._held += more


def parsed(body: bytes) -> Any:
    """Return the JSON value of a body. Raises: Malformed: it is none, or deeper than allowed."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed(f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}.") from None
    if _depth(value) > DEEPEST:
        raise Malformed(f"The body is nested deeper than {DEEPEST} levels.")
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _depth(value: Any) -> int:
    """Return how deep lists and objects are nested, counting no further than is allowed."""
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        nested = [v for v in level if isinstance(v, dict | list)]
        level = [c for v in nested for c in (v.values() if isinstance(v, dict) else v)]
        depth += bool(nested)
        if not nested:
            break
    return depth
