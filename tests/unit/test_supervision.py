"""What runs as long as the process goes on whatever breaks in it, and ends when it is told to."""

import asyncio

import pytest

from bot import supervision
from bot.supervision import supervised


async def test_what_breaks_is_logged_and_run_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "AGAIN_S", 0.0)
    runs: list[int] = []
    again = asyncio.Event()

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise KeyError("password=hunter22")
        again.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervised("triage", work))
    await asyncio.wait_for(again.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(runs) == 3
    assert caplog.text.count("triage broke: KeyError") == 2
    assert "hunter22" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_when_it_is_stopped_what_it_runs_is_stopped_and_has_left() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)  # gives something back
            ended.set()

    task = asyncio.create_task(supervised("triage", work))
    await began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert ended.is_set()


async def test_a_stop_during_the_pause_ends_it_at_once() -> None:
    async def work() -> None:
        raise KeyError

    task = asyncio.create_task(supervised("triage", work, every_s=3600.0))
    await asyncio.sleep(0.01)
    task.cancel()
    async with asyncio.timeout(1.0):
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_a_cancellation_that_nobody_asked_for_is_a_break_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "AGAIN_S", 0.0)
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise asyncio.CancelledError

    async with asyncio.timeout(5):
        await supervised("triage", work)
    assert len(runs) == 2, "what returns is not run again"
    assert "triage broke: CancelledError" in caplog.text
