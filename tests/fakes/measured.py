"""A small HTTP service that measures itself, and a real Prometheus that scrapes its pods."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import yaml

from tests.fakes.manifests import PORT, WEB, container, deployment, http_probe, service
from tests.fakes.real_cluster import Json, RealCluster

EVERY_S = 2  # seconds between two scrapes
# Ten requests a second, each as slow as the release makes it; the page is what Prometheus reads.
MEASURED = """
mkdir -p /www; echo ok > /www/index.html; httpd -p 8080 -h /www; trap 'exit 0' TERM
n=0; name=http_server_request_duration_seconds
labels="service_name=\\"$SERVICE\\",http_response_status_code=\\"200\\""
while :; do
  n=$((n+10)); sum=$((n*DELAY_MS/1000))
  { echo "# TYPE $name histogram"
    for le in 50 100 250 500 1000 2500; do
      if [ $DELAY_MS -le $le ]; then b=$n; else b=0; fi
      echo "${name}_bucket{$labels,le=\\"$((le/1000)).$(printf %03d $((le%1000)))\\"} $b"
    done
    echo "${name}_bucket{$labels,le=\\"+Inf\\"} $n"
    echo "${name}_count{$labels} $n"; echo "${name}_sum{$labels} $sum"
  } > /www/metrics.new; mv /www/metrics.new /www/metrics
  sleep 1 & wait $!
done
"""


def measured(name: str, *, delay_ms: int = 80) -> list[Json]:
    """Return a service of two pods whose requests take so long."""
    environment = [
        {"name": "SERVICE", "value": name}, {"name": "DELAY_MS", "value": str(delay_ms)},
    ]  # fmt: skip
    app = container(
        WEB, script=MEASURED, env=environment, ports=[{"name": "http", "containerPort": PORT}],
        readinessProbe=http_probe(periodSeconds=2),
    )  # fmt: skip
    ports = [{"port": PORT, "targetPort": PORT, "protocol": "TCP"}]
    labels = {"measured": "yes"}
    return [deployment(name, app, replicas=2, labels=labels), service(name, ports=ports)]


def slow_release(cluster: RealCluster, namespace: str, name: str, *, delay_ms: int) -> None:
    """Roll out a release of that service which takes longer for each request."""
    environment = [{"name": "DELAY_MS", "value": str(delay_ms)}]
    spec = {"containers": [{"name": "app", "env": environment}]}
    cluster.patch(
        "Deployment", namespace, name, {"spec": {"template": {"spec": spec}}},
        "application/strategic-merge-patch+json",
    )  # fmt: skip


@contextmanager
def scraping(program: str, cluster: RealCluster, namespace: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a Prometheus that finds and scrapes the pods of a namespace."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    server, over = subprocess.Popen(command, cwd=folder), threading.Event()
    where = (cluster, namespace, folder / "pods.json", over)
    finder = threading.Thread(target=_find_pods, args=where)
    finder.start()
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/-/ready", server)
        yield url
    finally:
        over.set()
        finder.join()
        server.terminate()
        server.wait(10)


def _configuration() -> Json:
    job = {
        "job_name": "pods", "scrape_interval": f"{EVERY_S}s", "scrape_timeout": f"{EVERY_S}s",
        "file_sd_configs": [{"files": ["pods.json"], "refresh_interval": "1s"}],
    }  # fmt: skip
    return {"scrape_configs": [job]}


def _find_pods(cluster: RealCluster, namespace: str, file: Path, over: threading.Event) -> None:
    """Tell Prometheus of the pods that serve: Debian's is built without Kubernetes' discovery."""
    while not over.wait(EVERY_S):
        found = [
            {
                "targets": [f"{pod['status']['podIP']}:{PORT}"],
                "labels": {"namespace": namespace, "pod": pod["metadata"]["name"]},
            }
            for pod in cluster.items("Pod", namespace)
            if pod["status"].get("podIP") and "measured" in pod["metadata"]["labels"]
        ]
        written = file.with_suffix(".new")
        written.write_text(json.dumps(found))
        written.replace(file)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert server.poll() is None, "Prometheus did not start"
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise AssertionError("Prometheus is not ready")
