"""Every metric of a site by name, and their selection by matchers."""

from collections.abc import Mapping, Sequence

import numpy as np

from bot.sandbox.world.building import LONG_PAST_S
from bot.sandbox.world.noise import Bools, Floats, Ints
from bot.sandbox.world.promql.evaluator import MAX_SAMPLES, Matcher
from bot.sandbox.world.promql.matching import predicate, test
from bot.sandbox.world.promql.values import NAME, FailedQuery, Labels
from bot.sandbox.world.series import containers, probes, requests, stores, workloads
from bot.sandbox.world.series.family import Family, Keep, Scope
from bot.sandbox.world.site import SCRAPE
from bot.sandbox.world.traffic import DAY

MANY = 1500  # samples per series from which on a query is weighed first


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
        self.first = int((scope.site.begun - LONG_PAST_S - DAY) // SCRAPE)

    def select(self, matchers: Sequence[Matcher], indices: Ints) -> tuple[list[Labels], Floats]:
        """Return the matching series at sample indices; nothing of the future."""
        names = [test(m) for m in matchers if m.name == NAME]
        keep = predicate([m for m in matchers if m.name != NAME])
        chosen = [f for n, f in self.table.items() if all(check(n) for check in names)]
        known = (indices <= self.last) & (indices >= self.first)
        if not known.any():
            return [], np.zeros((0, len(indices)))
        if len(indices) > MANY:
            self._afford(chosen, keep, int(known.sum()))
        labels: list[Labels] = []
        values: list[Floats] = []
        for family in chosen:
            rows = family.read(self.scope, keep, indices[known])
            if rows.labels:
                labels.extend({NAME: family.name, **row} for row in rows.labels)
                values.append(self._padded(rows.values, known))
        if not labels:
            return [], np.zeros((0, len(indices)))
        return labels, np.concatenate(values)

    def _afford(self, chosen: list[Family], keep: Keep, samples: int) -> None:
        """Refuse what would take for ever, before it is read. Raises: FailedQuery."""
        one = np.array([self.last])
        series = sum(len(f.read(self.scope, keep, one).labels) for f in chosen)
        if series * samples > MAX_SAMPLES:
            raise FailedQuery("query processing would load too many samples into memory")

    def _padded(self, values: Floats, known: Bools) -> Floats:
        if known.all():
            return values
        out = np.full((len(values), len(known)), np.nan)
        out[:, known] = values
        return out
