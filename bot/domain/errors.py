"""Every error of sre-bot, sorted by what the caller must do about it.

SreBotError
├── Transient            try again, not before `retry_after_s`
│   └── Unavailable      a system could not be read or written: name it as a blind spot
├── Permanent            trying again cannot help
│   ├── Malformed        input that does not parse: say which field, and what was expected
│   ├── UnknownName      a name that nobody knows: offer the nearest ones
│   ├── Ambiguous        a name that fits several things: ask which
│   ├── NotConfigured    a setting is missing: say which, and how to set it
│   └── Conflict         the target changed since it was read
└── Refused              policy said no; carries the ruling or the reason
"""

from collections.abc import Sequence


class SreBotError(Exception):
    """Base of all errors whose text may be shown to a user (after redaction)."""


class Transient(SreBotError):
    """Worth trying again after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(Transient):
    """A system did not answer in time, or answered with a failure of its own."""

    def __init__(self, system: str, message: str, *, retry_after_s: float = 5.0) -> None:
        super().__init__(f"{system}: {message}", retry_after_s=retry_after_s)
        self.system = system


class Permanent(SreBotError):
    """Trying again cannot help."""


class Malformed(Permanent):
    """Input that does not have the documented form."""


class UnknownName(Permanent):
    """A name that is not known here."""

    def __init__(self, kind: str, name: str, *, near: Sequence[str] = (), place: str = "") -> None:
        where = f" in {place}" if place else ""
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        article = "an" if kind[:1].lower() in "aeio" else "a"
        super().__init__(f"I don't know {article} {kind} called `{name}`{where}.{hint}")
        self.kind, self.name, self.near = kind, name, tuple(near)


class Ambiguous(Permanent):
    """A name that fits more than one thing."""

    def __init__(self, kind: str, name: str, *, candidates: Sequence[str]) -> None:
        super().__init__(f"`{name}` could be {' or '.join(candidates)}. Which {kind} do you mean?")
        self.kind, self.name, self.candidates = kind, name, tuple(candidates)


class NotConfigured(Permanent):
    """A setting is missing or wrong; the text says which and how to set it."""


class Conflict(Permanent):
    """The target is no longer what was read, shown or approved."""


class Refused(SreBotError):
    """Policy, the hard guard, or an operator's stop said no."""

    def __init__(self, reason: str, *, rule: str = "") -> None:
        super().__init__(f"{reason} (rule {rule})" if rule else reason)
        self.reason, self.rule = reason, rule
