"""Which messages were posted where."""

from sqlalchemy.orm import Session

from bot.domain.ports import Posted
from bot.storage.database import Database
from bot.storage.tables import MessageRow


class Messages:
    """`Outbox` in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, channel: str) -> Posted | None:
        """Record the intent to post under this key; return what was known before, None if new."""

        def write(session: Session) -> Posted | None:
            row = session.get(MessageRow, key, with_for_update=True)
            if row is not None:
                return _posted(row)
            session.add(MessageRow(key=key, channel=channel, ts="", digest=""))
            return None

        return await self._database.run(write)

    async def finish(self, posted: Posted) -> None:
        """Record the message's ts and digest."""
        row = MessageRow(key=posted.key, channel=posted.channel, ts=posted.ts, digest=posted.digest)
        await self._database.run(lambda session: session.merge(row))

    async def by_key(self, key: str) -> Posted | None:
        """Return what was posted under this key; without a ts it is being posted now."""

        def read(session: Session) -> Posted | None:
            row = session.get(MessageRow, key)
            return _posted(row) if row else None

        return await self._database.run(read)


def _posted(row: MessageRow) -> Posted:
    return Posted(key=row.key, channel=row.channel, ts=row.ts, digest=row.digest)
