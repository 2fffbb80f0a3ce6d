"""Every reproducible kind of the recorded incidents, live: as often right as in the recordings.

The recorded share is that of the cases which rules were written from; a kind that is only among the
others is to be right always. Each piece (a few kinds, once for each victim) can be run alone.
Not reproducible on that cluster: pod_network_delay and node_network_delay (no netem in its kernel).
"""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from bot.evaluation.benchmark import Options, Part
from bot.evaluation.cloud_opsbench.benchmark import cases_of, score_all
from tests.fakes.faults import FAULTS, Fault
from tests.fakes.live import Outcome, broken, judge, table
from tests.fakes.real_cluster import RealCluster
from tests.fakes.servers import missing, require, shared_directory

pytestmark = [pytest.mark.integration, pytest.mark.kubernetes, pytest.mark.long]
ARCHIVE = "cloud-opsbench-dev.tar.zst"
NOT_REPRODUCIBLE = frozenset({"pod_network_delay", "node_network_delay"})
VICTIMS = ("cart", "orders")
KINDS_AT_ONCE = 4
GAP = 0.05
ALWAYS = (1, 1)


def _pieces() -> dict[str, list[Fault]]:
    """Return the faults that are put in at the same time; the slow and the lonely by themselves."""
    labelled = [fault for fault in FAULTS if fault.label]
    quick = [f for f in labelled if not f.alone and not f.slow]
    pieces = {fault.label: [fault] for fault in labelled if fault not in quick}
    for start in range(0, len(quick), KINDS_AT_ONCE):
        group = quick[start : start + KINDS_AT_ONCE]
        pieces[f"{group[0].label} to {group[-1].label}"] = group
    return pieces


PIECES = _pieces()

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
    for case in score_all(cases_of(target, Options(part=Part.WORKED_ON)), target):
        every[case.kind] += 1
        right[case.kind] += case.right
    return {kind: (right[kind], every[kind]) for kind in every}


def _live(cluster: RealCluster, group: Sequence[Fault], registry: str) -> list[Outcome]:
    """Inject the faults of a piece, once a victim, and ask what is wrong."""
    rounds = [[v] for v in VICTIMS] if group[0].alone else [VICTIMS]
    outcomes: list[Outcome] = []
    for victims in rounds:
        with broken(cluster, group, registry, victims=victims) as places:
            outcomes += [judge(fault, place) for fault, place in places]
    return outcomes


def test_every_reproducible_kind_has_a_fault(recorded: dict[str, Share]) -> None:
    assert set(recorded) - {f.label for f in FAULTS} == NOT_REPRODUCIBLE


@pytest.mark.parametrize("piece", PIECES)
def test_each_kind_is_as_often_right_live_as_recorded(
    piece: str, real_cluster: RealCluster, registry: str, recorded: dict[str, Share],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    outcomes = _live(real_cluster, PIECES[piece], registry)
    live = {
        fault.label: _share([o for o in outcomes if o.fault is fault]) for fault in PIECES[piece]
    }
    with capsys.disabled():
        print("", *_rows(live, recorded), sep="\n")  # noqa: T201 - the table is what this is for
    short = [k for k in live if _ratio(live[k]) < _ratio(recorded.get(k, ALWAYS)) - GAP]
    assert not short, f"{', '.join(short)}\n{table([o for o in outcomes if not o.right])}"


def _rows(live: Mapping[str, Share], recorded: Mapping[str, Share]) -> list[str]:
    return [f"{k:36} recorded {_told(recorded.get(k))}  live {_told(live[k])}" for k in live]


def _share(outcomes: Sequence[Outcome]) -> Share:
    return sum(o.right for o in outcomes), len(outcomes)


def _told(share: Share | None) -> str:
    return f"{share[0]:2} of {share[1]:2} ({_ratio(share):.2f})" if share else "none          "


def _ratio(share: Share) -> float:
    return share[0] / share[1]
