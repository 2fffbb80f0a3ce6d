"""The migrations lead to exactly the tables of the code, and back to nothing."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from bot.storage.database import Database
from bot.storage.migrate import downgrade, upgrade, versions
from bot.storage.schema import METADATA


def test_the_migrated_schema_is_the_schema_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before = versions(database.engine)
    upgrade(database.engine)
    assert versions(database.engine) == before
    assert before[0] == before[1] != ""


def test_downgrading_leaves_nothing_behind(database: Database) -> None:
    downgrade(database.engine, "base")
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_audit_cannot_be_changed(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit (at, actor, event, environment, subject, text, details,"
                " previous_hash, hash) VALUES ('2026-01-01', 'a', 'e', '', '', '', '{}', 'p', 'h')"
            )
        )
    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text(statement))
