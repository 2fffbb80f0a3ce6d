"""Shares the test modules among processes: the stories one after the other, the longest first."""

from collections.abc import Sequence

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

STORIES = "tests/scenarios/story/"
LONGEST_FIRST = (  # seconds of one quiet process, about
    STORIES,  # 450, most of them waited for
    "tests/scenarios/page/",  # 100
    "tests/unit/sandbox/world/",  # 50
    "tests/unit/evaluation/cloud_opsbench/test_data.py",  # 25
    "tests/integration/",
)


class LongestFirst(LoadScopeScheduling):
    """A module stays in one process, as with loadscope, and so do all stories; the order is ours.

    Two companies at once on two cores would measure the machine and not the bot; one company beside
    the small tests leaves them most of a core.
    """

    def _split_scope(self, nodeid: str) -> str:
        return STORIES if nodeid.startswith(STORIES) else str(super()._split_scope(nodeid))

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
