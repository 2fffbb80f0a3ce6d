"""What the bot says when something is wrong with itself, and that it may not touch it."""

from dataclasses import dataclass
from typing import Protocol

OWN_SERVICE = "sre-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Work of the bot's own that ended with an error, and the incident that it was about."""

    kind: str  # "investigate", "digest": as the engine's workflows are called
    workflow: str
    incident: str = ""
    investigation: str = ""
    error: str = ""


class OwnIncidents(Protocol):
    """Knows which investigations are about the bot itself."""

    async def about_itself(self, investigation_id: str) -> bool:
        """Whether the incident of this investigation is one that the bot opened about itself.

        Raises: Unavailable.
        """
        ...
