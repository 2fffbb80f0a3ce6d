"""A small HTTP service that measures itself, and a real Prometheus that scrapes its pods."""

import socket
import subprocess
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
    return [deployment(name, app, replicas=2), service(name, ports=ports)]


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
    (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(cluster, namespace)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        program, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/-/ready", server)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _configuration(cluster: RealCluster, namespace: str) -> Json:
    finds = {
        "role": "pod", "kubeconfig_file": str(cluster.kubeconfig),
        "namespaces": {"names": [namespace]},
    }  # fmt: skip
    relabel = [
        {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "http",
         "action": "keep"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    ]  # fmt: skip
    job = {
        "job_name": "pods", "scrape_interval": f"{EVERY_S}s", "scrape_timeout": f"{EVERY_S}s",
        "kubernetes_sd_configs": [finds], "relabel_configs": relabel,
    }  # fmt: skip
    return {"scrape_configs": [job]}


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
