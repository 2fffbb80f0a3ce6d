"""Roles, levels, the kill switch and the audit: what is done is kept and recorded."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run


def audited(sre_bot: Run, *options: str) -> list[dict[str, Any]]:
    said = sre_bot("audit", "export", *options)
    assert said.code == 0
    return [json.loads(line) for line in said.out.splitlines()]


def test_a_fresh_database_is_prepared_by_any_command(sre_bot: Run) -> None:
    for command in (("roles", "list"), ("levels", "list"), ("audit", "export")):
        said = sre_bot(*command)
        assert (said.code, said.out) == (0, ""), command
    assert sre_bot("audit", "verify").out == "The chain holds.\n"


def test_migrating_twice_does_nothing(sre_bot: Run) -> None:
    assert sre_bot("db", "migrate").out == sre_bot("db", "migrate").out


def test_a_role_is_granted_shown_and_taken(sre_bot: Run) -> None:
    assert sre_bot("roles", "grant", "T1", "U1", "approver", "--env", "prod").code == 0
    assert sre_bot("roles", "grant", "T1", "U2", "administrator").code == 0
    rows = [line.split("\t") for line in sre_bot("roles", "list").out.splitlines()]
    assert [row[:4] for row in rows] == [
        ["T1", "U1", "approver", "prod"],
        ["T1", "U2", "administrator", "everywhere"],
    ]
    assert sre_bot("roles", "revoke", "T1", "U1", "approver", "--env", "prod").code == 0
    assert "U1" not in sre_bot("roles", "list").out
    entries = audited(sre_bot)
    assert [(e["event"], e["subject"], e["environment"]) for e in entries] == [
        ("role_granted", "T1/U1", "prod"),
        ("role_granted", "T1/U2", ""),
        ("role_revoked", "T1/U1", "prod"),
    ]
    assert all(e["actor"].startswith("cli:") for e in entries)


def test_a_level_is_set_lowered_and_shown(sre_bot: Run) -> None:
    sre_bot("levels", "set", "prod", "restart_pod", "L3", "--reason", "nine of nine")
    sre_bot("levels", "set", "prod", "restart_pod", "l2", "--reason", "a bad week")
    sre_bot("levels", "set", "dev", "*", "L4", "--service", "web", "--reason", "play")
    shown = sre_bot("levels", "list").out
    assert "prod\trestart_pod\tall services\tL2" in shown
    assert "dev\t*\tweb\tL4" in shown
    assert "L3" not in shown
    entries = audited(sre_bot)
    assert [(e["event"], e["subject"]) for e in entries] == [
        ("level_changed", "restart_pod/*"),
        ("level_changed", "restart_pod/*"),
        ("level_changed", "*/web"),
    ]
    assert "nine of nine" in entries[0]["text"]


def test_a_level_may_expire_and_needs_a_reason(sre_bot: Run) -> None:
    said = sre_bot(
        "levels", "set", "prod", "restart_pod", "L2", "--reason", "a trial", "--days", "7"
    )
    assert said.code == 0
    assert "until 2" in sre_bot("levels").out
    assert sre_bot("levels", "set", "prod", "restart_pod", "L2", "--reason", " ").code == 2
    assert json.loads(audited(sre_bot)[0]["details"]) == {"after": 2, "before": 1}


def test_stop_and_start_are_recorded_with_their_reason(sre_bot: Run) -> None:
    assert "Stopped" in sre_bot("stop", "the deploy is broken").out
    assert "kill switch: on" in sre_bot("doctor").out
    assert "Started" in sre_bot("start", "it is over").out
    assert "kill switch: off" in sre_bot("doctor").out
    assert [(e["event"], e["text"]) for e in audited(sre_bot, "--subject", "kill_switch")] == [
        ("stopped", "the deploy is broken"),
        ("started", "it is over"),
    ]


def test_a_changed_line_of_the_audit_is_found(sre_bot: Run, home: Path) -> None:
    for user in ("U1", "U2", "U3"):
        sre_bot("roles", "grant", "T1", user, "observer")
    assert sre_bot("audit", "verify").code == 0
    with sqlite3.connect(home / "sre-bot.sqlite") as database:
        names = [
            r[0] for r in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
        ]
        for name in names:  # whoever can write the file can drop what protects it
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET text = 'nothing happened' WHERE id = 2")
    database.close()
    said = sre_bot("audit", "verify")
    assert said.code == 1
    assert "line 2" in said.err


def test_an_unreachable_database_is_a_failure_that_says_so(
    sre_bot: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://sre:hunter2@127.0.0.1:1/none")
    said = sre_bot("roles", "list")
    assert said.code == 1
    assert "database" in said.err
    assert "hunter2" not in said.err


def test_a_database_url_that_is_none_is_a_wrong_setting(
    sre_bot: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "not a url")
    said = sre_bot("roles", "list")
    assert said.code == 2
    assert "DATABASE_URL" in said.err


def test_lines_cut_off_the_end_show_against_the_heads_kept_outside(
    sre_bot: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = tmp_path / "heads.jsonl"
    monkeypatch.setenv("SRE_BOT_AUDIT_HEAD_FILE", str(heads))
    for user in ("U1", "U2", "U3"):
        sre_bot("roles", "grant", "T1", user, "observer")
    assert "agrees with 3 heads" in sre_bot("audit", "verify").out
    with sqlite3.connect(home / "sre-bot.sqlite") as database:
        database.execute("DROP TRIGGER audit_no_delete")
        database.execute("DELETE FROM audit WHERE id = 3")
    database.close()
    said = sre_bot("audit", "verify")
    assert (said.code, "ends at line 2" in said.err) == (1, True)
    last = json.loads(heads.read_text().splitlines()[-1])
    monkeypatch.delenv("SRE_BOT_AUDIT_HEAD_FILE")
    assert sre_bot("audit", "verify").code == 0
    assert sre_bot("audit", "verify", "--head", f"{last['id']}:{last['hash']}").code == 1
    assert sre_bot("audit", "verify", "--head", "nonsense").code == 2


def test_a_freeze_is_set_shown_and_lifted(sre_bot: Run) -> None:
    assert sre_bot("freezes").out == ""
    made = sre_bot("freezes", "set", "all", "--hours", "4", "--reason", "we move house")
    assert made.code == 0
    assert "everywhere" in made.out
    name = made.out.split(" ")[0]
    assert sre_bot("freezes", "list").out == made.out
    assert sre_bot("freezes", "lift", "f000000", "--reason", "x").code == 2
    assert sre_bot("freezes", "lift", name, "--reason", "done").code == 0
    assert sre_bot("freezes").out == ""
    assert [e["event"] for e in audited(sre_bot)] == ["frozen", "freeze_lifted"]


@pytest.mark.parametrize(
    "options",
    [("prod", "--hours", "0", "--reason", "x"), ("prod", "--hours", "9999", "--reason", "x"),
     ("prod", "--hours", "4"), ("prod", "--hours", "4", "--reason", " "),
     ("prod", "--hours", "4", "--from", "noon", "--reason", "x")],
)  # fmt: skip
def test_a_freeze_without_end_or_reason_is_refused(sre_bot: Run, options: tuple[str, ...]) -> None:
    assert sre_bot("freezes", "set", *options).code == 2
    assert sre_bot("freezes").out == ""
