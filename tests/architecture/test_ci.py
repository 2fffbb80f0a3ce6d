"""What CI runs: the long tests get the time that is left, and a failure is never lost."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENOUGH_S, SHORT_S = 4_000, 2


def run(tmp_path: Path, *, seconds: int, **does: str) -> subprocess.CompletedProcess[str]:
    """Run CI's script on a make that does what it is told for each target."""
    cases = "\n".join(f"{t.replace('_', '-')}) {what} ;;" for t, what in does.items())
    make = tmp_path / "make"
    make.write_text(f'#!/bin/bash\necho "made $1"\ncase "$1" in\n{cases}\nesac\n')
    make.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return subprocess.run(
        [str(ROOT / ".ci" / "run")], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": path, "SRE_BOT_CI_SECONDS": str(seconds)},
    )  # fmt: skip


def made(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.removeprefix("made ") for line in done.stdout.splitlines() if "made " in line]


def test_the_tests_of_every_run_come_first_then_the_long_ones(tmp_path: Path) -> None:
    done = run(tmp_path, seconds=ENOUGH_S)
    assert done.returncode == 0, done.stderr
    assert made(done) == ["check", "test-long"]


@pytest.mark.parametrize("target", ["check", "test_long"])
def test_whatever_fails_fails_the_run(tmp_path: Path, target: str) -> None:
    done = run(tmp_path, seconds=ENOUGH_S, **{target: "exit 2"})
    assert done.returncode == 2
    assert made(done)[-1] == target.replace("_", "-")


def test_what_takes_too_long_is_stopped_and_told(tmp_path: Path) -> None:
    done = run(tmp_path, seconds=SHORT_S, test_long="exec sleep 30")
    assert done.returncode == 0, done.stderr
    assert "make test-long was stopped" in done.stdout
    assert made(done) == ["check", "test-long"]


def test_a_failure_before_the_stop_is_not_lost(tmp_path: Path) -> None:
    done = run(tmp_path, seconds=SHORT_S, test_long="echo FAILED tests/x.py; exec sleep 30")
    assert done.returncode == 1


def test_without_time_the_long_tests_are_left_out_and_it_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, seconds=0)
    assert done.returncode == 0, done.stderr
    assert made(done) == ["check"]
    assert "make test-long: left out" in done.stdout
