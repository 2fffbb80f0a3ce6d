"""`sre-bot policy`: prove the rules, and check a change before it is accepted."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from bot.cli.policy_explain import policy_explain
from bot.cli.policy_rules import AS_JSON, RULES, rules_at
from bot.domain.codec import encode


@click.group()
def policy() -> None:
    """What the bot may do: proved, explained, and compared before a change."""


policy.add_command(policy_explain)


@policy.command("prove")
@RULES
@AS_JSON
def policy_prove(rules: Path | None, *, as_json: bool) -> None:
    """Prove every invariant for all requests. Exit code 1 with counter-examples if one breaks."""
    from policies.proof import prove
    from policies.rulebook import RULES as OWN
    from policies.rulebook import load

    proof = prove(load(rules or OWN))
    if as_json:
        click.echo(json.dumps({"proved": not proof.broken, **encode(proof)}, indent=2))
    else:
        for checked in proof.checked:
            mark = "🟢 proved" if checked.proved and not checked.vacuous else "⛔ BROKEN"
            click.echo(f"{mark}  {checked.name:36} {checked.says}")
            if checked.words:
                click.echo(f"           {checked.words}")
        good = len(proof.checked) - len(proof.broken)
        click.echo(f"{good} of {len(proof.checked)} invariants proved in {proof.seconds:.2f} s.")
    if proof.broken:
        sys.exit(1)


@policy.command("check")
@RULES
@click.option("--against", metavar="GITREV|DIR", help="Show what differs from these rules.")
@AS_JSON
def policy_check(rules: Path | None, against: str | None, *, as_json: bool) -> None:
    """Lint and prove the rules; with --against, list what they newly allow or forbid.

    Exit code 1 if they do not load or an invariant is broken.
    """
    from policies.linting import lint
    from policies.proof import prove
    from policies.rulebook import RULES as OWN
    from policies.rulebook import load

    book = load(rules or OWN)
    remarks, proof = lint(book), prove(book)
    found: dict[str, Any] = {
        "rules": len(book.rules),
        "remarks": encode(remarks),
        "proved": not proof.broken,
        "broken": encode(proof.broken),
    }
    if against is not None:
        found |= _differences(against, book)
    click.echo(json.dumps(found, indent=2) if as_json else _checked(found))
    if proof.broken:
        sys.exit(1)


def _differences(against: str, book: Any) -> dict[str, Any]:
    from policies.comparing import changed_rules, compare

    with rules_at(against) as old:
        return {"changed": changed_rules(old, book), "differences": encode(compare(old, book))}


def _checked(found: dict[str, Any]) -> str:
    lines = [f"{found['rules']} rules load, and keep to the subset that is proved."]
    lines += [f"🟡 {r['place']} {r['rule']}: {r['words']}" for r in found["remarks"]]
    lines += [f"⛔ {b['says']} (invariant {b['name']}): {b['words']}" for b in found["broken"]]
    if found["proved"]:
        lines.append("🟢 All invariants are proved.")
    if "changed" in found:
        named = [f"{how}: {', '.join(ids)}" for how, ids in found["changed"].items() if ids]
        lines.append(f"Rules {'; '.join(named)}" if named else "No rule says anything else.")
        lines += _table(found["differences"]) or ["No request is ruled otherwise."]
    return "\n".join(lines)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    head = ("", "stage", "tier", "level", "before", "after", "for example")
    cells = [head]
    for row in rows:
        levels = ", ".join(f"L{n}" for n in row["levels"]) or "any"
        what = "newly allowed" if row["allows"] else "newly forbidden"
        ruled = (row["before"], row["after"])
        cells.append((what, row["stage"], row["tier"], levels, *ruled, row["when"]))
    widths = [max(len(row[i]) for row in cells) for i in range(len(head) - 1)]
    return [
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in cells
    ]
