"""Who holds what until when: targets of actions, and the right to triage."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.storage.tables import LockRow


def taken(session: Session, target: str, *, holder: str, until: datetime, now: datetime) -> bool:
    """Take it until then; True if it is free, expired or already this holder's."""
    row = session.get(LockRow, target, with_for_update=True)
    if row is None:
        session.add(LockRow(target=target, holder=holder, until=until))
        return True
    if row.holder != holder and row.until > now:
        return False
    row.holder, row.until = holder, until
    return True
