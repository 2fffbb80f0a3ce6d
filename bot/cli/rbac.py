"""`sre-bot rbac`: the roles that the bot needs in a cluster, to read and for each action apart."""

from pathlib import Path
from typing import Any

import click
import yaml


@click.command()
@click.argument("what", nargs=-1)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one file each below this folder instead of printing.",
)
def rbac(what: tuple[str, ...], to: Path | None) -> None:
    """Print the roles for WHAT: `read`, or names of actions (default: all).

    Bind each role to the bot's service account where it may act: in a namespace by a RoleBinding,
    `…-cluster` by a ClusterRoleBinding. An action whose role is not bound is refused by the API.
    """
    from tools.clients.access import manifests

    files = manifests()
    names = {Path(name).stem: name for name in files}
    unknown = sorted(set(what) - set(names))
    if unknown:
        known = ", ".join(names)
        raise click.UsageError(f"There are no roles for {', '.join(unknown)}; there are: {known}")
    for stem, name in names.items():
        if not what or stem in what:
            _put(to / name if to else None, files[name])


def _put(path: Path | None, documents: list[dict[str, Any]]) -> None:
    text = yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True)
    if path is None:
        click.echo(text, nl=False)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# Written by `sre-bot rbac --to {ROOT}`.\n{text}", encoding="utf-8")
    click.echo(str(path))


ROOT = "deploy/rbac"
