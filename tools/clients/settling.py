"""Waits until a workload's controller has seen its last change: only then its revisions count."""

import asyncio

from bot.domain.errors import Unavailable
from tools.clients.writing import Body, GuardedObjects, words

PAUSE_S, TIMES = 0.2, 10  # controllers see a change within tenths of a second


async def seen_by_its_controller(objects: GuardedObjects, body: Body) -> Body:
    """Return the workload when its newest revision is that of its template of now.

    Right after a write the revision's number is still the one before: going back to it would lead
    elsewhere. Raises: Unavailable: its controller lags behind.
    """
    metadata = body["metadata"]
    for _ in range(TIMES):
        if not _lags(body):
            return body
        await asyncio.sleep(PAUSE_S)
        body = await objects.live(
            str(body["kind"]), str(metadata["namespace"]), str(metadata["name"])
        )
    problem = f"{words(body)} was changed a moment ago, and its controller has not seen that yet"
    raise Unavailable("Kubernetes", problem, retry_after_s=PAUSE_S * TIMES)


def _lags(body: Body) -> bool:
    seen = (body.get("status") or {}).get("observedGeneration")
    wanted = body["metadata"].get("generation")
    return isinstance(seen, int) and isinstance(wanted, int) and seen < wanted
