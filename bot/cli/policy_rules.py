"""Where `sre-bot policy` finds rules: the bot's own, a folder, or a revision in git."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.domain.environment import Tier
from bot.settings import load, load_environments

if TYPE_CHECKING:
    from policies.engine import CedarEngine
    from policies.rulebook import RuleBook

WITHIN_S = 30.0
RULES = click.option(
    "--rules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of rules instead of the bot's own.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def engine_and_tier(rules: Path | None, environment: str) -> "tuple[CedarEngine, Tier]":
    """Return an engine that knows what is configured here, and the environment's tier.

    Without SRE_BOT_ENVIRONMENTS any name is an environment, of production.
    """
    from policies.engine import CedarEngine
    from policies.rulebook import RULES as OWN
    from tools.catalog import actions

    configured = {e.name: e.tier for e in load_environments(load().environments)}
    engine = CedarEngine(
        rules or OWN, environments=configured or None, actions=frozenset(actions())
    )
    return engine, configured.get(environment, Tier.PRODUCTION)


@contextlib.contextmanager
def rules_at(where: str) -> "Iterator[RuleBook]":
    """Yield the rules of a folder or of a git revision. Raises: UsageError; Malformed."""
    from policies.rulebook import load as load_rules

    if where and Path(where).is_dir():
        yield load_rules(Path(where))
        return
    with tempfile.TemporaryDirectory(prefix="sre-bot-policy-") as folder:
        _fetch(where, Path(folder))
        yield load_rules(Path(folder))


def _fetch(revision: str, folder: Path) -> None:
    """Write the rules of a revision into a folder."""
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit.strip():
        raise click.UsageError(f"`{revision}` is no folder and no git revision here.")
    commit = commit.strip()
    for name in _git("ls-tree", "--name-only", commit).splitlines():
        if name.endswith((".cedar", ".cedarschema")):
            (folder / name).write_text(_git("show", f"{commit}:./{name}"), encoding="utf-8")
    if not any(folder.iterdir()):
        raise click.UsageError(f"There are no rules at `{revision}`.")


def _git(*arguments: str) -> str:
    """Return what git says about the folder of rules; nothing if it fails."""
    from policies.rulebook import RULES as OWN

    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the revision is checked first
            ["git", "-C", str(OWN), *arguments],  # noqa: S607 - whichever git is installed
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise click.UsageError(f"git cannot be asked: {type(error).__name__}") from error
    return done.stdout if done.returncode == 0 else ""
