"""All recorded Cloud-OpsBench cases of the development set, where the shared data is there."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.evaluation.cloud_opsbench.benchmark import cases_in, score_all
from bot.evaluation.scoring import summary
from tests.fakes.servers import missing, require, shared_directory

ARCHIVE = "cloud-opsbench-dev.tar.zst"
GROUPS = ("boutique/service", "boutique/startup", "boutique/scheduling")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    archive = shared_directory() / "data" / ARCHIVE
    if not archive.is_file():
        missing(f"no recorded cases: {archive} is not there")
    require(shutil.which("zstd"), "zstd", "zstd, to unpack the recorded cases,")
    target = tmp_path_factory.mktemp("cloud-opsbench")
    command = ["tar", "--zstd", "-xf", str(archive.resolve()), "-C", str(target)]
    subprocess.run(command, check=True)
    yield target
    shutil.rmtree(target)


def test_every_third_case_gives_a_report_and_most_of_three_groups_are_right(
    unpacked: Path,
) -> None:
    cases = cases_in(unpacked)[::3]
    assert are_answered(cases, unpacked) == 29


@pytest.mark.long
def test_every_case_gives_a_report_and_most_of_three_groups_are_right(unpacked: Path) -> None:
    cases = cases_in(unpacked)
    assert len(cases) == 206
    assert are_answered(cases, unpacked) == 89


def are_answered(cases: Sequence[Path], root: Path) -> int:
    """Return how many of the cases are of the three groups, most of which must be right."""
    scored = score_all(cases, root)
    assert len(scored) == len(cases)
    chosen = [s for s in scored if s.case.rpartition("/")[0] in GROUPS]
    assert summary(chosen)["top1"] >= 0.60
    return len(chosen)
