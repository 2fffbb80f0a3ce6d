"""What a person types to say where incidents are told."""

import re
from dataclasses import dataclass

from bot.domain.errors import Malformed

HOW = (
    "Say `/sre route checkout #payments`, `/sre route checkout #payments in staging`, "
    "`/sre route all #incidents`, `/sre route checkout off`, or `/sre routes`."
)
ALL = frozenset({"all", "*", "everything", "default"})
OFF = frozenset({"off", "none", "remove"})
_CHANNEL = re.compile(r"#([CG][A-Z0-9]{5,20})(?:\|\S*)?")
_SERVICE = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteWish:
    """`service` "": all others; `channel` "": the route is to be removed; `place` "": unsaid."""

    service: str
    channel: str
    place: str


def route_of(text: str) -> RouteWish:
    """Return what is wished. Raises: Malformed, with how to say it."""
    words = text.replace("`", "").split()
    place = ""
    if len(words) == 4 and words[2].lower() == "in":
        place, words = words[3], words[:2]
    if len(words) != 2 or not _SERVICE.fullmatch(words[0].replace("*", "all")):
        raise Malformed(HOW)
    service = "" if words[0].lower() in ALL else words[0]
    if words[1].lower() in OFF:
        return RouteWish(service=service, channel="", place=place)
    found = _CHANNEL.fullmatch(words[1])
    if found is None:
        raise Malformed(f"I don't know the channel {words[1][:80]}. {HOW}")
    return RouteWish(service=service, channel=found[1], place=place)
