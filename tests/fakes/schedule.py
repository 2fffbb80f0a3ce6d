"""Shares the test modules among processes: what takes longest, or mostly waits, starts first."""

from collections.abc import Sequence

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

LONGEST_FIRST = (  # seconds of one quiet process, about
    "tests/scenarios/story/test_levels.py",  # 240
    "tests/scenarios/story/test_bad_input.py",  # 100
    "tests/scenarios/story/test_crashes.py",  # 80
    "tests/scenarios/story/",  # 20 to 50
    "tests/unit/evaluation/cloud_opsbench/test_data.py",  # 40
    "tests/integration/",
    "tests/scenarios/",
)


class LongestFirst(LoadScopeScheduling):
    """A module stays in one process, as with loadscope; the order is ours."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        following = first(tuple(self.workqueue))
        self.workqueue.move_to_end(following, last=False)
        super()._assign_work_unit(node)


def first(scopes: Sequence[str]) -> str:
    """Return the scope to run next; of those without a rank, the one that came first."""
    return min(scopes, key=rank)


def rank(scope: str) -> int:
    """Return how early a scope starts; 0 is first."""
    known = (place for place, prefix in enumerate(LONGEST_FIRST) if scope.startswith(prefix))
    return next(known, len(LONGEST_FIRST))
