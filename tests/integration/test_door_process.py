"""The HTTP door is a process of its own: it answers while the bot cannot, and leaves with it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.app.doorkeeper import _hear
from bot.storage.database import Database
from bot.storage.signal_tables import InboxRow
from tests.unit.app.test_forwarding import ask, request_of
from tests.unit.app.test_metrics import samples
from tests.unit.intake.doorway import PAGERDUTY, by_pagerduty
from tests.unit.intake.samples import event, raw

pytestmark = pytest.mark.integration
WITHIN_S = 30.0
BODY = raw(event())
SIGNED = [f"{k}: {v}" for k, v in by_pagerduty(BODY).items()]
WEBHOOK = request_of("/webhooks/pagerduty", *SIGNED, method="POST", body=BODY)
ANSWERS = "sre_bot_requests_total"


class SmallBot:
    """A running bot of nothing but its door."""

    def __init__(self, home: Path, port: int = 0) -> None:
        self.database = f"sqlite:///{home / 'bot.sqlite'}"
        variables = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SRE_BOT_")},
            "DATABASE_URL": self.database,
            "SRE_BOT_HTTP_PORT": str(port),
            "SRE_BOT_PAGERDUTY_WEBHOOK_SECRETS": json.dumps([PAGERDUTY]),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.small_bot"], env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said, self.process.communicate()[1]
        facts: dict[str, int] = json.loads(said)
        self.port, self.door = facts["port"], facts["door"]

    def end(self) -> tuple[int, str, str]:
        """Return the exit code and what was said until both processes had gone."""
        said, errors = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, said, errors

    def stored(self) -> int:
        database = Database(self.database)
        try:
            return len(database.run_now(lambda s: list(s.scalars(select(InboxRow.key)))))
        finally:
            database.close()


Start = Callable[..., SmallBot]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[SmallBot] = []

    def begin(port: int = 0) -> SmallBot:
        running.append(SmallBot(tmp_path, port))
        return running[-1]

    yield begin
    for bot in running:
        with suppress(ProcessLookupError):
            os.killpg(bot.process.pid, signal.SIGKILL)
        bot.process.wait(WITHIN_S)
        for pipe in (bot.process.stdout, bot.process.stderr):
            if pipe is not None:
                pipe.close()


def lives(pid: int) -> bool:
    """Whether there is such a process, and it is not only waiting to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_webhook_is_committed_by_the_door_and_counted_by_the_bot(start: Start) -> None:
    bot = start()
    status, _, body = await ask(bot.port, WEBHOOK)
    assert (status, json.loads(body)) == (202, {"signals": 1})
    assert bot.stored() == 1
    assert (await ask(bot.port, request_of("/webhooks/nobody")))[0] == 404
    assert (await ask(bot.port, request_of("/nowhere")))[0] == 404
    assert (await ask(bot.port, request_of("/healthz")))[::2] == (200, b"well")

    async def found() -> dict[tuple[str, tuple[str, ...]], float]:
        return samples((await ask(bot.port, request_of("/metrics")))[2])

    deadline = time.monotonic() + WITHIN_S
    while (ANSWERS, ("/webhooks/pagerduty", "202")) not in (seen := await found()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert seen[ANSWERS, ("/webhooks/pagerduty", "202")] == 1
    assert seen[ANSWERS, ("/webhooks/{rest:path}", "404")] == 1
    assert seen[ANSWERS, ("other", "404")] == 1
    assert seen[ANSWERS, ("/healthz", "200")] == 1
    assert seen["sre_bot_door_process_resident_memory_bytes", ()] > 0


async def test_webhooks_are_committed_while_the_bot_hangs(start: Start) -> None:
    bot = start()
    os.kill(bot.process.pid, signal.SIGSTOP)
    try:
        assert (await ask(bot.port, WEBHOOK))[0] == 202
        assert bot.stored() == 1
    finally:
        os.kill(bot.process.pid, signal.SIGCONT)
    assert (await ask(bot.port, request_of("/healthz")))[0] == 200


async def test_a_killed_bot_leaves_no_door_and_the_next_has_its_port(start: Start) -> None:
    bot = start()
    os.kill(bot.process.pid, signal.SIGKILL)
    after = await asyncio.to_thread(start, bot.port)
    assert after.port == bot.port
    assert (await ask(after.port, WEBHOOK))[0] == 202
    await until(lambda: not lives(bot.door))


async def test_a_bot_without_its_door_ends_and_says_so(start: Start) -> None:
    bot = start()
    os.kill(bot.door, signal.SIGKILL)
    code, _, errors = await asyncio.to_thread(bot.end)
    assert code == 1
    assert errors == "the HTTP door: I lost it, so I stopped. Start me again\n"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_what_is_being_answered_at_the_stop_is_answered_and_counted(
    start: Start, sign: signal.Signals
) -> None:
    bot = start()
    reader, writer = await asyncio.open_connection("127.0.0.1", bot.port)
    writer.write(WEBHOOK[:-20])
    await writer.drain()
    await ask(bot.port, request_of("/healthz"))  # by then the door has read it
    os.killpg(bot.process.pid, sign)  # as Ctrl-C does: to both
    await until(lambda: refused(bot.port))
    writer.write(WEBHOOK[-20:])
    assert (await reader.read()).startswith(b"HTTP/1.1 202")
    writer.close()
    code, said, errors = await asyncio.to_thread(bot.end)
    assert (code, bot.stored()) == (0, 1), errors
    assert samples(said.encode())[ANSWERS, ("/webhooks/pagerduty", "202")] == 1
    assert not lives(bot.door)
    assert "Traceback" not in errors


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "no such host"])
def test_a_port_that_cannot_be_had_is_one_line_that_names_the_settings(
    tmp_path: Path, host: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        variables = {
            "SRE_BOT_HOME": str(tmp_path), "SRE_BOT_HTTP_HOST": host,
            "SRE_BOT_HTTP_PORT": str(taken.getsockname()[1]),
            "SRE_BOT_SLACK_BOT_TOKEN": "xoxb-a", "SRE_BOT_SLACK_APP_TOKEN": "xapp-a",
            "SRE_BOT_ENVIRONMENTS": str(tmp_path / "none.yaml"),
        }  # fmt: skip
        found = subprocess.run(
            [sys.executable, "-m", "bot", "run"], env={**os.environ, **variables},
            capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.startswith("SRE_BOT_HTTP_HOST and SRE_BOT_HTTP_PORT: ")
    assert found.stderr.count("\n") == 1


def script(home: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run a bot that does this while its door is there, but not open yet."""
    variables = {"DATABASE_URL": f"sqlite:///{home}/bot.sqlite", "SRE_BOT_HTTP_PORT": "0"}
    before = (
        "import os, socket\nfrom bot.app.doorkeeper import doorkeeper\n"
        "from bot.settings import load\nfrom tests.fakes.small_bot import serve\n"
        "with doorkeeper(load()) as door:\n    print(door.pid, flush=True)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", before + textwrap.indent(code, "    ")], text=True, check=False,
        env={**os.environ, **variables}, capture_output=True, timeout=WITHIN_S,
    )  # fmt: skip


def test_a_bot_that_does_not_come_up_leaves_no_door(tmp_path: Path) -> None:
    found = script(tmp_path, "raise SystemExit(3)")
    assert (found.returncode, found.stderr) == (3, "")
    assert not lives(int(found.stdout))


OPENING = "import asyncio\nasyncio.run(serve(door, load().database))"


def test_a_port_that_another_bot_took_meanwhile_is_told_in_the_log(tmp_path: Path) -> None:
    found = script(tmp_path, f"a = socket.create_server(('127.0.0.1', door.port))\n{OPENING}")
    log = json.loads(found.stderr.splitlines()[0])
    assert log["event"].startswith("the HTTP door broke: ")
    assert log["event"].endswith("Address already in use")
    assert "it did not open: it ended with code 1, its log says why" in found.stderr
    assert not lives(int(found.stdout.split()[0]))


def test_a_door_that_dies_before_it_is_opened_is_named_with_its_end(tmp_path: Path) -> None:
    found = script(tmp_path, f"os.kill(door.pid, 9)\n{OPENING}")
    assert "the HTTP door: it did not open: it ended with code -9" in found.stderr


async def test_a_door_that_hangs_is_lost_and_one_that_was_only_not_heard_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.app.doorkeeper.LISTEN_S", 0.05)
    reader, lost = asyncio.StreamReader(), asyncio.Event()
    hearing = asyncio.create_task(_hear(reader, lost.set))
    await asyncio.sleep(0.01)
    time.sleep(0.5)  # noqa: ASYNC251 - as if the bot had been stopped for long
    reader.feed_data(b"[]\n")
    await asyncio.sleep(0.02)
    assert not lost.is_set()
    await hearing
    assert lost.is_set()
    assert "the HTTP door hangs" in caplog.text
