"""The feature flags of one environment, as flagd shapes them (protocol: docs/flags.md)."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, UnknownName
from tools.clients.http import HttpSource

SYSTEM = "flags"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag as it is now. `variants` are the names of its variants."""

    name: str
    state: str
    variants: tuple[str, ...]
    default_variant: str
    service: str
    version: str

    @property
    def digest(self) -> str:
        """SHA-256 of what the flag says, for the precondition."""
        wanted = [self.state, sorted(self.variants), self.default_variant]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


class Flags:
    """A flag source: `GET url` lists, `PUT url/{name}` changes, guarded by `If-Match`."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source
        self.public = source.public

    @classmethod
    def of(cls, environment: Environment, *, timeout_s: float = 5.0) -> "Flags | None":
        """Return the flags of an environment, None if there are none. Raises: NotConfigured."""
        source = HttpSource.of(environment, SYSTEM, timeout_s=timeout_s)
        return cls(source) if source else None

    async def flag(self, name: str) -> Flag:
        """Return a flag. Raises: UnknownName with the nearest, Unavailable, Refused, Malformed."""
        found = await self._source.get("")
        flags = found.get("flags") if isinstance(found, dict) else None
        if not isinstance(flags, dict):
            raise Malformed(f"{SYSTEM}: the answer has no object `flags`")
        if name not in flags:
            near = difflib.get_close_matches(name, list(flags), n=2, cutoff=0.5)
            raise UnknownName("flag", name, near=near)
        return _flag(name, flags[name])

    async def set(self, flag: Flag, variant: str, *, key: str = "", dry_run: bool = False) -> Flag:
        """Make a variant the default one, if the flag still has this version; return it afterwards.

        Raises: Conflict: it has another version; Refused; Malformed; Unavailable: not known.
        """
        headers = {"If-Match": f'"{flag.version}"'}
        if key:
            headers["Idempotency-Key"] = key
        found = await self._source.send(
            "PUT",
            f"/{flag.name}",
            params={"dryRun": "All"} if dry_run else {},
            body={"defaultVariant": variant},
            headers=headers,
        )
        if isinstance(found, dict) and "defaultVariant" in found:
            return _flag(flag.name, {**_shape(flag), **found})
        return _flag(flag.name, {**_shape(flag), "defaultVariant": variant})


def _flag(name: str, raw: Any) -> Flag:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("variants"), Mapping | list):
        raise Malformed(f"{SYSTEM}: {name} has no variants")
    return Flag(
        name=name,
        state=str(raw.get("state") or "ENABLED"),
        variants=tuple(sorted(str(v) for v in raw["variants"])),
        default_variant=str(raw.get("defaultVariant") or ""),
        service=str(raw.get("service") or ""),
        version=str(raw.get("version") or ""),
    )


def _shape(flag: Flag) -> dict[str, Any]:
    return {
        "state": flag.state,
        "variants": list(flag.variants),
        "service": flag.service,
        "version": flag.version,
    }
