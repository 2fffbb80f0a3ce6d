"""What runs of a commit, what it puts in and takes out, and where it went live."""

import pytest

from bot.domain.snapshot import Change, ChangeKind, Snapshot
from bot.domain.time import Window
from bot.reasoning.changes.suspects import brings, harmless, names_of, running, suspects_of
from bot.reasoning.changes.words import words_of
from tests.unit.reasoning.scenes import SOURCE, minute

SHA = "abcdef0123456789" * 2


def change(
    kind: ChangeKind, *, sha: str = SHA, diff: str = "", commits: tuple[str, ...] = ()
) -> Change:
    return Change(
        id=sha if kind is ChangeKind.COMMIT else f"deploy-{commits}", kind=kind, service="a",
        object="deployment/a", at=minute(5), summary="", before=None,
        after=sha if kind is ChangeKind.COMMIT else "v1", diff=diff or None, link=None,
        source=SOURCE, commits=commits,
    )  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["docs/a.md", "a/b_test.go", "tests/test_x.py", "web/x.css", ".github/x.yml", "CODEOWNERS"],
)
def test_what_never_runs_is_harmless(path: str) -> None:
    assert harmless(path)


@pytest.mark.parametrize("path", ["services/a/main.go", "requirements.txt", "charts/a/values.yaml"])
def test_what_runs_is_not(path: str) -> None:
    assert not harmless(path)


def test_sections_of_harmless_files_are_left_out() -> None:
    diff = "@@ web/a.css @@\n+.x { }\n@@ web/a.go @@\n+x := 1"
    assert running(diff, ("web/a.css", "web/a.go")) == "@@ web/a.go @@\n+x := 1"
    assert running(diff, ("web/a.go",)) == diff


def test_a_deploy_brings_a_commit_by_a_hash_of_seven_digits_at_least() -> None:
    commit = change(ChangeKind.COMMIT)
    assert brings(change(ChangeKind.DEPLOY, commits=(SHA[:7],)), commit)
    assert not brings(change(ChangeKind.DEPLOY, commits=(SHA[:6],)), commit)
    assert not brings(change(ChangeKind.DEPLOY), commit)


def test_only_names_of_one_side_are_put_in_or_taken_out() -> None:
    diff = (
        "-  addr: redis-main.data\n-  user: app_user\n+  addr: redis-mian.data\n+  user: app_user"
    )
    window = Window(start=minute(0), end=minute(9))
    snapshot = Snapshot(
        environment="e", window=window, now=minute(9),
        changes=(change(ChangeKind.COMMIT, diff=diff),) * 2,
    )  # fmt: skip
    (suspect,) = suspects_of(snapshot)
    assert (suspect.added, suspect.removed) == ({"redis-mian.data"}, {"redis-main.data"})


def test_names_are_told_from_plain_words() -> None:
    assert names_of('call the "catalog lookup" of idx_items_sku') >= {
        "catalog lookup",
        "idx_items_sku",
    }
    assert names_of("return the value") == frozenset()


def test_words_are_split_at_case_and_common_ones_are_left_out() -> None:
    assert words_of("returnThreeDsResult error") == {"returnthreedsresult", "three"}
