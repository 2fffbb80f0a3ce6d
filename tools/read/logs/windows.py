"""Reads a store's lines of a window and of the equally long one before, and counts templates."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import SreBotError
from bot.domain.needs import Need
from bot.domain.snapshot import BlindSpot, Snapshot, Source
from bot.domain.time import Window
from tools.read.logs.templates import Entry, templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines of one window, newest first; `complete`: there are no others.

    `spots`: what could not be seen of the window for another reason than the number of lines.
    """

    entries: tuple[Entry, ...]
    complete: bool
    spots: tuple[str, ...] = ()


Fetch = Callable[[Window, bool], Awaitable[Lines]]  # the bool: of the window before


async def read_templates(
    environment: str, need: Need, source: Source, fetch: Fetch, spots: Iterable[str] = ()
) -> Snapshot:
    """Return templates with counts in the window and before. Raises: as `fetch`.

    Where the window before cannot be read, or either is cut, there is nothing to compare with.
    """
    window = need.window
    before = Window(start=window.start - timedelta(seconds=window.seconds), end=window.start)
    baseline = asyncio.ensure_future(_quietly(fetch, before))
    try:
        now = await fetch(window, False)
        earlier = await baseline
    finally:
        baseline.cancel()
    known = now.complete and earlier is not None
    entries = [*now.entries, *(earlier.entries if known and earlier else ())]
    # in a thread, here and in other tools: thousands of lines, for which others would wait
    found, cut = await asyncio.to_thread(templates, entries, source, baseline_known=known)
    words = [(s, "every log line") for s in (*spots, *now.spots)]
    if not now.complete:
        said = f"too many lines: looked at the newest {len(now.entries)}, counts are too low"
        words.append((said, "every log line"))
    if cut:
        words.append((f"{cut} rare templates left out", "every log template"))
    return Snapshot(
        environment=environment,
        window=window,
        now=window.end,
        logs=found,
        blind_spots=tuple(BlindSpot(system="logs", reason=r, wanted=w) for r, w in words),
    )


async def _quietly(fetch: Fetch, before: Window) -> Lines | None:
    """Return the lines of the window before, None if they are not all to be had."""
    try:
        lines = await fetch(before, True)
    except SreBotError:
        return None
    return lines if lines.complete and not lines.spots else None
