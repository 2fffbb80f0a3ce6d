"""Slack's own limits: how often each method may be called, and each channel posted to.

Source: docs.slack.dev, "Rate limits": tiers 1 to 4 are 1, 20, 50 and 100 calls a minute; a channel
takes one message a second, with short bursts. All replicas are one app to Slack and share them.
"""

from collections.abc import Mapping

from bot.domain.pacing import Rate


def _tier(per_minute: float) -> Rate:
    """Return half of a tier as steady rate and half as burst: together no more in any minute."""
    return Rate(per_s=per_minute / 2 / 60, burst=max(1.0, per_minute / 2))


CHANNEL = Rate(per_s=1.0, burst=3.0)  # messages into one channel
POSTS = "chat.postMessage"
_TWO, _THREE, _FOUR = _tier(20), _tier(50), _tier(100)
METHODS: Mapping[str, Rate] = {
    "conversations.history": _THREE,
    "conversations.replies": _THREE,
    "chat.update": _THREE,
    "chat.postEphemeral": _FOUR,
    "files.upload": _TWO,  # three calls of the newer methods in one
    "users.info": _FOUR,
    "views.open": _FOUR,
    "views.publish": _FOUR,
    "views.update": _FOUR,
}


def limit_of(method: str, channel: str) -> tuple[str, Rate] | None:
    """Return the shared key of a call and its rate; None: Slack limits it hardly at all."""
    if method == POSTS:
        return (f"slack {POSTS} {channel}", CHANNEL) if channel else None
    rate = METHODS.get(method)
    return (f"slack {method}", rate) if rate is not None else None
