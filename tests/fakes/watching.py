"""A real Prometheus that scrapes a service's pods and their node's kubelet, with a past behind it.

What is usual can't be waited for: a calm minute is measured first, and the hours before it are
written as its continuation backwards.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml

from tests.fakes.measured import METRICS_PATH, addresses
from tests.fakes.prometheus import serving, write_past
from tests.fakes.real_cluster import RealCluster

CALM_S = 45.0
PAST_S, PAST_STEP_S = 2 * 3600, 15
EVERY = "5s"
OF_KUBELET = (
    "container_(cpu_usage_seconds_total|cpu_cfs_(throttled_)?periods_total|spec_cpu_(quota|period)"
    "|memory_working_set_bytes|spec_memory_limit_bytes|network_(receive|transmit)_packets_total)"
)
COUNTERS = ("_total", "_bucket", "_count", "_sum")
SAMPLE = re.compile(r"^(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>\S+)(?: (?P<at>\d+))?$")

Look = Mapping[tuple[str, str], tuple[float, float]]  # name and labels → moment and value


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Which service is scraped, where."""

    cluster: RealCluster
    namespace: str
    service: str

    @property
    def pods(self) -> dict[str, str]:
        """Its pods' names and addresses."""
        return addresses(self.cluster, self.namespace, self.service)

    @property
    def kubelet(self) -> str:
        """The path at which the API server hands over what the node's kubelet counts."""
        node = self.cluster.items("Node")[0]["metadata"]["name"]
        return f"/api/v1/nodes/{node}/proxy/metrics/cadvisor"


@contextlib.contextmanager
def prometheus(program: str, folder: Path, watched: Watched) -> Iterator[str]:
    """Yield the URL of a Prometheus that knows the last two hours of a service that is well."""
    folder.mkdir(parents=True)
    first = _full_look(watched)
    time.sleep(CALM_S)
    write_past(program, folder, _past(first, _look(watched)))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(watched)))
    with serving(program, folder) as url:
        yield url


def value(url: str, promql: str) -> float:
    """Return what Prometheus answers, 0 if it has nothing to say."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{url}/api/v1/query", params={"query": promql}, timeout=5).json()
    found = answer["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


# -- its past -------------------------------------------------------------------------------


def _full_look(watched: Watched) -> Look:
    """Return what a scrape finds as soon as the kubelet tells of every pod."""

    def look() -> Look:
        found = _look(watched)
        labels = [labels for name, labels in found if name == "container_cpu_usage_seconds_total"]
        told = all(any(f'pod="{pod}"' in own for own in labels) for pod in watched.pods)
        return found if told else {}

    return watched.cluster.wait(look, f"the kubelet counts what {watched.service} uses")


def _look(watched: Watched) -> dict[tuple[str, str], tuple[float, float]]:
    """Return what a scrape would find now."""
    now = time.time()
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for pod, address in watched.pods.items():
        with requests.Session() as session:
            session.trust_env = False
            text = session.get(f"http://{address}{METRICS_PATH}", timeout=10).text
        labels = f'namespace="{watched.namespace}",pod="{pod}"'
        found |= {(n, f"{own},{labels}"): seen for (n, own), seen in _samples(text, now)}
    text = watched.cluster.text(watched.kubelet)
    here = f'namespace="{watched.namespace}"'
    found |= {
        key: seen
        for key, seen in _samples(text, now)
        if re.fullmatch(OF_KUBELET, key[0]) and here in key[1]
    }
    return found


def _samples(text: str, now: float) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    for line in text.splitlines():
        if match := SAMPLE.match(line):
            at = int(match["at"]) / 1000 if match["at"] else now
            yield (match["name"], match["labels"]), (at, float(match["value"]))


def _past(first: Look, second: Look) -> str:
    """Return the past as OpenMetrics: counters rose as they do, the rest was as it is."""
    by_name: dict[str, list[str]] = {}
    for (name, labels), (at, last) in second.items():
        before = first.get((name, labels))
        rising = name.endswith(COUNTERS) and before is not None and at > before[0]
        rate = (last - before[1]) / (at - before[0]) if rising and before else 0.0
        by_name.setdefault(name, []).extend(
            f"{name}{{{labels}}} {last - rate * back:.6f} {at - back:.0f}"
            for back in range(PAST_S, 0, -PAST_STEP_S)
        )
    lines = [line for name, own in by_name.items() for line in (f"# TYPE {name} unknown", *own)]
    return "\n".join([*lines, "# EOF", ""])


# -- the server -----------------------------------------------------------------------------


def _configuration(watched: Watched) -> dict[str, Any]:
    pods = [
        {"targets": [address], "labels": {"namespace": watched.namespace, "pod": pod}}
        for pod, address in watched.pods.items()
    ]
    api = watched.cluster.configuration
    keep = [
        {"source_labels": ["__name__"], "regex": OF_KUBELET, "action": "keep"},
        {"source_labels": ["namespace"], "regex": watched.namespace, "action": "keep"},
    ]
    kubelet = {
        "job_name": "kubelet", "metrics_path": watched.kubelet, "scheme": "https",
        "tls_config": {
            "ca_file": api.ssl_ca_cert, "cert_file": api.cert_file, "key_file": api.key_file,
        },
        "metric_relabel_configs": keep,
        "static_configs": [{"targets": [urlsplit(api.host).netloc]}],
    }  # fmt: skip
    return {
        "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY},
        "scrape_configs": [
            {"job_name": "pods", "metrics_path": METRICS_PATH, "static_configs": pods},
            kubelet,
        ],
    }
