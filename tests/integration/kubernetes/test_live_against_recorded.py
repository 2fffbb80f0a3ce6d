"""Every reproducible kind of the recorded incidents, live: as often right as in the recordings.

Not reproducible on that cluster, and why: pod_network_delay and node_network_delay (no netem in its
kernel), pod_cpu_overload (no metrics server).
"""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.evaluation.cloud_opsbench.benchmark import cases_in, score_all
from tests.fakes.faults import FAULTS, Fault
from tests.fakes.live import Outcome, broken, judge, table
from tests.fakes.real_cluster import RealCluster
from tests.fakes.servers import missing, require, shared_directory

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes, pytest.mark.long]
ARCHIVE = "cloud-opsbench-dev.tar.zst"
NOT_REPRODUCIBLE = frozenset({"pod_network_delay", "node_network_delay", "pod_cpu_overload"})
VICTIMS = ("cart", "orders")
AT_ONCE = 14  # shops at a time
GAP = 0.05

Share = tuple[int, int]  # right, all


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Share]]:
    """Yield right and all of the recorded cases by kind."""
    archive = shared_directory() / "data" / ARCHIVE
    if not archive.is_file():
        missing(f"no recorded cases: {archive} is not there")
    require(shutil.which("zstd"), "zstd", "zstd, to unpack the recorded cases,")
    target = tmp_path_factory.mktemp("recorded")
    command = ["tar", "--zstd", "-xf", str(archive.resolve()), "-C", str(target)]
    subprocess.run(command, check=True)
    yield _recorded(target)
    shutil.rmtree(target)


def _recorded(target: Path) -> dict[str, Share]:
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for case in score_all(cases_in(target), target):
        every[case.kind] += 1
        right[case.kind] += case.right
    return {kind: (right[kind], every[kind]) for kind in every}


@pytest.fixture(scope="module")
def live(
    real_cluster: RealCluster, recorded: dict[str, Share], tmp_path_factory: pytest.TempPathFactory
) -> list[Outcome]:
    """Inject every reproducible kind, once a victim, and ask what is wrong."""
    from tests.fakes.faults.registry import empty_registry

    there = [f for f in FAULTS if f.label in recorded]
    together = [f for f in there if not f.alone]
    groups = [together[i : i + AT_ONCE] for i in range(0, len(together), AT_ONCE)]
    groups += [[fault] for fault in there if fault.alone]
    outcomes: list[Outcome] = []
    with empty_registry() as registry:
        for number, victim in enumerate(VICTIMS):
            for group in groups if number == 0 else groups[: -len([f for f in there if f.alone])]:
                outcomes += _asked(real_cluster, group, registry, victim)
    return outcomes


def _asked(cluster: RealCluster, group: list[Fault], registry: str, victim: str) -> list[Outcome]:
    with broken(cluster, group, registry, victim=victim) as places:
        return [judge(fault, place) for fault, place in places]


def test_every_reproducible_kind_has_a_fault(recorded: dict[str, Share]) -> None:
    assert set(recorded) - {f.label for f in FAULTS} == NOT_REPRODUCIBLE


def test_live_is_as_often_right_as_recorded(
    live: list[Outcome], recorded: dict[str, Share], capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = {kind: _share([o for o in live if o.fault.label == kind]) for kind in recorded}
    rows = [
        f"{kind:36} recorded {_told(recorded[kind])}  live {_told(kinds[kind])}"
        for kind in sorted(recorded)
        if kinds[kind][1]
    ]
    known = [recorded[kind] for kind in recorded if kinds[kind][1]]
    before, now = _mean(known), _mean([s for s in kinds.values() if s[1]])
    rows.append(f"{'mean over kinds':36} recorded {before:.3f}  live {now:.3f}")
    with capsys.disabled():
        print("", *rows, sep="\n")  # noqa: T201 - the table is what this test is for
    assert now >= before - GAP, f"\n{table([o for o in live if not o.right])}"


def _share(outcomes: list[Outcome]) -> Share:
    return sum(o.right for o in outcomes), len(outcomes)


def _told(share: Share) -> str:
    return f"{share[0]:2} of {share[1]:2} ({share[0] / share[1]:.2f})"


def _mean(shares: list[Share]) -> float:
    return sum(right / every for right, every in shares) / len(shares)
