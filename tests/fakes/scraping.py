"""A real Prometheus with a past that scrapes a service's pods, has a rule, and tells of alerts."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.fakes.loopback import Asked, Reply, loopback
from tests.fakes.measured import BOUNDS, METRIC, METRICS_PATH, USUAL, addresses
from tests.fakes.prometheus import serving, write_past
from tests.fakes.real_cluster import Json, RealCluster

SCRAPED_EVERY_S = 2
PAST_S, PAST_STEP_S = 2 * 3600, 15
PAST_RATE = 4.0  # requests a second of each pod, all of them within the second bound
TOO_SLOW_S, FOR_S = 1.0, 150  # two samples a minute apart must show it, in any phase
ALERT = "SlowRequests"


@dataclass(frozen=True, kw_only=True)
class Scraped:
    """The service that is scraped, and who hears of its alerts (as Alertmanager sends them)."""

    cluster: RealCluster
    namespace: str
    service: str
    hears: Callable[[Json], object]


@contextmanager
def prometheus(program: str, folder: Path, scraped: Scraped) -> Iterator[str]:
    """Yield the URL of a running Prometheus that knows the last two hours."""
    folder.mkdir(parents=True)
    pods = addresses(scraped.cluster, scraped.namespace, scraped.service)
    write_past(program, folder, _past(scraped, sorted(pods), int(time.time()) - 5))
    with ExitStack() as stack:
        manager = stack.enter_context(_alertmanager(scraped.hears))
        (folder / "rules.yml").write_text(yaml.safe_dump(_rules(scraped)))
        (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(manager)))
        stack.enter_context(_found(scraped, folder / "pods.json"))
        yield stack.enter_context(serving(program, folder))


# -- its past -----------------------------------------------------------------------------


def _past(scraped: Scraped, pods: Sequence[str], end: int) -> str:
    """Return what would have been scraped until `end`, as OpenMetrics: all as usual."""
    fastest = f',le="{BOUNDS[0]}"'
    lines = []
    for name in ("bucket", "count"):
        lines.append(f"# TYPE {METRIC}_{name} unknown")
        for pod in pods:
            labels = (
                f'namespace="{scraped.namespace}",pod="{pod}",service_name="{scraped.service}",'
                f'service_version="{USUAL[0]}",http_response_status_code="200"'
            )
            ends = [f',le="{le}"' for le in BOUNDS] if name == "bucket" else [""]
            for le in ends:
                rate = 0.0 if le == fastest else PAST_RATE
                lines += [
                    f"{METRIC}_{name}{{{labels}{le}}} {rate * (at - end + PAST_S):.0f} {at}"
                    for at in range(end - PAST_S, end + 1, PAST_STEP_S)
                ]
    return "\n".join([*lines, "# EOF", ""])


# -- what it is told to do ------------------------------------------------------------------


def _rules(scraped: Scraped) -> Json:
    service = scraped.service
    slowest = (
        f'histogram_quantile(0.99, sum by (le) (rate({METRIC}_bucket{{service_name="{service}"}}'
        f"[30s]))) > {TOO_SLOW_S}"
    )
    rule = {
        "alert": ALERT, "expr": slowest, "for": f"{FOR_S}s",
        "labels": {
            "severity": "critical", "namespace": scraped.namespace, "service_name": service,
        },
        "annotations": {"summary": f"p99 latency of {service} is above {TOO_SLOW_S:g} s"},
    }  # fmt: skip
    return {"groups": [{"name": "requests", "interval": "5s", "rules": [rule]}]}


def _configuration(manager: str) -> Json:
    job = {
        "job_name": "pods", "metrics_path": METRICS_PATH,
        "scrape_interval": f"{SCRAPED_EVERY_S}s", "scrape_timeout": f"{SCRAPED_EVERY_S}s",
        "file_sd_configs": [{"files": ["pods.json"], "refresh_interval": "1s"}],
    }  # fmt: skip
    managers = {"api_version": "v2", "static_configs": [{"targets": [manager]}]}
    return {
        "global": {"evaluation_interval": "5s"}, "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [managers]}, "scrape_configs": [job],
    }  # fmt: skip


@contextmanager
def _found(scraped: Scraped, file: Path) -> Iterator[None]:
    """Tell Prometheus of the pods: Debian's is built without Kubernetes' discovery."""
    over = threading.Event()

    def find() -> None:
        while not over.wait(1.0):
            with suppress(AssertionError, OSError):
                _write_targets(scraped, file)

    _write_targets(scraped, file)
    finder = threading.Thread(target=find)
    finder.start()
    try:
        yield
    finally:
        over.set()
        finder.join()


def _write_targets(scraped: Scraped, file: Path) -> None:
    found = addresses(scraped.cluster, scraped.namespace, scraped.service)
    targets = [
        {"targets": [address], "labels": {"namespace": scraped.namespace, "pod": pod}}
        for pod, address in sorted(found.items())
    ]
    written = file.with_suffix(".new")
    written.write_text(json.dumps(targets))
    written.replace(file)


# -- the processes --------------------------------------------------------------------------


@contextmanager
def _alertmanager(hears: Callable[[Json], object]) -> Iterator[str]:
    """Yield the address of what stands in for Alertmanager: it passes a firing alert on, once."""
    told: set[str] = set()

    def answer(asked: Asked) -> Reply:
        for alert in asked.json:
            name = str(alert["labels"]["alertname"])
            if name not in told:
                told.add(name)
                hears(alert)
        return Reply()

    with loopback(answer) as server:
        yield server.url.removeprefix("http://")
