"""A small HTTP service that measures its own requests, and the clients that make them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import requests

from tests.fakes.manifests import PORT, WEB, container, deployment, http_probe, service
from tests.fakes.real_cluster import Json, RealCluster

METRIC = "http_server_request_duration_seconds"
BOUNDS = ("0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf")  # seconds
METRICS_PATH, WORK_PATH = "/cgi-bin/metrics", "/cgi-bin/work"
USUAL, SLOW = ("v1", "0.15"), ("v2", "2.0")  # version, seconds that a request takes
PER_POD_EVERY_S, CLIENTS = 0.25, 12
# One line a request in a file; the metrics' page counts the lines.
SERVE = f"""
mkdir -p /www/cgi-bin; echo ok > /www/index.html; : > /www/seen
cat > /www{WORK_PATH} <<'END'
#!/bin/sh
read a rest < /proc/uptime; sleep $DELAY; read b rest < /proc/uptime
echo "$a $b" >> /www/seen
echo "Content-Type: text/plain"; echo; echo ok
END
cat > /www{METRICS_PATH} <<'END'
#!/bin/sh
echo "Content-Type: text/plain"; echo
awk -v labels="service_name=\\"$SERVICE\\",service_version=\\"$VERSION\\",\
http_response_status_code=\\"200\\"" '
BEGIN {{ n = split("{" ".join(BOUNDS)}", le, " ") }}
{{ took = $2 - $1; sum += took
  for (i = 1; i < n; i++) if (took <= le[i] + 0) under[i]++ }}
END {{ print "# TYPE {METRIC} histogram"; under[n] = NR
  for (i = 1; i <= n; i++)
    printf "{METRIC}_bucket{{%s,le=\\"%s\\"}} %d\\n", labels, le[i], under[i]
  printf "{METRIC}_sum{{%s}} %f\\n{METRIC}_count{{%s}} %d\\n", labels, sum, labels, NR }}
' /www/seen
END
chmod +x /www/cgi-bin/*; trap 'exit 0' TERM; httpd -f -p {PORT} -h /www & wait $!
"""


def measured(name: str) -> list[Json]:
    """Return the service with two pods, as it is when all is well."""
    environment = [{"name": "SERVICE", "value": name}, *_release(USUAL)]
    app = container(
        WEB, script=SERVE, env=environment, ports=[{"name": "http", "containerPort": PORT}],
        readinessProbe=http_probe(periodSeconds=2),
    )  # fmt: skip
    ports = [{"port": PORT, "targetPort": PORT, "protocol": "TCP"}]
    return [deployment(name, app, replicas=2), service(name, ports=ports)]


def release(cluster: RealCluster, namespace: str, name: str, version: tuple[str, str]) -> None:
    """Roll out another version."""
    spec = {"containers": [{"name": "app", "env": _release(version)}]}
    how = "application/strategic-merge-patch+json"
    cluster.patch("Deployment", namespace, name, {"spec": {"template": {"spec": spec}}}, how)


def version_of(cluster: RealCluster, namespace: str, name: str) -> str:
    """Return the version that the Deployment wants."""
    body = cluster.get("Deployment", namespace, name)
    environment = body["spec"]["template"]["spec"]["containers"][0]["env"]
    return next(str(e["value"]) for e in environment if e["name"] == "VERSION")


def addresses(cluster: RealCluster, namespace: str, name: str) -> dict[str, str]:
    """Return the pods of the service that have an address: name → host and port."""
    return {
        pod["metadata"]["name"]: f"{pod['status']['podIP']}:{PORT}"
        for pod in cluster.items("Pod", namespace, f"app={name}")
        if pod["status"].get("podIP")
    }


@contextmanager
def asked(cluster: RealCluster, namespace: str, name: str) -> Iterator[None]:
    """Have every pod of the service asked a few times a second, however slowly it answers."""
    over = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as clients:
        driver = threading.Thread(target=_drive, args=(cluster, (namespace, name), over, clients))
        driver.start()
        try:
            yield
        finally:
            over.set()
            driver.join()


def _drive(
    cluster: RealCluster, where: tuple[str, str], over: threading.Event, clients: ThreadPoolExecutor
) -> None:
    rounds, found = 0, addresses(cluster, *where)
    free = threading.Semaphore(CLIENTS)  # who finds all of them waiting does not queue
    while not over.wait(PER_POD_EVERY_S):
        rounds += 1
        if rounds % 8 == 0:
            with suppress(AssertionError, OSError):
                found = addresses(cluster, *where)
        for address in found.values():
            if free.acquire(blocking=False):
                asking = clients.submit(_ask, f"http://{address}{WORK_PATH}")
                asking.add_done_callback(lambda _: free.release())


def _ask(url: str) -> None:
    with suppress(requests.RequestException), requests.Session() as session:
        session.trust_env = False
        session.get(url, timeout=5)


def _release(version: tuple[str, str]) -> list[Json]:
    return [{"name": "VERSION", "value": version[0]}, {"name": "DELAY", "value": version[1]}]
