"""Feature flags in a file as flagd reads it: changed whole or not at all, guarded by its content.

The file's version is the hash of its bytes. flagd watches the file and takes a change by itself.
Source: https://flagd.dev/reference/flag-definitions/
"""

import difflib
import fcntl
import hashlib
import json
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.errors import Conflict, Malformed, Refused, Unavailable
from bot.domain.redaction import redact
from tools.clients.flags import SYSTEM, Flag, checked_flag, named
from tools.clients.threads import Threads

MAX_BYTES = 4 * 1024 * 1024
STYLES: tuple[Mapping[str, Any], ...] = (
    {"indent": 2},
    {"indent": 4},
    {"indent": "\t"},
    {},
    {"separators": (",", ":")},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    text: str
    whole: dict[str, Any]

    @property
    def version(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


class FlagFile:
    """The flags of one file. Several of the bot's replicas may write it: they take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = Threads(SYSTEM, workers=1)

    async def flag(self, name: str) -> Flag:
        """Return a flag. Raises: UnknownName with the nearest, Refused, Malformed, Unavailable."""
        return await self._threads.run(self._flag, name)

    async def set(self, flag: Flag, variant: str, *, key: str = "", dry_run: bool = False) -> Flag:  # noqa: ARG002 - a file keeps no keys
        """Make a variant the default one, if the file still has this content; return it afterwards.

        Raises: Conflict: it was written meanwhile; Refused: it may not be written; Malformed;
        Unavailable.
        """
        return await self._threads.run(self._set, flag, variant, dry_run)

    async def diff(self, flag: Flag, variant: str) -> str:
        """Return the unified diff of the file, redacted. Raises: as `flag`."""
        return await self._threads.run(self._diff, flag, variant)

    def command(self, flag: Flag, variant: str) -> str:
        """Return what a person would type for the same change."""
        where = f".flags[{json.dumps(flag.name)}].defaultVariant"
        script = shlex.quote(f"{where} = {json.dumps(variant)}")
        path = shlex.quote(str(self._path))
        return f"jq {script} {path} > {path}.new && mv {path}.new {path}"

    def _flag(self, name: str) -> Flag:
        content = self._read()
        return checked_flag(name, {**named(content.whole, name), "version": content.version})

    def _set(self, flag: Flag, variant: str, dry_run: bool) -> Flag:
        with self._turn():
            content = self._read()
            if content.version != flag.version:
                raise Conflict(f"{SYSTEM}: the file was written since it was read")
            after = _with(content, flag.name, variant)
            if dry_run:
                self._writable()
            else:
                self._replace(after)
        raw = {**named(json.loads(after), flag.name), "version": _hash(after)}
        return checked_flag(flag.name, raw)

    def _diff(self, flag: Flag, variant: str) -> str:
        content = self._read()
        lines = difflib.unified_diff(
            content.text.splitlines(),
            _with(content, flag.name, variant).splitlines(),
            fromfile=self._path.name,
            tofile="after",
            lineterm="",
            n=2,
        )
        return redact("\n".join(lines))

    def _read(self) -> _Content:
        try:
            with self._path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _unreadable(self._path, error) from None
        if len(raw) > MAX_BYTES:
            raise Malformed(f"{SYSTEM}: {self._path.name} has more than {MAX_BYTES} bytes")
        try:
            text = raw.decode()
            whole = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise Malformed(f"{SYSTEM}: {self._path.name} is not JSON") from None
        if not isinstance(whole, dict):
            raise Malformed(f"{SYSTEM}: {self._path.name} is not an object")
        return _Content(text=text, whole=whole)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the folder's lock: of several bots, one writes at a time."""
        try:
            folder = os.open(self._path.resolve().parent, os.O_RDONLY)
        except OSError as error:
            raise _unreadable(self._path, error) from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Unavailable(SYSTEM, "another bot writes the file now") from None
        finally:
            os.close(folder)

    def _writable(self) -> None:
        real = self._path.resolve()
        if not (os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)):
            raise _forbidden(self._path)

    def _replace(self, text: str) -> None:
        """Write a new file beside the old one and put it in its place: readers see either."""
        real = self._path.resolve()
        self._writable()
        beside: str | None = None
        try:
            handle, beside = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(real.stat().st_mode & 0o777)
            Path(beside).replace(real)
        except PermissionError:
            raise _forbidden(self._path) from None
        except OSError as error:
            raise Unavailable(SYSTEM, f"{real.name} was not written ({error.strerror})") from None
        finally:
            if beside is not None:
                Path(beside).unlink(missing_ok=True)


def _with(content: _Content, name: str, variant: str) -> str:
    """Return the file's text with another default variant, in the layout that it has."""
    flags = {**content.whole["flags"], name: {**content.whole["flags"][name],
                                              "defaultVariant": variant}}  # fmt: skip
    after = {**content.whole, "flags": flags}
    end = "\n" if content.text.endswith("\n") else ""
    for style in STYLES:
        for plain in (False, True):
            if json.dumps(content.whole, ensure_ascii=plain, **style) + end == content.text:
                return json.dumps(after, ensure_ascii=plain, **style) + end
    return json.dumps(after, ensure_ascii=False, indent=2) + end


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _unreadable(path: Path, error: OSError) -> Exception:
    if isinstance(error, PermissionError):
        return Refused(f"the bot may not read {path.name}: its user lacks the right to")
    return Unavailable(SYSTEM, f"{path.name} cannot be read ({error.strerror})")


def _forbidden(path: Path) -> Refused:
    return Refused(
        f"the bot may not write {path.name}: its user needs write access to the file and its folder"
    )
