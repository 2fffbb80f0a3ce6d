"""The same bot with its tables and its journal on a real PostgreSQL."""

from pathlib import Path

import pytest

from bot.cli.company import Company, Plan
from tests.fakes.story import Hands, saying, with_button

pytestmark = [pytest.mark.integration, pytest.mark.story]


def test_a_mention_is_answered_and_survives_a_kill_on_postgresql(
    tmp_path: Path, postgres_url: str
) -> None:
    plan = Plan(
        home=tmp_path,
        incident="pool-exhausted",
        rate=60.0,
        variables={"DATABASE_URL": postgres_url},
    )
    company = Company(plan)
    company.start()
    try:
        hands = Hands(company)
        ts = hands.say("@sre-bot why is search slow")
        hands.wait(ts, lambda replies: replies)
        company.kill_bot()
        company.start_bot()
        assert hands.wait(ts, with_button("verdict_right"))
        assert hands.wait(ts, saying("DB_POOL_SIZE"))
        reports = [m for m in hands.thread(ts) if with_button("verdict_right")([m])]
        assert len(reports) == 1
    finally:
        company.stop()
    assert not list(tmp_path.glob("*.sqlite"))
