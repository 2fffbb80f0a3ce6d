"""What the bot writes to its log: lines of JSON, with no secret in them, whoever wrote them."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bot.domain.errors import Transient

# put together here, so that no scanner takes this file for a leak
SECRET = "-".join(("xoxb", "123456789012", "abcdefghijklmnop"))
BEGINNING = "import logging\nfrom bot.app.logs import configure\nconfigure('INFO')\n"


def written(code: str) -> list[dict[str, Any]]:
    """Run code in a process of its own and return its log."""
    run = subprocess.run(
        [sys.executable, "-c", BEGINNING + code],
        capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "SECRET": SECRET, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert SECRET not in run.stderr
    return [json.loads(line) for line in run.stderr.splitlines()]


def raising(error: str, logger: str = "anybody") -> str:
    return (
        "import os\n"
        "from bot.domain.errors import Transient\n"
        "try:\n"
        f"    raise {error}\n"
        "except Exception as problem:\n"
        f"    logging.getLogger({logger!r}).warning('again', exc_info=problem)\n"
    )


def test_a_message_is_one_redacted_line():
    (line,) = written("import os\nlogging.getLogger('a').info('it is %s', os.environ['SECRET'])\n")
    assert line["level"] == "info"
    assert line["event"].startswith("it is ")


@pytest.mark.parametrize("logger", ["anybody", "dbos"])
def test_an_error_that_was_foreseen_has_no_traceback(logger: str):
    (line,) = written(raising("Transient('the database is locked')", logger))
    assert line["event"] == f"again: {Transient('the database is locked')}"
    assert "exc_info" not in line


@pytest.mark.parametrize("logger", ["anybody", "dbos"])
def test_a_bug_keeps_its_traceback_without_secrets(logger: str):
    (line,) = written(raising("ValueError(os.environ['SECRET'])", logger))
    assert line["event"].startswith("again: Traceback (most recent call last)")
    assert "ValueError" in line["event"]


def test_the_engine_gets_no_handler_of_its_own():
    code = "from dbos._logger import init_logger\ninit_logger()\n" + raising(
        "Transient('gone')", "dbos"
    )
    assert [line["event"] for line in written(code)] == [f"again: {Transient('gone')}"]


def test_a_text_with_new_lines_stays_one_line():
    (line,) = written("logging.getLogger('a').warning('one\\ntwo\\x1b[31m')\n")
    assert "one" in line["event"]
    assert "two" in line["event"]


def test_a_line_says_which_incident_it_belongs_to_also_in_threads():
    (inside, threaded, outside) = written(
        "import asyncio\n"
        "from bot.domain.telemetry import binding\n"
        "log = logging.getLogger('a')\n"
        "async def work():\n"
        "    with binding(incident='inc-1', investigation='inv-1'):\n"
        "        log.info('inside')\n"
        "        await asyncio.to_thread(log.info, 'threaded')\n"
        "    log.info('outside')\n"
        "asyncio.run(work())\n"
    )
    assert (inside["incident"], inside["investigation"]) == ("inc-1", "inv-1")
    assert threaded["incident"] == "inc-1"
    assert "incident" not in outside
