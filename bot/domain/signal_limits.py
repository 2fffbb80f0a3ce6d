"""What a signal may hold at most: every text printable, without secrets, and of bounded size."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain.redaction import MASK, printable, redact
from bot.domain.signal import Signal

NAME_LENGTH = 200  # characters of a key, a subject, a service, an environment, a label's name
TITLE_LENGTH = 300
TEXT_LENGTH = 3_000
VALUE_LENGTH = 300  # characters of a label's or a detail's value
LINK_LENGTH = 2_000
MOST_LABELS = 64
MOST_SERVICES = 32
CUT = 4  # how many times as much is looked at for secrets as is kept
_BORDER = "\ue000"  # of no language: stands between texts that are redacted together


def fitted(signal: Signal, received: datetime) -> Signal:
    """Return the signal within its limits: cut, redacted, and not later than `received`."""
    labels, details = _some(signal.labels), _some(signal.details)
    lines = (signal.title, signal.environment, signal.event, *signal.services[:MOST_SERVICES])
    said = _without_secrets(
        [
            signal.text[: TEXT_LENGTH * CUT],
            signal.link,
            *(text[: TITLE_LENGTH * CUT] for text in lines),
            *(text for pair in (*labels, *details) for text in pair),
            *(f"{name}={value}" for name, value in (*labels, *details)),
        ]
    )
    text, link, title, environment, event = said[:5]
    services, said = said[5 : 2 + len(lines)], said[2 + len(lines) :]
    pairs = _pairs(said, len(labels) + len(details))
    return replace(
        signal,
        key=stable(signal.key),
        subject=stable(signal.subject),
        title=_one_line(title) or "(no title)",
        at=min(signal.at, received),
        began=min(signal.began, received) if signal.began else None,
        environment=_one_line(environment, NAME_LENGTH),
        services=_names(services),
        text=text[:TEXT_LENGTH],
        link=_link(signal.link, link),
        labels=dict(pairs[: len(labels)]),
        event=_one_line(event, NAME_LENGTH),
        details=dict(pairs[len(labels) :]),
    )


def _some(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return as many pairs as are kept, cut to what can be shown of them."""
    some = sorted(pairs.items())[:MOST_LABELS]
    return [(name[: NAME_LENGTH * CUT], value[: VALUE_LENGTH * CUT]) for name, value in some]


def _without_secrets(texts: Sequence[str]) -> list[str]:
    """Return the texts printable and redacted: all at once, since each call has its price.

    No rule joins two texts: what would reach over their border takes the mark between them away,
    which shows in the count; then each is redacted by itself.
    """
    clean = [printable(text).replace(_BORDER, "") for text in texts]
    found = redact(f"\n{_BORDER}\n".join(clean)).split(f"\n{_BORDER}\n")
    return found if len(found) == len(clean) else [redact(text) for text in clean]


def _pairs(said: Sequence[str], count: int) -> list[tuple[str, str]]:
    """Return names with values; a value that its name says is a secret is masked."""
    texts, together = said[: 2 * count], said[2 * count :]
    found = []
    for name, value, both in zip(texts[::2], texts[1::2], together, strict=True):
        hidden = value and both == f"{name}={MASK}"
        shown = MASK if hidden else _one_line(value, VALUE_LENGTH)
        found.append((_one_line(name, NAME_LENGTH), shown))
    return found


def _one_line(text: str, length: int = TITLE_LENGTH) -> str:
    return " ".join(text.split())[:length]


def stable(name: str) -> str:
    """Return the name if it is harmless, else one of its own that is: equal for equal names."""
    if len(name) <= NAME_LENGTH and printable(name) == name and redact(name) == name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    origin, colon, _ = name.partition(":")
    return f"{origin}:{digest}" if colon and origin.isalnum() and len(origin) < 40 else digest


def _names(names: Sequence[str]) -> tuple[str, ...]:
    cleaned = (_one_line(name, NAME_LENGTH) for name in names)
    return tuple(dict.fromkeys(name for name in cleaned if name))


def _link(link: str, redacted: str) -> str:
    """Return an https address without blanks and secrets, or nothing."""
    usable = link.startswith("https://") and len(link) <= LINK_LENGTH and link.isprintable()
    return redacted if usable and not any(c in link for c in " <>|\"'`") else ""
