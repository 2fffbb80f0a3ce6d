"""The feature flags of one environment, as flagd shapes them (protocols: docs/flags.md)."""

import difflib
import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.domain.environment import Environment
from bot.domain.errors import Malformed, NotConfigured, UnknownName
from tools.clients.http import HttpSource
from tools.clients.settings import connection

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
    targeted: bool = False  # it has targeting rules: they decide before the default variant

    @property
    def digest(self) -> str:
        """SHA-256 of what the flag says, for the precondition."""
        wanted = [self.state, sorted(self.variants), self.default_variant]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


class Flags(Protocol):
    """Where flags are: one of several sources."""

    async def flag(self, name: str) -> Flag:
        """Return a flag. Raises: UnknownName with the nearest, Unavailable, Refused, Malformed."""

    async def set(self, flag: Flag, variant: str, *, key: str = "", dry_run: bool = False) -> Flag:
        """Make a variant the default one, if the flag still has this version; return it afterwards.

        Raises: Conflict: it has another version; Refused; Malformed; Unavailable: not known.
        """

    async def diff(self, flag: Flag, variant: str) -> str:
        """Return what would change, as a diff. Raises: as `flag`."""

    def command(self, flag: Flag, variant: str) -> str:
        """Return what a person would type for the same change."""


def flags_of(environment: Environment, *, timeout_s: float = 5.0) -> Flags | None:
    """Return the flags of an environment, None if there are none.

    `connections.flags`: `url` of a source that speaks the protocol, or `file`, as flagd reads it.
    Without either they can be read at most. Raises: NotConfigured: both, or a file that is no
    absolute path.
    """
    from tools.clients.flag_file import FlagFile  # it builds on this module

    settings = connection(environment, SYSTEM)
    if settings is None or not {"url", "file"} & set(settings):
        return None
    where = f"environment {environment.name}: connections.flags"
    if "file" not in settings:
        source = HttpSource.of(environment, SYSTEM, timeout_s=timeout_s)
        return FlagApi(source) if source else None
    path = settings["file"]
    if "url" in settings:
        raise NotConfigured(f"{where} names both a url and a file: which of them is it?")
    if not isinstance(path, str) or not Path(path).is_absolute():
        raise NotConfigured(f"{where}.file must be an absolute path")
    return FlagFile(Path(path))


class FlagApi:
    """A flag source: `GET url` lists, `PUT url/{name}` changes, guarded by `If-Match`."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source

    async def flag(self, name: str) -> Flag:
        """Return a flag. Raises: UnknownName with the nearest, Unavailable, Refused, Malformed."""
        return checked_flag(name, named(await self._source.get(""), name))

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
            return checked_flag(flag.name, {**_shape(flag), **found})
        return checked_flag(flag.name, {**_shape(flag), "defaultVariant": variant})

    async def diff(self, flag: Flag, variant: str) -> str:
        """Return the default variant before and after."""
        lines = (f"-defaultVariant: {flag.default_variant}", f"+defaultVariant: {variant}")
        return "\n".join((f"flag/{flag.name}", *lines))

    def command(self, flag: Flag, variant: str) -> str:
        """Return the request that makes the same change."""
        body = shlex.quote(json.dumps({"defaultVariant": variant}))
        match = shlex.quote(f'If-Match: "{flag.version}"')
        url = shlex.quote(f"{self._source.public}/{flag.name}")
        return f"curl -X PUT {url} -H 'Content-Type: application/json' -H {match} -d {body}"


def named(found: Any, name: str) -> Mapping[str, Any]:
    """Return what a list of flags says of one. Raises: UnknownName with the nearest; Malformed."""
    flags = found.get("flags") if isinstance(found, dict) else None
    if not isinstance(flags, dict):
        raise Malformed(f"{SYSTEM}: there is no object `flags`")
    if name not in flags:
        near = difflib.get_close_matches(name, list(flags), n=2, cutoff=0.5)
        raise UnknownName("flag", name, near=near)
    found = flags[name]
    if not isinstance(found, Mapping):
        raise Malformed(f"{SYSTEM}: {name} is not an object")
    return found


def checked_flag(name: str, raw: Any) -> Flag:
    """Return a flag from its JSON. Raises: Malformed: it has no variants."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("variants"), Mapping | list):
        raise Malformed(f"{SYSTEM}: {name} has no variants")
    metadata = raw.get("metadata")
    owner = metadata.get("service") if isinstance(metadata, Mapping) else ""
    return Flag(
        name=name,
        state=str(raw.get("state") or "ENABLED"),
        variants=tuple(sorted(str(v) for v in raw["variants"])),
        default_variant=str(raw.get("defaultVariant") or ""),
        service=str(raw.get("service") or owner or ""),
        version=str(raw.get("version") or ""),
        targeted=bool(raw.get("targeting")),
    )


def _shape(flag: Flag) -> dict[str, Any]:
    return {
        "state": flag.state,
        "variants": list(flag.variants),
        "service": flag.service,
        "version": flag.version,
    }
