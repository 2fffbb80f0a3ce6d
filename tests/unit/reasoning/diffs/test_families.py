"""Single rules of each family, each with lines that must speak and lines that must not."""

import pytest

from bot.reasoning.diffs.read import read

SPEAKS = (
    ("rollback_removed", "@@\n x := 1\n-\tdefer tx.Rollback()\n"),
    ("timer_leak", "@@\n-    clearInterval(handle);\n"),
    ("cancel_dropped", "@@ func f() {\n+\tctx, _ := context.WithTimeout(ctx, time.Second)\n"),
    ("deadline_detached", "@@ func f(ctx context.Context) {\n-\tc.Do(ctx, r)\n+\tc.Do(context.Background(), r)\n"),
    ("backoff_cut", "@@\n-retry_delay_ms: 2000\n+retry_delay_ms: 10\n"),
    ("cache_bypassed", "@@\n-  no_cache: false\n+  no_cache: true\n"),
    ("cache_size_cut", "@@\n-cache_max_entries: 100000\n+cache_max_entries: 100\n"),
    ("isolation_raised", "@@\n+    @Transactional(isolation = Isolation.SERIALIZABLE)\n"),
    ("skip_locked_removed", "@@\n-SELECT id FROM jobs LIMIT 1 FOR UPDATE SKIP LOCKED\n+SELECT id FROM jobs LIMIT 1 FOR UPDATE\n"),
    ("rw_lock_replaced", "@@ func f() {\n-\ts.mu.RLock()\n+\ts.mu.Lock()\n"),
    ("hash_cost_raised", "@@\n-const saltRounds = 10;\n+const saltRounds = 14;\n"),
    ("sampling_raised", "@@\n-trace_sampling: 0.01\n+trace_sampling: 1.0\n"),
    ("interval_cut", "@@\n-poll_interval: 30s\n+poll_interval: 100ms\n"),
    ("breaker_tightened", "@@\n-  consecutive5xxErrors: 10\n+  consecutive5xxErrors: 1\n"),
    ("rate_limit_raised", "@@\n-rate_limit: 100\n+rate_limit: 10000\n"),
    ("prefetch_changed_down", "@@\n-prefetch_count: 50\n+prefetch_count: 1\n"),
    ("token_life_cut", "@@\n-access_token_ttl: 3600\n+access_token_ttl: 30\n"),
    ("token_validation", "@@\n-    leeway=60,\n"),
    ("port_changed", "@@\n-  containerPort: 8080\n+  containerPort: 8081\n"),
    ("wrong_address", "@@\n-  host: 0.0.0.0\n+  host: 127.0.0.1\n"),
    ("tag_moved", "--- a/o.proto\n+++ b/o.proto\n@@ message O {\n-  string id = 1;\n+  string id = 3;\n"),
    ("cpu_limit_lowered", "@@\n limits:\n-  cpu: 2\n+  cpu: 200m\n"),
    ("retention_raised", "@@\n-log_retention_days: 3\n+log_retention_days: 90\n"),
    ("body_limit_lowered", "@@\n-client_max_body_size 20m;\n+client_max_body_size 1m;\n"),
    ("dependency_major", "--- a/pom.properties\n+++ b/go.mod\n@@\n-\tgithub.com/x/redis v8.1.0\n+\tgithub.com/x/redis v9.0.0\n"),
)  # fmt: skip
SILENT = (
    ("rollback_removed", "@@\n x := 1\n+\tdefer tx.Rollback()\n"),
    ("timer_leak", "@@\n-  const h = setInterval(f, 5);\n-  clearInterval(h);\n"),
    ("cancel_dropped", "@@ func f() {\n+\tctx, cancel := context.WithTimeout(ctx, time.Second)\n"),
    ("backoff_cut", "@@\n-retry_delay_ms: 10\n+retry_delay_ms: 2000\n"),
    ("cache_bypassed", "@@\n-  no_cache: true\n+  no_cache: false\n"),
    ("cache_size_cut", "@@\n-cache_max_entries: 100\n+cache_max_entries: 110\n"),
    ("skip_locked_removed", "@@\n-SELECT 1 FOR UPDATE\n+SELECT 1 FOR UPDATE SKIP LOCKED\n"),
    ("rw_lock_replaced", "@@ func f() {\n-\ts.mu.Lock()\n+\ts.mu.RLock()\n"),
    ("hash_cost_raised", "@@\n-const saltRounds = 12;\n+const saltRounds = 10;\n"),
    ("interval_cut", "@@\n-poll_interval: 30s\n+poll_interval: 20s\n"),
    ("breaker_tightened", "@@\n-  consecutive5xxErrors: 1\n+  consecutive5xxErrors: 10\n"),
    ("rate_limit_lowered", "@@\n-rate_limit: 100\n+rate_limit: 10000\n"),
    ("prefetch_changed_down", "@@\n-prefetch_count: 1\n+prefetch_count: 50\n"),
    ("token_life_cut", "@@\n-access_token_ttl: 3600\n+access_token_ttl: 7200\n"),
    ("port_changed", "@@\n-  reporter: a\n+  reporter: b\n"),
    ("listener_bound_narrowly", "@@\n-  host: 127.0.0.1\n+  host: 0.0.0.0\n"),
    ("tag_moved", "--- a/o.proto\n+++ b/o.proto\n@@ message O {\n   string id = 1;\n+  string note = 3;\n"),
    ("cpu_limit_lowered", "@@\n limits:\n-  cpu: 200m\n+  cpu: 2\n"),
    ("retention_raised", "@@\n-log_retention_days: 90\n+log_retention_days: 30\n"),
    ("body_limit_lowered", "@@\n-client_max_body_size 1m;\n+client_max_body_size 20m;\n"),
    ("dependency_major", "--- a/go.mod\n+++ b/go.mod\n@@\n-\tgithub.com/x/redis v9.0.0\n+\tgithub.com/x/redis v9.0.1\n"),
)  # fmt: skip


def names(diff: str) -> set[str]:
    return {name for one in read(diff) for name in (one.rule, one.mechanism)}


@pytest.mark.parametrize(("rule", "diff"), SPEAKS)
def test_the_rule_speaks(rule: str, diff: str) -> None:
    assert rule in names(diff)


@pytest.mark.parametrize(("rule", "diff"), SILENT)
def test_the_rule_is_silent(rule: str, diff: str) -> None:
    assert rule not in names(diff)
