"""How signals get into the inbox's table: each key once, in order, in as few statements as can be.

It is the one write that senders wait for, hundreds of times a second in a storm.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from bot.domain.codec import encode
from bot.domain.signal import Signal
from bot.domain.signal_limits import fitted
from bot.storage.signal_tables import InboxRow

Row = Mapping[str, Any]
MOST = 500  # rows of one statement
# One statement, the same for any number of rows. A replica that is stopped in the middle of its
# transaction must not hold up the others: here nobody waits longer than two seconds for it.
_POSTGRESQL = text("""
    WITH patience AS MATERIALIZED (
        SELECT set_config('lock_timeout', '2000', true),
               set_config('idle_in_transaction_session_timeout', '5000', true)
    )
    INSERT INTO inbox (key, origin, subject, received_at, attempts, body)
    SELECT new.key, new.origin, new.subject, new.received_at, 0, new.body
    FROM patience, json_to_recordset(CAST(:rows AS json)) AS new(
        place integer, key text, origin text, subject text, received_at timestamptz, body json
    )
    WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.key = new.key)
    ORDER BY new.place
    ON CONFLICT (key) DO NOTHING
    RETURNING key
""")
_SQLITE = sqlite.insert(InboxRow).on_conflict_do_nothing(index_elements=["key"])


def row_of(signal: Signal, at: datetime) -> Row:
    """Return what is kept of a signal that came in at `at`."""
    kept = fitted(signal, at)
    return {
        "key": kept.key, "origin": kept.origin.value, "subject": kept.subject,
        "received_at": at, "body": encode(kept),
    }  # fmt: skip


def insert_each(session: Session, rows: Sequence[Row]) -> list[int]:
    """Insert in order and return the places in `rows` of those that were new.

    What is known is not even tried: each try would use up a number.
    """
    first: dict[str, int] = {}
    for place, row in enumerate(rows):
        first.setdefault(row["key"], place)
    keys = list(first)
    inserted = _inserted if session.get_bind().dialect.name == "postgresql" else _tried
    new: list[int] = []
    for start in range(0, len(keys), MOST):
        some = [rows[first[key]] for key in keys[start : start + MOST]]
        new += sorted(first[key] for key in inserted(session, some))
    return new


def _inserted(session: Session, rows: Sequence[Row]) -> Iterable[str]:
    said = [
        {**row, "place": place, "received_at": row["received_at"].isoformat()}
        for place, row in enumerate(rows)
    ]
    return session.connection().scalars(_POSTGRESQL, {"rows": json.dumps(said)})


def _tried(session: Session, rows: Sequence[Row]) -> Iterable[str]:
    query = select(InboxRow.key).where(InboxRow.key.in_([row["key"] for row in rows]))
    known = set(session.scalars(query))
    fresh = [{**row, "attempts": 0} for row in rows if row["key"] not in known]
    if fresh:
        session.connection().execute(_SQLITE, fresh)
    return [row["key"] for row in fresh]
