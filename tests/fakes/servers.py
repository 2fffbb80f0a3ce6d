"""Finds the servers that tests need; installs them on Debian as root; else says why it skips.

With CI=true a missing server is a failure: a green run must have met the real thing.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def require(program: str | None, packages: str, what: str) -> None:
    """Have `program` on this machine, or skip with a reason (in CI: fail)."""
    if program and (shutil.which(program) or Path(program).exists()):
        return
    if not _install(packages):
        missing(f"{what} is not here (Debian packages: {packages})")


def missing(reason: str) -> None:
    """Skip the test; in CI fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def shared_directory() -> Path:
    """Return the directory with the recorded incidents and the real Kubernetes, or skip."""
    directory = Path(os.environ.get("SRE_BOT_SHARED", REPOSITORY.parent / "shared"))
    if not directory.is_dir():
        missing(f"no shared data at {directory} (set SRE_BOT_SHARED)")
    return directory


@cache
def _install(packages: str) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    with (Path(tempfile.gettempdir()) / "sre-bot-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other test workers install too
        return _apt(packages)


def _apt(packages: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends"]):
        arguments = command + (packages.split() if command[0] == "install" else [])
        done = subprocess.run(
            ["apt-get", *arguments], env=environment, capture_output=True, check=False, timeout=600
        )
        if done.returncode:
            return False
    return True
