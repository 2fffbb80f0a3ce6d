"""Incidents of many kinds, guilty commits and none, each with decoys of the same subject."""
# ruff: noqa: E501 - diffs and log lines stay as they are written

from tests.fakes.change_incidents import Call, Commit, Incident, Line, Metric


def _chain(edge: str, middle: str, deep: str, error: str) -> tuple[Call, ...]:
    return (
        Call(service=edge, name="POST /order", parent=None, took_ms=3100, error=" "),
        Call(service=middle, name="Place", parent=0, took_ms=3050, error=" "),
        Call(service=deep, name="Do", parent=1, took_ms=3000, error=error),
    )


def _tidy(service: str, at: float) -> Commit:
    return Commit(
        message=f"refactor: tidy {service} handler",
        files=(f"services/{service}/handler.go",),
        diff=f"@@ services/{service}/handler.go @@\n-\tif err := h.do(ctx); err != nil {{ return err }}\n"
        "-\treturn nil\n+\treturn h.do(ctx)",
        at=at - 2,
        live=(service, at),
    )


def _bump(service: str, at: float) -> Commit:
    return Commit(
        message="chore: bump dependencies",
        files=("go.mod", "go.sum"),
        diff="@@ go.mod @@\n-\tgoogle.golang.org/grpc v1.62.0\n+\tgoogle.golang.org/grpc v1.62.1",
        at=at - 2,
        live=(service, at),
    )


def _user_facing(edge: str, bad_ms: float = 2600, errors: float = 0.2) -> tuple[Metric, ...]:
    return (
        Metric(service=edge, name="http_server_duration_p99_ms", usual=180, bad=bad_ms, at=61),
        Metric(service=edge, name="http_5xx_ratio", usual=0.003, bad=errors, at=61),
        Metric(service=edge, name="requests_per_sec", usual=400, bad=400),
    )


LOCKS = Incident(
    name="row-locks-held-across-a-call",
    service="wallet",
    metric="http_server_duration_p99_ms",
    summary="wallet p99 above 1 s for 3m",
    metrics=(
        *_user_facing("gate"),
        Metric(service="wallet", name="http_server_duration_p99_ms", usual=60, bad=4200),
        Metric(service="wallet", name="db_lock_wait_seconds", usual=0.01, bad=3.4),
    ),
    lines=(
        Line(service="wallet", text="could not obtain lock on row in relation balances"),
        Line(service="wallet", text="canceling statement due to lock timeout", count=80),
        Line(service="gate", text="upstream wallet timeout after 3000ms", count=90),
    ),
    calls=_chain("gate", "checkout", "wallet", "lock timeout on balances"),
    culprit=Commit(
        message="refactor: read balance inside the transfer",
        files=("services/wallet/transfer.go",),
        diff="@@ services/wallet/transfer.go: func (s *Store) Transfer(ctx context.Context) error {\n"
        " \ttx, err := s.db.BeginTx(ctx, nil)\n"
        '-\trow := tx.QueryRowContext(ctx, "SELECT amount FROM balances WHERE id = $1", id)\n'
        '+\trow := tx.QueryRowContext(ctx, "SELECT amount FROM balances WHERE id = $1 FOR UPDATE", id)\n'
        "+\tif err := s.fraud.Check(ctx, id); err != nil {\n+\t\treturn err\n+\t}\n"
        " \treturn tx.Commit()",
        at=50,
        live=("wallet", 56),
    ),
    decoys=(_tidy("wallet", 58), _bump("gate", 59)),
    victims=("checkout", "gate"),
)

RETRIES = Incident(
    name="retry-storm",
    service="stock",
    metric="http_5xx_ratio",
    summary="stock 5xx above 2 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="stock", name="http_5xx_ratio", usual=0.004, bad=0.4),
        Metric(service="stock", name="requests_per_sec", usual=300, bad=2400),
        Metric(service="basket", name="retry_attempts_per_sec", usual=2, bad=1900),
        Metric(service="basket", name="requests_per_sec", usual=290, bad=295),
    ),
    lines=(
        Line(
            service="basket",
            text="retrying stock Reserve, attempt 9 of 10",
            level="WARN",
            count=9000,
        ),
        Line(service="stock", text="server overloaded, shedding load", count=2000),
        Line(service="gate", text="upstream basket unavailable", count=90),
    ),
    calls=_chain("gate", "basket", "stock", "overloaded"),
    culprit=Commit(
        message="fix: be more patient with stock",
        files=("services/basket/stock_client.py",),
        diff="@@ services/basket/stock_client.py @@ class StockClient:\n"
        "-    @retry(stop=stop_after_attempt(2), wait=wait_exponential(multiplier=0.2, max=2))\n"
        "+    @retry(stop=stop_after_attempt(10), wait=wait_none())\n"
        "     def reserve(self, sku):\n",
        at=50,
        live=("basket", 55),
    ),
    decoys=(_tidy("stock", 59), _bump("gate", 58)),
    victims=("basket", "gate"),
)

INDEX = Incident(
    name="index-dropped",
    service="ledger-db",
    metric="db_query_duration_p99_ms",
    summary="query p99 above 500 ms on ledger-db",
    metrics=(
        *_user_facing("gate"),
        Metric(service="ledger-db", name="db_query_duration_p99_ms", usual=8, bad=2100),
        Metric(service="ledger-db", name="db_rows_scanned_per_sec", usual=900, bad=880000),
        Metric(service="ledger-db", name="db_cpu_utilization", usual=22, bad=97),
        Metric(service="ledger", name="http_server_duration_p99_ms", usual=70, bad=2400),
    ),
    lines=(
        Line(
            service="ledger-db",
            text="slow query: SELECT * FROM postings WHERE account_id = $1",
            level="WARN",
        ),
        Line(service="ledger", text="statement timeout reading postings", count=60),
        Line(service="gate", text="upstream ledger timeout after 2000ms", count=60),
    ),
    calls=_chain("gate", "ledger", "ledger-db", "statement timeout"),
    culprit=Commit(
        message="chore(db): remove unused objects",
        files=("db/migrations/0107_cleanup.sql",),
        diff="@@ db/migrations/0107_cleanup.sql @@\n"
        "+DROP INDEX IF EXISTS idx_postings_account_id;\n+DROP TABLE IF EXISTS tmp_import_2023;",
        at=55,
        live=("ledger-db", 58),
    ),
    decoys=(_tidy("ledger", 59), _bump("gate", 57)),
    victims=("gate", "ledger"),
    remediation="roll-forward",
)

DNS = Incident(
    name="names-not-resolved",
    service="mailer",
    metric="http_5xx_ratio",
    summary="mailer errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="mailer", name="http_5xx_ratio", usual=0.002, bad=0.6),
        Metric(service="mailer", name="dns_lookup_failures_total", usual=0, bad=900),
    ),
    lines=(
        Line(
            service="mailer",
            text="dial tcp: lookup templates.prod.svc.cluster.local on 10.0.0.10:53: "
            "server misbehaving",
        ),
        Line(service="mailer", text="lookup smtp-relay on 10.0.0.10:53: i/o timeout", count=200),
        Line(service="gate", text="upstream mailer returned 502", count=80),
    ),
    calls=_chain("gate", "notify", "mailer", "lookup templates: server misbehaving"),
    culprit=None,
    decoys=(
        _tidy("mailer", 59),
        Commit(
            message="chore: shorten keep-alive of the template client",
            files=("services/mailer/client.go",),
            diff="@@ services/mailer/client.go @@\n-\tIdleConnTimeout: 90 * time.Second,\n"
            "+\tIdleConnTimeout: 60 * time.Second,",
            at=48,
            live=("mailer", 52),
        ),
    ),
    remediation="failover",
    victims=("gate", "notify"),
)

DISK = Incident(
    name="disk-full-by-retention",
    service="search",
    metric="http_5xx_ratio",
    summary="search errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="search", name="disk_used_ratio", usual=0.41, bad=1.0, at=12, ramp=48),
        Metric(service="search", name="http_5xx_ratio", usual=0.002, bad=0.5),
    ),
    lines=(
        Line(service="search", text="write /var/log/search/query.log: no space left on device"),
        Line(service="gate", text="upstream search returned 500", count=80),
    ),
    calls=_chain("gate", "browse", "search", "no space left on device"),
    culprit=Commit(
        message="chore: keep query logs for the audit",
        files=("services/search/config/logging.yaml",),
        diff="@@ services/search/config/logging.yaml @@\n query_log:\n-  level: warn\n+  level: debug\n"
        "-  retention_days: 2\n+  retention_days: 90\n-  max_size_mb: 100\n+  max_size_mb: 0",
        at=8,
        live=("search", 11),
    ),
    decoys=(_tidy("search", 58), _bump("gate", 59)),
    victims=("browse", "gate"),
    remediation="config-revert",
)

TYPO = Incident(
    name="address-typo-in-shared-library",
    service="rates",
    metric="http_5xx_ratio",
    summary="rates errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="rates", name="http_5xx_ratio", usual=0.002, bad=0.97),
    ),
    lines=(
        Line(
            service="rates",
            text="redis: dial tcp: lookup redis-sesions.data.svc: no such host",
        ),
        Line(service="gate", text="upstream rates returned 500", count=80),
    ),
    calls=_chain("gate", "quotes", "rates", "lookup redis-sesions.data.svc: no such host"),
    culprit=Commit(
        message="chore(platform): defaults in one place",
        files=("pkg/platform/defaults.go",),
        diff="@@ pkg/platform/defaults.go @@\n"
        '-\tRedisAddr: "redis-sessions.data.svc:6379",\n'
        '+\tRedisAddr: "redis-sesions.data.svc:6379",',
        at=54,
        live=("rates", 58.5),
    ),
    decoys=(_tidy("rates", 56), _bump("gate", 59)),
    victims=("gate", "quotes"),
)

KEYS = Incident(
    name="signing-key-rotated",
    service="accounts",
    metric="auth_failure_ratio",
    summary="accounts refuses more than 5 % of tokens",
    metrics=(
        *_user_facing("gate", bad_ms=200),
        Metric(service="accounts", name="auth_failure_ratio", usual=0.01, bad=0.8),
    ),
    lines=(
        Line(
            service="accounts",
            text="token rejected: unable to verify signature, unknown kid 2025-11",
            level="WARN",
        ),
        Line(service="gate", text="request failed: 401 from accounts", count=400, level="WARN"),
    ),
    calls=_chain("gate", "profile", "accounts", "401 unknown kid"),
    culprit=Commit(
        message="chore: rotate signing key",
        files=("services/accounts/config/jwks.yaml",),
        diff="@@ services/accounts/config/jwks.yaml @@\n keys:\n-  - kid: 2025-11\n-    alg: RS256\n"
        "+  - kid: 2026-04\n+    alg: RS256",
        at=50,
        live=("accounts", 57),
    ),
    decoys=(_tidy("accounts", 59), _bump("gate", 58)),
    victims=("gate",),
    remediation="config-revert",
)

FEED = Incident(
    name="bad-supplier-feed",
    service="importer",
    metric="failed_records_ratio",
    summary="importer rejects more than 5 % of records",
    metrics=(
        Metric(service="importer", name="failed_records_ratio", usual=0.002, bad=0.9),
        Metric(service="importer", name="requests_per_sec", usual=40, bad=40),
        Metric(service="catalogue", name="stale_prices_ratio", usual=0.01, bad=0.4, at=65),
    ),
    lines=(
        Line(
            service="importer",
            text="supplier feed prices.csv: malformed record at line 812: expected 9 fields, got 7",
        ),
        Line(service="catalogue", text="prices older than 30 minutes", level="WARN", count=40),
    ),
    calls=(
        Call(service="importer", name="Import", parent=None, took_ms=90, error="malformed record"),
    ),
    culprit=None,
    decoys=(
        _tidy("importer", 57),
        Commit(
            message="perf: larger read buffer in the feed reader",
            files=("services/importer/reader.go",),
            diff="@@ services/importer/reader.go @@\n-\tr := bufio.NewReaderSize(f, 4096)\n"
            "+\tr := bufio.NewReaderSize(f, 65536)",
            at=48,
            live=("importer", 54),
        ),
    ),
    victims=("catalogue",),
)

NODE = Incident(
    name="node-lost",
    service="queue",
    metric="http_5xx_ratio",
    summary="queue errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="queue", name="http_5xx_ratio", usual=0.002, bad=0.35),
        Metric(service="queue", name="ready_replicas", usual=6, bad=4),
    ),
    lines=(
        Line(
            service="queue",
            text="node ip-10-2-3-4 is not ready: kubelet stopped posting status",
            count=20,
        ),
        Line(service="queue", text="broker connection reset by peer", count=300),
        Line(service="gate", text="upstream queue unavailable", count=80),
    ),
    calls=_chain("gate", "orders", "queue", "connection reset by peer"),
    culprit=None,
    decoys=(_tidy("queue", 58), _bump("orders", 56)),
    remediation="failover",
    victims=("gate", "orders"),
)

REGEX = Incident(
    name="catastrophic-pattern",
    service="reviews",
    metric="http_server_duration_p99_ms",
    summary="reviews p99 above 1 s",
    metrics=(
        *_user_facing("gate"),
        Metric(service="reviews", name="cpu_utilization", usual=0.3, bad=0.99),
        Metric(service="reviews", name="http_server_duration_p99_ms", usual=90, bad=7000),
    ),
    lines=(
        Line(
            service="reviews", text="event loop blocked for 4200ms in sanitizeReview", level="WARN"
        ),
        Line(service="gate", text="upstream reviews timeout after 3000ms", count=80),
    ),
    calls=_chain("gate", "product", "reviews", "timeout"),
    culprit=Commit(
        message="feat: stricter clean-up of reviews",
        files=("services/reviews/sanitize.ts",),
        diff="@@ services/reviews/sanitize.ts @@ export function sanitizeReview(text: string) {\n"
        "-  return text.replace(/\\s+$/, '');\n"
        "+  return text.replace(/^(\\s*\\w+\\s*)+$/, clean);",
        at=50,
        live=("reviews", 57),
    ),
    decoys=(_tidy("reviews", 59), _bump("gate", 58)),
    victims=("gate", "product"),
)

LAG = Incident(
    name="consumer-falls-behind",
    service="invoices",
    metric="consumer_lag",
    summary="invoices consumer lag above 10000",
    metrics=(
        Metric(service="invoices", name="consumer_lag", usual=40, bad=90000, at=40, ramp=40),
        Metric(service="invoices", name="messages_processed_per_sec", usual=300, bad=31, at=40),
        Metric(service="invoices", name="rebalances_total", usual=0, bad=30, at=40, ramp=40),
    ),
    lines=(
        Line(
            service="invoices",
            text="consumer poll interval exceeded, leaving group",
            level="WARN",
            at=41,
        ),
        Line(service="invoices", text="consumer group rebalancing", level="WARN", at=41, count=60),
    ),
    calls=(),
    culprit=Commit(
        message="feat: archive each invoice",
        files=("services/invoices/Consumer.java",),
        diff="@@ services/invoices/Consumer.java @@\n   for (ConsumerRecord<String, Invoice> r : records) {\n"
        "     store.save(r.value());\n+    archive.uploadSync(r.value());\n+    Thread.sleep(200);\n   }",
        at=30,
        live=("invoices", 38),
    ),
    decoys=(_tidy("invoices", 58), _bump("invoices", 12)),
)

RENAMED = Incident(
    name="field-renamed",
    service="shipping",
    metric="http_5xx_ratio",
    summary="shipping errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="shipping", name="http_5xx_ratio", usual=0.002, bad=0.88),
    ),
    lines=(
        Line(
            service="shipping",
            text="KeyError: 'postal_code' in quote()",
            extra={"stack": "File app/quote.py line 41 in quote"},
        ),
        Line(service="gate", text="upstream shipping returned 500", count=80),
    ),
    calls=_chain("gate", "address-book", "shipping", "KeyError: postal_code"),
    culprit=Commit(
        message="refactor: consistent naming in the address payload",
        files=("services/address-book/schema.py",),
        diff="@@ services/address-book/schema.py @@ def to_dict(address):\n"
        "-        'postal_code': address.postal_code,\n+        'postcode': address.postal_code,",
        at=52,
        live=("address-book", 58),
    ),
    decoys=(_tidy("shipping", 59), _bump("gate", 57)),
    victims=("gate",),
)

LEAK = Incident(
    name="memory-grows-until-killed",
    service="quotes",
    metric="memory_working_set_bytes",
    summary="quotes memory above 90 % of its limit",
    metrics=(
        *_user_facing("gate"),
        Metric(
            service="quotes", name="memory_working_set_bytes", usual=3e8, bad=2e9, at=20, ramp=45
        ),
        Metric(service="quotes", name="container_restarts_total", usual=0, bad=6),
        Metric(service="quotes", name="http_5xx_ratio", usual=0.002, bad=0.3),
    ),
    lines=(
        Line(
            service="quotes",
            text="container killed: OOMKilled, memory limit 2147483648 reached",
            count=6,
        ),
        Line(service="gate", text="upstream quotes connection reset", count=90),
    ),
    calls=_chain("gate", "basket", "quotes", "connection reset"),
    culprit=Commit(
        message="perf: remember quotes",
        files=("services/quotes/quote.go",),
        diff="@@ services/quotes/quote.go @@\n+var seen = map[string]*Quote{}\n"
        " func (s *Service) Quote(ctx context.Context, req *Request) (*Quote, error) {\n"
        "+\tmu.Lock()\n+\tdefer mu.Unlock()\n"
        " \tq := s.compute(req)\n+\tseen[req.ID] = q\n \treturn q, nil",
        at=12,
        live=("quotes", 18),
    ),
    decoys=(_tidy("quotes", 58), _bump("gate", 59)),
    victims=("basket", "gate"),
)

LIMITER = Incident(
    name="rate-limit-lowered",
    service="api",
    metric="http_429_per_sec",
    summary="api rejects more than 5 % of requests",
    metrics=(
        Metric(service="api", name="http_429_per_sec", usual=0.1, bad=210),
        Metric(service="api", name="requests_per_sec", usual=500, bad=500),
    ),
    lines=(
        Line(
            service="api",
            text="rate limit exceeded for tenant acme: 50 requests per minute",
            level="WARN",
        ),
    ),
    calls=(),
    culprit=Commit(
        message="chore: sane defaults for tenants",
        files=("services/api/config/limits.yaml",),
        diff="@@ services/api/config/limits.yaml @@\n rate_limit:\n-  requests_per_minute: 5000\n"
        "+  requests_per_minute: 50",
        at=50,
        live=("api", 58),
    ),
    decoys=(_tidy("api", 56), _bump("api", 59)),
    remediation="config-revert",
)

STORAGE = Incident(
    name="cloud-storage-outage",
    service="thumbs",
    metric="http_5xx_ratio",
    summary="thumbs errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="thumbs", name="http_5xx_ratio", usual=0.002, bad=0.6),
    ),
    lines=(
        Line(
            service="thumbs",
            text="PUT https://media.s3.eu-west-1.amazonaws.com/t returned 503 SlowDown",
        ),
        Line(service="gate", text="upstream thumbs returned 502", count=90),
    ),
    calls=_chain("gate", "media", "thumbs", "503 from media.s3.eu-west-1.amazonaws.com"),
    culprit=None,
    decoys=(
        _tidy("thumbs", 59),
        Commit(
            message="chore: upload client settings",
            files=("services/thumbs/upload.go",),
            diff="@@ services/thumbs/upload.go @@\n-\tPartSize: 5 << 20,\n+\tPartSize: 8 << 20,",
            at=48,
            live=("thumbs", 55),
        ),
    ),
    remediation="failover",
    victims=("gate", "media"),
)

FAILOVER = Incident(
    name="database-failover",
    service="orders",
    metric="http_5xx_ratio",
    summary="orders errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="orders", name="http_5xx_ratio", usual=0.002, bad=0.5),
        Metric(service="orders-db", name="replication_lag_seconds", usual=0.1, bad=95, at=58),
    ),
    lines=(
        Line(
            service="orders-db",
            text="primary orders-db-0 is down, promoting replica orders-db-1",
            count=4,
        ),
        Line(service="orders", text="cannot execute INSERT in a read-only transaction"),
        Line(service="gate", text="upstream orders returned 500", count=90),
    ),
    calls=_chain("gate", "orders", "orders-db", "cannot execute INSERT in a read-only transaction"),
    culprit=None,
    decoys=(_tidy("orders", 58), _bump("gate", 59)),
    remediation="failover",
    victims=("gate",),
)

ROUNDING = Incident(
    name="wrong-totals",
    service="billing",
    metric="reconciliation_mismatch_ratio",
    summary="billing totals differ from the ledger in more than 1 % of orders",
    metrics=(
        Metric(service="billing", name="reconciliation_mismatch_ratio", usual=0.0005, bad=0.34),
        Metric(service="billing", name="requests_per_sec", usual=120, bad=120),
        Metric(service="billing", name="http_5xx_ratio", usual=0.002, bad=0.002),
    ),
    lines=(
        Line(
            service="billing",
            text="invoice total does not match ledger: off by 1 cent",
            level="WARN",
        ),
    ),
    calls=(),
    culprit=Commit(
        message="refactor: simplify totals",
        files=("services/billing/totals.py",),
        diff="@@ services/billing/totals.py @@ def total(lines):\n"
        "-    return sum((Decimal(l.price) * l.quantity for l in lines), Decimal(0)).quantize(CENT)\n"
        "+    return round(sum(float(l.price) * l.quantity for l in lines), 2)",
        at=50,
        live=("billing", 57),
    ),
    decoys=(_tidy("billing", 59), _bump("billing", 56)),
)

VARIABLE = Incident(
    name="variable-missing-at-start",
    service="ranking",
    metric="http_5xx_ratio",
    summary="ranking errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="ranking", name="http_5xx_ratio", usual=0.002, bad=1.0),
        Metric(service="ranking", name="container_restarts_total", usual=0, bad=9),
    ),
    lines=(
        Line(service="ranking", text="panic: FEATURE_STORE_URL is not set", count=30),
        Line(service="gate", text="upstream ranking unavailable", count=90),
    ),
    calls=_chain("gate", "search", "ranking", "connection refused"),
    culprit=Commit(
        message="refactor: read settings at start",
        files=("services/ranking/main.go",),
        diff="@@ services/ranking/main.go @@\n"
        '-\turl := getenv("FEATURE_STORE_URL", "http://features:8080")\n'
        '+\turl := os.Getenv("FEATURE_STORE_URL")\n'
        '+\tif url == "" {\n+\t\tpanic("FEATURE_STORE_URL is not set")\n+\t}',
        at=54,
        live=("ranking", 59),
    ),
    decoys=(_tidy("search", 58), _bump("gate", 57)),
    victims=("gate", "search"),
)

CROWD = Incident(
    name="crawler-crowd",
    service="gate",
    metric="http_server_duration_p99_ms",
    summary="gate p99 above 1 s",
    metrics=(
        Metric(service="gate", name="requests_per_sec", usual=400, bad=2600, at=59),
        Metric(service="browse", name="requests_per_sec", usual=380, bad=2400, at=59),
        Metric(service="gate", name="cpu_utilization", usual=0.3, bad=0.99, at=59),
        Metric(service="gate", name="http_server_duration_p99_ms", usual=180, bad=3200, at=61),
        Metric(service="browse", name="http_server_duration_p99_ms", usual=90, bad=1500, at=61),
    ),
    lines=(Line(service="gate", text="worker queue full, request rejected", count=900, at=61),),
    calls=(
        Call(service="gate", name="GET /", parent=None, took_ms=3100),
        Call(service="browse", name="List", parent=0, took_ms=160),
    ),
    culprit=None,
    decoys=(_tidy("gate", 58), _bump("browse", 57)),
    remediation="scale",
    victims=("browse",),
)

APIKEY = Incident(
    name="provider-refuses-our-key",
    service="sms",
    metric="http_5xx_ratio",
    summary="sms errors above 5 %",
    metrics=(
        *_user_facing("gate"),
        Metric(service="sms", name="http_5xx_ratio", usual=0.002, bad=0.99),
    ),
    lines=(
        Line(
            service="sms",
            text="POST https://api.textily.com/v2/messages returned 401 invalid api key",
        ),
        Line(service="gate", text="upstream sms returned 502", count=90),
    ),
    calls=_chain("gate", "notify", "sms", "401 from api.textily.com"),
    culprit=Commit(
        message="chore: secrets from the vault",
        files=("services/sms/config/provider.yaml",),
        diff="@@ services/sms/config/provider.yaml @@\n textily:\n"
        "-  api_key_ref: vault:prod/textily/api_key\n+  api_key_ref: vault:staging/textily/api_key",
        at=52,
        live=("sms", 58),
    ),
    decoys=(_tidy("sms", 59), _bump("gate", 57)),
    victims=("gate", "notify"),
    remediation="config-revert",
)

SCENARIOS = (
    LOCKS, RETRIES, INDEX, DNS, DISK, TYPO, KEYS, FEED, NODE, REGEX, LAG, RENAMED, LEAK, LIMITER,
    STORAGE, FAILOVER, ROUNDING, VARIABLE, CROWD, APIKEY,
)  # fmt: skip
