"""The dead-man's switch: a ping to somebody else's clock, who calls a person when it stops.

Such as healthchecks.io, Dead Man's Snitch, or an Alertmanager elsewhere behind a webhook.
"""

import logging
from urllib.parse import urlsplit

import aiohttp

from bot.domain.errors import NotConfigured

_LOG = logging.getLogger(__name__)
WITHIN_S = 10.0
LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))


class Heartbeat:
    """Pings an address whose path is its secret."""

    def __init__(self, url: str) -> None:
        """Raises: NotConfigured: not https, and not on loopback."""
        try:
            parts = urlsplit(url)
            secure = parts.scheme == "https" or parts.hostname in LOOPBACK
        except ValueError:
            secure = False
        if not secure:
            raise NotConfigured("SRE_BOT_HEARTBEAT_URL must be an https address")
        self._url = url

    async def beat(self) -> bool:
        """Ping once; whether it was taken. The address never reaches the log."""
        timeout = aiohttp.ClientTimeout(total=WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.get(self._url, allow_redirects=False) as answer,
            ):
                if answer.status < 300:
                    return True
                _LOG.warning("the heartbeat was not taken: status %d", answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _LOG.warning("the heartbeat was not taken: %s", type(error).__name__)
        return False
