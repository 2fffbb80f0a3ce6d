"""Every command explains itself, and a wrong use of it is one line and exit code 2."""

import click
import pytest

from bot.cli import COMMANDS, cli
from tests.unit.cli.conftest import Run


def _paths(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += _paths(command, (*path, name))
    return found


EVERY = _paths(cli)


def test_help_names_every_command(sre_bot: Run) -> None:
    said = sre_bot("--help")
    assert said.code == 0
    assert [name for name in COMMANDS if f"  {name} " not in said.out] == []


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_help(sre_bot: Run, path: tuple[str, ...]) -> None:
    said = sre_bot(*path, "--help")
    assert said.code == 0
    assert said.out.startswith("Usage:")
    summary = said.out.split("\n\n")[1].strip()
    assert len(summary) > 10, f"{' '.join(path)} does not say what it does"


def test_version_is_printed(sre_bot: Run) -> None:
    said = sre_bot("--version")
    assert (said.code, said.out.startswith("sre-bot")) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("--fly",),
        ("ask",),
        ("ask", "why", "is", "it", "slow"),
        ("ask", "q", "--case", "/nowhere/at/all"),
        ("ask", "q", "--sandbox", "no-such-incident"),
        ("ask", "q", "--sandbox", "bad-flag", "--seed", "-1"),
        ("demo", "--incident", "no-such-incident"),
        ("demo", "--rate", "0"),
        ("bench", "ask", "--runs", "0"),
        ("bench", "ask", "--incident", "no-such-incident"),
        ("sandbox", "list", "--seeds", "many"),
        ("sandbox", "serve", "--port", "70000"),
        ("sandbox", "serve", "--incident", "no-such-incident"),
        ("sandbox", "serve", "--origin", "yesterday"),
        ("eval", "cloud-opsbench", "/nowhere/at/all"),
        ("roles", "grant", "T1", "U1", "king"),
        ("roles", "grant", "T1", "U1"),
        ("roles", "revoke"),
        ("levels", "set", "prod", "restart_pod", "L5", "--reason", "r"),
        ("levels", "set", "prod", "restart_pod", "L4"),
        ("levels", "set", "prod", "no_such_action", "L2", "--reason", "r"),
        ("audit", "erase"),
        ("stop", "one", "two"),
    ],
    ids=" ".join,
)
def test_a_wrong_use_is_said_so_with_exit_code_2(sre_bot: Run, arguments: tuple[str, ...]) -> None:
    said = sre_bot(*arguments)
    assert said.code == 2, said
    assert said.err.strip()
    assert "Unforeseen" not in said.err


def test_an_unknown_incident_is_answered_with_those_that_exist(sre_bot: Run) -> None:
    said = sre_bot("ask", "q", "--sandbox", "no-such-incident")
    assert "no-such-incident" in said.err
    assert "bad-flag" in said.err


def test_a_level_for_an_action_that_does_not_exist_names_those_that_do(sre_bot: Run) -> None:
    said = sre_bot("levels", "set", "prod", "restart_pot", "L2", "--reason", "r")
    assert "restart_pod" in said.err


def test_wrong_settings_are_named_without_their_values(
    sre_bot: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRE_BOT_CLOCK_RATE", "quick-secret")
    monkeypatch.setenv("SRE_BOT_HTTP_PORT", "eighty-secret")
    said = sre_bot("doctor")
    assert said.code == 2
    assert "SRE_BOT_CLOCK_RATE" in said.err
    assert "SRE_BOT_HTTP_PORT" in said.err
    assert "secret" not in said.err


def test_a_run_without_tokens_names_all_that_is_missing(sre_bot: Run) -> None:
    said = sre_bot("run")
    assert said.code == 2
    for name in ("SRE_BOT_SLACK_BOT_TOKEN", "SRE_BOT_SLACK_APP_TOKEN", "SRE_BOT_ENVIRONMENTS"):
        assert name in said.err
    assert "sre-bot doctor" in said.err


def test_a_run_over_http_without_a_signing_secret_does_not_start(
    sre_bot: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRE_BOT_SLACK_MODE", "http")
    said = sre_bot("run")
    assert said.code == 2
    assert "SRE_BOT_SLACK_SIGNING_SECRET" in said.err
    assert "SRE_BOT_SLACK_APP_TOKEN" not in said.err
