"""Supervises what runs as long as the process: what breaks is said, and begun again."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from bot.domain.redaction import redact

LOG = logging.getLogger(__name__)
AGAIN_S = 5.0  # wall, after something unforeseen


async def supervised(
    name: str, work: Callable[[], Coroutine[Any, Any, None]], *, every_s: float = 0.0
) -> None:
    """Run it until it returns or is cancelled, and again when it breaks on something unforeseen.

    `every_s`: how often the work does its round; it is not begun again sooner. A cancellation is
    passed on, and waits until the work has left; one that comes from within is a break like others.
    """
    while True:
        end: BaseException | None = (await asyncio.gather(work(), return_exceptions=True))[0]
        if end is None:
            return
        LOG.error("%s broke: %s", name, redact(repr(end)))
        await asyncio.sleep(max(AGAIN_S, every_s))
