"""What an analyzer still wants to know.

Perception turns needs into facts; reasoning never calls out.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.time import Window


class Fact(StrEnum):
    """The kinds of fact a `Snapshot` holds, one per read tool's job."""

    OBJECTS = "objects"  # Kubernetes; names = kinds
    SERIES = "series"  # metrics; names = signals
    LOGS = "logs"
    SPANS = "spans"
    EDGES = "edges"  # the service graph
    CHANGES = "changes"
    ALERTS = "alerts"
    OBJECTIVES = "objectives"
    PROBES = "probes"
    COMPONENTS = "components"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing to find out.

    Empty `services` means the whole environment, empty `names` the default set.
    """

    fact: Fact
    window: Window
    services: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    reason: str = ""
