"""Starts the real Kubernetes of the shared archive once for all test processes, and stops it."""

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.servers import missing, require, shared_directory

HOME = Path.home() / ".cache" / "sre-bot" / "kube"
PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "openssl": "openssl",
    "bc": "bc",
    "zstd": "zstd",
    "kubectl": "kubernetes-client",  # not installed beside another package's kubectl
}
UP_WITHIN_S = 180
OWN = "SRE_BOT_TEST_KUBECONFIG"


@contextlib.contextmanager
def running_kubernetes() -> Iterator[Path]:
    """Yield an administrator's kubeconfig of a cluster that is up; else skip (in CI: fail).

    Test processes share one cluster: the first starts it, the last stops it, so that nobody waits
    and nothing is left running. What a killed run left behind is cleaned before the next start.
    """
    own = os.environ.get(OWN)
    if own:
        yield Path(own)
        return
    scripts = _unpacked()
    with _locked():
        if not _others():
            _script(scripts / "down.sh")
            _script(scripts / "up.sh")
        lease = _take_lease()
    try:
        yield scripts / "admin.kubeconfig"
    finally:
        with _locked():
            lease.unlink(missing_ok=True)
            if not _others():
                _script(scripts / "down.sh")


def _unpacked() -> Path:
    archive = shared_directory() / "kube" / "kube.tar.zst"
    if not archive.exists():
        missing(f"no real Kubernetes: {archive} is not there (or set {OWN})")
    if os.geteuid() != 0:
        missing(f"the real Kubernetes needs root (or set {OWN})")
    for program, package in PACKAGES.items():
        require(program, package, f"{program}, which the real Kubernetes needs,")
    scripts = HOME / "kube"
    with _locked():
        if not (scripts / "up.sh").exists():
            command = ["tar", "--zstd", "-xf", str(archive), "-C", str(HOME)]
            subprocess.run(command, check=True, timeout=120)
    return scripts


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    (HOME / "leases").mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _others() -> list[Path]:
    """Return the leases of living processes; those of dead ones are removed."""
    living = []
    for lease in (HOME / "leases").iterdir():
        if _born(lease.name) == lease.read_text():
            living.append(lease)
        else:
            lease.unlink(missing_ok=True)
    return living


def _take_lease() -> Path:
    lease = HOME / "leases" / str(os.getpid())
    lease.write_text(_born(str(os.getpid())))
    return lease


def _born(pid: str) -> str:
    """Return when a process was started, in ticks since boot; "" when there is none."""
    with contextlib.suppress(OSError):
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _script(script: Path) -> None:
    log = HOME / f"{script.stem}.log"
    with log.open("w") as sink:
        command = ["setsid", "bash", str(script)]
        done = subprocess.run(
            command, stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            check=False, timeout=UP_WITHIN_S,
        )  # fmt: skip
    if done.returncode:
        missing(f"{script.name} failed: {log.read_text()[-800:]}")
