"""The places that are watched, and how to reach them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Tier(StrEnum):
    """How much an outage here hurts."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment.

    `connections` maps a system to its settings, e.g. `{"prometheus": {"url": …}}`. Systems:
    kubernetes (url | kubeconfig + context, token_file), prometheus (url | servers), loki,
    elasticsearch or opensearch, jaeger, tempo, datadog, github, pagerduty, changes, flags: see
    docs/configuration.md. A missing system is a blind spot, not an error.
    """

    name: str
    tier: Tier
    namespaces: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    default: bool = False
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    channels: tuple[str, ...] = ()  # Slack channel ids whose questions mean this environment
    service_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # External system → the flag that routes around it: {"provider": {"flag": …, "variant": …}}.
    fallbacks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    service_tiers: Mapping[str, int] = field(default_factory=dict)  # 1 hurts most, 2 usual, 3 least
    on_call: Mapping[str, str] = field(default_factory=dict)  # service or "*" → Slack user or group
