"""Fault domains: what a line of trouble is about, in the words that a responder would group by.

A reviewed lexicon. The first domain whose expression matches wins: the more specific come first
("no space left" before "I/O error", "too many clients" before "connection refused").
"""

import re
from enum import StrEnum


class Domain(StrEnum):
    """What failed, as an on-call engineer would sort it."""

    MEMORY = "memory"
    STORAGE = "storage"  # full, slow, failing or read-only
    QUOTA = "quota"
    RATE_LIMIT = "rate limit"
    POOL = "pool"
    CERTIFICATE = "certificate"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    NAMES = "name resolution"
    LOCK = "lock"
    SCHEMA = "schema"
    CLOCK = "clock"
    PORT = "port"
    CONFIGURATION = "configuration"
    IMAGE = "image"
    SCHEDULING = "scheduling"
    CPU = "cpu"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    PROBE = "probe"
    CODE = "code"  # a defect of the program itself
    CRASH = "crash"


_LEXICON: tuple[tuple[Domain, str], ...] = (
    (
        Domain.MEMORY,
        r"out of memory|outofmemory|oom[ -]?kill|\boom\b|cannot allocate memory"
        r"|memory pressure|java heap space|gc overhead limit|std::bad_alloc|memoryerror"
        r"|memory limit exceeded|memory cgroup|maxmemory|heap limit",
    ),
    (
        Domain.QUOTA,
        r"exceeded quota|quota exceeded|disk quota|over quota|resource ?quota",
    ),
    (
        Domain.STORAGE,
        r"no space left|disk (?:is )?full|disk[ -]?pressure|enospc|device is full"
        r"|volume is full|i/?o error|input/output error"
        r"|i/?o time[ d-]{0,2}out.{0,40}\b(?:disk|device|sd|nvme|volume)"
        r"|(?:disk|device|nvme|block|volume).{0,40}(?:time[d ]{0,2}out|i/?o)|buffer i/o"
        r"|bad sector|medium error"
        r"|read[ -]only (?:file ?system|database|mode|transaction|replica)|\berofs\b"
        r"|readonly you can't write|is read[ -]only|file ?system.{0,30}(?:full|corrupt)"
        r"|checksum mismatch|corrupt(?:ed|ion)|too many open files|\bemfile\b"
        r"|inodes?\b.{0,20}exhaust|fsync|failed to mount|mount.{0,20}fail|write error"
        r"|stale (?:nfs )?file handle",
    ),
    (
        Domain.RATE_LIMIT,
        r"rate[ -]?limit|too many requests|throttl|\b429\b|resource[_ ]exhausted"
        r"|request limit",
    ),
    (
        Domain.POOL,
        r"too many (?:connections|clients)"
        r"|pool.{0,40}(?:exhaust|empty|full|timed? ?out|limit|size)"
        r"|(?:exhaust|no (?:free|idle|available|more)).{0,30}connection"
        r"|connections? (?:limit|slots)|max_connections|connection is not available"
        r"|queue(?: is)? full|rejectedexecution"
        r"|waiting for (?:a )?(?:idle |free )?(?:object|connection)|backlog",
    ),
    (
        Domain.CERTIFICATE,
        r"x509|certificate|\btls\b|\bssl\b|handshake|self[ -]signed|unknown authority|cert_",
    ),
    (
        Domain.AUTHENTICATION,
        r"access denied for user|authenticat\w* (?:fail|error|required|refused)"
        r"|auth(?:entication)? fail|fail\w* (?:to )?authenticat"
        r"|invalid (?:password|credential|user|token|api key|login)|password authentication"
        r"|failed password|unauthori[sz]ed|\b401\b|wrongpass|noauth|login failed"
        r"|bad credentials|token.{0,20}expired|expired token|incorrect password",
    ),
    (
        Domain.PERMISSION,
        r"permission denied|forbidden|\b403\b|access denied|not permitted|\beacces\b"
        r"|\beperm\b|insufficient privilege|not authori[sz]ed|privileges?",
    ),
    (
        Domain.NAMES,
        r"no such host|unknown ?host|name or service not known|name resolution|getaddrinfo"
        r"|nxdomain|servfail|could not resolve|cannot resolve|failed to resolve|enotfound"
        r"|eai_again|\bdns\b|server misbehaving|unresolved address",
    ),
    (
        Domain.LOCK,
        r"deadlock|lock wait|lock time|could not (?:obtain|acquire).{0,20}lock|locked by"
        r"|lock held|database is locked|serialization failure|could not serialize|contention"
        r"|resource busy",
    ),
    (
        Domain.SCHEMA,
        r"unknown column|no such (?:column|table)"
        r"|(?:column|relation|table|field).{0,60}(?:does not|doesn't) exist"
        r"|undefined (?:column|table)|schema|migration|syntax error|unmarshal|deseriali"
        r"|duplicate (?:key|entry)|constraint|cannot parse|parse error|malformed"
        r"|invalid json|decod",
    ),
    (
        Domain.CLOCK,
        r"clock (?:skew|drift|moved|jump|is)|time (?:skew|drift)|ntp|not yet valid"
        r"|time went backwards",
    ),
    (
        Domain.PORT,
        r"address already in use|eaddrinuse|bind.{0,20}fail|port.{0,20}already|port in use",
    ),
    (
        Domain.IMAGE,
        r"imagepull|errimage|pull(?:ing)? image|manifest unknown|exec format error"
        r"|image.{0,30}not found",
    ),
    (
        Domain.SCHEDULING,
        r"failed ?scheduling|nodes are available|unschedulable|insufficient (?:cpu|memory)"
        r"|evict|preempt",
    ),
    (
        Domain.CPU,
        r"soft lockup|cpu stall|hung task|blocked for more than|load average",
    ),
    (
        Domain.CONFIGURATION,
        r"missing (?:env|environment|config|required|key|secret|variable|property)"
        r"|invalid config|configuration error|not set\b|unknown (?:flag|option|property)"
        r"|no such file|config\w* not found|could not resolve placeholder|misconfigur",
    ),
    (
        Domain.CONNECTION,
        r"connection (?:was )?(?:refused|reset|closed|aborted|broken|lost|error|fail)"
        r"|econn(?:refused|reset|aborted)|broken pipe|epipe|no route to host"
        r"|network is unreachable|host is unreachable|ehostunreach|enetunreach"
        r"|connect(?:ing)? (?:to .{0,60})?failed|failed to connect|cannot connect"
        r"|can't connect|could not connect|unable to connect|unexpected eof"
        r"|connection to .{0,60} failed|cannot open channel|socket closed|dial tcp"
        r"|link (?:down|error)|transport endpoint|not connected|communications? link failure"
        r"|packet loss",
    ),
    (
        Domain.TIMEOUT,
        r"time[d]?[ -]?out|deadline exceeded|etimedout|took too long|slow (?:query|request)"
        r"|context canceled|\b504\b|\b408\b|expired waiting|not respond",
    ),
    (
        Domain.UNAVAILABLE,
        r"unavailable|\b50[023]\b|bad gateway|no healthy (?:upstream|endpoint|host)"
        r"|no endpoints|circuit.{0,10}open|not ready|not running|shutting down|no leader"
        r"|master_?down|cluster_?down|internal server error|backend.{0,20}(?:down|fail)"
        r"|upstream",
    ),
    (
        Domain.PROBE,
        r"(?:liveness|readiness|startup) probe|health ?check",
    ),
    (
        Domain.CODE,
        r"null ?pointer|nil pointer|nil map|nonetype|index out of (?:range|bounds)|typeerror"
        r"|keyerror|attributeerror|valueerror|classcast|illegal(?:state|argument)"
        r"|undefined is not|is not a function|stack ?overflow|division by zero|assert"
        r"|nameerror|nosuchmethod|classnotfound|import ?error|module ?not ?found"
        r"|cannot find module|unhandled (?:exception|rejection)|panic|uncaught",
    ),
    (
        Domain.CRASH,
        r"segmentation fault|segfault|sigsegv|sigabrt|sigkill|core dumped|crash"
        r"|exited (?:abnormally|with)|exit(?:ed)? (?:code|status) [1-9]|terminated|killed"
        r"|fatal signal|back-?off restarting|kernel panic",
    ),
)


class Lexicon:
    """The reviewed expressions, compiled once by whoever holds it."""

    def __init__(self) -> None:
        self._domains = [(d, re.compile(words, re.IGNORECASE)) for d, words in _LEXICON]
        self._any = re.compile("|".join(f"(?:{words})" for _, words in _LEXICON), re.IGNORECASE)

    def domain(self, text: str) -> Domain | None:
        """Return the fault domain that a line of trouble is about, None if it names none."""
        if not self._any.search(text):
            return None
        return next((domain for domain, words in self._domains if words.search(text)), None)
