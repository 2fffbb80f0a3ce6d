"""PagerDuty's incidents of one environment, through the official client in threads.

Source: developer.pagerduty.com/api-reference, REST API v2: incidents, notes, responder requests.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.domain.environment import Environment
from bot.domain.errors import (
    Malformed,
    NotConfigured,
    Refused,
    SreBotError,
    Unavailable,
    UnknownName,
)
from bot.domain.redaction import MASK, printable, redact
from tools.clients.change_events import ChangeEvents
from tools.clients.parts import part, parts, text
from tools.clients.settings import connection, is_loopback, secret_of, url_of
from tools.clients.threads import Threads

SYSTEM = "PagerDuty"
PUBLIC_API = "https://api.pagerduty.com"
WRITE = "write access to incidents (scope incidents.write)"
READ = "read access"
RULE = "pagerduty-permission"
LONGEST_WAIT_S = 300.0
MAX_BYTES = 8 * 1024 * 1024
EMAIL = r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,190}"
TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident as it is now."""

    id: str
    number: int
    title: str
    status: str
    service: str  # ours, "" for one that the settings do not name
    service_name: str  # as PagerDuty calls it
    policy: str
    assignees: tuple[str, ...]
    responders: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of its state and who has it: what an approval is bound to."""
        wanted = [self.status, self.policy, sorted(self.assignees), sorted(self.responders)]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


class PagerDuty:
    """One account. `sender` is the e-mail of the bot's own user there."""

    def __init__(
        self, environment: Environment, names: Mapping[str, str], *, timeout_s: float
    ) -> None:
        self.environment, self.names, self.timeout_s = environment.name, names, timeout_s
        settings = connection(environment, "pagerduty") or {}
        self.sender = str(settings.get("from") or "")
        self._url = (url_of(environment, "pagerduty") if "url" in settings else None) or PUBLIC_API
        self._token = secret_of(environment, "pagerduty", "token_file") or ""
        self._threads = Threads("pagerduty", workers=4)
        self._client: Any = None
        if urlsplit(self._url).scheme != "https" and not is_loopback(self._url):
            raise NotConfigured(
                f"environment {environment.name}: connections.pagerduty.url must be https"
            )

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 8.0) -> "PagerDuty | None":
        """Return the PagerDuty of an environment, None without a token or a user of the bot's own.

        Settings, beside those of the change events: `from`, the e-mail of the bot's user.
        Raises: NotConfigured.
        """
        settings = connection(environment, "pagerduty")
        events = ChangeEvents.of(environment)
        if settings is None or events is None or not settings.get("from"):
            return None
        return cls(environment, events.names, timeout_s=timeout_s)

    async def incident(self, number: str) -> Incident:
        """Return an incident by its id.

        Raises: UnknownName; Refused: it is of a service that is not the environment's, or the key
        may not read; Unavailable; Malformed.
        """
        found = await self.get(f"/incidents/{number}", READ)
        raw = found.get("incident")
        if not isinstance(raw, dict) or raw.get("id") != number:
            raise Malformed(f"{SYSTEM}: the answer is about no such incident")
        return self._incident(raw)

    async def user(self, email: str) -> str:
        """Return the id of the user with an e-mail. Raises: UnknownName."""
        found = await self.get("/users", READ, {"query": email})
        for user in _objects(found, "users"):
            if text(user, "email").lower() == email.lower():
                return _id(user)
        raise UnknownName("user", email, place=SYSTEM)

    async def on_call(self, policy: str, level: int) -> tuple[str, ...]:
        """Return the ids of who is called at a level of an escalation policy, now."""
        query = {"escalation_policy_ids[]": policy, "limit": "100"}
        found = _objects(await self.get("/oncalls", READ, query), "oncalls")
        here = (part(o, "user") for o in found if o.get("escalation_level") == level)
        return tuple(sorted({_id(user) for user in here}))

    async def notes(self, incident: str) -> tuple[str, ...]:
        """Return the texts of an incident's notes."""
        found = await self.get(f"/incidents/{incident}/notes", READ)
        return tuple(text(note, "content") for note in _objects(found, "notes"))

    async def update(self, incident: str, change: Mapping[str, Any], sender: str) -> None:
        """Change an incident on behalf of a user. Raises: as `send`."""
        body = {"incident": {"type": "incident_reference", **change}}
        await self.send("PUT", f"/incidents/{incident}", body, sender)

    async def get(
        self, path: str, needed: str, params: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Return the object at a path. Raises: as `send`."""
        return await self._threads.run(self._exchange, ("GET", path), params, None, needed)

    async def send(self, method: str, path: str, body: Any, sender: str) -> Mapping[str, Any]:
        """Make a writing call on behalf of a user (e-mail).

        Raises: Refused: the key lacks what it needs; UnknownName; Malformed: PagerDuty does not
        accept it; Unavailable: not known whether it was done.
        """
        return await self._threads.run(self._exchange, (method, path), None, (body, sender), WRITE)

    def _incident(self, raw: Mapping[str, Any]) -> Incident:
        name = text(raw, "service", "summary")
        ours = self.names.get(text(raw, "service", "id")) or self.names.get(name) or ""
        if self.names and not ours:
            said = f"the incident is of {printable(name)[:80]}, which is not part of"
            raise Refused(f"{said} {self.environment}", rule="services")
        number = raw.get("incident_number")
        if not isinstance(number, int):
            raise Malformed(f"{SYSTEM}: an incident has no number")
        assigned = (part(a, "assignee") for a in parts(raw, "assignments"))
        asked = (part(r, "user") for r in parts(raw, "incidents_responders"))
        return Incident(
            id=_id(raw),
            number=number,
            title=redact(printable(text(raw, "title")))[:120],
            status=text(raw, "status"),
            service=ours,
            service_name=name,
            policy=text(raw, "escalation_policy", "id"),
            assignees=tuple(sorted(_id(a) for a in assigned)),
            responders=tuple(sorted(_id(r) for r in asked)),
        )

    def _exchange(
        self,
        call: tuple[str, str],
        params: Mapping[str, str] | None,
        written: tuple[Any, str] | None,
        needed: str,
    ) -> Mapping[str, Any]:
        """Make one exchange in this thread. Raises: see `send`."""
        import pagerduty

        method, path = call
        options: dict[str, Any] = {"params": dict(params)} if params else {}
        if written is not None:
            body, sender = written
            options |= {"json": body, "headers": {"From": sender}}
        try:
            answer = self._connected().request(method, path, **options)
        except pagerduty.Error as error:
            raise self._failure(error, needed) from None
        if not 200 <= answer.status_code < 300:
            raise self._refusal(answer, path, needed)
        if len(answer.content) > MAX_BYTES:
            raise Malformed(f"{SYSTEM}: the answer of {path} is too large")
        try:
            found = answer.json()
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Malformed(f"{SYSTEM}: the answer of {path} is not an object")
        return found

    def _failure(self, error: Any, needed: str) -> SreBotError:
        answer = getattr(error, "response", None)
        if answer is not None:
            return self._refusal(answer, "", needed)
        return Unavailable(SYSTEM, "no answer", retry_after_s=self.timeout_s)

    def _refusal(self, answer: Any, path: str, needed: str) -> SreBotError:
        status, said = answer.status_code, _words(answer, self._token)
        if status in (401, 402, 403):
            return Refused(f"{SYSTEM} does not let the bot do this: its key needs {needed}",
                           rule=RULE)  # fmt: skip
        if status == 404:
            return UnknownName("path", path, place=SYSTEM)
        if status == 429 or status >= 500 or 300 <= status < 400:
            return Unavailable(SYSTEM, f"HTTP {status}{said}", retry_after_s=_again_s(answer))
        return Malformed(f"{SYSTEM} does not accept it: HTTP {status}{said}")

    def _connected(self) -> Any:
        if self._client is None:
            self._client = _connect(self._url, self._token, self.timeout_s)
        return self._client


def _connect(url: str, token: str, timeout_s: float) -> Any:
    """Return the vendor's client: no endless retries, and plain HTTP on loopback only."""
    import httpx2
    import pagerduty

    limits = httpx2.Limits(max_keepalive_connections=0)  # few calls; nothing stays open after one

    class Loopback(httpx2.BaseTransport):
        """The client takes https addresses only; what is on this machine is asked without."""

        def __init__(self) -> None:
            self._plain = httpx2.HTTPTransport(limits=limits)

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            """Send the request without TLS."""
            request.url = request.url.copy_with(scheme="http")
            return self._plain.handle_request(request)

        def close(self) -> None:
            """Close the connections."""
            self._plain.close()

    plain = url.startswith("http://")
    more: dict[str, Any] = {"transport": Loopback()} if plain else {"limits": limits}
    base = f"https://{url.removeprefix('http://')}" if plain else url
    client = pagerduty.RestApiV2Client(token, base_url=base, **more)
    client.timeout = max(1, round(timeout_s))
    client.max_network_attempts = 0
    client.retry = {429: 1}
    client.sleep_timer = 0
    return client


def _words(answer: Any, token: str) -> str:
    said = answer.content[:2000].decode("utf-8", "replace")
    said = redact(" ".join(printable(said.replace(token, MASK) if token else said).split()))[:300]
    return f": {said}" if said else ""


def _again_s(answer: Any) -> float:
    """Return when to come back: in seconds, as the answer says, or a while."""
    said = str(answer.headers.get("ratelimit-reset") or answer.headers.get("retry-after") or "")
    return min(float(said), LONGEST_WAIT_S) if said.isdecimal() and len(said) < 6 else 5.0


def _objects(found: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    items = found.get(field)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Malformed(f"{SYSTEM}: the answer has no list `{field}`")
    return items


def _id(found: Mapping[str, Any]) -> str:
    value = found.get("id")
    if not isinstance(value, str) or not value.isalnum():
        raise Malformed(f"{SYSTEM}: something has no id")
    return value
