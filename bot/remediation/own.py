"""Knows the bot's own database among the objects of a cluster: by the host it is reached under."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.domain.action import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The Service that leads to the bot's database; `name` "": it is in no cluster."""

    name: str = ""
    namespace: str = ""  # "": the host does not tell, so any

    def holds(self, target: Target) -> bool:
        """Whether a target is that Service, its workload, a pod or a volume claim of it."""
        if not self.name or self.namespace not in ("", target.namespace):
            return False
        before = r"(?:[\w.-]+-)?" if target.kind == "PersistentVolumeClaim" else ""
        named = re.fullmatch(rf"{before}{re.escape(self.name)}(?:-\d+)?", target.name)
        return target.service == self.name or named is not None


def own_database(url: str) -> Own:
    """Return what a database's URL says of its place: "postgres.data.svc" is a Service."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return Own()
    name, *rest = host.split(".")
    inside = not rest or len(rest) == 1 or rest[1] == "svc"
    if not inside or not name or name == "localhost" or ":" in host or name.isdigit():
        return Own()
    return Own(name=name, namespace=rest[0] if rest else "")
