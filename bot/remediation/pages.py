"""Makes what a person asks for on a page into the arguments of an action of the catalogue."""

from collections.abc import Mapping
from typing import Any

from bot.domain.wish import Verb, Wish
from bot.remediation.evidence import Bound, Unbound

ACTIONS: Mapping[Verb, str] = {
    Verb.ACKNOWLEDGE: "acknowledge_incident",
    Verb.RESOLVE: "resolve_incident",
    Verb.ESCALATE: "escalate_incident",
    Verb.NOTE: "add_note",
    Verb.CALL: "add_responders",
}
ON_PAGES = frozenset(ACTIONS.values())  # a person's answers: no repairs, so no breaker counts them


def bind_page(wish: Wish, user: str, addresses: Mapping[str, str]) -> tuple[str, Bound]:
    """Return the action and its arguments; `addresses`: e-mails by the ids of those concerned.

    Raises: Unbound: whose e-mail is not known.
    """
    arguments: dict[str, Any] = {"incident": wish.name}
    title = f"{wish.verb.value.capitalize()} {wish.name}"
    if wish.verb in (Verb.ACKNOWLEDGE, Verb.RESOLVE):
        arguments["on_behalf_of"] = _address(user, addresses)
    elif wish.verb is Verb.ESCALATE:
        arguments["level"] = int(wish.goal)
        title += f" to level {wish.goal}"
    elif wish.verb is Verb.NOTE:
        arguments["text"] = wish.goal
    else:
        called = [_address(person, addresses) for person in wish.people]
        arguments |= {"users": called, "message": wish.reason or "you are needed"}
        many = "one person" if len(called) == 1 else f"{len(called)} people"
        title = f"Call {many} more to {wish.name}"
    return ACTIONS[wish.verb], Bound(arguments=arguments, title=title)


def _address(user: str, addresses: Mapping[str, str]) -> str:
    found = addresses.get(user, "")
    if not found:
        raise Unbound(
            f"I may not read the e-mail of <@{user}> (scope users:read.email), by which PagerDuty "
            "knows people"
        )
    return found
