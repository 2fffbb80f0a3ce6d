"""Alerts that other apps post in incident channels: the message as a signal. Pure.

Only an app's message that says by its form that it is an alert becomes one; what people write, and
what apps write otherwise, stays what it is: words to be read.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.conversation import Mention
from bot.domain.signal import Origin, Phase, Severity, Signal

_FIRING = "firing|triggered|alerting|alert|alarm|problem|critical|error|warning|warn|down|breached"
_RESOLVED = "resolved|recovered|recovery|closed|ok|normal|up again|cleared"
_STATUS = re.compile(
    r"^(?:[\s*_~`>\-:|]|:[a-z0-9_+\-]{1,40}:|[\U0001F300-\U0001FAFF\u2600-\u27BF\uFE0F]){0,20}"
    rf"[\[(]?\s{{0,3}}(?P<word>{_FIRING}|{_RESOLVED})\b(?:\s{{0,3}}[:#]?\s{{0,3}}\d{{1,6}})?"
    r"[\s\])*_~`:|\-]{0,10}",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[\s*_`•\-]{0,8}(service|app|application|deployment|severity|priority|environment|env|cluster"
    r"|namespace|alertname)[\s*_`]{0,6}[:=][\s*_`]{0,6}([\w./-]{1,100})",
    re.IGNORECASE | re.MULTILINE,
)
_COLOURS = {"danger": Phase.FIRING, "warning": Phase.FIRING, "good": Phase.RESOLVED}
_SERVICES = ("service", "app", "application", "deployment")
_CRITICAL = frozenset(("critical", "p1", "sev1", "page", "emergency", "disaster"))
_HIGH = frozenset(("error", "high", "p2", "sev2", "major"))
_INFO = frozenset(("info", "low", "p4", "p5", "notice"))
_LOOKED_AT = 8_000  # characters
Json = Mapping[str, Any]


def is_of_an_app(event: Json) -> bool:
    """Whether an app posted this message by itself, at the top of a channel."""
    in_thread = event.get("thread_ts") not in (None, "", event.get("ts"))
    return isinstance(event.get("bot_id"), str) and bool(event["bot_id"]) and not in_thread


def alert_of(event: Json, mention: Mention, environment: str = "") -> Signal | None:
    """Return the alert that an app's message tells of; None: it does not look like one.

    `mention` is the same message as it is read otherwise.
    """
    text = mention.text[:_LOOKED_AT]
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    status = _STATUS.match(first)
    phase = _phase(status, event)
    if phase is None or not first:
        return None
    title = (first[status.end() :] if status else first).strip() or first
    labels = {name.lower(): value for name, value in _labels(event, text)}
    at = datetime.fromtimestamp(float(mention.ts), UTC)
    return Signal(
        key=f"slack:{mention.thread.team}:{mention.thread.channel}:{mention.ts}",
        origin=Origin.SLACK,
        subject=f"slack:{mention.thread.channel}:{_same(str(event['bot_id']), title)}",
        phase=phase,
        title=title,
        at=at,
        severity=_severity(labels, status),
        environment=environment,
        services=tuple(dict.fromkeys(labels[n] for n in _SERVICES if n in labels)),
        text=text,
        link=_link(event),
        labels=labels,
        details={
            "team": mention.thread.team, "channel": mention.thread.channel, "ts": mention.ts,
            "bot": str(event["bot_id"]),
        },
        began=at if phase is Phase.FIRING else None,
    )  # fmt: skip


def _phase(status: re.Match[str] | None, event: Json) -> Phase | None:
    """Return what the first word says, else what the colour of an attachment does."""
    if status is not None:
        over = re.fullmatch(_RESOLVED, status["word"], re.IGNORECASE)
        return Phase.RESOLVED if over else Phase.FIRING
    colours = (str(a.get("color", "")).lower() for a in _attachments(event))
    return next((_COLOURS[c] for c in colours if c in _COLOURS), None)


def _same(bot: str, title: str) -> str:
    """Return what is equal for the same alert of the same app, firing or resolved."""
    words = re.sub(r"\s+", " ", title).strip().lower()
    return hashlib.sha256(f"{bot}\n{words}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _attachments(event: Json) -> Iterator[Json]:
    found = event.get("attachments")
    for attachment in found[:20] if isinstance(found, list) else ():
        if isinstance(attachment, Mapping):
            yield attachment


def _labels(event: Json, text: str) -> Iterator[tuple[str, str]]:
    """Yield names with values: of the attachments' fields, and of lines such as "env: prod"."""
    for name, value in _LABEL.findall(text):
        yield name, value
    for attachment in _attachments(event):
        fields = attachment.get("fields")
        for one in fields[:30] if isinstance(fields, list) else ():
            pair = one if isinstance(one, Mapping) else {}
            name, value = pair.get("title"), pair.get("value")
            if isinstance(name, str) and isinstance(value, str) and name.strip():
                yield name.strip(), value.strip()


def _severity(labels: Mapping[str, str], status: re.Match[str] | None) -> Severity:
    said = labels.get("severity") or labels.get("priority") or (status["word"] if status else "")
    word = said.lower()
    if word in _CRITICAL:
        return Severity.CRITICAL
    if word in _HIGH:
        return Severity.HIGH
    return Severity.INFO if word in _INFO else Severity.WARNING


def _link(event: Json) -> str:
    links = (a.get("title_link") for a in _attachments(event))
    return next((x for x in links if isinstance(x, str) and x.startswith("https://")), "")
