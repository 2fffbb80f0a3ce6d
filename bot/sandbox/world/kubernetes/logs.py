"""Logs of a pod's container, as `kubectl logs` gets them."""

from datetime import UTC, datetime
from typing import Any

from bot.sandbox.world.kubernetes.errors import ApiError, bad_request, not_found
from bot.sandbox.world.records import Pod

MOST_LINES = 20_000


def pod_log(call: Any) -> str:
    """Return the text. Raises: ApiError 400, 404."""
    now = call.now
    pod = call.site.pod(call.name, now) if call.namespace in ("", "shop") else None
    if pod is None:
        raise not_found("pods", call.name)
    container = call.query.get("container", "")
    if container not in ("", pod.service):
        raise bad_request(f"container {container[:100]} is not valid for pod {pod.name}")
    start, end = _span(call, pod, now)
    lines = list(call.running.logs.lines(pod, start, end))
    tail = _number(call, "tailLines")
    if tail is not None:
        lines = lines[len(lines) - min(tail, len(lines)) :]
    lines = lines[-MOST_LINES:]
    stamps = call.query.get("timestamps", "").lower() in ("true", "1")
    text = "".join(f"{_stamp(x.at)} {x.text}\n" if stamps else f"{x.text}\n" for x in lines)
    limit = _number(call, "limitBytes")
    return text if limit is None else text.encode()[:limit].decode("utf-8", "ignore")


def _span(call: Any, pod: Pod, now: float) -> tuple[float, float]:
    past = [r for r in pod.restarts if r.at <= now]
    if call.query.get("previous", "").lower() in ("true", "1"):
        if not past:
            raise bad_request(
                f'previous terminated container "{pod.service}" in pod "{pod.name}" not found'
            )
        begun = past[-2].at if len(past) > 1 else pod.created
        return begun, past[-1].at
    if pod.waiting:
        raise ApiError(
            400, "BadRequest",
            f'container "{pod.service}" in pod "{pod.name}" is waiting to start: trying and '
            "failing to pull image",
        )  # fmt: skip
    start = past[-1].at if past else pod.created
    seconds = _number(call, "sinceSeconds")
    if seconds is not None:
        start = max(start, now - seconds)
    since = call.query.get("sinceTime", "")
    if since:
        start = max(start, _moment(since))
    return start, now


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request("sinceTime is not an RFC 3339 time") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(call: Any, name: str) -> int | None:
    text = call.query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise bad_request(f"{name}: must be a whole number that is not negative")
    return int(text)


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
