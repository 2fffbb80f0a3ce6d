"""Asks every Prometheus of an environment, and puts together what they say."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from bot.domain.errors import SreBotError, Unavailable
from bot.domain.needs import Need
from bot.domain.snapshot import BlindSpot, Series, Snapshot
from tools.clients.prometheus import Prometheus

MISSING = "no metric of the catalogue gives it"

Read = Callable[[Prometheus, Need], Awaitable[Snapshot]]


class Several:
    """The servers of one environment; one that fails does not hide the others."""

    def __init__(self, environment: str, clients: Sequence[Prometheus]) -> None:
        self._environment, self._clients = environment, tuple(clients)

    async def check(self, say: Callable[[Prometheus], Awaitable[str]]) -> str:
        """Return what each server says, with its name where there are several.

        Raises: what the server raises; Unavailable, naming it, where there are several.
        """
        if len(self._clients) == 1:
            return await say(self._clients[0])
        words = []
        for client in self._clients:
            try:
                words.append(f"{client.name}: {await say(client)}")
            except SreBotError as error:
                raise Unavailable(client.name, str(error)) from None
        return "; ".join(words)

    async def read(self, need: Need, read: Read) -> Snapshot:
        """Return what all servers said. Raises: the first error if none answered."""
        outcomes = await asyncio.gather(*(_caught(read, c, need) for c in self._clients))
        found = [one for one in outcomes if isinstance(one, Snapshot)]
        failed = [
            (client, one)
            for client, one in zip(self._clients, outcomes, strict=True)
            if isinstance(one, SreBotError)
        ]
        if failed and not found:
            raise failed[0][1]
        whole = found[0]
        for other in found[1:]:
            whole = whole.merge(other)
        spots = [
            BlindSpot(system="metrics", reason=str(error), wanted=f"metrics of {client.name}")
            for client, error in failed
        ]
        if len(found) == 1:
            return replace(whole, blind_spots=(*whole.blind_spots, *spots))
        return replace(
            whole,
            series=tuple(_once(whole.series)),
            blind_spots=(*_missing_everywhere(whole.blind_spots, len(found)), *spots),
        )


async def _caught(read: Read, client: Prometheus, need: Need) -> Snapshot | SreBotError:
    try:
        return await read(client, need)
    except SreBotError as error:
        return error


def _once(series: Iterable[Series]) -> Iterator[Series]:
    """Yield each series once: of two servers that scrape the same, the one with more points."""
    best: dict[tuple[object, ...], Series] = {}
    for one in series:
        key = (one.signal, one.service, frozenset(one.labels.items()))
        known = best.get(key)
        if known is None or len(known.times) < len(one.times):
            best[key] = one
    yield from best.values()


def _missing_everywhere(spots: Sequence[BlindSpot], servers: int) -> Iterator[BlindSpot]:
    """Yield the blind spots; what one server lacks and another has is none."""
    counts = Counter(spots)
    for spot, count in counts.items():
        if spot.reason != MISSING or count == servers:
            yield spot
