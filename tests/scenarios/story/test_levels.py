"""The whole story through the page: three incidents at each of the four levels."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from bot.cli.company import Company
from bot.domain.action import Level
from bot.domain.time import ScaledClock
from bot.storage.database import Database
from bot.storage.people import LevelGrant, Levels
from tests.fakes.story import ASKED, Hands

pytestmark = [pytest.mark.browser, pytest.mark.story]

INCIDENTS = (("decoy-deploy", 1), ("pool-exhausted", 1), ("bad-flag", 1))
ASKS_AGAIN = ("approve", "run", "undo")
STORY_MS = 60_000  # patience with one step of a story, wall time


def set_level(company: Company, level: Level, environment: str = "prod") -> None:
    """Let every action go up to this level, as `sre-bot levels set` does."""
    from tools.catalog import actions

    database = Database(company.database_url)
    levels = Levels(database, ScaledClock(origin=company.origin))

    async def grant() -> None:
        for name in actions():
            await levels.grant(
                LevelGrant(
                    environment=environment, action=name, level=level, by="test", reason="test"
                )
            )

    with ThreadPoolExecutor(max_workers=1) as pool:  # the browser has this thread's loop
        pool.submit(asyncio.run, grant()).result()
    database.close()


def become(page: Page, user: str) -> None:
    page.get_by_test_id("who").click()
    page.get_by_test_id(f"as-{user}").click()


def ask(page: Page, hands: Hands, question: str) -> str:
    """Mention the bot as a responder; return the thread's ts, with the thread open."""
    become(page, "U0RESPONDER")
    for _ in range(ASKED):
        before = hands.newest()
        page.get_by_test_id("composer").fill(f"@sre-bot {question}")
        page.get_by_test_id("composer").press("Enter")
        ts = hands.newest(after=before)
        page.get_by_test_id(f"replies-{ts}").click(timeout=STORY_MS)
        if hands.saw_enough(ts):
            break
    return ts


def thread_says(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_test_id("thread")).to_contain_text(words, timeout=STORY_MS)


def press(page: Page, action: str, *, as_user: str) -> None:
    become(page, as_user)
    page.get_by_test_id("thread").get_by_test_id(f"action-{action}").last.click(timeout=STORY_MS)
    if action in ASKS_AGAIN:
        page.get_by_test_id("confirm-ok").click(timeout=STORY_MS)


@pytest.mark.parametrize(("incident", "seed"), INCIDENTS)
def test_an_incident_at_every_level(
    page: Page, company: Company, hands: Hands, incident: str, seed: int
) -> None:
    # L1: the command to copy, no button that runs anything
    set_level(company, Level.L1)
    question = begin(hands, incident, seed)
    ask(page, hands, question)
    thread_says(page, "root cause found")
    thread_says(page, "Was this right?")
    thread_says(page, re.compile("kubectl|curl|flag"))
    expect(page.get_by_test_id("thread").get_by_test_id("action-run")).to_have_count(0)
    expect(page.get_by_test_id("thread").get_by_test_id("action-approve")).to_have_count(0)
    assert hands.actions_done() == []

    # L2: whoever may approve here runs it with one click
    set_level(company, Level.L2)
    question = begin(hands, incident, seed)
    ask(page, hands, question)
    thread_says(page, "root cause found")
    press(page, "run", as_user="U0APPROVER")
    settled(page)
    assert hands.executions() == 1

    # L3: staged; an observer is refused, an approver approves; the diagnosis is judged right
    set_level(company, Level.L3)
    question = begin(hands, incident, seed)
    ask(page, hands, question)
    thread_says(page, "root cause found")
    press(page, "approve", as_user="U0OBSERVER")
    thread_says(page, "Not run")
    assert hands.actions_done() == []
    press(page, "approve", as_user="U0APPROVER")
    settled(page)
    assert hands.executions() == 1
    press(page, "verdict_right", as_user="U0RESPONDER")

    # L4: known by now, so it acts by itself, and offers to take it back
    set_level(company, Level.L4)
    question = begin(hands, incident, seed)
    ask(page, hands, question)
    settled(page)
    assert hands.executions() == 1


def settled(page: Page) -> None:
    """Wait until the action is no longer watched: its story is over."""
    thread_says(page, re.compile("recovered after", re.I))
    expect(page.get_by_test_id("thread")).not_to_contain_text("Watching until", timeout=STORY_MS)


def begin(hands: Hands, incident: str, seed: int) -> str:
    """Start the incident afresh; return what a user would ask."""
    hands.start_incident(incident, seed)
    time.sleep(0.2)
    return str(hands.get("control/truth", environment="prod")["truth"]["prod"]["question"])


def test_a_rejection_and_a_wrong_verdict_are_taken_with_their_reasons(
    page: Page, company: Company, hands: Hands
) -> None:
    set_level(company, Level.L3)
    ask(page, hands, begin(hands, "pool-exhausted", 1))
    thread_says(page, "root cause found")
    press(page, "reject", as_user="U0APPROVER")
    page.get_by_test_id("modal").locator("textarea").fill("we are draining it, not now")
    page.get_by_test_id("modal-submit").click()
    thread_says(page, re.compile("rejected", re.I))
    thread_says(page, "we are draining it, not now")
    expect(page.get_by_test_id("thread").get_by_test_id("action-approve")).to_have_count(0)
    press(page, "verdict_wrong", as_user="U0RESPONDER")
    page.get_by_test_id("modal").locator("textarea").fill("it was the network")
    page.get_by_test_id("modal-submit").click()
    thread_says(page, re.compile("noted", re.I))
    assert hands.actions_done() == []
