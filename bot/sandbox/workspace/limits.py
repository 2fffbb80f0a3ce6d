"""How much the workspace takes, as data, and the token buckets that refuse the rest."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.workspace.errors import SlackError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Slack's limits. Rates are per wall minute; a bucket holds one minute's worth as its burst."""

    enabled: bool = True  # whether rates are limited at all
    tiers: Mapping[int, float] = field(default_factory=lambda: {1: 1.0, 2: 20.0, 3: 50.0, 4: 100.0})
    posts_per_s: float = 1.0  # chat.postMessage, per channel
    post_burst: float = 5.0
    ack_s: float = 3.0
    trigger_s: float = 3.0
    response_url_s: float = 1800.0
    response_url_uses: int = 5
    retry_after_s: tuple[float, ...] = (0.0, 60.0, 300.0)  # Slack's three retries of an event
    retry_scale: float = 1.0  # multiplies them; tests use 0.01
    offline_s: float = 360.0  # how long an event waits while no socket is connected
    backlog: int = 1000  # events under way or waiting; further ones are dropped
    socket_ttl_s: float = 3600.0  # then Slack asks the client to reconnect
    file_bytes: int = 20_000_000
    body_bytes: int = 2_000_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """Token buckets by (method, key), on wall time."""

    def __init__(self, limits: Limits, wall: Callable[[], float]) -> None:
        self._limits = limits
        self._wall = wall
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def spend(self, method: str, tier: int) -> None:
        """Take one call of a method of a tier. Raises: SlackError ratelimited, with Retry-After."""
        per_minute = self._limits.tiers[tier]
        self._take((method, ""), per_minute / 60, per_minute)

    def spend_post(self, channel: str) -> None:
        """Take one post into a channel. Raises: SlackError ratelimited, with Retry-After."""
        self._take(("chat.postMessage", channel), self._limits.posts_per_s, self._limits.post_burst)

    def _take(self, key: tuple[str, str], per_s: float, burst: float) -> None:
        if not self._limits.enabled:
            return
        now = self._wall()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * per_s)
        bucket.at = now
        if bucket.tokens < 1:
            wait = math.ceil((1 - bucket.tokens) / per_s)
            raise SlackError("ratelimited", status=429, retry_after_s=max(1, wait))
        bucket.tokens -= 1
