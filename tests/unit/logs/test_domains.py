"""Lines of trouble fall into the domains by which a responder sorts them."""

import pytest

from bot.logs.domains import Domain, Lexicon


@pytest.mark.parametrize(
    ("line", "domain"),
    [
        ("node has disk pressure", Domain.STORAGE),
        ("write /data/x: no space left on device", Domain.STORAGE),
        ("I/O timeout on device sdb", Domain.STORAGE),
        ("blk_update_request: I/O error, dev nvme0n1", Domain.STORAGE),
        ("ERROR 1290: running with the --read-only option: is read-only", Domain.STORAGE),
        ("accept: too many open files", Domain.STORAGE),
        ("java.lang.OutOfMemoryError: Java heap space", Domain.MEMORY),
        ("OOM command not allowed when used memory > 'maxmemory'", Domain.MEMORY),
        ("pods is forbidden: exceeded quota: compute", Domain.QUOTA),
        ("429 Too Many Requests", Domain.RATE_LIMIT),
        ("FATAL: sorry, too many clients already", Domain.POOL),
        ("HikariPool-1 - Connection is not available, request timed out", Domain.POOL),
        ("x509: certificate has expired or is not yet valid", Domain.CERTIFICATE),
        ("Access denied for user 'app'@'10.0.0.1'", Domain.AUTHENTICATION),
        ("open /data/x: permission denied", Domain.PERMISSION),
        ("dial tcp: lookup cart on 10.96.0.10:53: no such host", Domain.NAMES),
        ("java.net.UnknownHostException: cart", Domain.NAMES),
        ("Deadlock found when trying to get lock", Domain.LOCK),
        ('relation "orders" does not exist', Domain.SCHEMA),
        ("clock skew of 42 s detected", Domain.CLOCK),
        ("listen tcp :8080: bind: address already in use", Domain.PORT),
        ("dial tcp 10.0.0.1:80: connect: connection refused", Domain.CONNECTION),
        ("read tcp: i/o timeout", Domain.TIMEOUT),
        ("context deadline exceeded", Domain.TIMEOUT),
        ("upstream connect error: no healthy upstream", Domain.UNAVAILABLE),
        ("panic: runtime error: invalid memory address or nil pointer", Domain.CODE),
        ("segmentation fault (core dumped)", Domain.CRASH),
        ("Readiness probe failed", Domain.PROBE),
        ("order 17 placed", None),
    ],
)
def test_a_line_is_of_its_domain(line: str, domain: Domain | None) -> None:
    assert Lexicon().domain(line) is domain
