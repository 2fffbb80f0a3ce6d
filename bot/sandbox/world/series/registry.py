"""Every metric of a site by name, and their selection by matchers."""

from collections.abc import Mapping, Sequence

import numpy as np

from bot.sandbox.world.noise import Bools, Floats, Ints
from bot.sandbox.world.promql.evaluator import Matcher
from bot.sandbox.world.promql.matching import predicate, test
from bot.sandbox.world.promql.values import NAME, Labels
from bot.sandbox.world.series import containers, probes, requests, stores, workloads
from bot.sandbox.world.series.family import Family, Scope
from bot.sandbox.world.site import SCRAPE


def families() -> Mapping[str, Family]:
    """Return all metric families by name."""
    modules = (requests, containers, workloads, stores, probes)
    return {f.name: f for module in modules for f in module.families()}


class SiteStorage:
    """The samples of one site up to `now`, for the evaluator."""

    step_s = SCRAPE
    stale = True

    def __init__(self, scope: Scope, table: Mapping[str, Family], now: float) -> None:
        self.scope, self.table = scope, table
        self.last = int(now // SCRAPE)

    def select(self, matchers: Sequence[Matcher], indices: Ints) -> tuple[list[Labels], Floats]:
        """Return the matching series at sample indices; nothing of the future."""
        labels: list[Labels] = []
        values: list[Floats] = []
        names = [test(m) for m in matchers if m.name == NAME]
        keep = predicate([m for m in matchers if m.name != NAME])
        known = indices <= self.last
        for name, family in self.table.items():
            if not all(check(name) for check in names):
                continue
            rows = family.read(self.scope, keep, indices[known])
            if rows.labels:
                labels.extend({NAME: name, **row} for row in rows.labels)
                values.append(self._padded(rows.values, known))
        if not labels:
            return [], np.zeros((0, len(indices)))
        return labels, np.concatenate(values)

    def _padded(self, values: Floats, known: Bools) -> Floats:
        if known.all():
            return values
        out = np.full((len(values), len(known)), np.nan)
        out[:, known] = values
        return out
