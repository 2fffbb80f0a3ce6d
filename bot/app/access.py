"""What the bot's identity may do in each cluster, against what its catalogue needs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.environment import Environment
from bot.domain.errors import SreBotError
from bot.domain.redaction import redact
from tools.catalog import actions
from tools.clients.access import ACTIONS, TOO_MUCH, WATCHES, Grant, allowed, reads
from tools.clients.kubernetes import Kubernetes

SHOWN = 4  # missing rules in one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What one environment's identity may do."""

    environment: str
    may: tuple[str, ...] = ()  # actions
    may_not: tuple[tuple[str, str], ...] = ()  # (action, the missing rule)
    unread: tuple[str, ...] = ()  # missing rules for reading
    too_much: tuple[str, ...] = ()
    problem: str = ""  # why it could not be asked


async def access_of(environment: Environment, *, watches: bool = False) -> Access | None:
    """Return what may be done there, None when it has no cluster.

    `watches`: whether its events are to be watched.
    """
    try:
        client = Kubernetes.of(environment)
        watched = WATCHES if watches else ()
        return await _ask(client, environment, watched) if client is not None else None
    except SreBotError as error:
        return Access(environment=environment.name, problem=redact(str(error)))


async def _ask(client: Kubernetes, environment: Environment, watched: Sequence[Grant]) -> Access:
    wanted = {name: grants for name, grants in ACTIONS.items() if name in actions()}
    served = [g for g in (*reads(), *watched) if await client.serves(g.kind)]
    needed = {*served, *(g for grants in wanted.values() for g in grants), *TOO_MUCH.values()}
    held = await _held(client, sorted(needed, key=lambda g: g.words), environment.namespaces)
    lacking = {
        name: next((g.words for g in grants if not held[g]), "") for name, grants in wanted.items()
    }
    return Access(
        environment=environment.name,
        may=tuple(name for name, rule in lacking.items() if not rule),
        may_not=tuple((name, rule) for name, rule in lacking.items() if rule),
        unread=tuple(g.words for g in served if not held[g]),
        too_much=tuple(words for words, g in TOO_MUCH.items() if held[g]),
    )


async def _held(
    client: Kubernetes, grants: Sequence[Grant], namespaces: Sequence[str]
) -> dict[Grant, bool]:
    """Return what is held: a need in every namespace, what is too much in any."""

    async def one(grant: Grant) -> bool:
        places = namespaces if grant.namespaced and namespaces else ("",)
        answers = [await allowed(client, grant, place) for place in places]
        return any(answers) if grant in TOO_MUCH.values() else all(answers)

    answers = await asyncio.gather(*map(one, grants))
    return dict(zip(grants, answers, strict=True))


def read_words(access: Access) -> str:
    """Return what it may read, in words; names the missing rules."""
    if not access.unread:
        return "all that is looked at"
    more = f" and {len(access.unread) - SHOWN} more" if len(access.unread) > SHOWN else ""
    return f"a blind spot, these rules are missing: {'; '.join(access.unread[:SHOWN])}{more}"


def act_words(access: Access) -> str:
    """Return which actions it may carry out; names the missing rule of the others."""
    words = f"{len(access.may)} actions: {', '.join(access.may) or 'none'}"
    lines = [
        f"{name} needs {rule} (deploy/rbac/actions/{name}.yaml)" for name, rule in access.may_not
    ]
    return "; ".join([words, *lines[:SHOWN], *_more(len(lines))])


def _more(count: int) -> list[str]:
    return [f"and {count - SHOWN} more: `sre-bot rbac`"] if count > SHOWN else []
