"""HTTP mode: signed POSTs to the app's request URL."""

import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.workspace import strict_json
from bot.sandbox.workspace.records import App

Json = dict[str, Any]
_FORM = "application/x-www-form-urlencoded"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return X-Slack-Signature. Source: docs.slack.dev, verifying requests from Slack."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Webhook:
    """Posts to the app as Slack does and reads its answer."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def verify_url(self, timeout_s: float = 3.0) -> bool:
        """Return whether the request URL echoes a challenge, as Slack asks when it is saved."""
        challenge = secrets.token_hex(16)
        body = {"type": "url_verification", "token": "", "challenge": challenge}
        status, answer = await self._send(
            json.dumps(body).encode(), "application/json", {}, timeout_s
        )
        return status == "ok" and answer == {"challenge": challenge}

    async def post(self, envelope: Json, timeout_s: float) -> tuple[str, Json | None]:
        """Send one envelope's payload.

        Returns: ("ok", the answer's JSON or None), or Slack's retry reason with a "!" when the app
        asked for no retry.
        """
        body, content_type = _encode(envelope["type"], envelope["payload"])
        headers: dict[str, str] = {}
        if envelope.get("retry_attempt"):
            headers["X-Slack-Retry-Num"] = str(envelope["retry_attempt"])
            headers["X-Slack-Retry-Reason"] = envelope["retry_reason"]
        return await self._send(body, content_type, headers, timeout_s)

    async def _send(
        self, body: bytes, content_type: str, headers: dict[str, str], timeout_s: float
    ) -> tuple[str, Json | None]:
        stamp = str(int(time.time()))
        signed = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self._app.signing_secret, stamp, body),
        }
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self._app.request_url, data=body, headers=headers | signed) as reply,
            ):
                return _read(
                    reply.status, reply.headers.get("X-Slack-No-Retry"), await reply.text()
                )
        except TimeoutError:
            return "http_timeout", None
        except aiohttp.ClientError:
            return "connection_failed", None


def _encode(kind: str, payload: Json) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    if kind == "slash_commands":
        return urlencode(payload).encode(), _FORM
    return urlencode({"payload": json.dumps(payload)}).encode(), _FORM


def _read(status: int, no_retry: str | None, text: str) -> tuple[str, Json | None]:
    if not 200 <= status < 300:
        return "http_error!" if no_retry == "1" else "http_error", None
    try:
        answer = strict_json.loads(text)
    except ValueError:
        answer = {"text": text} if text.strip() else None
    return "ok", answer if isinstance(answer, dict) else None
