"""Shares the tests among processes: whole companies one after the other, the longest first."""

from collections.abc import Sequence

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

STORIES = "tests/scenarios/story/"
LEVELS = f"{STORIES}test_levels.py"
COMPANIES = (  # each test is a company of its own: real processes, a bot that is killed, a storm
    "tests/scenarios/kills/",
    "tests/scenarios/test_storm.py",
    STORIES,
    "tests/scenarios/faults/",
    "tests/integration/test_replicas.py",
    "tests/integration/test_intake_door.py",
    "tests/unit/workflows/test_digest_kills.py",
)
LONGEST_FIRST = (  # seconds of one quiet process, about
    STORIES,  # 450, and 240 those of the levels; most of them waited for
    "tests/scenarios/page/",  # 100
    "tests/unit/sandbox/world/",  # 50
    "tests/unit/evaluation/cloud_opsbench/test_data.py",  # 25
    "tests/integration/",
    "tests/scenarios/kills/",  # 120, companies too: not beside the levels
)


class LongestFirst(LoadScopeScheduling):
    """A module stays in one process, as with loadscope; all stories share two; the order is ours.

    More companies at once on two cores would measure the machine and not the bot; each waits for
    most of its time, so two of them need no more than two processes of small tests.
    """

    def _split_scope(self, nodeid: str) -> str:
        kept_together = (scope for scope in (LEVELS, STORIES) if nodeid.startswith(scope))
        return next(kept_together, str(super()._split_scope(nodeid)))

    def _assign_work_unit(self, node: WorkerController) -> None:
        following = first(tuple(self.workqueue))
        self.workqueue.move_to_end(following, last=False)
        super()._assign_work_unit(node)


class OneCompany(LoadScopeScheduling):
    """For the long tests: one company at a time, in one process; the others share the rest."""

    def _split_scope(self, nodeid: str) -> str:
        return "companies" if nodeid.startswith(COMPANIES) else nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        if "companies" in self.workqueue:
            self.workqueue.move_to_end("companies", last=False)
        super()._assign_work_unit(node)


def first(scopes: Sequence[str]) -> str:
    """Return the scope to run next; of those without a rank, the one that came first."""
    return min(scopes, key=rank)


def rank(scope: str) -> int:
    """Return how early a scope starts; 0 is first."""
    known = (place for place, prefix in enumerate(LONGEST_FIRST) if scope.startswith(prefix))
    return next(known, len(LONGEST_FIRST))
