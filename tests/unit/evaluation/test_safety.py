"""Simulated incidents through the real door: nothing goes unaccounted for, and tampering shows."""

import asyncio
import json
from collections import defaultdict
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bot.cli.bench_safety import safety
from bot.domain.action import Decision, Level, Outcome
from bot.domain.conversation import Judgement
from bot.evaluation.safety.account import Row, account
from bot.evaluation.safety.simulation import Company
from bot.evaluation.safety.world import KINDS

INCIDENTS = 150


def simulated(seed: int, count: int = INCIDENTS) -> Company:
    company = Company(seed)
    asyncio.run(company.run(count))
    return company


def unsafe(company: Company) -> list[str]:
    return [row.what for row in account(company) if not row.safe]


@pytest.fixture(scope="module")
def company() -> Company:
    return simulated(7)


def counted(company: Company, what: str) -> int:
    return next(row.count for row in account(company) if row.what.strip() == what)


def test_no_harm_goes_unaccounted_for(company: Company) -> None:
    assert unsafe(company) == []


def test_the_simulation_is_not_empty(company: Company) -> None:
    for what in (
        "carried out", "undone", "actions that did harm, in truth", "with metrics that lie",
        "with metrics that vanish", "that would go away alone", "with a wrong diagnosis",
        "clicks and executions refused, audited", "with a plan of two steps",
        "in which the bot died and was restarted",
    ):  # fmt: skip
        assert counted(company, what) > 0, what


def test_the_same_seed_tells_the_same_story() -> None:
    assert account(simulated(5, 30)) == account(simulated(5, 30))


def test_harm_that_nobody_recorded_would_show(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = next(
        e.key for e in company.actions.executions.values()
        if e.key.endswith("-p1-x") and company.incidents[e.proposal_id].truth == "harms"
        and e.key in company.actions.verifications
    )  # fmt: skip
    verifications, judged = company.actions.verifications, company.records.judged
    seen = replace(verifications[key], outcome=Outcome.RECOVERED)
    monkeypatch.setitem(verifications, key, seen)
    monkeypatch.setitem(judged, key.removesuffix("-p1-x"), Judgement.RIGHT)
    assert unsafe(company) == ["false actions unaccounted for"]


def test_an_execution_without_its_papers_would_show(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lost:
        kept = {
            subject: [e for e in entries if e.event != "executing"]
            for subject, entries in company.audit.by_subject.items()
        }
        lost.setattr(company.audit, "by_subject", kept)
        assert "executions without a ruling" in unsafe(company)
    with monkeypatch.context() as lost:
        unused = {
            proposal: {name: _unused(d) for name, d in decisions.items()}
            for proposal, decisions in company.actions.taken.items()
        }
        lost.setattr(company.actions, "taken", defaultdict(dict, unused))
        assert unsafe(company) == ["executions without a decision that was due"]
    with monkeypatch.context() as lost:
        lost.setattr(company.actions, "verifications", {})
        assert "executions without a verification" in unsafe(company)
    assert unsafe(company) == []


def _unused(decision: Decision) -> Decision:
    return replace(decision, used=False)


def test_a_promotion_of_a_harmful_action_would_show(company: Company) -> None:
    from bot.domain.trust import Promotion

    harmful = next(kind.name for kind in KINDS if kind.harmful)
    offered = Promotion(
        id="p", environment="dev", action=harmful, level=Level.L2, evidence="",
        offered_at=company.clock.now(),
    )  # fmt: skip
    company.records.offers.append(offered)
    assert "harmful actions offered a promotion" in unsafe(company)
    company.records.offers.remove(offered)


def test_every_audit_line_is_json(company: Company) -> None:
    for entries in company.audit.by_subject.values():
        for entry in entries:
            assert isinstance(json.loads(entry.details), dict)


def test_the_command_prints_the_table() -> None:
    said = CliRunner().invoke(safety, ["--incidents", "20"])
    assert said.exit_code == 0
    assert "false actions unaccounted for" in said.output
    assert not Row(what="x", count=1, must=0).safe


def test_a_verdict_that_a_death_repeats_counts_once(company: Company) -> None:
    store = company.actions
    verified = next(
        v for k, v in store.verifications.items()
        if v.outcome is Outcome.RECOVERED and not store.executions[k].is_undo
    )  # fmt: skip
    before = {place: list(counts) for place, counts in store.counts.items()}
    asyncio.run(store.settle(verified, verified.checked_at, failure=False))
    assert dict(store.counts) == before
    assert all(done <= tried for done, tried in before.values())
