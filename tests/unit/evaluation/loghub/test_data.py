"""The labelled logs and the recorded cases of the development set, where the shared data is."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bot.evaluation.benchmark import Part, chosen
from bot.evaluation.cloud_opsbench import benchmark as cloud
from bot.evaluation.loghub.benchmark import LABELS, grouping_accuracy, load
from bot.logs.mining import mine
from bot.logs.records import records
from tests.fakes.servers import missing, require, shared_directory

SYSTEMS = 6
CASES = 12  # of the worked-on part, for the time it takes
LEAST_LINES = 200


def unpack(archive: str, target: Path, *only: str) -> Path:
    path = shared_directory() / "data" / archive
    if not path.is_file():
        missing(f"no recorded data: {path} is not there")
    require(shutil.which("zstd"), "zstd", "zstd, to unpack the recorded data,")
    command = ["tar", "--zstd", "-xf", str(path.resolve()), "-C", str(target), *only]
    subprocess.run(command, check=True)
    return target


def test_lines_are_grouped_as_the_labels_say(tmp_path: Path) -> None:
    root = unpack("loghub-dev.tar.zst", tmp_path)
    systems = [load(path) for path in sorted(root.rglob(f"*{LABELS}"))]
    content = [grouping_accuracy(mine(s.contents).indices, s.labels) for s in systems]
    whole = [grouping_accuracy(mine(s.lines).indices, s.labels) for s in systems]
    assert len(systems) == SYSTEMS
    assert sum(content) / SYSTEMS >= 0.90
    assert sum(whole) / SYSTEMS >= 0.80


def test_the_noise_of_recorded_incidents_falls_by_four_fifths(tmp_path: Path) -> None:
    options = ("--wildcards", "*/logs.json", "*/metadata.json")
    root = unpack("cloud-opsbench-dev.tar.zst", tmp_path, *options)
    names = sorted(p.parent.relative_to(root).as_posix() for p in root.rglob("metadata.json"))
    worked_on = chosen(cloud.NAME, names, Part.WORKED_ON, cloud._is_aside)
    found = [said for name in worked_on for said in _logs(root / name)]
    assert len(found) >= CASES
    for lines in found[:CASES]:
        told = [r.text for one in lines for r in records(one)]
        assert 1 - len(mine(told).templates) / sum(map(len, lines)) >= 0.8


def _logs(case: Path) -> list[list[list[str]]]:
    """Return the case's lines by container, in a list of one; of none where they are few."""
    cases = []
    for path in case.rglob("logs.json"):
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        lines = [v.splitlines() if isinstance(v, str) else list(map(str, v)) for v in data.values()]
        if sum(map(len, lines)) >= LEAST_LINES:
            cases.append(lines)
    return cases
