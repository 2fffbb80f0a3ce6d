"""Folds the lines of a stack trace into the line that it belongs to, with the innermost cause."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_FOLLOWS = re.compile(
    r"\s|at [\w$.<]|\.\.\. \d+ (?:more|common frames)|Caused by: |Suppressed: |Traceback \("
    r"|During handling of the above|The above exception was|goroutine \d+ \[|--- End of|[)}\]]+\s*$"
)
_THROWN = re.compile(
    r"(?:Caused by: )?[A-Za-z_][\w$]*(?:\.[\w$]+)*(?:Exception|Error|Throwable)\b(?::|$)"
)
_MAX_TOLD = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One message: its first line, the innermost exception of its trace, how many lines it had."""

    head: str
    cause: str
    first: int  # index of its first line
    lines: int

    @property
    def text(self) -> str:
        """Return what was said: the head, and what was thrown if the head does not say it."""
        if not self.cause or self.cause in self.head:
            return self.head
        return f"{self.head.rstrip(': ')}: {self.cause}" if self.head else self.cause


def records(lines: Iterable[str]) -> Iterator[Record]:
    """Yield the messages of one run of one container, whose lines come in order."""
    head, cause, first, count = "", "", 0, 0
    tracing = False
    for number, line in enumerate(lines):
        thrown = _THROWN.match(line)
        follows = bool(count) and bool(_FOLLOWS.match(line) or (tracing and thrown) or not line)
        if count and thrown and not follows:
            follows = not _THROWN.match(head)
        if follows:
            count += 1
            cause = line[:_MAX_TOLD].removeprefix("Caused by: ") if thrown else cause
        else:
            if count:
                yield Record(head=head, cause=cause, first=first, lines=count)
            head, cause, first, count = line, "", number, 1
        tracing = line.startswith("Traceback") or (tracing and line[:1] in " \t")
        if head.startswith("Traceback") and thrown:
            head = ""
    if count:
        yield Record(head=head, cause=cause, first=first, lines=count)
