"""Turns of a budget that all replicas share: one row a key.

The generic cell rate algorithm: the row holds when the next call were due at the steady rate; a
call may come `burst` calls earlier. Source: ITU-T I.371, the virtual scheduling algorithm.
"""

from sqlalchemy.orm import Session

from bot.domain.errors import Transient
from bot.domain.pacing import Rate
from bot.domain.time import Clock
from bot.storage.database import Database
from bot.storage.pace_tables import PaceRow

LONGEST_HOLD_S = 600.0  # a due time further off is a clock that jumped, not a vendor's wish


class Paces:
    """`Pacing` in SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def turn(self, key: str, rate: Rate, *, longest_s: float) -> float:
        """Take the next turn and return in how many seconds it is.

        Raises: Transient: the next turn is later than `longest_s`, and was not taken; Unavailable.
        """

        def take(session: Session) -> float:
            row, now = self._row(session, key, rate)
            wait = row.due - (rate.burst - 1) / rate.per_s - now
            if wait > longest_s:
                return wait
            row.due = max(row.due, now) + 1 / rate.per_s
            return max(0.0, wait)

        wait = await self._database.run(take)
        if wait > longest_s:
            raise Transient(f"{key}: its limit is used up", retry_after_s=wait)
        return wait

    async def hold(self, key: str, rate: Rate, seconds: float) -> None:
        """Let nobody have a turn for so long: the vendor said so. Raises: Unavailable."""

        def push(session: Session) -> None:
            row, now = self._row(session, key, rate)
            wait = min(seconds, LONGEST_HOLD_S)
            row.due = max(row.due, now + wait + (rate.burst - 1) / rate.per_s)

        await self._database.run(push)

    def _row(self, session: Session, key: str, rate: Rate) -> tuple[PaceRow, float]:
        """Return the key's row, locked, and the time; a due time out of reason is put right."""
        now = self._clock.now().timestamp()
        row = session.get(PaceRow, key, with_for_update=True)
        if row is None:
            row = PaceRow(key=key, due=now)
            session.add(row)
            session.flush()
        row.due = min(row.due, now + LONGEST_HOLD_S + rate.burst / rate.per_s)
        return row, now
