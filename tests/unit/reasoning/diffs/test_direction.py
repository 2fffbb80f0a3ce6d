"""A fix is not read as its own bug: each labelled diff turned around is another matter."""

import pytest

from bot.reasoning.diffs.read import read
from tests.unit.reasoning.diffs.labelled import CASES
from tests.unit.reasoning.diffs.labelled_more import MORE

SYMMETRIC = {
    "wrong_address",
    "wrong_port",
    "wrong_channel",
    "message_schema",
    "tls_incompatible",
    "tls_mismatch",
    "rounding",
    "token_validation",
    "credentials_changed",
    "flipped_comparison",
    "unit_mistake",
    "inverted_condition",
    "off_by_one",
    "renamed_column",
    "cache_eviction_policy",
    "date_format",
    "probe_wrong_target",
    "message_loss",
    "auth_header_changed",
    "missing_configuration",
    "unindexed_sort",
    "permission_removed",
    "dependency_upgrade",
    "messages_not_acknowledged",
    "index_not_used",
    "tls_verification",
    "certificate_trust",
    "missing_table",
}
ONE_WAY = [
    pytest.param(expected, diff, id=name)
    for name, expected, diff in (*CASES, *MORE)
    if expected and not set(expected.split()) & SYMMETRIC and "/dev/null" not in diff
]


def turned(diff: str) -> str:
    """Return the diff that undoes `diff`."""
    swapped = {"+": "-", "-": "+"}
    return "\n".join(
        line if line.startswith(("---", "+++")) else swapped.get(line[:1], line[:1]) + line[1:]
        for line in diff.split("\n")
    )


@pytest.mark.parametrize(("expected", "diff"), ONE_WAY)
def test_the_fix_of_a_bug_is_not_the_bug(expected: str, diff: str) -> None:
    found = {r.mechanism for r in read(turned(diff)) if r.weight >= 1.6}
    assert not found & set(expected.split())
