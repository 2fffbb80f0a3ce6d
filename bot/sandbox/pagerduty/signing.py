"""A webhook of PagerDuty, version 3, as it goes over the wire, signed with every secret.

Source: PagerDuty's developer documentation, "Webhooks overview" and "Verifying signatures".
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.sandbox.pagerduty.records import Event

AGENT = "PagerDuty-Webhook/V3.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request to a subscriber; sent again it is the same to the byte."""

    incident: str
    headers: Mapping[str, str]
    body: bytes


def signature(secret: str, body: bytes) -> str:
    """Return `v1=` and the HMAC-SHA256 of the raw body, in hex."""
    return f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def delivery(event: Event, *, subscription: str, secrets: Sequence[str]) -> Delivery:
    """Return an event as a subscriber gets it. Two secrets: one of them is being rotated."""
    told = {
        "event": {
            "id": event.id,
            "event_type": event.kind,
            "resource_type": "incident",
            "occurred_at": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "agent": event.agent,
            "client": None,
            "data": event.data,
        }
    }
    body = json.dumps(told, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "X-PagerDuty-Signature": ",".join(signature(secret, body) for secret in secrets),
        "X-Webhook-Id": f"webhook-{event.id}-{subscription}",
        "X-Webhook-Subscription": subscription,
    }
    return Delivery(incident=event.incident, headers=headers, body=body)
