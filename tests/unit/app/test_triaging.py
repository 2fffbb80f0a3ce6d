"""Triage goes on whatever breaks in it."""

import asyncio

import pytest

from bot.app import triaging
from bot.app.triaging import _kept


async def test_what_breaks_is_logged_and_run_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(triaging, "AGAIN_S", 0.0)
    runs: list[int] = []
    again = asyncio.Event()

    async def work() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise KeyError("password=hunter22")
        again.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(_kept("triage", work))
    await asyncio.wait_for(again.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(runs) == 3
    assert "triage broke: KeyError" in caplog.text
    assert "hunter22" not in caplog.text


async def test_when_it_is_stopped_what_it_runs_is_stopped_too() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(_kept("triage", work))
    await began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(ended.wait(), 5)
