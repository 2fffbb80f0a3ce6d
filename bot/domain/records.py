"""What keeps trust: levels that can be set, and the record of what became of proposals."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.action import Proposal, Verification
from bot.domain.ports import LevelStore
from bot.domain.trust import Baseline, LevelGrant, Promotion, Run


class GrantStore(LevelStore, Protocol):
    """Levels that can be set. Whoever sets one has checked who may, and wrote the audit."""

    async def held(self, environment: str, action: str, service: str) -> LevelGrant | None:
        """Return what was granted under exactly this key, expired or not."""
        ...

    async def grant(self, granted: LevelGrant) -> None:
        """Set one level; without its own `fallback`, what held before is kept as that."""
        ...


class RecordStore(Protocol):
    """What became of proposals, with and without acting, and the offers that follow from it."""

    async def runs(self, environment: str, action: str) -> Sequence[Run]:
        """Return every proposal of this action here, and what became of it."""
        ...

    async def baseline(self, environment: str, causes: Sequence[str]) -> Baseline:
        """Return how often trouble of these causes went away here without an action."""
        ...

    async def pairs(self) -> Sequence[tuple[str, str]]:
        """Return every (environment, action) that was ever proposed."""
        ...

    async def proposed(self, investigation_id: str) -> Sequence[tuple[str, str]]:
        """Return (environment, action) of everything proposed for an investigation."""
        ...

    async def carried_out(self, investigation_id: str) -> Sequence[Proposal]:
        """Return the proposals of an investigation that were carried out."""
        ...

    async def observe(self, proposal: Proposal, verification: Verification) -> None:
        """Keep what became of the trouble though the proposal was not carried out."""
        ...

    async def offer(self, promotion: Promotion) -> Promotion | None:
        """Open an offer and return it with its id; or the open one of this level.

        None: it was declined a short while ago.
        """
        ...

    async def promotion(self, promotion_id: str) -> Promotion | None:
        """Return an open offer."""
        ...

    async def close_promotions(self, environment: str, action: str, at: datetime) -> None:
        """Close the open offers of an action here."""
        ...
