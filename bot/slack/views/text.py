"""The one place where text of data becomes text of Slack: redacted, neutralised, cut to size."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, urlsplit

from bot.domain.redaction import (
    defuse_links,
    defuse_mentions,
    escape,
    neutralise,
    printable,
    redact,
)
from bot.domain.time import Window

T = TypeVar("T")
CUT = "… (full text in Show steps)"
SECTION = 2_900  # Slack allows 3,000 in a section; the rest is for the mark of the cut
FALLBACK = 3_000  # the accessible text of a message; Slack advises less than 4,000

_KEPT = re.compile(
    r"<(?:@[UW][A-Z0-9]{1,20}|!subteam\^S[A-Z0-9]{1,20}|#C[A-Z0-9]{1,20}"
    r"|!date\^\d{1,12}\^[^<>|\n]{1,60}\|[^<>|\n]{1,40})>"
)
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_CLOCK = re.compile(r"(?<![\w:./-])([01]\d|2[0-3]):([0-5]\d)(:[0-5]\d)?(?: UTC|Z)?(?![\w:/-]|\.\d)")
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{1,20}")
_SLACK_GROUP = re.compile(r"S[A-Z0-9]{1,20}")


def cut(text: str, limit: int, mark: str = CUT) -> str:
    """Return at most `limit` characters, ending in the mark where something was left out."""
    if len(text) <= limit:
        return text
    kept = text[: max(0, limit - len(mark))]
    return _whole(kept).rstrip() + mark


def _whole(kept: str) -> str:
    """Drop an entity, a link or a code span that the cut went through."""
    for opening, closing, reach in (("&", ";", 5), ("<", ">", 2_200)):
        start = kept.rfind(opening)
        if start > kept.rfind(closing) and len(kept) - start <= reach:
            kept = kept[:start]
    return kept + "`" if kept.count("`") % 2 else kept


def data(text: str, limit: int = 600) -> str:
    """Return one line of text from data, fit for mrkdwn: no secrets, no mentions, no links."""
    return cut(neutralise(_flat(text, limit)), limit)


def _read(text: str, limit: int) -> str:
    """Return what a field of `limit` characters can need of the text, without secrets.

    It ends between words, so that no secret is cut in half before it is recognised.
    """
    most = 4 * limit + 500
    if len(text) > most:
        text = text[:most].rpartition(" ")[0] or text[:most]
    return redact(printable(text))


def _flat(text: str, limit: int) -> str:
    return " ".join(_read(text, limit).split())


def plain(text: str, limit: int = 150) -> str:
    """Return one line of text from data for a plain_text object or a fallback."""
    return cut(defuse_mentions(_flat(text, limit)), limit, "…")


def told(text: str, near: datetime, limit: int = 600) -> str:
    """Return a sentence of the bot's own analysts, its UTC clock times in the reader's zone."""
    return cut(_CLOCK.sub(lambda m: _local(m, near), data(text, limit)), 2 * limit)


def sentence(text: str) -> str:
    """Return the text with a full stop, unless it ends in one, or is empty."""
    bare = text.rstrip()
    return f"{bare}." if bare and bare[-1] not in ".?…)" else bare


def _local(match: re.Match[str], near: datetime) -> str:
    hour, minute, second = int(match[1]), int(match[2]), int((match[3] or ":0")[1:])
    moment = near.astimezone(UTC).replace(hour=hour, minute=minute, second=second, microsecond=0)
    distance = (moment - near).total_seconds()
    if abs(distance) > 12 * 3600:
        moment = datetime.fromtimestamp(
            moment.timestamp() - 86400 * (1 if distance > 0 else -1), UTC
        )
    return clock(moment, seconds=bool(match[3]))


def mrkdwn(text: str, limit: int = SECTION) -> str:
    """Return the bot's own mrkdwn: known tokens stay, other angle brackets lose their power."""
    safe = _read(text, limit)
    parts: list[str] = []
    end = 0
    for match in _KEPT.finditer(safe):
        parts += [_inert(safe[end : match.start()]), match[0]]
        end = match.end()
    return cut("".join([*parts, _inert(safe[end:])]), limit)


def mention(who: str) -> str:
    """Return what mentions a user or a user group by id, "" if it is the id of neither."""
    if _SLACK_USER.fullmatch(who):
        return f"<@{who}>"
    return f"<!subteam^{who}>" if _SLACK_GROUP.fullmatch(who) else ""


def _inert(text: str) -> str:
    safe = _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    return defuse_links(defuse_mentions(safe))


def code(text: str, limit: int = 400) -> str:
    """Return an inline code span that can be copied; links and mentions are inert inside."""
    flat = _flat(text, limit).replace("`", "'")
    return f"`{cut(escape(defuse_mentions(flat)), limit, '…')}`" if flat else ""


def fence(text: str, limit: int = 1_500) -> str:
    """Return a block of code that can be copied."""
    safe = _read(text, limit).replace("```", "'''").strip("\n")
    body = escape(defuse_mentions(safe))
    return f"```{cut(body, limit, '…').rstrip('`')}```"


def link(url: str | None, label: str) -> str:
    """Return `<url|label>` for a plain http(s) address of a source, else nothing."""
    if not url or len(url) > 2_000 or redact(url) != url:
        return ""
    parts = urlsplit(url) if printable(url) == url else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return f"<{quote(url, safe=_URL_SAFE)}|{label}>"


_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"


def clock(moment: datetime, *, seconds: bool = False) -> str:
    """Return a time of day that Slack shows in the reader's zone, and in UTC where it cannot."""
    token = "{time_secs}" if seconds else "{time}"
    utc = moment.astimezone(UTC).strftime("%H:%M:%S UTC" if seconds else "%H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{token}|{utc}>"


def utc(moment: datetime) -> str:
    """Return a time of day for texts without markup."""
    return moment.astimezone(UTC).strftime("%H:%M UTC")


def span(window: Window | None) -> str:
    """Return "13:30-14:05" in the reader's zone."""
    return f"{clock(window.start)}–{clock(window.end)}" if window else ""  # noqa: RUF001 - a span


def person(actor_id: str) -> str:
    """Return a mention of a Slack user, "I" for the bot, or the name of another actor."""
    if actor_id == "sre-bot":
        return "me"
    return f"<@{actor_id}>" if _SLACK_USER.fullmatch(actor_id) else data(actor_id, 80)


def percent(ratio: float) -> str:
    """Return "91 %"; certainty is never claimed."""
    return f"{max(1, min(99, round(ratio * 100)))} %"


def duration(seconds: float) -> str:
    """Return "8 s", "2 min" or "1 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def quantity(value: float, unit: str) -> str:
    """Return a value with its unit as people say it: "0.2 s", "25 %", "1.5 GiB", "40 /s"."""
    if unit in ("ratio", "0..1", "%"):
        return f"{_number(value if unit == '%' else value * 100)} %"
    if unit in ("B", "bytes"):
        return _bytes(value)
    if unit in ("1/s", "/s"):
        return f"{_number(value)} /s"
    if unit == "s" and 0 < abs(value) < 0.1:
        return f"{_number(value * 1000)} ms"
    return f"{_number(value)} {data(unit, 30)}".strip()


def _bytes(value: float) -> str:
    for name, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= size:
            return f"{_number(value / size)} {name}"
    return f"{_number(value)} B"


def _number(value: float) -> str:
    if value != 0 and abs(value) < 1e-4:
        return f"{value:.1g}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"


def listed(items: Sequence[T], words: Callable[[T], str], limit: int) -> list[str]:
    """Return at most `limit` items in words, the last one saying how many more there are."""
    if len(items) <= limit:
        return [words(item) for item in items]
    return [*(words(i) for i in items[: limit - 1]), f"… and {len(items) - limit + 1} more"]
