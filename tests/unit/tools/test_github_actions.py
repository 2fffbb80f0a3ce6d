"""Actions on GitHub: shown before, proposed once, never over others' changes, taken back."""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.environment import Environment, Tier
from bot.domain.errors import (
    Conflict,
    Malformed,
    NotConfigured,
    Refused,
    Unavailable,
    UnknownName,
)
from tests.fakes.github_writing import TOKEN, GitRepo
from tests.fakes.loopback import loopback
from tools.catalog import actions
from tools.clients.targets import NAME_LABEL
from tools.contract import Action

PAGE = "\n".join(f"line {n}" for n in range(1, 21)) + "\n"
MANIFEST = """# the shop's checkout
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout  # as people call it
spec:
  replicas: 4
  template:
    spec:
      containers:
      - name: app
        image: "registry/checkout:v2.41"
---
apiVersion: v1
kind: ConfigMap
metadata: {name: checkout-config}
data:
  POOL: "5"
  app.mode: fast
  long: |
    two
    lines
"""
VALUES = "replicaCount: 4\nimage:\n  repository: registry/checkout\n  tag: v2.41\n"


class Bench:
    """One repository on loopback, with a bad commit, a manifest, and a failed deployment."""

    def __init__(self, url: str, repo: GitRepo, token: Path) -> None:
        self.repo = repo
        self.settings: dict[str, Any] = {
            "url": url,
            "token_file": str(token),
            "repositories": {"checkout": "shop/checkout"},
            "manifests": {"checkout": {"repository": "shop/checkout", "path": "deploy"}},
        }
        self.first = repo.commit(
            "first", {"app.py": PAGE, "old.py": "old\n", "deploy/checkout.yaml": MANIFEST,
                      "deploy/values/values.yaml": VALUES, "deploy/README.md": "x"},
        )  # fmt: skip
        changes: dict[str, str | bytes | None] = {
            "app.py": PAGE.replace("line 5\n", "line five\n"),
            "old.py": None,
            "new.bin": b"\x00\x01",
        }
        self.bad = repo.commit("Make @everyone `faster`\n\nmore", changes)
        repo.runs[77] = {
            "id": 77,
            "run_attempt": 1,
            "status": "completed",
            "conclusion": "failure",
            "name": "Deploy to prod",
            "path": ".github/workflows/deploy.yml",
            "head_sha": self.bad,
        }

    def calls(self) -> dict[str, dict[str, Any]]:
        return {
            "revert_commit": {"service": "checkout", "commit": self.bad, "withdraw": False},
            "edit_manifest": {
                "service": "checkout",
                "kind": "Deployment",
                "name": "checkout",
                "values": {"spec.replicas": 8},
                "withdraw": False,
            },
            "rerun_deployment": {
                "service": "checkout",
                "run": 77,
                "attempt": 1,
                "failed_only": False,
            },
        }

    def call(self, action_name: str, **changed: Any) -> tuple[Action[Any], Any]:
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"github": self.settings},
        )
        bound = actions()[action_name].for_environment(environment)
        assert bound is not None
        return bound, bound.parse({**self.calls()[action_name], **changed})

    @property
    def state(self) -> Any:
        return copy.deepcopy((self.repo.refs, self.repo.pulls, self.repo.runs))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    repo = GitRepo()
    with loopback(repo) as server:
        yield Bench(server.url, repo, token)


ALL = ("revert_commit", "edit_manifest", "rerun_deployment")
PROPOSALS = ("revert_commit", "edit_manifest")


@pytest.mark.parametrize("name", ALL)
async def test_a_dry_run_changes_nothing_and_says_the_same_twice(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    before = bench.state
    first, second = await action.dry_run(args), await action.dry_run(args)
    assert first.ok, first.detail
    assert first.diff
    assert first.diff_hash == second.diff_hash
    assert first.blast_radius.pods == 0
    assert bench.state == before
    assert bench.repo.writes == []


@pytest.mark.parametrize("name", ALL)
async def test_one_key_acts_once(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    assert await action.find(args, "k1") is None
    assert (await action.apply(args, target, "k1")).changed
    written = list(bench.repo.writes)
    assert not (await action.apply(args, target, "k1")).changed
    assert bench.repo.writes == written
    found = await action.find(args, "k1")
    assert found is not None
    assert found.changed


@pytest.mark.parametrize("name", ALL)
async def test_what_changed_since_it_was_read_is_refused(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = replace(await action.target(args), spec_hash="another")
    with pytest.raises(Conflict, match="changed since"):
        await action.apply(args, target, "k1")
    assert bench.repo.writes == []


@pytest.mark.parametrize(
    ("name", "lacks", "words"),
    [
        ("revert_commit", "contents", "its token needs Contents: write on shop/checkout"),
        ("revert_commit", "pulls", "its token needs Pull requests: write on shop/checkout"),
        ("edit_manifest", "contents", "its token needs Contents: write on shop/checkout"),
        ("rerun_deployment", "actions", "its token needs Actions: write on shop/checkout"),
    ],
)
async def test_forbidden_names_the_missing_permission(
    bench: Bench, name: str, lacks: str, words: str
) -> None:
    action, args = bench.call(name)
    bench.repo.lacks = {lacks}
    with pytest.raises(Refused, match=words) as refused:
        await action.apply(args, await action.target(args), "k1")
    assert TOKEN not in str(refused.value)
    assert bench.repo.pulls == []


@pytest.mark.parametrize("name", PROPOSALS)
@pytest.mark.parametrize("lost", ["POST /git/trees", "POST /git/refs", "POST /pulls"])
async def test_an_answer_that_is_lost_leaves_a_known_state(
    bench: Bench, name: str, lost: str
) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    bench.repo.lost = [lost]
    with pytest.raises(Unavailable):
        await action.apply(args, target, "k1")
    assert (await action.find(args, "k1") is not None) == (lost == "POST /pulls")
    assert await action.begun(args, "k1") == (lost != "POST /git/trees")
    assert not await action.begun(args, "k2")
    await action.apply(args, target, "k1")
    assert len(bench.repo.pulls) == 1
    assert len(bench.repo.refs) == 2


async def test_a_rerun_whose_answer_is_lost_is_not_run_twice(bench: Bench) -> None:
    action, args = bench.call("rerun_deployment")
    target = await action.target(args)
    bench.repo.lost = ["POST /actions/runs/77/rerun"]
    with pytest.raises(Unavailable):
        await action.apply(args, target, "k1")
    assert await action.find(args, "k1") is not None
    assert not (await action.apply(args, target, "k1")).changed
    assert bench.repo.runs[77]["run_attempt"] == 2


@pytest.mark.parametrize("name", PROPOSALS)
async def test_a_request_that_stands_already_is_not_made_again_by_another_key(
    bench: Bench, name: str
) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    await action.apply(args, target, "k1")
    assert await action.find(args, "k2") is None
    again = await action.apply(args, target, "k2")
    assert not again.changed
    assert "pull request #1 (open)" in again.detail
    assert len(bench.repo.pulls) == 1


@pytest.mark.parametrize("name", PROPOSALS)
async def test_two_at_once_under_one_key_make_one_request(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    done = await asyncio.gather(*(action.apply(args, target, "k1") for _ in range(4)))
    assert sum(d.changed for d in done) == 1
    assert len(bench.repo.pulls) == 1
    assert len(bench.repo.refs) == 2


@pytest.mark.parametrize("name", PROPOSALS)
async def test_it_is_taken_back_by_closing_it(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    inverse = await action.inverse(args, target)
    assert inverse is not None
    assert inverse.action == name
    undo = action.parse(inverse.arguments)
    assert not (await action.dry_run(undo)).ok
    await action.apply(args, target, "k1")
    after = await action.target(args)
    seen = await action.dry_run(undo)
    assert seen.ok
    assert "+pull request #1 (closed)" in seen.diff
    read = await action.target(undo)
    assert (read.uid, read.spec_hash) == (after.uid, after.spec_hash)
    assert await action.find(undo, "k1-u") is None
    assert (await action.apply(undo, after, "k1-u")).changed
    assert bench.repo.pulls[0]["state"] == "closed"
    assert list(bench.repo.refs) == ["main"]
    assert not (await action.apply(undo, after, "k1-u")).changed
    assert await action.inverse(undo, after) is None


@pytest.mark.parametrize("name", PROPOSALS)
async def test_what_is_merged_is_not_taken_back_by_closing(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    await action.apply(args, target, "k1")
    bench.repo.merge(1)
    assert (await action.target(args)).spec_hash != target.spec_hash
    undo = replace(args, withdraw=True)
    assert not (await action.dry_run(undo)).ok
    with pytest.raises(Conflict, match="it is merged"):
        await action.apply(undo, target, "k1-u")
    assert await action.find(undo, "k1-u") is None


@pytest.mark.parametrize("name", PROPOSALS)
async def test_a_branch_that_is_left_over_is_not_built_upon(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    await action.apply(args, target, "k1")
    bench.repo.pulls[0]["state"] = "closed"  # by a person, who left the branch
    with pytest.raises(Conflict, match="left over"):
        await action.apply(args, target, "k2")


async def test_only_services_with_a_repository_are_touched(bench: Bench) -> None:
    for name in ALL:
        action, args = bench.call(name, service="other")
        with pytest.raises(UnknownName, match=r"connections\.github"):
            await action.target(args)


# Reverting


async def test_a_revert_gives_back_what_the_commit_took_and_nothing_else(bench: Bench) -> None:
    later = PAGE.replace("line 5\n", "line five\n").replace("line 15\n", "line fifteen\n")
    bench.repo.commit("later", {"app.py": later, "other.py": "x\n"})
    action, args = bench.call("revert_commit")
    seen = await action.dry_run(args)
    assert "-line five" in seen.diff
    assert "+line 5" in seen.diff
    assert "fifteen" not in seen.diff
    assert "not shown: it is not text" in seen.diff
    assert "until a person merges it into main" in seen.detail
    done = await action.apply(args, await action.target(args), "k1")
    branch = bench.repo.pulls[0]["head"]["ref"]
    assert bench.repo.text("app.py", branch) == PAGE.replace("line 15\n", "line fifteen\n")
    assert bench.repo.text("old.py", branch) == "old\n"
    assert bench.repo.text("new.bin", branch) is None
    assert bench.repo.text("other.py", branch) == "x\n"
    assert "waits for somebody to merge it" in done.detail
    assert bench.repo.text("app.py") == later


async def test_foreign_words_in_a_title_call_nobody(bench: Bench) -> None:
    action, args = bench.call("revert_commit")
    await action.apply(args, await action.target(args), "k1")
    title = bench.repo.pulls[0]["title"]
    assert title.startswith('Revert "Make @\u200beveryone')
    assert "`" not in title


async def test_a_revert_that_conflicts_says_so_and_does_nothing(bench: Bench) -> None:
    action, args = bench.call("revert_commit")
    target = await action.target(args)
    bench.repo.commit("later", {"app.py": PAGE.replace("line 5\n", "line V\n")})
    seen = await action.dry_run(args)
    assert (seen.ok, seen.diff) == (False, "")
    assert "conflicts with later changes of app.py" in seen.detail
    with pytest.raises(Conflict):
        await action.apply(args, target, "k1")
    with pytest.raises(Conflict, match=r"conflicts with later changes of app\.py"):
        await action.apply(args, await action.target(args), "k1")
    assert bench.repo.writes == []


async def test_changes_of_other_files_do_not_unbind_the_approval(bench: Bench) -> None:
    action, args = bench.call("revert_commit")
    target, seen = await action.target(args), await action.dry_run(args)
    bench.repo.commit("elsewhere", {"other.py": "x\n"})
    assert (await action.dry_run(args)).diff_hash == seen.diff_hash
    assert (await action.apply(args, target, "k1")).changed


async def test_what_is_reverted_already_or_elsewhere_is_no_proposal(bench: Bench) -> None:
    bench.repo.refs["feature"] = bench.first
    stray = bench.repo.commit("stray", {"a.py": "a"}, branch="feature")
    action, args = bench.call("revert_commit", commit=stray)
    assert "is not in the branch main" in (await action.dry_run(args)).detail
    action, args = bench.call("revert_commit", commit=bench.first)
    with pytest.raises(Malformed, match="first commit"):
        await action.target(args)
    await (again := bench.call("revert_commit"))[0].apply(
        again[1], await again[0].target(again[1]), "k1"
    )
    bench.repo.merge(1)
    action, args = bench.call("revert_commit")
    assert "taken back already" in (await action.dry_run(args)).detail


async def test_a_huge_commit_is_left_to_people(bench: Bench) -> None:
    huge = bench.repo.commit("huge", {f"f{n}.py": "x" for n in range(60)})
    action, args = bench.call("revert_commit", commit=huge)
    with pytest.raises(Malformed, match="60 files"):
        await action.target(args)


@pytest.mark.parametrize("commit", ["", "abc", "A" * 40, "../" * 14, "a" * 41, None, 7])
def test_a_commit_is_named_by_its_full_hash(commit: Any) -> None:
    with pytest.raises(Malformed, match="full hash"):
        actions()["revert_commit"].parse(
            {"service": "checkout", "commit": commit, "withdraw": False}
        )


# Manifests


async def test_one_value_of_a_manifest_changes_and_nothing_around_it(bench: Bench) -> None:
    values = {
        "spec.replicas": 8,
        "spec.template.spec.containers[app].image": "registry/checkout:v2.40",
    }
    action, args = bench.call("edit_manifest", values=values)
    seen = await action.dry_run(args)
    assert "-  replicas: 4\n+  replicas: 8" in seen.diff
    await action.apply(args, await action.target(args), "k1")
    branch = bench.repo.pulls[0]["head"]["ref"]
    wanted = MANIFEST.replace("replicas: 4", "replicas: 8").replace("v2.41", "v2.40")
    assert bench.repo.text("deploy/checkout.yaml", branch) == wanted
    assert "`spec.replicas`: `8`" in bench.repo.pulls[0]["body"]


async def test_settings_are_set_back_as_texts(bench: Bench) -> None:
    values = {"data.POOL": "20", "data[app.mode]": "on"}
    action, args = bench.call(
        "edit_manifest", kind="ConfigMap", name="checkout-config", values=values
    )
    await action.apply(args, await action.target(args), "k1")
    text = bench.repo.text("deploy/checkout.yaml", bench.repo.pulls[0]["head"]["ref"])
    assert text is not None
    assert 'POOL: "20"' in text
    assert 'app.mode: "on"' in text  # plain, it would be read as true


async def test_a_helm_values_file_is_changed_by_its_own_names(bench: Bench) -> None:
    image = "spec.template.spec.containers[app].image"
    bench.settings["manifests"] = {
        "checkout": {
            "repository": "shop/checkout",
            "path": "deploy/values/values.yaml",
            "fields": {"spec.replicas": "replicaCount", image: "image.tag"},
        }
    }
    values = {"spec.replicas": 8, image: "registry/checkout:v2.40"}
    action, args = bench.call("edit_manifest", values=values)
    await action.apply(args, await action.target(args), "k1")
    branch = bench.repo.pulls[0]["head"]["ref"]
    assert bench.repo.text("deploy/values/values.yaml", branch) == VALUES.replace(
        "Count: 4", "Count: 8"
    ).replace("v2.41", "v2.40")
    action, args = bench.call("edit_manifest", values={"spec.paused": 1})
    with pytest.raises(Malformed, match=r"where spec\.paused is in the values file"):
        await action.dry_run(args)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "chekout"}, "0 manifests in shop/checkout/deploy hold Deployment/chekout"),
        ({"values": {"spec.minReadySeconds": 3}}, "no single value at spec.minReadySeconds"),
        ({"values": {"spec.template": "x"}}, "no single value at spec.template"),
        (
            {"kind": "ConfigMap", "name": "checkout-config", "values": {"data.long": "x"}},
            "a block of text",
        ),
    ],
)
async def test_what_cannot_be_edited_says_why(
    bench: Bench, changed: dict[str, Any], words: str
) -> None:
    action, args = bench.call("edit_manifest", **changed)
    with pytest.raises(Malformed, match=words):
        await action.target(args)


async def test_a_manifest_that_is_there_twice_is_ambiguous(bench: Bench) -> None:
    bench.repo.commit("copy", {"deploy/copy.yml": MANIFEST})
    action, args = bench.call("edit_manifest")
    with pytest.raises(Malformed, match="2 manifests"):
        await action.target(args)


@pytest.mark.parametrize(
    "text", ["a: [", "a: &x [*x]", "a: " + "[" * 3000, "\x00", "x" * 600_000, "a: b\n---\na: b"]
)
async def test_a_hostile_manifest_is_told(bench: Bench, text: str) -> None:
    bench.settings["manifests"]["checkout"]["path"] = "deploy/checkout.yaml"
    bench.repo.commit("odd", {"deploy/checkout.yaml": text})
    action, args = bench.call("edit_manifest")
    with pytest.raises(Malformed):
        await action.target(args)


async def test_values_cannot_break_out_of_their_place(bench: Bench) -> None:
    evil = "x\n      hostNetwork: true # '\""
    values = {"spec.template.spec.containers[app].image": evil}
    action, args = bench.call("edit_manifest", values=values)
    await action.apply(args, await action.target(args), "k1")
    text = bench.repo.text("deploy/checkout.yaml", bench.repo.pulls[0]["head"]["ref"])
    assert text is not None
    assert len(text.splitlines()) == len(MANIFEST.splitlines())
    body = bench.repo.pulls[0]["body"]
    assert "hostNetwork" not in [line.strip() for line in body.splitlines()]


async def test_what_a_pull_request_says_calls_nobody_and_tells_no_credential(bench: Bench) -> None:
    values = {"data.POOL": "@everyone `x` postgres://user:hunter22@db/x"}
    action, args = bench.call(
        "edit_manifest", kind="ConfigMap", name="checkout-config", values=values
    )
    await action.apply(args, await action.target(args), "k1")
    body = bench.repo.pulls[0]["body"]
    assert "@everyone" not in body
    assert "hunter22" not in body


async def test_the_bots_own_manifest_is_known(bench: Bench) -> None:
    own = MANIFEST.replace(
        "  name: checkout  #", f"  labels: {{{NAME_LABEL}: sre-bot}}\n  name: checkout  #"
    )
    bench.repo.commit("own", {"deploy/checkout.yaml": own})
    action, args = bench.call("edit_manifest")
    assert (await action.target(args)).is_bot_itself


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "1 to 20"),
        ({"spec.replicas": True}, "texts or numbers"),
        ({"spec.replicas": [1]}, "texts or numbers"),
        ({"": "x"}, "is not a path"),
        ({"a..b": "x"}, "is not a path"),
        ({"a[": "x"}, "is not a path"),
        ({"data.url": "pg://[redacted]@db"}, "masked"),
        ({f"a{n}": 1 for n in range(21)}, "1 to 20"),
    ],
)
def test_values_are_strict(values: Any, words: str) -> None:
    call = {"service": "s", "kind": "Deployment", "name": "n", "withdraw": False}
    with pytest.raises(Malformed, match=words):
        actions()["edit_manifest"].parse({**call, "values": values})
    with pytest.raises(Refused, match="credential"):
        actions()["edit_manifest"].parse({**call, "values": {"data.DB_PASSWORD": "x"}})


@pytest.mark.parametrize(
    "manifests",
    [[], {"checkout": {}}, {"checkout": {"repository": "x"}},
     {"checkout": {"repository": "a/b", "fields": []}},
     {"checkout": {"repository": "a/b", "fields": {"a..b": "c"}}}],
)  # fmt: skip
def test_settings_of_manifests_are_strict(bench: Bench, manifests: Any) -> None:
    bench.settings["manifests"] = manifests or "x"
    with pytest.raises(NotConfigured, match=r"connections\.github\.manifests"):
        bench.call("edit_manifest")


# Deployments


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "in_progress"}, "is not over yet"),
        ({"run_attempt": 3}, "is at attempt 3, not 1"),
        ({"name": "Nightly tests", "path": ".github/workflows/tests.yml"}, "no deployment"),
    ],
)
async def test_only_a_deployment_that_is_over_is_run_again(
    bench: Bench, changed: dict[str, Any], words: str
) -> None:
    bench.repo.runs[77].update(changed)
    action, args = bench.call("rerun_deployment")
    seen = await action.dry_run(args)
    assert (seen.ok, seen.diff) == (False, "")
    assert words in seen.detail


async def test_running_again_cannot_be_taken_back_and_says_so(bench: Bench) -> None:
    action, args = bench.call("rerun_deployment", failed_only=True)
    assert not action.facts.reversible
    assert await action.inverse(args, await action.target(args)) is None
    seen = await action.dry_run(args)
    assert "cannot be taken back" in seen.detail
    assert seen.command.endswith("--failed")
    await action.apply(args, await action.target(args), "k1")
    assert bench.repo.writes == ["POST /actions/runs/77/rerun-failed-jobs"]


@pytest.mark.parametrize("run", [0, -1, "77", True, 2**60, None])
def test_a_run_is_a_number(run: Any) -> None:
    call = {"service": "s", "run": run, "attempt": 1, "failed_only": False}
    with pytest.raises(Malformed, match="run must be"):
        actions()["rerun_deployment"].parse(call)


async def test_nothing_that_answers_oddly_is_believed(bench: Bench) -> None:
    bench.repo.runs[77]["id"] = 78
    action, args = bench.call("rerun_deployment")
    with pytest.raises(Malformed, match="another run"):
        await action.target(args)
    bench.repo.commits[bench.bad]["tree"] = "x"
    bench.repo.trees["x"] = {}
    action, args = bench.call("revert_commit")
    with pytest.raises(Malformed, match="hash"):
        await action.target(args)
