"""Solves an environment's history ahead of the first question, so that nobody waits for it."""

from starlette.datastructures import QueryParams

from bot.sandbox.world.prometheus.api import query_range
from bot.sandbox.world.running import Running

HOUR = 3600.0
USUAL = (  # what a dashboard asks: the last two hours closely, the last day coarsely
    ("sum by (service_name) (rate(http_server_request_duration_seconds_count[15m]))", 26, 900.0),
    ("sum by (le, service_name) (rate(http_server_request_duration_seconds_bucket[2m]))", 2, 60.0),
    ("sum by (le, service_name, server_address)"
     " (rate(http_client_request_duration_seconds_bucket[2m]))", 2, 60.0),
    ("sum by (pod) (rate(container_cpu_usage_seconds_total[2m]))", 2, 60.0),
)  # fmt: skip


def warm(running: Running) -> None:
    """Ask the usual queries once; what they solve is kept."""
    now = running.now()
    for text, hours, step in USUAL:
        params = {"query": text, "start": str(now - hours * HOUR), "end": str(now)}
        with running.lock:
            query_range(running, QueryParams({**params, "step": str(step)}), {})
