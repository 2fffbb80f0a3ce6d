"""The bot is killed at the worst moments and started again: each story ends as if it had not been.

The sandbox and the bot are real processes; killing is SIGKILL.
"""

import asyncio
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.cli.company import Company, Plan
from bot.domain.action import Level
from bot.domain.diagnosis import Report
from bot.domain.environment import Environment
from bot.storage.database import Database
from bot.storage.incidents import Incidents
from tests.fakes.gate import Gate, gate_to
from tests.fakes.story import Hands, Json, has, saying, text_of
from tests.scenarios.story.test_levels import set_level

pytestmark = pytest.mark.story

RATE = 60.0  # sandbox seconds per wall second: a ten-minute watch takes ten seconds
INCIDENT = "pool-exhausted"  # each story has a seed, and so a target, of its own
TWO_ROUNDS = "bad-flag"  # what the first round shows is not enough to be sure
PATIENCE_S = 120.0  # wall, with one step of a story


class Gated(Company):
    """A company whose production metrics are behind a gate."""

    gate: Gate

    def environments(self) -> tuple[Environment, ...]:
        prod, *others = super().environments()
        behind = {**prod.connections, "prometheus": {"url": self.gate.server.url}}
        return (replace(prod, connections=behind), *others)


@dataclass
class Story:
    """The company, a person's hands in it, and what is known of its journal."""

    company: Gated
    hands: Hands

    def begin(self, seed: int, incident: str = INCIDENT) -> str:
        """Start the incident afresh and ask about it; return the thread's ts."""
        return self.hands.say(f"@sre-bot {self.question(seed, incident)}")

    def reported(self, seed: int) -> str:
        """As `begin`, and wait until it is reported what is wrong."""
        return self.hands.ask(self.question(seed), patience_s=PATIENCE_S)

    def question(self, seed: int, incident: str = INCIDENT) -> str:
        """Start the incident afresh; return what a user would ask."""
        set_level(self.company, Level.L3)
        self.hands.start_incident(incident, seed)
        return str(self.hands.get("control/truth")["truth"]["prod"]["question"])

    def card(self, ts: str) -> Json:
        return self.hands.card(ts, patience_s=PATIENCE_S)

    def approve(self, ts: str) -> None:
        """Wait for the card, and approve it."""
        answer = self.hands.click(self.card(ts), "approve", user="U0APPROVER")
        assert answer["ok"], answer

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def restart(self) -> None:
        self.company.kill_bot()
        self.company.start_bot()

    def stop_politely(self) -> None:
        assert self.company.bot is not None
        self.company.bot.terminate()
        self.company.bot.wait(PATIENCE_S)
        self.company.kill_bot()

    def journaled(self, step: str) -> int:
        """Return how often the journal says that a step is done."""
        path = self.company.plan.home / "sre-bot-journal.sqlite"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as journal:
            found = journal.execute(
                "SELECT count(*) FROM operation_outputs WHERE function_name = ?", (step,)
            ).fetchone()
        journal.close()
        return int(found[0])

    def report(self, thread: list[Json]) -> Report:
        """Return the stored report of the thread's only investigation."""
        verdict = next(m for m in thread if has(m, "verdict_right"))
        button = next(
            e for b in verdict["blocks"] for e in b.get("elements", ())
            if e.get("action_id") == "verdict_right"
        )  # fmt: skip
        database = Database(self.company.database_url)
        found = asyncio.run(Incidents(database).report(button["value"]))
        database.close()
        assert found is not None
        return found

    def ends_as_if_nothing_had_happened(self, ts: str) -> None:
        """One head, one report, one chart, one card; one execution; recovered, said once."""
        self.hands.wait(ts, saying("recovered after this action"), patience_s=PATIENCE_S)
        thread = self.hands.thread(ts)
        assert len(thread) == 4, "\n---\n".join(map(text_of, thread))
        head, report, chart, card = thread
        assert "root cause found" in text_of(head)
        assert "investigating" not in text_of(head)
        self.until(lambda: "recovered after" in text_of(self.hands.thread(ts)[0]))
        assert has(report, "verdict_right")
        assert len(chart["files"]) == 1
        assert "recovered after this action" in text_of(card)
        assert not has(card, "approve")
        self.was_done_once()
        self.was_counted_once(self.report(thread))

    def was_done_once(self) -> None:
        done = Counter((a["object"], a["what"]) for a in self.hands.actions_done())
        assert done
        assert set(done.values()) == {1}, done
        assert len({a["key"] for a in self.hands.actions_done()}) == 1

    def was_counted_once(self, report: Report) -> None:
        for ranked in report.diagnosis.ranked:
            statements = Counter(e.statement for e in ranked.hypothesis.evidence)
            assert set(statements.values()) <= {1}, statements
        assert [s.number for s in report.steps] == list(range(1, len(report.steps) + 1))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    home: Path = tmp_path_factory.mktemp("company")
    company = Gated(Plan(home=home, rate=RATE))
    company.start_sandbox()
    with gate_to(f"{company.url}/world/prod/prometheus") as gate:
        company.gate = gate
        company.prepare()
        company.start_bot()
        yield company
        company.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def story(company: Gated) -> Iterator[Story]:
    if company.bot is None or company.bot.poll() is not None:
        company.start_bot()
    yield Story(company, Hands(company))
    company.gate.open()


def test_killed_right_after_the_first_reply(story: Story) -> None:
    gate = story.company.gate
    gate.hold(lambda: True)
    ts = story.begin(seed=1)
    story.hands.wait(ts, saying("investigating"), patience_s=PATIENCE_S)
    story.until(gate.held.is_set)  # it is looking
    story.company.kill_bot()
    gate.open()
    story.company.start_bot()
    story.approve(ts)
    story.ends_as_if_nothing_had_happened(ts)


def test_killed_between_two_rounds_of_looking(story: Story) -> None:
    gate, before = story.company.gate, story.journaled("look 1")
    gate.hold(lambda: story.journaled("look 1") > before)  # the first round passes
    ts = story.begin(seed=3, incident=TWO_ROUNDS)
    story.until(gate.held.is_set)
    story.company.kill_bot()
    gate.open()
    story.company.start_bot()
    story.approve(ts)
    story.ends_as_if_nothing_had_happened(ts)


def test_killed_while_waiting_for_approval(story: Story) -> None:
    ts = story.reported(seed=2)
    card = story.card(ts)
    story.company.kill_bot()
    unheard = story.hands.click(card, "approve", user="U0APPROVER")
    assert (unheard["ok"], unheard["error"]) == (False, "not_acknowledged")
    story.company.start_bot()
    assert story.hands.actions_done() == []  # what nobody acknowledged was not an approval
    story.approve(ts)
    story.ends_as_if_nothing_had_happened(ts)


def test_killed_between_acting_and_verifying(story: Story) -> None:
    ts = story.reported(seed=1)
    story.approve(ts)
    story.until(story.hands.actions_done)
    story.restart()  # perhaps before it wrote down that it acted
    story.hands.wait(ts, saying("Watching until"), patience_s=PATIENCE_S)
    story.stop_politely()  # while it watches
    story.company.start_bot()
    story.ends_as_if_nothing_had_happened(ts)
