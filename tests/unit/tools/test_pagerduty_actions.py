"""Actions on PagerDuty's incidents: a person's, once, of our services only, and never blind."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.action import Effect, Level
from bot.domain.environment import Environment, Tier
from bot.domain.errors import (
    Conflict,
    Malformed,
    NotConfigured,
    Refused,
    Unavailable,
    UnknownName,
)
from bot.domain.policy import Verdict
from bot.remediation.pages import ON_PAGES
from bot.sandbox.pagerduty.account import Opening
from bot.sandbox.pagerduty.directory import BOT_EMAIL, TOKEN, identity, service_id
from policies.engine import CedarEngine
from tests.fakes.loopback import Reply
from tests.fakes.pagerduty import ADA, ANIL, ROSA, SERVICE, Pager, pager
from tests.unit.policies.requests import BEST, but
from tools.catalog import actions
from tools.contract import Action

ID = identity("incident", "1")
EMAIL = "rosa@sandbox.example"
CALLS: dict[str, dict[str, Any]] = {
    "acknowledge_incident": {"incident": ID, "on_behalf_of": EMAIL},
    "resolve_incident": {"incident": ID, "on_behalf_of": EMAIL},
    "add_note": {"incident": ID, "text": "rolled back to v2.40"},
    "escalate_incident": {"incident": ID, "level": 2},
    "add_responders": {"incident": ID, "users": [ANIL], "message": "the database needs you"},
}


class Bench:
    def __init__(self, url: str, server: Pager, token: Path) -> None:
        self.server = server
        self.incident = server.open()
        self.settings: dict[str, Any] = {
            "url": url,
            "token_file": str(token),
            "from": BOT_EMAIL,
            "services": {"checkout": SERVICE},
        }

    def call(self, action_name: str, **changed: Any) -> tuple[Action[Any], Any]:
        environment = Environment(
            name="prod",
            tier=Tier.PRODUCTION,
            namespaces=("shop",),
            connections={"pagerduty": self.settings},
        )
        bound = actions()[action_name].for_environment(environment)
        assert bound is not None
        return bound, bound.parse({**CALLS[action_name], **changed})

    @property
    def state(self) -> Any:
        return copy.deepcopy((self.incident, self.server.writes))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    token = tmp_path / "key"
    token.write_text(TOKEN)
    with pager() as server:
        yield Bench(server.url, server, token)


@pytest.mark.parametrize("name", CALLS)
async def test_a_dry_run_sends_nothing_and_says_the_same_twice(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    before = bench.state
    first, second = await action.dry_run(args), await action.dry_run(args)
    assert first.ok, first.detail
    assert "incident #1 checkout is slow" in first.diff
    assert first.diff_hash == second.diff_hash
    assert first.command.startswith("curl ")
    assert TOKEN not in first.command
    assert bench.state == before


@pytest.mark.parametrize("name", CALLS)
async def test_one_key_acts_once(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    assert target.service == "checkout"
    assert await action.find(args, "k1") is None
    assert (await action.apply(args, target, "k1")).changed
    assert len(bench.server.writes) == 1
    assert not (await action.apply(args, target, "k1")).changed
    assert len(bench.server.writes) == 1
    found = await action.find(args, "k1")
    assert found is not None
    assert found.changed


@pytest.mark.parametrize("name", CALLS)
async def test_an_incident_that_somebody_else_took_is_left_alone(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    bench.server.account.reassign(bench.incident, [ADA], ADA)
    with pytest.raises(Conflict, match="was changed since it was read"):
        await action.apply(args, target, "k1")
    assert bench.server.writes == []


@pytest.mark.parametrize("name", CALLS)
async def test_forbidden_names_what_the_key_lacks(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    bench.server.rest.read_only = True
    with pytest.raises(Refused, match=r"its key needs write access .*incidents\.write") as refused:
        await action.apply(args, target, "k1")
    assert TOKEN not in str(refused.value)
    assert bench.server.writes == []


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_is_lost_leaves_a_known_state(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    target = await action.target(args)
    bench.server.lost = 1
    with pytest.raises(Unavailable):
        await action.apply(args, target, "k1")
    assert await action.find(args, "k1") is not None
    assert not (await action.apply(args, target, "k1")).changed
    assert len(bench.server.writes) == 1


@pytest.mark.parametrize("name", CALLS)
async def test_nothing_is_taken_back_and_each_says_so(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    assert not action.facts.reversible
    assert await action.inverse(args, await action.target(args)) is None
    assert "be taken" in (await action.dry_run(args)).detail


@pytest.mark.parametrize("name", [n for n in CALLS if n != "resolve_incident"])
async def test_what_is_resolved_is_over(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    bench.server.account.resolve(bench.incident)
    seen = await action.dry_run(args)
    assert (seen.ok, seen.diff) == (False, "")
    with pytest.raises(Conflict, match="resolved"):
        await action.apply(args, await action.target(args), "k1")
    assert bench.server.writes == []


async def test_another_teams_incident_is_refused(bench: Bench) -> None:
    other = Opening(service=service_id("prod", "cart"), title="cart is slow")
    cart = bench.server.account.open(other)
    action, args = bench.call("escalate_incident", incident=cart.id)
    with pytest.raises(Refused, match=r"cart \(prod\), which is not part of prod"):
        await action.target(args)


async def test_the_bots_own_incident_is_known(bench: Bench) -> None:
    bench.settings["services"] = {"sre-bot": SERVICE}
    action, args = bench.call("resolve_incident")
    assert (await action.target(args)).is_bot_itself


def test_what_one_person_may_decide_in_production_is_a_page_and_nothing_else() -> None:
    pages = {name for name, action in actions().items() if action.facts.effect is Effect.PAGE}
    assert pages == set(CALLS) == ON_PAGES
    for facts in (actions()[name].facts for name in pages):
        assert facts.system == "pagerduty"
        assert not facts.reversible
        assert facts.highest_level < Level.L4


# A person's click only


@pytest.mark.parametrize("name", ["acknowledge_incident", "resolve_incident"])
@pytest.mark.parametrize("level", list(Level))
def test_no_level_makes_it_run_without_a_click(name: str, level: Level) -> None:
    facts = actions()[name].facts
    assert facts.highest_level is Level.L2
    ruling = CedarEngine().rule(but(replace(BEST, action=facts), level=level))
    assert ruling.verdict in (Verdict.SUGGEST, Verdict.ONE_CLICK, Verdict.DENY)


@pytest.mark.parametrize("name", ["acknowledge_incident", "resolve_incident"])
async def test_the_bot_is_never_the_person(bench: Bench, name: str) -> None:
    action, args = bench.call(name, on_behalf_of=BOT_EMAIL.upper())
    seen = await action.dry_run(args)
    assert not seen.ok
    assert "never of the bot itself" in seen.detail
    with pytest.raises(Conflict, match="never of the bot itself"):
        await action.apply(args, await action.target(args), "k1")
    assert bench.server.writes == []


@pytest.mark.parametrize("name", ["acknowledge_incident", "resolve_incident"])
async def test_it_is_done_in_the_persons_name(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    await action.apply(args, await action.target(args), "k1")
    assert bench.server.writes == [(f"PUT /incidents/{ID}", EMAIL)]
    action, args = bench.call(name, on_behalf_of="zoe@sandbox.example")
    with pytest.raises(UnknownName, match=r"zoe@sandbox\.example"):
        await action.dry_run(args)


@pytest.mark.parametrize("name", [n for n in CALLS if n != "resolve_incident"])
async def test_what_is_resolved_soon_after_was_done_all_the_same(bench: Bench, name: str) -> None:
    action, args = bench.call(name)
    await action.apply(args, await action.target(args), "k1")
    bench.server.account.resolve(bench.incident)
    assert await action.find(args, "k1") is not None


async def test_a_note_that_was_never_written_is_not_there_when_it_is_over(bench: Bench) -> None:
    action, args = bench.call("add_note")
    bench.server.account.resolve(bench.incident)
    assert await action.find(args, "k1") is None


# Notes, escalation, responders


async def test_a_note_is_masked_and_calls_nobody(bench: Bench) -> None:
    action, args = bench.call("add_note", text="@channel password=hunter2hunter2\x00")
    await action.apply(args, await action.target(args), "k1")
    (note,) = bench.incident.notes
    assert "hunter2" not in note.content
    assert "@channel" not in note.content
    assert await action.find(args, "another key") is None


async def test_an_escalation_shows_who_is_called(bench: Bench) -> None:
    action, args = bench.call("escalate_incident")
    seen = await action.dry_run(args)
    assert f"-assigned to: {ROSA}\n+assigned to: {ANIL} (level 2)" in seen.diff
    action, args = bench.call("escalate_incident", level=1)
    assert "level 1 has it already" in (await action.dry_run(args)).detail
    action, args = bench.call("escalate_incident", level=9)
    assert "nobody is on call at level 9" in (await action.dry_run(args)).detail


async def test_only_those_who_are_not_asked_yet_are_asked(bench: Bench) -> None:
    bench.server.account.ask(bench.incident, [ANIL], "come", ADA)
    action, args = bench.call("add_responders", users=[ANIL, ROSA])
    assert ANIL not in (await action.dry_run(args)).diff
    await action.apply(args, await action.target(args), "k1")
    assert [r.user for r in bench.incident.responders] == [ANIL, ROSA]


# What is not believed


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", ["", "../x", "pt4khlk", "P" * 40, "PT4\n", None, 7, [ID]])
def test_ids_are_strict(name: str, wrong: Any) -> None:
    with pytest.raises(Malformed, match="incident must be"):
        actions()[name].parse({**CALLS[name], "incident": wrong})


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("acknowledge_incident", {"on_behalf_of": "anna"}),
        ("acknowledge_incident", {"on_behalf_of": "a@b\r\nX-Evil: 1"}),
        ("add_note", {"text": ""}),
        ("add_note", {"text": " \n"}),
        ("add_note", {"text": "x" * 3000}),
        ("escalate_incident", {"level": 0}),
        ("escalate_incident", {"level": True}),
        ("add_responders", {"users": []}),
        ("add_responders", {"users": ANIL}),
        ("add_responders", {"users": ["x y"]}),
        ("add_responders", {"users": [ANIL] * 11}),
    ],
)
def test_arguments_are_strict(name: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match=name):
        actions()[name].parse({**CALLS[name], **changed})


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=500, body=b"x" * 10_000), Unavailable),
        (Reply(status=429), Unavailable),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), Unavailable),
        (Reply(drop=True), Unavailable),
        (Reply(body=b"not json"), Malformed),
        (Reply(body=b"[" * 50_000), Malformed),
        (Reply(body=[]), Malformed),
        (Reply(body={"incident": {"id": "POTHER1"}}), Malformed),
        (Reply(body=b" " * 9_000_000), Malformed),
        (Reply(status=404), UnknownName),
        (Reply(status=401, body={"key": TOKEN}), Refused),
    ],
)
async def test_odd_answers_are_sorted_by_what_to_do(
    bench: Bench, reply: Reply, error: type[Exception]
) -> None:
    bench.server.instead = reply
    action, args = bench.call("escalate_incident")
    with pytest.raises(error) as raised:
        await action.target(args)
    assert TOKEN not in str(raised.value)
    assert len(str(raised.value)) < 600


def test_settings_are_strict(bench: Bench) -> None:
    bench.settings["url"] = "http://pagerduty.example"
    with pytest.raises(NotConfigured, match="must be https"):
        bench.call("add_note")
    del bench.settings["from"]
    environment = Environment(
        name="prod", tier=Tier.PRODUCTION, namespaces=(), connections={"pagerduty": bench.settings}
    )
    assert actions()["add_note"].for_environment(environment) is None
    assert replace(environment, connections={}) is not None
