"""The audit: nothing in it can be changed, and what was is found, by the chain or from outside."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.app.witness import FileWitness, WebhookWitness
from bot.domain.ports import AuditEntry
from bot.storage.audit import AuditLog, Head, Line, broken, exported, heads_of
from bot.storage.database import Database
from tests.fakes.loopback import Asked, Reply, loopback

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def entry(number: int = 0, **changes: str) -> AuditEntry:
    made = AuditEntry(
        at=NOW + timedelta(seconds=number), actor="U1", event="ruled", environment="prod",
        subject=f"p{number}", text="allowed",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


async def written(audit: AuditLog, count: int = 6) -> list[Line]:
    for number in range(count):
        await audit.write(entry(number))
    return await audit.lines()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'x'",
        "UPDATE audit SET actor = 'x' WHERE id = 2",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",
        "TRUNCATE audit",
        "TRUNCATE audit CASCADE",
        "INSERT OR REPLACE INTO audit SELECT id, at, 'x', event, environment, subject, text,"
        " details, previous_hash, hash FROM audit WHERE id = 1",
        "REPLACE INTO audit SELECT 99, at, 'x', event, environment, subject, text,"
        " details, previous_hash, hash FROM audit WHERE id = 1",
        "INSERT INTO audit SELECT * FROM audit WHERE id = 1 ON CONFLICT (id) DO UPDATE SET"
        " actor = 'x'",
    ],
)
async def test_the_database_itself_refuses_every_change(database: Database, statement: str) -> None:
    before = await written(AuditLog(database))
    with pytest.raises(DBAPIError), database.engine.begin() as connection:
        connection.execute(text(statement))
    assert await AuditLog(database).lines() == before


async def test_an_untouched_chain_holds(database: Database) -> None:
    audit = AuditLog(database)
    lines = await written(audit)
    heads = [Head(id=line.id, hash=line.hash) for line in lines]
    assert await audit.check(heads) is None
    assert broken([]) is None


def changed(lines: Sequence[Line]) -> list[Line]:
    forged = replace(lines[2], entry=replace(lines[2].entry, actor="somebody else"))
    return [*lines[:2], forged, *lines[3:]]


def removed(lines: Sequence[Line]) -> list[Line]:
    return [*lines[:2], *lines[3:]]


def moved(lines: Sequence[Line]) -> list[Line]:
    return [*lines[:2], replace(lines[3], id=lines[2].id), replace(lines[2], id=lines[3].id),
            *lines[4:]]  # fmt: skip


def put_in(lines: Sequence[Line]) -> list[Line]:
    return [*lines[:2], replace(lines[1], id=lines[2].id), *lines[2:]]


@pytest.mark.parametrize("tamper", [changed, removed, moved, put_in])
async def test_the_chain_alone_shows_a_line_that_was(database: Database, tamper: object) -> None:
    lines = await written(AuditLog(database))
    found = broken(tamper(lines))  # type: ignore[operator]
    assert found is not None
    assert found.line in (3, 4)


async def test_a_tail_that_was_cut_off_shows_from_outside_only(database: Database) -> None:
    lines = await written(AuditLog(database))
    head = Head(id=lines[-1].id, hash=lines[-1].hash)
    assert broken(lines[:4]) is None
    found = broken(lines[:4], [head])
    assert found is not None
    assert found.line == lines[-1].id
    assert "ends at line 4" in found.why
    assert broken([], [head]) is not None


async def test_a_chain_written_anew_shows_from_outside(tmp_path: Path) -> None:
    from bot.storage.migrate import prepared

    seen: list[Head] = []
    true, false = prepared(f"sqlite:///{tmp_path}/a.sqlite"), prepared(f"sqlite:///{tmp_path}/b")
    await written(AuditLog(true, witnesses=[seen.append]))
    forged = AuditLog(false)
    for number in range(6):
        await forged.write(entry(number, actor="U1" if number < 3 else "nobody"))
    assert await forged.check() is None
    found = await forged.check(seen)
    assert found is not None
    assert (found.line, "seen outside" in found.why) == (4, True)
    true.close()
    false.close()


async def test_no_secret_gets_in_whoever_wrote_it(database: Database) -> None:
    audit = AuditLog(database)
    hidden = "ghp_" + "a1" * 20
    await audit.write(
        entry(
            text=f"because {hidden}\x00",
            details=json.dumps({"env": {"DB_PASSWORD": "hunter2"}, "list": [f"token={hidden}"]}),
        )
    )
    await audit.write(entry(details=f"not json: password=hunter2 {hidden}"))
    stored = "".join(map(exported, await audit.lines()))
    assert hidden not in stored
    assert "hunter2" not in stored
    assert all(json.loads(line.entry.details) for line in await audit.lines())
    assert await audit.check() is None


async def test_an_export_can_be_checked_by_others(database: Database) -> None:
    audit = AuditLog(database)
    lines = await written(audit, 3)
    rows = [json.loads(exported(line)) for line in lines]
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert {"actor", "event", "text", "details", "id", "hash"} <= set(rows[0])


async def test_the_head_goes_to_the_log_and_to_a_file(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outside" / "heads.jsonl"
    with caplog.at_level(logging.INFO, logger="bot.storage.audit"):
        lines = await written(AuditLog(database, witnesses=[FileWitness(path)]), 3)
    heads = [Head(id=line.id, hash=line.hash) for line in lines]
    assert list(heads_of(path.read_text(encoding="utf-8"))) == heads
    assert [r.getMessage() for r in caplog.records] == [
        f"audit head {h.id} {h.hash}" for h in heads
    ]


async def test_a_witness_that_is_away_stops_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    away = [FileWitness(tmp_path / "file" / "below"), WebhookWitness("http://127.0.0.1:1/head")]
    assert len(await written(AuditLog(database, witnesses=away), 3)) == 3


async def test_the_head_is_posted_to_a_webhook(database: Database) -> None:
    got: list[Asked] = []

    def take(asked: Asked) -> Reply:
        got.append(asked)
        return Reply()

    with loopback(take) as server:
        lines = await written(AuditLog(database, witnesses=[WebhookWitness(server.url)]), 2)
    assert [json.loads(asked.body)["hash"] for asked in got] == [line.hash for line in lines]


@pytest.mark.parametrize("content", ["x", '{"id": 1}', "[]", '{"id": "a", "hash": "b"}'])
def test_a_file_that_somebody_edited_is_no_witness(content: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        list(heads_of(content))
