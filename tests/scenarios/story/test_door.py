"""The whole bot loses its door: it ends, says why, and is as before once it is started again."""

import os
import signal
import urllib.request
from pathlib import Path

import pytest

from bot.cli.company import Company

pytestmark = pytest.mark.story

WITHIN_S = 60.0


def test_a_bot_that_lost_its_door_ends_and_can_be_started_again(company: Company) -> None:
    assert company.bot is not None
    pid = company.bot.pid
    (door,) = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    os.kill(int(door), signal.SIGKILL)
    assert company.bot.wait(WITHIN_S) == 1
    log = (company.plan.home / "bot.log").read_text(encoding="utf-8")
    assert log.splitlines()[-1] == "the HTTP door: I lost it, so I stopped. Start me again"
    assert "Traceback" not in log
    company.kill_bot()  # nothing is left to kill, but its pipe to close
    port = company.start_bot()["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=WITHIN_S) as answer:
        assert answer.status == 200
