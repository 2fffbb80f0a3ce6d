"""The intake is put together from the settings."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.app.health import _webhooks
from bot.app.intake import intake_of, webhooks_of
from bot.domain.errors import NotConfigured
from bot.settings import Settings
from bot.storage.migrate import prepared
from tests.unit.intake.doorway import PAGERDUTY, PLACES, by_pagerduty, send
from tests.unit.intake.samples import event, raw
from tests.unit.remediation.office import FakeClock


async def test_a_webhook_is_in_the_database_when_it_is_answered(tmp_path: Path) -> None:
    database = prepared(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    settings = Settings(pagerduty_webhook_secrets=(SecretStr(PAGERDUTY),))
    webhooks = webhooks_of(settings, database, PLACES, FakeClock())
    body = raw(event())
    app = Starlette(routes=webhooks.routes)
    inbox = intake_of(settings, database, FakeClock()).inbox
    for _ in range(3):
        answer = await send(app, "/webhooks/pagerduty", body, by_pagerduty(body))
        assert answer.status == 202
    assert [r.signal.key for r in await inbox.take(5)] == ["pagerduty:01EVENT"]
    await webhooks.commits.close()
    database.close()


@pytest.mark.parametrize("secret", ["", " " * 20, "short"])
def test_a_secret_that_can_be_guessed_stops_the_start(tmp_path: Path, secret: str) -> None:
    database = prepared(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    settings = Settings(webhook_secrets=(SecretStr(PAGERDUTY), SecretStr(secret)))
    with pytest.raises(NotConfigured, match="SRE_BOT_WEBHOOK_SECRETS"):
        webhooks_of(settings, database, PLACES, FakeClock())
    database.close()


@pytest.mark.parametrize(
    ("secrets", "state", "words"),
    [((), "missing", "closed: PagerDuty, Alertmanager, signed JSON"),
     ((PAGERDUTY, PAGERDUTY), "ok", "PagerDuty (secrets: 2); closed: Alertmanager, signed JSON"),
     (("short",), "wrong", "at least 16 characters")],
)  # fmt: skip
def test_the_doctor_says_which_doors_are_open(
    secrets: tuple[str, ...], state: str, words: str
) -> None:
    found = _webhooks(Settings(pagerduty_webhook_secrets=tuple(map(SecretStr, secrets))))
    assert found.state == state
    assert words in found.words
    assert PAGERDUTY not in found.words
