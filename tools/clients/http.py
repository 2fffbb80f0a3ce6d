"""A JSON-over-HTTP source in threads: timeouts, size limits, and errors sorted by what to do."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from bot.domain.environment import Environment
from bot.domain.errors import Conflict, Malformed, NotConfigured, Refused, Unavailable, UnknownName
from bot.domain.redaction import MASK, redact
from tools.clients.settings import headers_of, is_loopback, public_url, token_of, url_of
from tools.clients.threads import Threads

MAX_BYTES = 32 * 1024 * 1024
CHUNK = 256 * 1024
POOL = 16
NO_CONTENT = 204

Params = Mapping[str, str] | Sequence[tuple[str, str]]


class BoundedSession(requests.Session):
    """A session whose answers end at `total_s` seconds or `max_bytes`, whatever is sent."""

    _settled = False

    def __init__(self, *, total_s: float, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self._total_s, self._max_bytes = total_s, max_bytes
        for scheme in ("http://", "https://"):
            self.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=POOL, max_retries=0))
        self._settled = True

    def mount(self, prefix: str | bytes, adapter: BaseAdapter) -> None:
        """Mount an adapter; once the session is made, none: threads read the table meanwhile.

        A vendor's client that is given the session mounts one of its own, with its own retries.
        """
        if not self._settled:
            super().mount(prefix, adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, follow no redirect, and read the body within the limits.

        Raises: requests.Timeout, requests.ConnectionError, ContentDecodingError (too large).
        """
        kwargs.update(stream=True, allow_redirects=False)
        deadline = time.monotonic() + self._total_s
        response = super().send(request, **kwargs)
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                response.close()
                raise requests.exceptions.ContentDecodingError(f"more than {self._max_bytes} bytes")
            if time.monotonic() > deadline:
                response.close()
                raise requests.Timeout(f"still sending after {self._total_s:g} s")
        response._content = bytes(body)
        return response


class HttpSource:
    """One HTTP API of one environment. `system` is its name in blind spots and errors."""

    def __init__(
        self,
        system: str,
        url: str,
        *,
        token: str | None,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        """`headers` go with every request; `secrets` of them are cut out of what a server says."""
        self.system, self.url, self.timeout_s = system, url, timeout_s
        self._secrets = tuple(s for s in (token, *secrets) if s)
        self.public = public_url(url)
        self._threads = Threads(system, workers=POOL)
        self.session = BoundedSession(total_s=timeout_s)
        self.session.trust_env = not is_loopback(url)
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"
        self.session.headers.update(headers or {})

    @classmethod
    def of(cls, environment: Environment, system: str, *, timeout_s: float) -> "HttpSource | None":
        """Return the source that the environment's connections name, None if there is none."""
        url = url_of(environment, system)
        if url is None:
            return None
        headers, secrets = headers_of(environment, system)
        return cls(
            system,
            url,
            token=token_of(environment, system),
            timeout_s=timeout_s,
            headers=headers,
            secrets=secrets,
        )

    async def get(self, path: str, params: Params = ()) -> Any:
        """Return the JSON at `path`. Raises: as `send`."""
        return await self.send("GET", path, params=params)

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON of the answer, None of one that says it has nothing to say (204).

        Raises: Unavailable (no answer, 429, 5xx), UnknownName (404), Conflict (409, 412), Refused
        (401, 403), Malformed (any other refusal, or an answer that is no JSON).
        """
        return await self._threads.run(self._send, method, path, params, body, headers)

    def _send(
        self, method: str, path: str, params: Params, body: Any, headers: Mapping[str, str] | None
    ) -> Any:
        try:
            answer = self.session.request(
                method,
                f"{self.url}{path}",
                params=params,
                json=body,
                headers=headers,
                timeout=(min(3.0, self.timeout_s), self.timeout_s),
            )
        except requests.RequestException as error:
            raise failure(self.system, error, self.timeout_s) from None
        check_status(self.system, answer, path, self._secrets)
        if answer.status_code == NO_CONTENT:
            return None
        try:
            return answer.json()
        except (ValueError, RecursionError):
            raise Malformed(f"{self.system}: the answer of {path or '/'} is not JSON") from None


def failure(system: str, error: requests.RequestException, timeout_s: float) -> Exception:
    """Return what a failed exchange means, without the vendor's text: it may hold credentials."""
    if isinstance(error, requests.Timeout):
        return Unavailable(system, f"timed out after {timeout_s:g} s", retry_after_s=timeout_s)
    if isinstance(error, requests.exceptions.SSLError):
        return Unavailable(system, "the TLS certificate was not accepted")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return Malformed(f"{system}: the answer is too large or cannot be decoded")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return NotConfigured(f"connections.{system}.url is not a URL")
    return Unavailable(system, "no connection", retry_after_s=0.5)


def check_status(
    system: str, answer: requests.Response, path: str, secrets: Sequence[str] = ()
) -> None:
    """Raise what a refused request means for the caller; return if it was not refused.

    `secrets` are cut out of what the server says.
    """
    status = answer.status_code
    if 200 <= status < 300:
        return
    said = _words(answer, secrets)
    if status == 429 or status >= 500 or (status == 403 and _used_up(answer)):
        raise Unavailable(system, f"HTTP {status}{said}", retry_after_s=_retry_after(answer))
    if status in (401, 403):
        raise Refused(f"{system} refused the bot's credentials (HTTP {status})")
    if status == 404:
        raise UnknownName("path", path or "/", place=system)
    if status in (409, 412):
        raise Conflict(f"{system}: changed since it was read (HTTP {status})")
    raise Malformed(f"{system}: HTTP {status}{said}")


def _used_up(answer: requests.Response) -> bool:
    """Whether a 403 means "too many requests for now", as GitHub says it."""
    headers = answer.headers
    return "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0"


def _words(answer: requests.Response, secrets: Sequence[str]) -> str:
    text = answer.content[:2000].decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = redact(" ".join(text.split()))[:300]
    return f": {text}" if text else ""


def _retry_after(answer: requests.Response) -> float:
    value = answer.headers.get("Retry-After", "")
    return min(60.0, float(value)) if value.isdigit() else 0.5
