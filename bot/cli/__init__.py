"""The command line: `sre-bot COMMAND`; one module per family of commands, loaded when used."""

import importlib
import importlib.metadata
import os
import sys

import click

from bot.domain.errors import NotConfigured, SreBotError
from bot.domain.redaction import redact

USAGE, FAILURE = 2, 1
COMMANDS = {
    "ask": "bot.cli.ask",
    "bench": "bot.cli.bench",
    "db": "bot.cli.database",
    "demo": "bot.cli.demo",
    "digest": "bot.cli.digest",
    "doctor": "bot.cli.doctor",
    "eval": "bot.cli.evaluate",
    "freezes": "bot.cli.freezes",
    "honesty": "bot.cli.evaluate",
    "intake": "bot.cli.intake",
    "levels": "bot.cli.trust",
    "policy": "bot.cli.policy",
    "rbac": "bot.cli.rbac",
    "record": "bot.cli.record",
    "replay": "bot.cli.replay",
    "roles": "bot.cli.trust",
    "run": "bot.cli.run",
    "sandbox": "bot.cli.sandbox",
    "start": "bot.cli.switch",
    "stop": "bot.cli.switch",
    "audit": "bot.cli.audit",
}
NAMES = {"eval": "evaluate"}  # commands whose name is taken in Python


def _version() -> str:
    try:
        return importlib.metadata.version("sre-bot")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


class Commands(click.Group):
    """Finds a command's module by name, so that `sre-bot --help` loads no client."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return every command's name."""
        return sorted(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Load one command."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[name])
        command: click.Command = getattr(module, NAMES.get(name, name))
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="sre-bot")
def cli() -> None:
    """A teammate in Slack for the people who keep production alive."""


def main() -> None:
    """Run the command line; an error is one line that says what to do, never a traceback."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except NotConfigured as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)
    except SreBotError as error:
        click.echo(str(error), err=True)
        sys.exit(FAILURE)
    except Exception as error:  # the last door: no traceback to a user
        if os.environ.get("SRE_BOT_LOG_LEVEL", "").lower() == "debug":  # noqa: TID251 - last door
            raise
        click.echo(f"Unforeseen: {redact(repr(error))}", err=True)
        click.echo("SRE_BOT_LOG_LEVEL=debug shows where.", err=True)
        sys.exit(FAILURE)
