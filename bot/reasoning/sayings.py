"""Error lines that name their cause outright: what a responder reads and stops searching.

Sources: errno texts of POSIX, error texts of MySQL, PostgreSQL, MongoDB, Redis, SQLite, Oracle and
SQL Server, of OpenSSL, Go's crypto/x509, the JVM, Node, Python and .NET.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Whose(StrEnum):
    """Who has the trouble that a line speaks of."""

    OWN = "own"  # the process that logs it
    STORE = "store"  # the data store that it uses
    PEER = "peer"  # whoever it talks to


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A cause, the words that name it, and what they say of whoever has it ("{who} …")."""

    cause: str
    words: re.Pattern[str]
    tells: str
    whose: Whose = Whose.OWN
    weight: float = 3.0  # log likelihood ratio of such a line, new since the trouble began
    kind: str = ""  # of the object, where it is no workload


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I)


SAYINGS: tuple[Saying, ...] = (
    Saying(
        cause="disk_full",
        words=_words(
            r"no space left on device", r"\bENOSPC\b", r"\bdisk is full", r"device is full",
            r"could not extend file", r"there is not enough space on the disk", r"ORA-01653",
            r"disk quota exceeded", r"\bEDQUOT\b", r"flood[- ]stage (?:disk )?watermark",
            r"database or disk is full", r"free disk space .{0,40}insufficient",
        ),
        tells="{who} has no space left on its disk",
    ),
    Saying(
        cause="volume_filesystem_corrupt",
        words=_words(
            r"read-only file ?system", r"\bEROFS\b", r"structure needs cleaning",
            r"input/output error", r"\bEIO\b",
        ),
        tells="{who} can no longer write to its disk",
        weight=2.4,
    ),
    Saying(
        cause="db_readonly_mode",
        words=_words(
            r"running with the --(?:super-)?read-only", r"read-only transaction",
            r"READONLY You can't write", r"super_read_only", r"database is (?:in )?read[- ]only",
            r"NotWritablePrimary", r"NotPrimaryNoSecondaryOk", r"\bnot primary\b", r"ORA-16000",
            r"attempt to write a readonly database", r"database .{0,60}is read-only",
        ),
        tells="{who} refuses writes: it is read-only",
        whose=Whose.STORE,
    ),
    Saying(
        cause="db_connection_exhaustion",
        words=_words(
            r"too many connections", r"remaining connection slots are reserved",
            r"too many clients already", r"max number of clients reached", r"max_user_connections",
            r"ORA-0001[28]", r"ORA-00020", r"no more connections allowed",
        ),
        tells="{who} has no connection left",
        whose=Whose.STORE,
    ),
    Saying(
        cause="dns_failure",
        words=_words(
            r"no such host", r"UnknownHostException", r"name or service not known",
            r"temporary failure in name resolution", r"\bEAI_AGAIN\b", r"\bENOTFOUND\b",
            r"could not resolve host", r"\bNXDOMAIN\b", r"\bSERVFAIL\b", r"server misbehaving",
            r"getaddrinfo failed",
        ),
        tells="{who} cannot resolve names that it could resolve before",
        weight=2.6,
    ),
    Saying(
        cause="certificate_expired",
        words=_words(
            r"certificate has expired", r"certificate is expired", r"CERT_HAS_EXPIRED",
            r"EXPIRED_CERT", r"CertificateExpiredException", r"alert certificate expired",
            r"(?:CertPath\w*|PKIX path) .{0,120}validity check failed", r"NotAfter: ",
        ),
        tells="{who} serves a certificate that has expired",
        whose=Whose.PEER,
        kind="certificate",
    ),
    Saying(
        cause="clock_skew",
        words=_words(
            r"clock skew", r"clock drift", r"time (?:drift|skew)", r"token used before issued",
            r"RequestTimeTooSkewed", r"clock is .{0,20}(?:ahead|behind)", r"time went backwards",
            r"(?:jwt|token|assertion).{0,40}not yet valid", r"signature (?:is )?not yet current",
        ),
        tells="{who}'s clock and another's differ",
    ),
    Saying(
        cause="permission_denied",
        words=_words(
            r"(?:open|write|mkdir|read|unlink|rename|create|stat)\b.{0,120}permission denied",
            r"AccessDeniedException: /", r"\bEACCES\b", r"\[Errno 13\]",
            r"UnauthorizedAccessException",
        ),
        tells="{who} may not touch a file that it needs",
        weight=2.4,
    ),
    Saying(
        cause="schema_mismatch",
        words=_words(
            r"column \S{1,80} (?:of relation \S{1,80} )?does not exist", r"unknown column ['\"`]",
            r"no such (?:column|table): ", r"relation \S{1,80} does not exist",
            r"table \S{1,80} doesn't exist", r"invalid (?:object|column) name", r"ORA-00904",
            r"ORA-00942", r"undefined(?:column|table)",
        ),
        tells="{who} asks its database for a table or column that is not there",
    ),
    Saying(
        cause="gc_pressure",
        words=_words(
            r"java heap space", r"gc overhead limit", r"heap out of memory", r"reached heap limit",
            r"\bMemoryError\b", r"std::bad_alloc", r"System\.OutOfMemoryException",
        ),
        tells="{who} has no heap left",
        weight=2.4,
    ),
    Saying(
        cause="application_fault",
        words=_words(
            r"\bpanic: ", r"nil pointer dereference", r"NullPointerException",
            r"NullReferenceException", r"\bTypeError: ", r"\bAttributeError: ", r"\bKeyError: ",
            r"\bIndexError: ", r"cannot read propert", r"segmentation fault", r"\bSIGSEGV\b",
            r"StackOverflow", r"maximum call stack", r"ClassCastException", r"OutOfBounds",
            r"undefined is not", r"no method matching", r"\bNoMethodError\b", r"assertion failed",
        ),
        tells="{who} fails in its own code",
        weight=2.4,
    ),
)  # fmt: skip
