"""The routes of the HTTP door. Nothing is answered with success before it is committed."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, Transient
from bot.domain.redaction import redact
from bot.domain.signal import Origin, Signal
from bot.domain.time import Clock
from bot.intake import alertmanager, generic, pagerduty
from bot.intake.answers import TurnedAway, accepted, later, malformed, set_aside, turned_away
from bot.intake.places import Places
from bot.intake.reading import Limits, Reader, parsed
from bot.intake.signature import check_secret, check_signature, check_stamped

LOG = logging.getLogger(__name__)
METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS")  # all but POST are turned away
PAGERDUTY, ALERTMANAGER, GENERIC = "pagerduty", "alertmanager", "signals"
Parse = Callable[[Any, str, datetime, Places], tuple[Signal, ...]]
Check = Callable[[Request, bytes, Sequence[str], datetime], None]
Knock = Callable[[Request, Sequence[str]], None]


class Keep(Protocol):
    """Commits signals. Raises: Unavailable: none was kept."""

    async def put(self, signals: Sequence[Signal], at: datetime) -> None:
        """Return when they are committed."""
        ...


Bury = Callable[[str, str, str, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What each door's senders know; a door without a secret is closed."""

    pagerduty: tuple[str, ...] = ()
    alertmanager: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the doors need. `clock` is the wall, `bury` keeps dead letters."""

    keep: Keep
    bury: Bury
    clock: Clock
    secrets: Secrets
    environments: tuple[Environment, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One kind of sender, known by its `knock` before its body is read, or by its body.

    `kind`: what its dead letters are called; "": none are kept.
    """

    name: str
    kind: str
    secrets: tuple[str, ...]
    parse: Parse
    knock: Knock | None = None
    check: Check | None = None
    group: bool = False  # whether one body holds a whole group of alerts


def routes(doors: Doors) -> list[BaseRoute]:
    """Return the routes /webhooks/<door> and /webhooks/<door>/<environment>."""
    reader, places = Reader(doors.limits), Places(doors.environments)
    elsewhere = Route("/webhooks/{rest:path}", _no_door, methods=list(METHODS))
    return [*_routes(doors, reader, places), elsewhere]


def parse_as(origin: str, body: Any, received: datetime, places: Places) -> tuple[Signal, ...]:
    """Return the signals of a body that came from this origin. Raises: Malformed."""
    parse = {PAGERDUTY: _pagerduty, ALERTMANAGER: alertmanager.signals_of}.get(origin)
    if parse is None:
        raise Malformed(f"nothing reads what came from {origin}")
    return parse(body, "", received, places)


def _routes(doors: Doors, reader: Reader, places: Places) -> Iterable[BaseRoute]:
    for door in _doors(doors.secrets):
        endpoint = _endpoint(door, doors, reader, places)
        yield Route(f"/webhooks/{door.name}", endpoint, methods=list(METHODS))
        yield Route(f"/webhooks/{door.name}/{{environment}}", endpoint, methods=list(METHODS))


def _doors(secrets: Secrets) -> tuple[Door, ...]:
    return (
        Door(name=PAGERDUTY, kind=Origin.PAGERDUTY.value, secrets=secrets.pagerduty,
             check=_signed, parse=_pagerduty),
        Door(name=ALERTMANAGER, kind=Origin.ALERTMANAGER.value, secrets=secrets.alertmanager,
             knock=_trusted, parse=alertmanager.signals_of, group=True),
        Door(name=GENERIC, kind="", secrets=secrets.signals,
             check=_stamped, parse=generic.signals_of),
    )  # fmt: skip


def _endpoint(
    door: Door, doors: Doors, reader: Reader, places: Places
) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        try:
            environment = _opened(door, request, places)
            async with reader.body(request, group=door.group) as body:
                return await _take(door, doors, request, body, environment, places)
        except TurnedAway as error:
            LOG.info("%s: turned away: %s", door.name, error.code)
            return turned_away(error)
        except Transient as error:
            LOG.warning("%s: nothing was kept: %s", door.name, redact(str(error)))
            return later(error)

    return take


async def _take(
    door: Door, doors: Doors, request: Request, body: bytes, environment: str, places: Places
) -> Response:
    now = doors.clock.now()
    if door.check is not None:
        door.check(request, body, door.secrets, now)
    try:
        signals = door.parse(parsed(body), environment, now, places)
    except Malformed as error:
        return await _unusable(door, doors, body, str(error), now)
    await doors.keep.put(signals, now)
    return accepted(len(signals))


async def _unusable(door: Door, doors: Doors, body: bytes, why: str, now: datetime) -> Response:
    """Keep what an authentic source sent and nobody can read; tell other senders what is wrong.

    Three deliveries that PagerDuty has to drop close its subscription for a day, and Alertmanager
    drops what is refused: both are answered with success.
    """
    LOG.warning("%s: cannot be read: %s", door.name, redact(why))
    if not door.kind:
        return malformed(redact(why))
    await doors.bury(door.kind, body.decode("utf-8", "replace"), why, now)
    return set_aside()


def _opened(door: Door, request: Request, places: Places) -> str:
    """Return the environment that the address names. Raises: TurnedAway."""
    if request.method != "POST":
        raise TurnedAway(405, "method", "Send it with POST.", {"Allow": "POST"})
    if not door.secrets:
        raise TurnedAway(404, "closed", "This door is closed: no secret is configured for it.")
    if door.knock is not None:
        door.knock(request, door.secrets)
    name = request.path_params.get("environment", "")
    environment = places.named(name)
    if name and not environment:
        raise TurnedAway(404, "environment", "I don't know an environment of this name.")
    return environment


def _signed(request: Request, body: bytes, secrets: Sequence[str], _now: datetime) -> None:
    check_signature(body, _header(request, "x-pagerduty-signature"), secrets)


def _trusted(request: Request, secrets: Sequence[str]) -> None:
    check_secret(_header(request, "authorization"), secrets)


def _stamped(request: Request, body: bytes, secrets: Sequence[str], now: datetime) -> None:
    signature = _header(request, "x-sre-bot-signature")
    check_stamped(body, signature, _header(request, "x-sre-bot-timestamp"), secrets, now)


async def _no_door(_request: Request) -> Response:
    words = f"There is no such door. There are {PAGERDUTY}, {ALERTMANAGER} and {GENERIC}."
    return turned_away(TurnedAway(404, "unknown", words))


def _header(request: Request, name: str) -> str:
    """Return a header; one that is there twice is no header: who reads which is not certain."""
    found = request.headers.getlist(name)
    return found[0] if len(found) == 1 else ""


def _pagerduty(
    body: Any, environment: str, received: datetime, _places: Places
) -> tuple[Signal, ...]:
    return pagerduty.signals_of(body, environment, received)
