"""`sre-bot policy` and `bench policy`, and a start that is refused."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from policies.rulebook import RULES
from tests.unit.cli.conftest import Run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(RULES, tmp_path / "broken"))
    text = (folder / "stops.cedar").read_text()
    (folder / "stops.cedar").write_text(text.replace("context.killSwitch", "context.novel"))
    return folder


def test_prove_names_every_invariant_and_the_seconds(sre_bot: Run) -> None:
    said = sre_bot("policy", "prove")
    assert said.code == 0
    assert "kill-switch" in said.out
    assert "invariants proved in" in said.out.splitlines()[-1]


def test_prove_of_broken_rules_gives_the_counter_example_and_fails(
    sre_bot: Run, broken: Path
) -> None:
    said = sre_bot("policy", "prove", "--rules", str(broken))
    assert said.code == 1
    assert "the kill switch is on" in said.out
    told = json.loads(sre_bot("policy", "prove", "--rules", str(broken), "--json").out)
    assert not told["proved"]
    found = {c["name"]: c for c in told["checked"] if not c["proved"]}
    assert found["kill-switch"]["request"]["context.killSwitch"] is True


def test_rules_that_do_not_load_are_one_line_and_no_traceback(sre_bot: Run, broken: Path) -> None:
    (broken / "odd.cedar").write_text("permit (")
    said = sre_bot("policy", "check", "--rules", str(broken))
    assert said.code == 1
    assert "odd.cedar" in said.err
    assert "Traceback" not in said.err


def test_check_shows_what_a_change_newly_forbids_as_a_table(sre_bot: Run, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(RULES, tmp_path / "mine"))
    text = (folder / "trust.cedar").read_text()
    (folder / "trust.cedar").write_text(text.replace("< 800", "< 900"))
    said = sre_bot("policy", "check", "--rules", str(folder), "--against", str(RULES))
    assert said.code == 0
    assert "changed: low-confidence" in said.out
    assert "newly forbidden" in said.out
    assert "confidence 8" in said.out
    told = json.loads(
        sre_bot("policy", "check", "--rules", str(folder), "--against", str(RULES), "--json").out
    )
    assert {d["tier"] for d in told["differences"]} == {"production", "staging", "development"}
    assert all(d["levels"] == [4] and not d["allows"] for d in told["differences"])


def test_check_against_a_revision_reads_the_rules_of_then(
    sre_bot: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(RULES, tmp_path / "repository" / "rules"))
    monkeypatch.setattr("policies.rulebook.RULES", folder)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(folder))
    for command in (("init", "-q", ".."), ("add", "-A"), ("commit", "-qm", "rules")):
        subprocess.run([*git, *command], check=True, capture_output=True)
    text = (folder / "trust.cedar").read_text()
    (folder / "trust.cedar").write_text(text.replace("< 800", "< 900"))
    said = sre_bot("policy", "check", "--against", "HEAD")
    assert "changed: low-confidence" in said.out


@pytest.mark.parametrize("where", ["no-such-revision", "--output=x", "-x", ""])
def test_an_odd_revision_is_refused(sre_bot: Run, where: str) -> None:
    said = sre_bot("policy", "check", f"--against={where}")
    assert said.code == 2
    assert "no folder and no git revision" in said.err


def test_explain_says_the_verdict_who_decides_which_rule_and_what_would_change_it(
    sre_bot: Run,
) -> None:
    said = sre_bot("policy", "explain", "--freeze", "--confidence", "50")
    first, *rest = said.out.splitlines()
    assert first == "approval: 1 of role approver, not the requester"
    assert any("rule freeze, policies/rules/stops.cedar:" in line for line in rest)
    assert "the freeze is over" in rest[-1]


def test_explain_at_the_moment_of_acting_as_json(sre_bot: Run) -> None:
    said = sre_bot(
        "policy", "explain", "--stage", "execute", "--level", "3", "--approved-by", "approver",
        "--by-requester", "--json",
    )  # fmt: skip
    told = json.loads(said.out)
    assert told["ruling"]["verdict"] == "deny"
    assert "prod-two-people" in {r["rule"] for r in told["ruling"]["reasons"]}
    assert told["request"]["approvals"]["includes_requester"] is True


def test_explain_knows_the_environments_that_are_configured(
    sre_bot: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "environments.yaml"
    path.write_text("environments:\n  - {name: qa, tier: staging, namespaces: [shop]}\n")
    monkeypatch.setenv("SRE_BOT_ENVIRONMENTS", str(path))
    assert sre_bot("policy", "explain", "--environment", "qa").out.startswith("autonomous")
    said = sre_bot("policy", "explain", "--environment", "prod")
    assert said.out.startswith("deny")
    assert "not configured" in said.out


def test_an_unknown_action_is_answered_with_those_there_are(sre_bot: Run) -> None:
    said = sre_bot("policy", "explain", "--action", "rm_rf")
    assert said.code == 2
    assert "rollback_deployment" in said.err


def test_bench_policy_prints_median_p95_and_the_ratio_to_a_baseline(sre_bot: Run) -> None:
    told = json.loads(sre_bot("bench", "policy", "--runs", "200", "--json").out)
    assert {"one ruling, from a cold start", "one ruling, warm"} <= set(told)
    for row in told.values():
        assert row["median_ms"] <= row["p95_ms"] <= row["max_ms"]
        assert row["n"] == 200
    assert told["one ruling, warm"]["baselines"] < 1.0  # faster than Cedar alone, on any machine


def test_the_bot_does_not_start_with_a_broken_policy(
    sre_bot: Run, home: Path, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from policies.proof import require

    path = home / "environments.yaml"
    path.write_text("environments:\n  - {name: qa, tier: staging, namespaces: [shop]}\n")
    for name, value in {
        "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "ENVIRONMENTS": str(path)
    }.items():  # fmt: skip
        monkeypatch.setenv(f"SRE_BOT_{name}", value)
    monkeypatch.setattr("bot.app.serving.require_proof", lambda: require(broken))
    said = sre_bot("run")
    assert said.code == 1
    assert "The policy is broken, so nothing starts." in said.err
    assert "the kill switch beats every permit" in said.err
    assert "the kill switch is on" in said.err
    assert not list(home.glob("*.sqlite*"))  # it did not get as far as its database
