"""Keeps solved blocks, and turns increments per sample into counters that only grow."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bot.sandbox.world.building import PAST_S
from bot.sandbox.world.noise import Floats, Ints
from bot.sandbox.world.propagation import sliced
from bot.sandbox.world.site import BLOCK, SCRAPE, Site
from bot.sandbox.world.solving import Frame, solve

KEPT = 600  # cumulative blocks kept in memory
CHUNK = 8  # blocks of the settled past that are solved at once

# Increments of one family of one service in a block: row key → [kinds, BLOCK]
Increments = Callable[[Frame, str], dict[Any, Floats]]


class Blocks:
    """Solved blocks of one site, forgotten from the moment of a change on."""

    def __init__(self, site: Site) -> None:
        self.site = site
        first = int((site.begun - PAST_S) // (SCRAPE * BLOCK))
        self.first = first // CHUNK * CHUNK
        self._frames: dict[int, Frame] = {}
        self._chunks: dict[int, Frame] = {}
        self._sums: dict[tuple[Any, ...], dict[Any, Floats]] = {}
        self._bases: dict[tuple[Any, ...], dict[Any, Floats]] = {}
        site.watchers.append(self.forget)

    def forget(self, at: float) -> None:
        """Drop what was computed for the block of this moment and later ones."""
        edge = int(at // (SCRAPE * BLOCK))
        self._frames = {b: f for b, f in self._frames.items() if b < edge}
        self._sums = {k: v for k, v in self._sums.items() if k[-1] < edge}
        self._bases = {k: v for k, v in self._bases.items() if k[-1] <= edge}

    def frame(self, block: int) -> Frame:
        """Return the solved block."""
        found = self._frames.get(block)
        if found is None:
            found = self._frames[block] = self._solved(block)
        return found

    def _solved(self, block: int) -> Frame:
        chunk = block // CHUNK
        if not self._settled(chunk):
            return solve(self.site, block)
        whole = self._chunk(chunk)
        start = (block - chunk * CHUNK) * BLOCK
        part = slice(start, start + BLOCK)
        return {name: sliced(flow, block, part) for name, flow in whole.items()}

    def _settled(self, chunk: int) -> bool:
        """Return whether a chunk lies wholly in the past that nothing can change any more."""
        return (chunk + 1) * CHUNK * BLOCK * SCRAPE <= self.site.begun

    def _chunk(self, chunk: int) -> Frame:
        found = self._chunks.get(chunk)
        if found is None:
            found = self._chunks[chunk] = solve(self.site, chunk * CHUNK, CHUNK)
        return found

    def instant(
        self, indices: Ints, read: Callable[[Frame, Ints], dict[Any, Floats]]
    ) -> dict[Any, Floats]:
        """Return gauges at sample indices: `read` gives rows at positions within one frame."""
        out: dict[Any, Floats] = {}
        for block, where in _by_block(indices):
            rows = read(self.frame(block), indices[where] - block * BLOCK)
            for key, values in rows.items():
                if key not in out:
                    out[key] = np.full(len(indices), np.nan)
                out[key][where] = values
        return out

    def counter(
        self, family: str, service: str, increments: Increments, indices: Ints
    ) -> dict[Any, Floats]:
        """Return counters [kinds, indices] by row key. Before the kept past there is nothing."""
        out: dict[Any, Floats] = {}
        for block, where in _by_block(indices):
            if block < self.first:
                continue
            bases = self._base((family, service), increments, block)
            at = indices[where] - block * BLOCK
            for key, sums in self._sum((family, service), increments, block).items():
                if key not in out:
                    out[key] = np.full((len(sums), len(indices)), np.nan)
                base = bases.get(key)
                grown = sums[:, at] if base is None else sums[:, at] + base[:, None]
                out[key][:, where] = np.floor(grown)
        return out

    def _sum(self, name: tuple[str, str], increments: Increments, block: int) -> dict[Any, Floats]:
        key = (*name, block)
        found = self._sums.get(key)
        if found is None:
            rows = increments(self.frame(block), name[1])
            found = {k: np.cumsum(v, axis=-1) for k, v in rows.items()}
            self._sums[key] = found
            while len(self._sums) > KEPT:
                self._sums.pop(next(iter(self._sums)))
        return found

    def _base(self, name: tuple[str, str], increments: Increments, block: int) -> dict[Any, Floats]:
        """Return what had been counted when a block began."""
        start = block
        while start > self.first and (*name, start) not in self._bases:
            start -= 1
        total = dict(self._bases.get((*name, start), {}))
        at = start
        while at < block:
            chunk = at // CHUNK
            whole = at % CHUNK == 0 and at + CHUNK <= block and self._settled(chunk)
            frame = self._chunk(chunk) if whole else self.frame(at)
            for key, rows in increments(frame, name[1]).items():
                grown = rows.sum(axis=-1)
                total[key] = total[key] + grown if key in total else grown
            at += CHUNK if whole else 1
            self._bases[(*name, at)] = dict(total)
        return total


def _by_block(indices: Ints) -> list[tuple[int, Ints]]:
    blocks = indices // BLOCK
    return [(int(b), np.nonzero(blocks == b)[0]) for b in np.unique(blocks)]
