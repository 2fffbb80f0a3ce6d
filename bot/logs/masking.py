"""Replaces what varies in a line by <*>: times, ids, addresses, paths, numbers, values of keys."""

import re

ANY = "<*>"
MAX_LINE = 2000
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[ -/]{0,3}[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

_NUMBERS = re.compile(
    r"""
    \b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b                        # UUID
    | \b(?:mon|tue|wed|thu|fri|sat|sun)\ (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\ {1,2}
        \d{1,2}\ \d\d:\d\d:\d\d(?:\ [A-Z]{3,4})?(?:\ \d{4})?\b                # ctime
    | \b\d{4}[-/]\d\d[-/]\d\d[T\ _]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d\b)?  # time
    | \b\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\b                                # time of day
    | (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d{1,5})?(?![\w.]*\w@)       # IPv4, port or mask
    | (?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])              # IPv6, MAC
    | \b0x[0-9a-f]+\b                                                      # address
    | (?<![a-z0-9])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}(?![a-z0-9])        # hexadecimal id
    | (?<![a-z0-9])(?!(?<=[=:\ ])(?:50[0-4]|401|403|408|429)(?!\d)(?:
            (?<=status=...)|(?<=status\ ...)|(?<=status:\ ...)|(?<=status":...)|(?<=code=...)
            |(?<=code:\ ...)|(?<=code\ ...)|(?<=code":...)|(?<=HTTP/..."\ ...)))
        [+-]?\d+(?:[.,]\d+)*(?=[^a-z]|\b|[a-zµ%])                          # number, no status
    """,
    re.IGNORECASE | re.VERBOSE,
)  # fmt: skip
_MAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PATH = re.compile(
    r"(?:(?<![\w.>)\]])|(?<=<\*>))(?:[A-Za-z]:\\|(?:[a-z][a-z+.-]{1,12}:/)?/)[\w.%@+~<>*$:-]+"
    r"(?:[/\\][\w.%@+~<>*$:-]+)+[/\\]?(?:\?[^\s\"']*)?"
)
_HOST = re.compile(
    r"(?<![\w.@-])(?:[\w*<>-]{1,63}\.){1,6}"
    r"(?:com|net|org|edu|gov|io|info|biz|local|internal|lan|corp|svc|[a-z]{2})(?::<\*>)?(?![\w.-]*\w)"
)
_UNIT = re.compile(
    r"<?<\*>\s?(?:[nuµm]?s|secs?|seconds?|min(?:ute)?s?|hours?|[hmd]|days?|[KMGT]?i?B|[kMGT]?bytes?|%)"
    r"(?![\w/])"
)
_AGAIN = re.compile(r"<\*> \(<\*>\)")  # the same amount once more in another unit
_STATES = re.compile(r"\bfrom ([A-Z][A-Z_]+) to ([A-Z][A-Z_]+)\b")
_FLAG = re.compile(r"\b(?:true|false|null|nil|True|False|None|NULL|TRUE|FALSE)\b")
_COMMAND = re.compile(r"\bCMD \(.{0,1000}\)")  # what cron runs
_USER = re.compile(r"\b(user|username|login name)([ :]{1,3})(?!<)([\w.@$-]{1,64})", re.IGNORECASE)
_VALUE = re.compile(
    r"(?<![\w.])(?P<key>[A-Za-z_][\w.-]{0,40}=)(?P<value>\"[^\"\n]{0,400}\"|'[^'\n]{0,400}'"
    r"|[^\s,;&|\])}\"'=]+)"
)


def clean(line: str) -> str:
    """Return the line cut to `MAX_LINE`, without colours and control characters."""
    text = line[:MAX_LINE]
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return _CONTROL.sub("", text).strip()


def mask(line: str) -> str:
    """Return the line with what varies as <*>; statuses of trouble (503, 429 …) stay."""
    text = _NUMBERS.sub(ANY, clean(line))
    if "@" in text:
        text = _MAIL.sub(ANY, text)
    return text.strip()


def skeleton(masked: str) -> str:
    """Return a masked line for comparison: paths, values of keys and lists of values are one."""
    text = masked
    if "/" in text or "\\" in text:
        text = _PATH.sub(ANY, text)
    text = _AGAIN.sub(ANY, _UNIT.sub(ANY, text))
    text = _FLAG.sub(ANY, text)
    if " to " in text:
        text = _STATES.sub(f"from {ANY} to {ANY}", text)
    if "CMD (" in text:
        text = _COMMAND.sub(f"CMD ({ANY})", text)
    if "." in text:
        text = _HOST.sub(ANY, text)
    if "user" in text or "User" in text:
        text = _USER.sub(rf"\1\2{ANY}", text)
    if "=" in text:
        text = _VALUE.sub(_blank, text)
    return text


def users(masked: str) -> list[str]:
    """Return the words that follow "user": what they name varies elsewhere in a line too."""
    return [match[3] for match in _USER.finditer(masked)]


def _blank(match: re.Match[str]) -> str:
    kept = match["key"].rstrip("=").rpartition(".")[2].lower() in {
        "status",
        "code",
        "level",
        "error",
    }
    return match[0] if kept else match["key"] + ANY
